//! Holds, captures and the journal in the small world, and releases that are started there.

use async_trait::async_trait;
use picket_model::{AccountId, CaseId, Entry, GroupId, Hold, InstanceId, Scope, VpcId};

use super::World;
use crate::ports::{Answer, Begun, Budget, Holds, Releases};
use crate::release::Order;

#[async_trait]
impl Holds for World {
    async fn begin(&self, new: &[Hold], intents: &[Entry], budget: &Budget) -> Answer<Begun> {
        self.call("begin", |s| {
            let existing: Vec<Hold> = new.iter().filter_map(|h| s.holds.get(&h.instance).cloned()).collect();
            if !existing.is_empty() {
                return Ok(Begun::Existing(existing));
            }
            if !s.spend(new.len(), budget) {
                return Ok(Begun::OverBudget);
            }
            for hold in new {
                s.check_hold(None, hold);
                s.holds.insert(hold.instance.clone(), hold.clone());
            }
            s.append(intents);
            Ok(Begun::All)
        })
        .await
    }

    async fn update(&self, expected: &Hold, next: &Hold, entries: &[Entry]) -> Answer<bool> {
        self.call("update", |s| {
            if s.holds.get(&next.instance) != Some(expected) {
                return Ok(false);
            }
            s.check_hold(Some(expected), next);
            s.holds.insert(next.instance.clone(), next.clone());
            s.append(entries);
            Ok(true)
        })
        .await
    }

    async fn begin_again(&self, expected: &Hold, next: &Hold, entries: &[Entry], budget: &Budget) -> Answer<Begun> {
        self.call("begin_again", |s| {
            if s.holds.get(&next.instance) != Some(expected) {
                return Ok(Begun::Existing(Vec::new()));
            }
            if !s.spend(1, budget) {
                return Ok(Begun::OverBudget);
            }
            s.check_hold(Some(expected), next);
            s.holds.insert(next.instance.clone(), next.clone());
            s.append(entries);
            Ok(Begun::All)
        })
        .await
    }

    async fn hold(&self, _: &Scope, instance: &InstanceId) -> Answer<Option<Hold>> {
        self.call("hold", |s| Ok(s.holds.get(instance).cloned())).await
    }

    async fn holds(&self, _: &Scope) -> Answer<Vec<Hold>> {
        self.call("holds", |s| Ok(s.holds.values().cloned().collect())).await
    }

    async fn note(&self, entries: &[Entry]) -> Answer<()> {
        self.call("note", |s| {
            let new: Vec<_> = entries.iter().filter(|e| !s.journal.contains(e)).cloned().collect();
            s.append(&new);
            Ok(())
        })
        .await
    }

    async fn journal(&self, case: &CaseId) -> Answer<Vec<Entry>> {
        self.call("journal", |s| Ok(s.journal.iter().filter(|e| &e.case == case).cloned().collect())).await
    }

    async fn running(&self, _: &AccountId) -> Answer<Option<u64>> {
        self.call("running", |s| Ok(s.running)).await
    }

    async fn quarantine_group(&self, _: &Scope, vpc: &VpcId) -> Answer<Option<GroupId>> {
        self.call("quarantine_group", |s| Ok(s.quarantine.get(vpc).cloned())).await
    }

    async fn keep_quarantine_group(
        &self,
        _: &Scope,
        vpc: &VpcId,
        group: &GroupId,
        gone: Option<&GroupId>,
    ) -> Answer<GroupId> {
        self.call("keep_quarantine_group", |s| {
            if s.quarantine.get(vpc) == gone {
                s.quarantine.remove(vpc);
            }
            Ok(s.quarantine.entry(vpc.clone()).or_insert_with(|| group.clone()).clone())
        })
        .await
    }
}

#[async_trait]
impl Releases for World {
    async fn start(&self, order: &Order) -> Answer<()> {
        self.call("start_release", |s| {
            s.started.push(order.clone());
            Ok(())
        })
        .await
    }
}
