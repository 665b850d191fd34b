//! People: they order quarantines and releases, and try again when an answer says so.

use picket_model::InstanceId;
use picket_pipeline::ports::Answer;
use picket_pipeline::release::{self, Released};
use picket_pipeline::respond::Responded;
use picket_pipeline::{keep, order};

use crate::agenda::SECOND;
use crate::cloud::{scope, text};
use crate::invariants;
use crate::workers::Job;
use crate::world::World;

/// How long a function that a person invokes may take.
const LIMIT: u64 = 60 * SECOND;
/// How often a person tries.
pub const TRIES: u32 = 30;

/// A person lifts the quarantine of some instances.
pub fn release(w: &mut World, instances: Vec<InstanceId>, force: bool) {
    let order = release::Order {
        scope: scope(),
        case: None,
        instances,
        by: text("ann"),
        reason: text("it is ours"),
        force,
        because: release::Because::Asked,
        plan_only: false,
    };
    start_release(w, order, TRIES);
}

/// The release function is invoked.
pub fn start_release(w: &mut World, order: release::Order, tries: u32) {
    let again = order.clone();
    let task = w.start("release", None, LIMIT, Job::Release(order, tries));
    // A person whose command never answers tries again, too.
    w.later(LIMIT + 100 * SECOND, move |w| {
        if w.watched.crashed.remove(&task) && tries > 0 {
            start_release(w, again, tries - 1);
        }
    });
}

/// What a release answered.
pub fn released(w: &mut World, order: release::Order, tries: u32, outcome: &Answer<Released>) {
    w.count(match outcome {
        Ok(Released::Done { .. }) => "release: done",
        Ok(Released::Already) => "release: already",
        Ok(Released::Refused { .. }) => "release: refused",
        Ok(Released::NotHeld) => "release: not held",
        Ok(Released::Busy { .. }) => "release: busy",
        Err(_) => "release: failed",
    });
    let again = matches!(outcome, Ok(Released::Busy { .. }) | Err(_));
    // A person who was refused reads why, and some insist.
    let person = order.because == release::Because::Asked;
    let insists = matches!(outcome, Ok(Released::Refused { .. })) && person && !order.force && w.dice.chance(500);
    if (again || insists) && tries > 0 {
        let order = release::Order { force: order.force || insists, ..order };
        w.later(61 * SECOND, move |w| start_release(w, order, tries - 1));
    }
}

/// A person keeps the quarantine of some instances.
pub fn keep(w: &mut World, instances: Vec<InstanceId>) {
    let order = keep::Order { scope: scope(), case: None, instances, by: text("ann"), reason: text("still looking") };
    w.start("keep", None, LIMIT, Job::Keep(order));
}

/// A person orders a quarantine.
pub fn quarantine(w: &mut World, instances: Vec<InstanceId>) {
    w.ordered.extend(instances.iter().cloned());
    start_order(w, order::Order { instances, by: text("bob"), reason: text("it looks odd") }, TRIES);
}

fn start_order(w: &mut World, order: order::Order, tries: u32) {
    let again = order.clone();
    let task = w.start("order", None, LIMIT, Job::Order(order, tries));
    w.later(LIMIT + 100 * SECOND, move |w| {
        if w.watched.crashed.remove(&task) && tries > 0 {
            start_order(w, again, tries - 1);
        }
    });
}

/// What an order answered.
pub fn quarantined(w: &mut World, order: order::Order, tries: u32, outcome: &Answer<Responded>) {
    w.count("orders answered");
    match outcome {
        Ok(Responded::Refused(refusal)) => invariants::answered(w, &order.instances, refusal),
        Ok(Responded::Later(_)) | Err(_) if tries > 0 => {
            w.later(61 * SECOND, move |w| start_order(w, order, tries - 1));
        }
        _ => {}
    }
}
