//! Verified, not assumed: what every interface is found in after the change, and what that means.

use std::collections::HashMap;

use jiff::Timestamp;
use picket_model::notice::InterfaceOutcome;
use picket_model::{Entry, Event, GroupId, Hold, InterfaceId, Plan, Step, Verification};

use super::containing::entry;
use super::cutting::{self, Words};
use super::reopened::Reopened;
use crate::plan::Live;
use crate::ports::PortError;

/// How each interface of a hold was found when it was read again.
pub(super) fn verify(
    hold: &Hold,
    after: &Live,
    plan: &Plan,
    failed: &HashMap<InterfaceId, &PortError>,
    (words, reopened, at): (&Words, &Reopened, Timestamp),
) -> Vec<InterfaceOutcome> {
    let booted = !after.instances.iter().any(|i| i.id == hold.instance && cutting::is_idle(i, at));
    let outcome = |interface: &InterfaceId, verification| InterfaceOutcome {
        instance: hold.instance.clone(),
        interface: interface.clone(),
        verification,
    };
    let mut outcomes: Vec<_> = after
        .of(&hold.instance)
        .map(|i| outcome(&i.id, judge(i, after, plan, failed, (booted, words, reopened))))
        .collect();
    let hidden = hold.captures.iter().filter(|c| !outcomes.iter().any(|o| o.interface == c.interface));
    let ended = after.instances.iter().any(|i| i.id == hold.instance && i.state.is_gone());
    let hidden: Vec<_> = hidden.map(|c| outcome(&c.interface, unseen(ended))).collect();
    outcomes.extend(hidden);
    outcomes
}

/// An interface that is gone carries nothing. One that is only not shown may be there: reads may be late.
fn unseen(ended: bool) -> Verification {
    if ended {
        return Verification::Cut;
    }
    Verification::Pending("AWS does not show it: it is gone, or the read was late".to_owned())
}

fn judge(
    interface: &picket_model::Interface,
    after: &Live,
    plan: &Plan,
    failed: &HashMap<InterfaceId, &PortError>,
    (booted, words, reopened): (bool, &Words, &Reopened),
) -> Verification {
    if after.is_contained(interface) {
        return if let Some(word) = reopened.get(&interface.vpc) {
            word.clone()
        } else if let Some(word) = words.get(&interface.id) {
            word.clone()
        } else if booted {
            Verification::Pending("it was running: connections that were open may last until they idle out".to_owned())
        } else {
            Verification::Cut
        };
    }
    let cannot = plan.steps.iter().find_map(|s| match s {
        Step::CannotContain { interface: id, why, .. } if id == &interface.id => Some(why.to_string()),
        _ => None,
    });
    let failed = failed.get(&interface.id).map(ToString::to_string);
    let shown = || {
        let groups = interface.groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ");
        format!("it is still shown in {groups}")
    };
    Verification::Leaking(cannot.or(failed).unwrap_or_else(shown))
}

/// What the journal says of them: what was answered, and how it was found.
pub(super) fn entries(
    hold: &Hold,
    found: &[InterfaceOutcome],
    answered: &[&InterfaceId],
    failed: &HashMap<InterfaceId, &PortError>,
    at: Timestamp,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for outcome in found.iter().filter(|o| hold.captures.iter().any(|c| c.interface == o.interface)) {
        if answered.contains(&&outcome.interface) {
            let (event, text) = match failed.get(&outcome.interface) {
                Some(error) => (Event::ContainFailed, error.to_string()),
                None => (Event::ContainDone, "the call was answered".to_owned()),
            };
            entries.push(entry(hold, at, &outcome.interface, event, &text));
        }
        let why = match &outcome.verification {
            Verification::Cut => String::new(),
            Verification::Pending(why) | Verification::Leaking(why) => format!(": {why}"),
        };
        let text = format!("{}{why}", outcome.verification.word());
        entries.push(entry(hold, at, &outcome.interface, Event::Verified, &text));
    }
    entries
}
