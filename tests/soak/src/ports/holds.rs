//! Holds, captures and the journal, in the state table.

use async_trait::async_trait;
use picket_model::{AccountId, CaseId, Entry, GroupId, Hold, InstanceId, Scope, VpcId};
use picket_pipeline::ports::{Answer, Begun, Budget, Holds, Kind, PortError};

use crate::api::Api;
use crate::call::Client;
use crate::invariants;
use crate::store::MOST_HOLDS;

#[async_trait]
impl Holds for Client {
    async fn begin(&self, new: &[Hold], intents: &[Entry], budget: &Budget) -> Answer<Begun> {
        let (new, intents, budget, task) = (new.to_vec(), intents.to_vec(), budget.clone(), self.task);
        let what = new.iter().map(|h| h.instance.as_str()).collect::<Vec<_>>().join(",");
        self.call(Api::Begin, what, move |w, _| {
            if new.len() > MOST_HOLDS {
                return Err(PortError::new("writing the holds of", new.len(), Kind::Other, "too many for one plan"));
            }
            let begun = w.store.begin(&new, &budget);
            if begun == Begun::All {
                invariants::began(w, task, &new, budget.limit);
                let illegal = w.store.append(&intents);
                invariants::journalled(w, illegal);
            }
            Ok(begun)
        })
        .await
    }

    async fn update(&self, expected: &Hold, next: &Hold, entries: &[Entry]) -> Answer<bool> {
        let (expected, next, entries, task) = (expected.clone(), next.clone(), entries.to_vec(), self.task);
        let what = format!("{} {} -> {}", next.instance, expected.state, next.state);
        self.call(Api::Update, what, move |w, _| {
            if w.store.holds.get(&next.instance) != Some(&expected) {
                w.trace(Some(task), format!("{} is not as expected", next.instance));
                return Ok(false);
            }
            invariants::updated(w, task, &expected, &next);
            w.store.holds.insert(next.instance.clone(), next.clone());
            let illegal = w.store.append(&entries);
            invariants::journalled(w, illegal);
            Ok(true)
        })
        .await
    }

    async fn begin_again(&self, expected: &Hold, next: &Hold, entries: &[Entry], budget: &Budget) -> Answer<Begun> {
        let (expected, next, entries, task) = (expected.clone(), next.clone(), entries.to_vec(), self.task);
        let budget = budget.clone();
        self.call(Api::Begin, format!("{} anew", next.instance), move |w, _| {
            if w.store.holds.get(&next.instance) != Some(&expected) {
                w.trace(Some(task), format!("{} is not as expected", next.instance));
                return Ok(Begun::Existing(Vec::new()));
            }
            if !w.store.spend(1, &budget) {
                return Ok(Begun::OverBudget);
            }
            invariants::updated(w, task, &expected, &next);
            w.store.holds.insert(next.instance.clone(), next.clone());
            let illegal = w.store.append(&entries);
            invariants::journalled(w, illegal);
            Ok(Begun::All)
        })
        .await
    }

    async fn hold(&self, _: &Scope, instance: &InstanceId) -> Answer<Option<Hold>> {
        let instance = instance.clone();
        self.call(Api::Hold, instance.to_string(), move |w, _| Ok(w.store.holds.get(&instance).cloned())).await
    }

    async fn holds(&self, _: &Scope) -> Answer<Vec<Hold>> {
        self.call(Api::Holds, String::new(), |w, _| Ok(w.store.holds.values().cloned().collect())).await
    }

    async fn note(&self, entries: &[Entry]) -> Answer<()> {
        let entries = entries.to_vec();
        self.call(Api::Note, format!("{} entries", entries.len()), move |w, _| {
            let illegal = w.store.note(&entries);
            invariants::journalled(w, illegal);
            Ok(())
        })
        .await
    }

    async fn journal(&self, case: &CaseId) -> Answer<Vec<Entry>> {
        let case = case.clone();
        self.call(Api::Journal, case.to_string(), move |w, _| {
            Ok(w.store.journal.iter().filter(|e| e.case == case).cloned().collect())
        })
        .await
    }

    async fn running(&self, _: &AccountId) -> Answer<Option<u64>> {
        self.call(Api::Other, "running".to_owned(), |w, _| Ok(w.store.running)).await
    }

    async fn quarantine_group(&self, _: &Scope, vpc: &VpcId) -> Answer<Option<GroupId>> {
        let vpc = vpc.clone();
        self.call(Api::QuarantineGroup, vpc.to_string(), move |w, _| Ok(w.store.quarantine.get(&vpc).cloned())).await
    }

    async fn keep_quarantine_group(
        &self,
        _: &Scope,
        vpc: &VpcId,
        group: &GroupId,
        gone: Option<&GroupId>,
    ) -> Answer<GroupId> {
        let (vpc, group, gone) = (vpc.clone(), group.clone(), gone.cloned());
        self.call(Api::KeepQuarantineGroup, format!("{vpc} {group}"), move |w, _| {
            Ok(w.store.keep_quarantine(&vpc, &group, gone.as_ref()))
        })
        .await
    }
}
