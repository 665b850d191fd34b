//! The state table: strongly consistent, with conditional transactions, as `picket-aws` keeps it in DynamoDB.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use picket_model::{Entry, Event, GroupId, Hold, HoldState, InstanceId, VpcId};
use picket_pipeline::ports::{Begun, Budget, Seen, StoredPolicy};

/// The most holds that one transaction takes.
pub const MOST_HOLDS: usize = 98;

/// The table.
#[derive(Debug, Default)]
pub struct Store {
    /// Holds.
    pub holds: BTreeMap<InstanceId, Hold>,
    /// The journal, in the order in which it was written.
    pub journal: Vec<Entry>,
    /// The last event of each subject.
    pub last: HashMap<String, Event>,
    noted: BTreeSet<String>,
    /// The quarantine groups in force.
    pub quarantine: BTreeMap<VpcId, GroupId>,
    /// Every group that ever was one.
    pub ever_quarantine: BTreeSet<GroupId>,
    /// How many holds began in each hour, as the budget counts.
    pub spent: HashMap<String, u32>,
    /// How many instances run, as a sweep counted them.
    pub running: Option<u64>,
    /// The policy.
    pub policy: StoredPolicy,
    /// When each was first seen.
    pub seen: HashMap<Seen, Timestamp>,
    /// Notices that people were told.
    pub told: BTreeSet<String>,
    /// Notices that are being told, and until when.
    pub telling: std::collections::BTreeMap<String, jiff::Timestamp>,
}

impl Store {
    /// Writes new holds, all or none.
    pub fn begin(&mut self, new: &[Hold], budget: &Budget) -> Begun {
        let existing: Vec<Hold> = new.iter().filter_map(|h| self.holds.get(&h.instance).cloned()).collect();
        if !existing.is_empty() {
            return Begun::Existing(existing);
        }
        if !self.spend(new.len(), budget) {
            return Begun::OverBudget;
        }
        self.holds.extend(new.iter().map(|h| (h.instance.clone(), h.clone())));
        Begun::All
    }

    /// Takes some of the hour's budget, if they are there to take.
    pub fn spend(&mut self, count: usize, budget: &Budget) -> bool {
        let mut wanted = vec![(budget.hour.clone(), count, budget.limit)];
        wanted.extend(budget.also.iter().map(|c| (format!("{} {}", budget.hour, c.name), c.count, c.limit)));
        let after = |(name, count, _): &(String, usize, u32)| {
            self.spent.get(name).copied().unwrap_or(0).saturating_add(u32::try_from(*count).unwrap_or(u32::MAX))
        };
        if wanted.iter().any(|w| after(w) > w.2) {
            return false;
        }
        let spent: Vec<_> = wanted.iter().map(|w| (w.0.clone(), after(w))).collect();
        self.spent.extend(spent);
        true
    }

    /// Adds entries; answers those that may not stand where they do.
    pub fn append(&mut self, entries: &[Entry]) -> Vec<String> {
        let mut illegal = Vec::new();
        for entry in entries {
            let before = self.last.get(&entry.subject).copied();
            if let Err(error) = entry.event.may_follow(before, &entry.subject) {
                illegal.push(error.to_string());
            }
            self.last.insert(entry.subject.clone(), entry.event);
            self.journal.push(entry.clone());
        }
        illegal
    }

    /// Adds entries that are not there yet.
    pub fn note(&mut self, entries: &[Entry]) -> Vec<String> {
        let key = |e: &Entry| format!("{} {} {} {:?}", e.case, e.at, e.subject, e.event);
        let new: Vec<Entry> = entries.iter().filter(|e| self.noted.insert(key(e))).cloned().collect();
        self.append(&new)
    }

    /// Whether an instance is held, or was and is being let go.
    #[must_use]
    pub fn is_held(&self, instance: &InstanceId) -> bool {
        self.holds.get(instance).is_some_and(|h| h.state != HoldState::Released)
    }

    /// Keeps a quarantine group, unless another is kept that is not `gone`.
    pub fn keep_quarantine(&mut self, vpc: &VpcId, group: &GroupId, gone: Option<&GroupId>) -> GroupId {
        if self.quarantine.get(vpc) == gone {
            self.quarantine.insert(vpc.clone(), group.clone());
            self.ever_quarantine.insert(group.clone());
        }
        self.quarantine.get(vpc).unwrap_or(group).clone()
    }
}
