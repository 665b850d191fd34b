//! A world of things that can be fixed, for tests: values by action and target, the store of fixes, the queue and the
//! clock in memory, every call counted, and faults put before or after any call. It checks what no fix may break.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::fix::{Aim, Fix, FixState};
use picket_model::{CaseId, Entry, Scope, Untrusted, journal};
use serde_json::Value;

use super::{Fault, Faulty, meet};
use crate::fix::{Turns, moved};
use crate::messages::Message;
use crate::permit::Permit;
use crate::ports::{
    Answer, Budget, Clock, FixStore, Fixes, Kept, Kind, Links, Policies, PortError, Queues, Sight, StoredPolicy,
};

/// The state of the world.
#[derive(Debug, Default)]
pub struct Workshop {
    /// What is there, by action and target.
    pub things: BTreeMap<(String, String), Value>,
    /// What else is read of them.
    pub facts: BTreeMap<(String, String), Value>,
    /// Things that AWS will not change, and why.
    pub refused: BTreeMap<String, Kind>,
    /// Things with an update under way: how many more reads find it so, after each write.
    pub slow: BTreeMap<String, u32>,
    /// Reads left until an update is done.
    pub updating: BTreeMap<String, u32>,
    /// Fixes.
    pub fixes: BTreeMap<CaseId, Fix>,
    /// The journal.
    pub journal: Vec<Entry>,
    /// How many fixes began in each hour.
    pub begun: HashMap<String, u32>,
    /// Which fix has which turn.
    pub turns: BTreeMap<String, CaseId>,
    /// The policy.
    pub policy: StoredPolicy,
    /// What was sent on.
    pub sent: Vec<Message>,
    /// Every write that had an effect, in order: target and value.
    pub writes: Vec<(String, Value)>,
    /// Every call, in order.
    pub calls: Vec<&'static str>,
    /// Which call, by its number from 0, meets which fault.
    pub faults: HashMap<usize, Fault>,
    /// Now.
    pub now: Timestamp,
    /// What the stage did that it may not do.
    pub violations: Vec<String>,
}

impl Faulty for Workshop {
    fn calls(&mut self) -> (&mut Vec<&'static str>, &HashMap<usize, Fault>, &mut Timestamp) {
        (&mut self.calls, &self.faults, &mut self.now)
    }
}

/// The world, shared by all ports.
#[derive(Debug, Default)]
pub struct FixWorld(Mutex<Workshop>);

impl FixWorld {
    /// Looks at, or changes, the state directly.
    pub fn state(&self) -> MutexGuard<'_, Workshop> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(&self, name: &'static str, effect: impl FnOnce(&mut Workshop) -> Answer<T>) -> Answer<T> {
        let (answer, dies) = meet(&mut *self.state(), name, effect);
        if dies {
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Workshop {
    /// A change stands in a fix that is being made or put back, as one of its ends, and its intent in the journal.
    fn check_write(&mut self, aim: &Aim, to: &Value) {
        let acting = |f: &&Fix| matches!(f.state, FixState::Applying | FixState::Undoing);
        let mut steps = self.fixes.values().filter(acting).flat_map(|f| f.steps.iter().map(move |s| (f, s)));
        let planned = steps.any(|(_, s)| &s.aim == aim && (&s.after == to || &s.before == to));
        if !planned {
            self.violations.push(format!("{} was changed to {to} without an intent", aim.target));
        }
        let mine = self.fixes.values().filter(acting).find(|f| f.steps.iter().any(|s| &s.aim == aim));
        let turn = mine.and_then(|f| Some((f, f.steps.iter().find(|s| &s.aim == aim)?.facts.get("turn")?.as_str()?)));
        if let Some((fix, turn)) = turn
            && self.turns.get(turn) != Some(&fix.id)
        {
            self.violations.push(format!("{} was changed while it was not its turn", aim.target));
        }
        let one_way = self.fixes.values().flat_map(|f| &f.steps).any(|s| s.one_way && &s.aim == aim && &s.before == to);
        if one_way {
            self.violations.push(format!("{} cannot be put back, and was", aim.target));
        }
    }

    /// Takes the turns that a fix needs, or gives them back; false if another fix has one of them.
    fn moves_turns(&mut self, known: Option<&Fix>, next: &Fix) -> bool {
        match moved(known, next) {
            Turns::Stay => {}
            Turns::Take(turns) => {
                if turns.iter().any(|t| self.turns.get(t).is_some_and(|of| of != &next.id)) {
                    return false;
                }
                self.turns.extend(turns.into_iter().map(|t| (t, next.id.clone())));
            }
            Turns::GiveBack(turns) => self.turns.retain(|t, _| !turns.contains(t)),
        }
        true
    }

    fn add(&mut self, entries: &[Entry]) {
        self.journal.extend(entries.iter().cloned());
        if let Err(illegal) = journal::check(&self.journal) {
            self.violations.push(illegal.to_string());
        }
    }

    fn keep(&mut self, next: &Fix) {
        if let Some(old) = self.fixes.get(&next.id)
            && old.round == next.round
            && old.state != FixState::Proposed
            && old.steps.iter().zip(&next.steps).any(|(o, n)| o.before != n.before)
        {
            self.violations.push(format!("the capture of {} was overwritten", next.id));
        }
        self.fixes.insert(next.id.clone(), next.clone());
    }
}

impl Clock for FixWorld {
    fn now(&self) -> Timestamp {
        self.state().now
    }
}

impl Links for FixWorld {
    fn link(&self, id: &CaseId, question: &str, _: Timestamp) -> Option<String> {
        Some(format!("https://picket.example/{id}/{question}"))
    }
}

#[async_trait]
impl Fixes for FixWorld {
    async fn read(&self, _: &Scope, aim: &Aim) -> Answer<Sight> {
        self.call("read", |s| {
            let key = (aim.action.clone(), aim.target.clone());
            if let Some(left) = s.updating.get_mut(&aim.target).filter(|n| **n > 0) {
                *left -= 1;
                return Err(PortError::new("reading", &aim.target, Kind::Conflict, "an update is in progress"));
            }
            let missing = || PortError::new("reading", &aim.target, Kind::NotFound, "no such thing");
            let now = s.things.get(&key).cloned().ok_or_else(missing)?;
            Ok(Sight { now, facts: s.facts.get(&key).cloned().unwrap_or_default() })
        })
        .await
    }

    async fn write(&self, _: &Permit, _: &Scope, aim: &Aim, _: &Value, to: &Value) -> Answer<()> {
        self.call("write", |s| {
            s.check_write(aim, to);
            if let Some(kind) = s.refused.get(&aim.target) {
                return Err(PortError::new("changing", &aim.target, *kind, "no"));
            }
            if let Some(reads) = s.slow.get(&aim.target).copied() {
                s.updating.insert(aim.target.clone(), reads);
            }
            s.things.insert((aim.action.clone(), aim.target.clone()), to.clone());
            s.writes.push((aim.target.clone(), to.clone()));
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl FixStore for FixWorld {
    async fn fix(&self, _: &Scope, id: &CaseId) -> Answer<Option<Fix>> {
        self.call("fix", |s| Ok(s.fixes.get(id).cloned())).await
    }

    async fn fixes(&self, _: &Scope) -> Answer<Vec<Fix>> {
        self.call("fixes", |s| Ok(s.fixes.values().cloned().collect())).await
    }

    async fn begin_fix(
        &self,
        known: Option<&Fix>,
        next: &Fix,
        entries: &[Entry],
        budget: Option<&Budget>,
    ) -> Answer<Kept> {
        self.call("begin_fix", |s| {
            if s.fixes.get(&next.id) != known {
                return Ok(Kept::Changed);
            }
            if let Some(budget) = budget {
                let count = s.begun.entry(budget.hour.clone()).or_default();
                if *count >= budget.limit {
                    return Ok(Kept::OverBudget);
                }
                *count += 1;
            }
            if !s.moves_turns(known, next) {
                return Ok(Kept::NotItsTurn);
            }
            s.keep(next);
            s.add(entries);
            Ok(Kept::Yes)
        })
        .await
    }

    async fn update_fix(&self, expected: &Fix, next: &Fix, entries: &[Entry]) -> Answer<bool> {
        self.call("update_fix", |s| {
            if s.fixes.get(&next.id) != Some(expected) || !s.moves_turns(Some(expected), next) {
                return Ok(false);
            }
            s.keep(next);
            s.add(entries);
            Ok(true)
        })
        .await
    }

    async fn note_fix(&self, entries: &[Entry]) -> Answer<()> {
        self.call("note_fix", |s| {
            let new: Vec<Entry> = entries.iter().filter(|e| !s.journal.contains(e)).cloned().collect();
            s.add(&new);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Policies for FixWorld {
    async fn policy(&self) -> Answer<StoredPolicy> {
        self.call("policy", |s| Ok(s.policy.clone())).await
    }

    async fn keep_good(&self, text: &str) -> Answer<()> {
        self.call("keep_good", |s| {
            s.policy.good = Some(text.to_owned());
            Ok(())
        })
        .await
    }

    async fn put_policy(&self, text: &str, _: &Untrusted) -> Answer<()> {
        self.call("put_policy", |s| {
            s.policy.current = Some(text.to_owned());
            Ok(())
        })
        .await
    }

    async fn set_paused(&self, why: Option<&Untrusted>, _: &Untrusted) -> Answer<()> {
        self.call("set_paused", |s| {
            s.policy.paused = why.map(ToString::to_string);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Queues for FixWorld {
    async fn send(&self, messages: Vec<Message>) -> Answer<()> {
        self.call("send", |s| {
            s.sent.extend(messages);
            Ok(())
        })
        .await
    }
}
