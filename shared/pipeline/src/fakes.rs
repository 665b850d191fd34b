//! A small world behind the ports, for tests: instances, interfaces, groups, holds and queues in memory, every call
//! counted, and faults put before or after any call. It checks the invariants that no stage may break, at every change.

mod containment;
pub mod fixing;
mod flows;
mod holds;
mod levers;
mod outbox;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use picket_model::{
    AccountId, Change, Cluster, Entry, Facts, FlowFacts, GroupId, Hold, HoldState, Instance, InstanceId, Interface,
    InterfaceId, Notice, Observation, Owner, Principal, Rule, ScalingGroup, Scope, Untrusted, VpcId, journal,
};

use crate::digest::{Waiting, Window};
use crate::messages::Message;
use crate::ports::{
    Answer, Budget, Claim, Clock, Cloud, GroupState, Inventory, Kind, Look, Pager, Policies, PortError, Queues, Seen,
    StoredPolicy, Which,
};
use crate::render::Page;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call has no effect and fails as passing faults do.
    Fails,
    /// The call has its effect, and its answer is lost.
    LosesReply,
    /// The worker dies before the call.
    DiesBefore,
    /// The worker dies after the call had its effect.
    DiesAfter,
}

/// The state of the world.
#[derive(Debug, Default)]
pub struct State {
    /// Instances, with stale interfaces: `interfaces` is the truth.
    pub instances: Vec<Instance>,
    /// Instances that exist and are not visible yet.
    pub invisible: HashSet<InstanceId>,
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Groups and how many rules each has.
    pub groups: BTreeMap<GroupId, GroupState>,
    /// User data in base64.
    pub user_data: HashMap<InstanceId, String>,
    /// Ingress rules.
    pub rules: Vec<Rule>,
    /// Assets whose first judgement was asked for.
    pub asked_for: HashSet<String>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Managed policies attached to users.
    pub attached: HashMap<String, Vec<Untrusted>>,
    /// Holds.
    pub holds: BTreeMap<InstanceId, Hold>,
    /// What `facts` answers.
    pub facts: HashMap<InstanceId, Facts>,
    /// Auto Scaling groups by name.
    pub scaling_groups: BTreeMap<Untrusted, ScalingGroup>,
    /// Other owners of instances.
    pub owners: HashMap<InstanceId, Vec<Owner>>,
    /// How connections leave interfaces.
    pub flows: HashMap<InterfaceId, FlowFacts>,
    /// Open groups of ours.
    pub open: HashSet<GroupId>,
    /// Changes that AWS refuses, by their first word.
    pub refused: HashSet<&'static str>,
    /// Changes beside the groups, in order.
    pub changes: Vec<Change>,
    /// The journal.
    pub journal: Vec<Entry>,
    /// Our quarantine groups.
    pub quarantine: HashMap<VpcId, GroupId>,
    /// How many holds began in each hour, by counter.
    pub begun: HashMap<String, u32>,
    /// How many instances run, as a sweep counted them.
    pub running: Option<u64>,
    /// Releases that the sweep started.
    pub started: Vec<crate::release::Order>,
    /// The policy.
    pub policy: StoredPolicy,
    /// First-seen times.
    pub seen: HashMap<Seen, Timestamp>,
    /// What was sent on.
    pub sent: Vec<Message>,
    /// What was published: subject and body.
    pub published: Vec<(String, String)>,
    /// Notices that were told.
    pub told: HashSet<String>,
    /// Notices that are being told, and until when.
    pub telling: HashMap<String, Timestamp>,
    /// Windows of what is told together.
    pub windows: HashMap<String, Window>,
    /// Notices that are kept back.
    pub waiting: BTreeMap<String, Waiting>,
    /// Launches that are being looked at: by which event, and until when.
    pub looks: HashMap<Untrusted, (Untrusted, Timestamp)>,
    /// Every call, in order.
    pub calls: Vec<&'static str>,
    /// Which call, by its number from 0, meets which fault.
    pub faults: HashMap<usize, Fault>,
    /// Now.
    pub now: Timestamp,
    /// What a stage did that none may do.
    pub violations: Vec<String>,
}

/// A world whose calls are counted and meet faults.
trait Faulty {
    /// The calls so far, the faults by their numbers, and the clock.
    fn calls(&mut self) -> (&mut Vec<&'static str>, &HashMap<usize, Fault>, &mut Timestamp);
}

impl Faulty for State {
    fn calls(&mut self) -> (&mut Vec<&'static str>, &HashMap<usize, Fault>, &mut Timestamp) {
        (&mut self.calls, &self.faults, &mut self.now)
    }
}

/// Makes one call: counts it, lets time pass, and meets its fault. The answer, and whether the worker dies of it.
fn meet<S: Faulty, T>(
    state: &mut S,
    name: &'static str,
    effect: impl FnOnce(&mut S) -> Answer<T>,
) -> (Answer<T>, bool) {
    let (calls, faults, now) = state.calls();
    let fault = faults.get(&calls.len()).copied();
    calls.push(name);
    *now = now.saturating_add(SignedDuration::from_millis(7)).unwrap_or(*now);
    let lost = || Err(PortError::new("calling", name, Kind::Transient, "injected"));
    match fault {
        None => (effect(state), false),
        Some(Fault::Fails) => (lost(), false),
        Some(Fault::LosesReply) => (effect(state).and_then(|_| lost()), false),
        Some(Fault::DiesBefore) => (lost(), true),
        Some(Fault::DiesAfter) => (effect(state).and_then(|_| lost()), true),
    }
}

/// The world, shared by all ports.
#[derive(Debug, Default)]
pub struct World(Mutex<State>);

impl World {
    /// Looks at, or changes, the state directly.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(&self, name: &'static str, effect: impl FnOnce(&mut State) -> Answer<T>) -> Answer<T> {
        let (answer, dies) = meet(&mut *self.state(), name, effect);
        if dies {
            // A dead worker never gets its answer: whoever drives the stage sees it never finish.
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.state().now
    }
}

fn is_in(which: &Which, instance: &Instance, interfaces: &[Interface]) -> bool {
    match which {
        Which::Ids(ids) => ids.contains(&instance.id),
        Which::Reservation(r) => &instance.reservation == r,
        Which::Group(g) => interfaces.iter().any(|i| i.instance.as_ref() == Some(&instance.id) && i.groups.contains(g)),
        Which::All => true,
        Which::ClientToken(_) | Which::AutoScalingGroup(_) | Which::LaunchTemplate(_) | Which::Fleet(_) => false,
    }
}

#[async_trait]
impl Cloud for World {
    async fn instances(&self, _: &Scope, which: &Which) -> Answer<Vec<Instance>> {
        self.call("instances", |s| {
            let visible = s.instances.iter().filter(|i| !s.invisible.contains(&i.id));
            let found = visible.filter(|i| is_in(which, i, &s.interfaces)).cloned();
            let with = |mut i: Instance| {
                i.interfaces = s.interfaces.iter().filter(|e| e.instance.as_ref() == Some(&i.id)).cloned().collect();
                i
            };
            Ok(found.map(with).collect())
        })
        .await
    }

    async fn interfaces(&self, _: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>> {
        self.call("interfaces", |s| {
            let of_these = |i: &&Interface| i.instance.as_ref().is_some_and(|id| of.contains(id));
            Ok(s.interfaces.iter().filter(of_these).cloned().collect())
        })
        .await
    }

    async fn user_data(&self, _: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        self.call("user_data", |s| {
            if s.invisible.contains(of) {
                return Err(PortError::new("reading the user data of", of, Kind::NotFound, "not visible"));
            }
            Ok(s.user_data.get(of).cloned())
        })
        .await
    }

    async fn ingress_rules(&self, _: &Scope, of: &[GroupId]) -> Answer<Vec<Rule>> {
        self.call("ingress_rules", |s| Ok(s.rules.iter().filter(|r| of.contains(&r.group)).cloned().collect())).await
    }

    async fn existing_groups(&self, _: &Scope, groups: &[GroupId]) -> Answer<Vec<GroupId>> {
        self.call("existing_groups", |s| {
            Ok(groups.iter().filter(|g| s.groups.contains_key(*g) && !s.open.contains(*g)).cloned().collect())
        })
        .await
    }

    async fn cluster(&self, _: &Scope, name: &str) -> Answer<Cluster> {
        self.call("cluster", |s| {
            let found = s.clusters.iter().find(|c| c.name.as_str() == name).cloned();
            found.ok_or_else(|| PortError::new("reading EKS cluster", name, Kind::NotFound, "no such cluster"))
        })
        .await
    }

    async fn vpcs(&self, _: &Scope) -> Answer<Vec<VpcId>> {
        self.call("vpcs", |s| {
            let mut vpcs: Vec<_> = s.interfaces.iter().map(|i| i.vpc.clone()).collect();
            vpcs.sort();
            vpcs.dedup();
            Ok(vpcs)
        })
        .await
    }

    async fn clusters(&self, _: &Scope) -> Answer<Vec<Untrusted>> {
        self.call("clusters", |s| Ok(s.clusters.iter().map(|c| c.name.clone()).collect())).await
    }

    async fn attached_policies(&self, user: &str) -> Answer<Vec<Untrusted>> {
        self.call("attached_policies", |s| Ok(s.attached.get(user).cloned().unwrap_or_default())).await
    }

    async fn in_open_groups(&self, _: &Scope) -> Answer<Vec<Interface>> {
        self.call("in_open_groups", |s| Ok(s.in_open_groups())).await
    }

    async fn launched_by(&self, _: &Scope, _: &InstanceId) -> Answer<Option<Principal>> {
        self.call("launched_by", |_| Ok(None)).await
    }
}

impl State {
    /// The invariants of a change: captured and intended before, into an empty group or back to the capture.
    fn check_change(&mut self, interface: &InterfaceId, groups: &[GroupId]) {
        let held = self.holds.values().find(|h| h.captures.iter().any(|c| &c.interface == interface));
        let last = self.journal.iter().rev().find(|e| e.subject == interface.as_str()).map(|e| e.event);
        let intended =
            matches!(last, Some(picket_model::Event::ContainIntended | picket_model::Event::ReleaseIntended));
        let problem = match held {
            None => Some("was changed without a capture"),
            Some(_) if !intended => Some("was changed without an intent"),
            Some(h) if h.state == HoldState::Containing && groups.iter().all(|g| self.open.contains(g)) => None,
            Some(h) if h.state == HoldState::Containing => {
                let empty = groups.iter().all(|g| self.groups.get(g).is_some_and(|g| g.rules == 0));
                let ours = groups.iter().all(|g| self.quarantine.values().any(|q| q == g));
                (!empty || !ours).then_some("was put into a group that is not an empty quarantine group")
            }
            Some(h) if h.state == HoldState::Releasing => {
                let captured = h.captures.iter().find(|c| &c.interface == interface);
                (captured.is_none_or(|c| c.groups != groups))
                    .then_some("was restored to something else than its capture")
            }
            Some(_) => Some("was changed outside of a containment or a release"),
        };
        self.violations.extend(problem.map(|p| format!("{interface} {p}")));
    }

    /// Takes from every counter of a budget, or from none.
    fn spend(&mut self, count: usize, budget: &Budget) -> bool {
        let mut wanted = vec![(budget.hour.clone(), count, budget.limit)];
        wanted.extend(budget.also.iter().map(|c| (format!("{} {}", budget.hour, c.name), c.count, c.limit)));
        let after = |(name, count, _): &(String, usize, u32)| {
            self.begun.get(name).copied().unwrap_or(0).saturating_add(u32::try_from(*count).unwrap_or(u32::MAX))
        };
        if wanted.iter().any(|w| after(w) > w.2) {
            return false;
        }
        let spent: Vec<_> = wanted.iter().map(|w| (w.0.clone(), after(w))).collect();
        self.begun.extend(spent);
        true
    }

    fn check_hold(&mut self, before: Option<&Hold>, next: &Hold) {
        if next.captures.iter().any(|c| c.groups.iter().any(|g| self.quarantine.values().any(|q| q == g))) {
            self.violations.push(format!("the capture of {} contains the quarantine group", next.instance));
        }
        let kept = before.filter(|b| b.state != HoldState::Released);
        let overwritten = kept.is_some_and(|b| !b.captures.iter().all(|c| next.captures.contains(c)));
        if overwritten {
            self.violations.push(format!("a capture of {} was overwritten", next.instance));
        }
    }

    fn append(&mut self, entries: &[Entry]) {
        self.journal.extend_from_slice(entries);
        if let Err(illegal) = journal::check(&self.journal) {
            self.violations.push(illegal.to_string());
        }
    }
}

#[async_trait]
impl Policies for World {
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
impl Inventory for World {
    async fn first_seen(&self, _: &AccountId, what: &[Seen], at: Timestamp) -> Answer<Vec<Timestamp>> {
        self.call("first_seen", |s| Ok(what.iter().map(|w| *s.seen.entry(w.clone()).or_insert(at)).collect())).await
    }

    async fn keep_running(&self, _: &Scope, count: usize) -> Answer<()> {
        self.call("keep_running", |s| {
            s.running = Some(count as u64);
            Ok(())
        })
        .await
    }

    async fn remember(&self, observations: &[Observation]) -> Answer<Vec<String>> {
        let ids: Vec<String> = observations.iter().map(|o| o.asset.id()).collect();
        self.call("remember", |s| Ok(ids.into_iter().filter(|id| !s.asked_for.contains(id)).collect())).await
    }

    async fn asked_for(&self, _: &Scope, ids: &[String]) -> Answer<()> {
        self.call("asked_for", |s| {
            s.asked_for.extend(ids.iter().cloned());
            Ok(())
        })
        .await
    }

    async fn claim_look(&self, look: &Look<'_>) -> Answer<bool> {
        self.call("claim_look", |s| {
            let taken = s.looks.get(look.reservation).is_some_and(|(by, until)| by != look.by && *until > look.now);
            if !taken {
                s.looks.insert(look.reservation.clone(), (look.by.clone(), look.until));
            }
            Ok(!taken)
        })
        .await
    }
}

#[async_trait]
impl Queues for World {
    async fn send(&self, messages: Vec<Message>) -> Answer<()> {
        self.call("send", |s| {
            s.sent.extend(messages);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Pager for World {
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim> {
        self.call("claim", |s| {
            if s.told.contains(&notice.id) {
                return Ok(Claim::Told);
            }
            if s.telling.get(&notice.id).is_some_and(|other| *other > now) {
                return Ok(Claim::Busy);
            }
            s.telling.insert(notice.id.clone(), until);
            Ok(Claim::Ours)
        })
        .await
    }

    async fn publish(&self, page: &Page) -> Answer<()> {
        self.call("publish", |s| {
            s.published.push((page.subject.clone(), page.body.clone()));
            Ok(())
        })
        .await
    }

    async fn keep_told(&self, notice: &Notice) -> Answer<()> {
        self.call("keep_told", |s| {
            s.told.insert(notice.id.clone());
            Ok(())
        })
        .await
    }

    async fn give_back(&self, notice: &Notice) -> Answer<()> {
        self.call("give_back", |s| {
            s.telling.remove(&notice.id);
            Ok(())
        })
        .await
    }
}
