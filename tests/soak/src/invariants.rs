//! What must hold at every change, checked when it takes effect. What must hold in the end is in `verdict`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use picket_model::{
    Change, Event, GroupId, Hold, HoldState, InstanceId, Interface, InterfaceId, MeasureState, Notice, NoticeKind,
    Verification,
};
use picket_pipeline::Refusal;
use picket_pipeline::messages::Message;
use picket_pipeline::render;

use crate::agenda::{TaskId, stamp};
use crate::api::Api;
use crate::cloud::Flow;
use crate::rules::Rule;
use crate::verdict;
use crate::world::World;
use jiff::Timestamp;

/// The reason on every never-list.
pub const WHY_NEVER: &str = "the bank";

/// What is known of a living or dead worker.
#[derive(Debug)]
pub struct Known {
    /// What it does, in a word.
    pub stage: &'static str,
    /// Quarantine groups that it read, with how many rules.
    pub read: BTreeMap<GroupId, usize>,
    /// When it began.
    pub began: u64,
    /// When it ended.
    pub ended: u64,
}

/// What the invariants remember.
#[derive(Debug, Default)]
pub struct Watched {
    /// Whether the mode is observe.
    pub observes: bool,
    /// Ids that are never to be touched.
    pub never: BTreeSet<String>,
    /// Whether the cap is so small that it will be met.
    pub tight: bool,
    /// The cap an hour.
    pub cap: u32,
    /// Holds begun, by hour.
    pub began: BTreeMap<String, u32>,
    /// What living and dead workers are and read.
    pub workers: BTreeMap<TaskId, Known>,
    /// Whether a worker lived on beyond its time limit.
    pub outlived: bool,
    /// Which ones may.
    pub oversleepers: BTreeSet<TaskId>,
    /// Who wrote each hold last.
    pub holders: BTreeMap<InstanceId, TaskId>,
    /// Workers of people that died, until the person notices.
    pub crashed: BTreeSet<TaskId>,
    pages: HashMap<(TaskId, String), Notice>,
    publishers: HashMap<String, TaskId>,
    /// The groups that a stage gave each interface last.
    pub set_last: BTreeMap<InterfaceId, Vec<GroupId>>,
    /// Interfaces whose last word is CUT, and since when.
    pub told_cut: BTreeMap<InterfaceId, Timestamp>,
    /// Interfaces that people were told leak.
    pub leaks_told: BTreeSet<InterfaceId>,
    /// Instances that the never-list kept away from, as people were told.
    pub spared_told: BTreeSet<InstanceId>,
    /// Instances that the limits kept away from, as people were told.
    pub capped_told: BTreeSet<InstanceId>,
    /// Instances whose quarantine people were told.
    pub quarantines_told: BTreeSet<InstanceId>,
    /// Instances of which people were told that their time is over.
    pub overdue_told: BTreeSet<InstanceId>,
    /// Whether a quarantine is groups alone.
    pub contain_only: bool,
    /// Numbers of the calls of workers that change or tell.
    pub own_calls: Vec<(u64, Api)>,
    /// How often the groups of an interface were set.
    pub set: u64,
    /// How many pages there were.
    pub published: u64,
}

/// A worker changes something in EC2.
pub fn changes(w: &mut World, task: TaskId) {
    if w.watched.observes {
        w.violate(Rule::ObserveChangesNothing, &format!("worker {task}"));
    }
}

/// Whether a change is all or some of another: what other holds rely on is not put back.
fn is_part(change: &Change, whole: &Change) -> bool {
    match (change, whole) {
        (
            Change::ResumeProcesses { group: one, processes: some },
            Change::ResumeProcesses { group: other, processes: all },
        ) => one == other && some.iter().all(|p| all.contains(p)),
        _ => change == whole,
    }
}

/// A worker makes a change beside the groups.
pub fn makes(w: &mut World, task: TaskId, change: &Change) {
    changes(w, task);
    let stands = |h: &Hold| match h.state {
        HoldState::Releasing => h.measures.iter().any(|m| m.undo.as_ref().is_some_and(|u| is_part(change, u))),
        HoldState::Containing | HoldState::Contained => {
            // Making it twice is making it once.
            h.measures.iter().any(|m| m.apply == *change && m.state != MeasureState::Undone)
        }
        HoldState::Released => false,
    };
    if !w.store.holds.values().any(stands) {
        let of = w
            .store
            .holds
            .values()
            .find(|h| h.measures.iter().any(|m| m.apply == *change || m.undo.as_ref() == Some(change)));
        let overtaken = of.is_some_and(|h| w.watched.holders.get(&h.instance) != Some(&task));
        let how = if overtaken { ", overtaken" } else { "" };
        w.violate(Rule::MeasuresStandInAHold, &format!("{change} by {} {task}{how}", w.stage_of(task)));
    }
}

/// A worker sets the groups of an interface.
pub fn set_groups(w: &mut World, task: TaskId, shown: &Interface, groups: &[GroupId]) {
    changes(w, task);
    w.watched.set += 1;
    let stage = w.stage_of(task);
    let Some(instance) = shown.instance.clone() else { return };
    let hold = w.store.holds.get(&instance).cloned();
    let last = w.store.last.get(shown.id.as_str()).copied();
    let what = format!("{} of {instance} by {stage} {task}", shown.id);
    let Some(hold) = hold else { return w.violate(Rule::CapturedBefore, &what) };
    let Some(capture) = hold.captures.iter().find(|c| c.interface == shown.id) else {
        return w.violate(Rule::CapturedBefore, &what);
    };
    let (state, event) = match stage {
        "release" => (HoldState::Releasing, Event::ReleaseIntended),
        _ => (HoldState::Containing, Event::ContainIntended),
    };
    if hold.state != state && shown.groups != groups {
        w.violate(Rule::OnlyWithinItsHold, &format!("{what}: the hold is {}", hold.state));
    }
    // A late call of an overtaken worker changes nothing.
    if last != Some(event) && shown.groups != groups {
        w.violate(Rule::IntendedBefore, &format!("{what}: {last:?}"));
    }
    if stage == "release" {
        if hold.kept.is_some() && hold.released.as_ref().is_some_and(|r| r.by.as_str() == "picket") {
            w.violate(Rule::KeptStays, &what);
        }
        if w.ec2.restorable(capture) != groups {
            w.violate(Rule::RestoredToItsCapture, &what);
        }
    } else {
        // From one of our quarantine groups to another, which has no rules either, is as cut off as before.
        let ours = groups.iter().all(|g| w.store.ever_quarantine.contains(g) && w.ec2.rules_of(g) == 0);
        if verdict::is_contained(w, shown) && shown.groups != groups && !ours {
            w.violate(Rule::ContainmentIsMonotone, &format!("{what}: {groups:?}"));
        }
        contains(w, task, shown, groups, &what, &capture.groups);
    }
}

fn contains(w: &mut World, task: TaskId, shown: &Interface, groups: &[GroupId], what: &str, captured: &[GroupId]) {
    // The open window, where the policy allows it: the hold is being contained, and the closing follows.
    if groups.len() == 1 && groups.iter().all(|g| w.ec2.open.contains(g)) {
        w.count("window: opened");
        return;
    }
    let ours = groups.len() == 1 && groups.iter().all(|g| w.store.ever_quarantine.contains(g));
    if !ours {
        w.violate(Rule::OnlyOurQuarantineGroup, what);
    }
    if !groups.iter().all(|g| w.checked(task, g) == Some(0)) {
        w.violate(Rule::GroupWasChecked, what);
    }
    let Some(instance) = &shown.instance else { return };
    let rogue = w.ec2.machines.get(instance).is_some_and(|m| m.rogue);
    if !rogue && !w.ordered.contains(instance) {
        w.violate(Rule::HealthyUntouched, what);
    }
    let never = &w.watched.never;
    if never.contains(instance.as_str()) || captured.iter().any(|g| never.contains(g.as_str())) {
        w.violate(Rule::NeverListUntouched, what);
    }
}

/// Holds begin.
pub fn began(w: &mut World, task: TaskId, new: &[Hold], cap: u32) {
    w.watched.cap = cap;
    for hold in new {
        w.watched.holders.insert(hold.instance.clone(), task);
        captured(w, task, hold);
        counted(w, hold);
    }
}

/// A hold goes on.
pub fn updated(w: &mut World, task: TaskId, before: &Hold, next: &Hold) {
    w.watched.holders.insert(next.instance.clone(), task);
    captured(w, task, next);
    if before.state == HoldState::Released && next.state == HoldState::Containing {
        counted(w, next);
    } else if !before.captures.iter().all(|c| next.captures.contains(c)) {
        w.violate(Rule::CaptureKept, next.instance.as_str());
    }
}

fn captured(w: &mut World, task: TaskId, hold: &Hold) {
    for capture in &hold.captures {
        let what = format!("{} of {} by {task}", capture.interface, hold.instance);
        if capture.groups.iter().any(|g| w.store.ever_quarantine.contains(g)) {
            w.violate(Rule::CaptureHasNoQuarantineGroup, &what);
        }
        if capture.groups.is_empty() {
            w.violate(Rule::CaptureCanBeRestored, &what);
        }
        if !w.ec2.is_theirs(capture) {
            w.violate(Rule::CaptureIsTheirs, &format!("{what}: {:?}", capture.groups));
        }
    }
}

fn counted(w: &mut World, hold: &Hold) {
    let hour = w.time().strftime("%Y-%m-%dT%H").to_string();
    let count = w.watched.began.entry(hour).or_default();
    *count += 1;
    let count = *count;
    if count > w.watched.cap {
        let text = format!("{} is held as number {count} of {}", hold.instance, w.watched.cap);
        w.violate(Rule::WithinTheCap, &text);
    }
}

/// Entries were written.
pub fn journalled(w: &mut World, illegal: Vec<String>) {
    for text in illegal {
        w.violate(Rule::JournalIsLegal, &text);
    }
}

/// A message was handed over.
pub fn sent(w: &mut World, task: TaskId, message: &Message) {
    if let Message::Notice(notice) = message {
        if let NoticeKind::Quarantined { interfaces, contained_at, .. } = &notice.kind {
            for outcome in interfaces {
                if outcome.verification == Verification::Cut {
                    w.watched.told_cut.insert(outcome.interface.clone(), *contained_at);
                    cut(w, task, &outcome.interface, *contained_at);
                } else {
                    w.watched.told_cut.remove(&outcome.interface);
                }
            }
        }
        w.count(match notice.kind {
            NoticeKind::Quarantined { .. } => "notice: quarantined",
            NoticeKind::WouldQuarantine { .. } => "notice: would quarantine",
            NoticeKind::Refused { .. } => "notice: refused",
            NoticeKind::Released { .. } => "notice: released",
            NoticeKind::Escalated { .. } => "notice: escalated",
            _ => "notice: other",
        });
    }
}

/// The connections of an interface that were there before it was contained, unless somebody opened it again since.
#[must_use]
pub fn outlasting(w: &World, interface: &InterfaceId, contained_at: Timestamp) -> Vec<Flow> {
    let Some(nic) = w.ec2.nics.get(interface) else { return Vec::new() };
    let opened = nic.touched.is_some_and(|t| stamp(t) >= contained_at);
    let before = nic.connected.is_some_and(|t| stamp(t) <= contained_at);
    if before && !opened { nic.flows.clone() } else { Vec::new() }
}

/// An interface is called CUT. One thing a late read explains: somebody put rules into the quarantine group so lately
/// that each read of it showed none. That lasts until they are out again, and the verdict looks once more.
fn cut(w: &mut World, task: TaskId, interface: &InterfaceId, contained_at: Timestamp) {
    let flows = outlasting(w, interface, contained_at);
    if flows.is_empty() {
        return;
    }
    let groups = w.ec2.nics.get(interface).and_then(|n| n.shown.now().as_ref()).map(|i| i.groups.clone());
    let reopened = |g: &GroupId| w.ec2.rules_of(g) > 0 && w.checked(task, g) == Some(0);
    let late = groups.is_some_and(|g| g.iter().all(reopened)) && flows.iter().all(|f| *f == Flow::Untracked);
    if late {
        return w.count("excused: CUT over a late read of the quarantine group");
    }
    w.violate(Rule::CutIsCut, &format!("{interface}: {flows:?}, contained {contained_at}"));
}

/// A notice is about to be told: remember how it will read.
pub fn expect_page(w: &mut World, task: TaskId, notice: &Notice) {
    w.watched.pages.insert((task, render::page(notice).body), notice.clone());
    w.watched.pages.insert((task, render::plain(notice).body), notice.clone());
}

/// A page was published.
pub fn published(w: &mut World, task: TaskId, body: &str) {
    w.watched.published += 1;
    let Some(notice) = w.watched.pages.get(&(task, body.to_owned())).cloned() else { return };
    let began = w.watched.workers.get(&task).map_or(0, |t| t.began);
    let before = w.watched.publishers.insert(notice.id.clone(), task);
    let crashed = |w: &World, by| by != task && !w.tasks.contains_key(&by) && !w.store.told.contains(&notice.id);
    let same_time = |w: &World, by| by == task || w.watched.workers.get(&by).is_some_and(|b| b.ended >= began);
    match before {
        // One that lived on beyond its time limit counts as dead: Lambda ends it, and others go on without it.
        Some(by) if !crashed(w, by) && !w.watched.oversleepers.contains(&by) => {
            let when = if same_time(w, by) { "at the same time" } else { "one after the other" };
            w.violate(Rule::ToldOnce, &format!("{} by {by} and {task} {when}", notice.id));
        }
        _ => {}
    }
    let targets = notice.decision.targets.iter().filter_map(|t| t.instance.clone());
    match &notice.kind {
        NoticeKind::Refused { why } if is_spared(w, why) => w.watched.spared_told.extend(targets),
        NoticeKind::Refused { why } if is_suspicion(why) => w.watched.capped_told.extend(targets),
        NoticeKind::Escalated { held: false, .. } => w.watched.capped_told.extend(targets),
        NoticeKind::Escalated { held: true, .. } => w.watched.overdue_told.extend(targets),
        NoticeKind::Quarantined { interfaces, .. } => {
            w.watched.quarantines_told.extend(targets);
            let leaks = interfaces.iter().filter(|o| matches!(o.verification, Verification::Leaking(_)));
            w.watched.leaks_told.extend(leaks.map(|o| o.interface.clone()));
        }
        _ => {}
    }
}

/// Whether a refusal is the never-list's, word for word.
fn is_spared(w: &World, why: &str) -> bool {
    let says = |id: &String| Refusal::Never { id: id.clone(), why: WHY_NEVER.to_owned() }.to_string();
    w.watched.never.iter().any(|id| says(id) == why)
}

/// Whether a refusal leaves a group its last working members.
fn is_suspicion(why: &str) -> bool {
    why.contains("members working, and this is only suspected")
}

/// People were answered why their order was not carried out.
pub fn answered(w: &mut World, instances: &[InstanceId], refusal: &Refusal) {
    let told = match refusal {
        Refusal::Never { .. } => &mut w.watched.spared_told,
        Refusal::BlastRadius { .. } | Refusal::MinimumHealthy { .. } => &mut w.watched.capped_told,
        _ => return,
    };
    told.extend(instances.iter().cloned());
}
