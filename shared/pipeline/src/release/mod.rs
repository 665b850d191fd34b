//! Release: lift a quarantine, on purpose. A person orders it, or a deadline that a person could have stopped; it puts
//! every interface back exactly as it was captured.
//!
//! Flow: read the holds, live interfaces and facts -> compare with what containment left -> if anything differs, refuse
//! unless told -> intents -> put the measures back -> restore every interface at once -> read again -> tell -> close.
//! Guarantees: groups come back in their captured order; two releases are one; nothing is restored half by a refusal;
//! nothing is called released that was read back in quarantine; what a dead worker left is taken up by the sweep.
//! Caveats: what containment ended, such as open connections, does not come back; the plan lists it.

mod compare;
mod restore;
mod tell;

pub(crate) use tell::target;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use picket_model::{AtDeadline, CaseId, GroupId, Hold, HoldState, InstanceId, InterfaceId, Scope, Untrusted};
use serde::{Deserialize, Serialize};

use crate::in_force::Settings;
use crate::measures;
use crate::ports::{Answer, Clock, Cloud, Containment, Holds, Levers, Queues};
use crate::reasons::{self, StillHeld};

/// How long one worker may release an instance alone: the function's time limit, and then as long as a call may be under
/// way.
const LEASE: SignedDuration = SignedDuration::from_secs(90);

/// What release needs.
pub struct Ports<'a> {
    /// Reads AWS.
    pub cloud: &'a dyn Cloud,
    /// Changes groups.
    pub containment: &'a dyn Containment,
    /// Changes everything else.
    pub levers: &'a dyn Levers,
    /// Keeps holds and the journal.
    pub holds: &'a dyn Holds,
    /// Hands over to notify.
    pub queues: &'a dyn Queues,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// What a person orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Where.
    pub scope: Scope,
    /// All holds of this case.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Or the holds of these instances.
    #[serde(default)]
    pub instances: Vec<InstanceId>,
    /// Who orders it, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
    /// Restore even what was changed since.
    #[serde(default)]
    pub force: bool,
    /// Why it is ordered at all.
    #[serde(default)]
    pub because: Because,
    /// Say what would be done, and do nothing.
    #[serde(default)]
    pub plan_only: bool,
}

/// Why a release is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// A person asks for it.
    #[default]
    Asked,
    /// Its deadline is over and nobody said that it stays. What was kept meanwhile is left.
    Deadline,
    /// A person asked for it, and the worker died on the way. It goes on, over what was compared when it began.
    LeftHalfDone,
}

impl Because {
    /// Whether such an order is about this hold.
    fn concerns(self, hold: &Hold, now: Timestamp) -> bool {
        match self {
            Self::Asked => hold.state != HoldState::Released,
            Self::Deadline => hold.due(now) == Some(AtDeadline::Lift),
            Self::LeftHalfDone => hold.state == HoldState::Releasing,
        }
    }
}

/// What became of one interface, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The instance.
    pub instance: InstanceId,
    /// The interface.
    pub interface: InterfaceId,
    /// The groups that it had before the release.
    pub from: Vec<GroupId>,
    /// The groups of its capture, in order.
    pub to: Vec<GroupId>,
}

/// What a release came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Released {
    /// Put back, or what would be.
    Done {
        /// Interface by interface.
        restored: Vec<Restored>,
        /// What else is put back, in words.
        #[serde(default)]
        undone: Vec<String>,
        /// What stays, such as snapshots.
        #[serde(default)]
        stays: Vec<String>,
        /// What cannot be brought back.
        #[serde(default)]
        lost: Vec<String>,
        /// What other cases hold too, and so stays in quarantine.
        #[serde(default)]
        still_held: Vec<StillHeld>,
        /// Whether it was only planned.
        planned: bool,
    },
    /// There was nothing left to release.
    Already,
    /// Refused: what is there is not what containment left, or what would be restored is gone.
    Refused {
        /// One line for each difference.
        differences: Vec<String>,
    },
    /// No such hold.
    NotHeld,
    /// Another worker is at it; ask again in a minute.
    Busy {
        /// Which instance.
        instance: InstanceId,
    },
}

/// Carries out a release.
///
/// # Errors
/// If something could not be read, or one interface could not be restored; the rest is restored and journalled, and
/// the same order goes on where this one stopped.
pub async fn run(ports: &Ports<'_>, settings: &Settings, order: &Order) -> Answer<Released> {
    let now = ports.clock.now();
    let found = holds_of(ports, order).await?;
    if found.is_empty() {
        return Ok(Released::NotHeld);
    }
    let open: Vec<Hold> = found.into_iter().filter(|h| order.because.concerns(h, now)).collect();
    if open.is_empty() {
        return Ok(Released::Already);
    }
    if let Some(busy) = open.iter().find(|h| is_busy(h, now)) {
        return Ok(Released::Busy { instance: busy.instance.clone() });
    }
    let (still_held, open) = leave_what_others_hold(ports, order, open, now).await?;
    if open.is_empty() {
        return Ok(done(Vec::new(), Says::default(), still_held, order.plan_only));
    }
    let found = compare::compare(ports, order, &open).await?;
    let restored = compare::plan(&open, &found);
    // What was compared when a release began is not compared again: half of it is back, and that differs.
    let told = order.force || order.because == Because::LeftHalfDone;
    if !found.differences.is_empty() && !told {
        if order.because == Because::Deadline {
            tell::stopped(ports, settings, order, &open, &found.differences).await?;
        }
        return Ok(Released::Refused { differences: found.differences });
    }
    if order.plan_only {
        return Ok(done(restored, Says::of(&open), still_held, true));
    }
    restore::carry_out(ports, settings, order, open, restored, still_held, now).await
}

/// What a release says beside the interfaces.
#[derive(Debug, Default)]
struct Says {
    undone: Vec<String>,
    stays: Vec<String>,
    lost: Vec<String>,
}

impl Says {
    fn of(holds: &[Hold]) -> Self {
        let mut says = Self::default();
        for hold in holds {
            let (undone, stays) = measures::to_undo(hold);
            says.undone.extend(undone);
            says.stays.extend(stays);
            says.lost.extend(measures::lost(hold));
        }
        says
    }
}

fn done(restored: Vec<Restored>, says: Says, still_held: Vec<StillHeld>, planned: bool) -> Released {
    let Says { undone, stays, lost } = says;
    Released::Done { restored, undone, stays, lost, still_held, planned }
}

/// Lifts this case from what other cases hold too, and answers what stays and what can go.
async fn leave_what_others_hold(
    ports: &Ports<'_>,
    order: &Order,
    open: Vec<Hold>,
    now: Timestamp,
) -> Answer<(Vec<StillHeld>, Vec<Hold>)> {
    let Some(case) = &order.case else { return Ok((Vec::new(), open)) };
    let (mut stays, mut goes) = (Vec::new(), Vec::new());
    for hold in open {
        let by = reasons::others(&hold, case);
        if by.is_empty() {
            goes.push(hold);
            continue;
        }
        if !order.plan_only && hold.cases().any(|c| c == case) {
            reasons::lift(ports.holds, &hold, case, &order.by, now).await?;
        }
        stays.push(StillHeld { instance: hold.instance, by });
    }
    Ok((stays, goes))
}

/// Whether another worker is at it: what is contained and not secured yet is being secured.
fn is_busy(hold: &Hold, now: Timestamp) -> bool {
    let open = matches!(hold.state, HoldState::Containing | HoldState::Releasing);
    (open || !hold.secured) && hold.state != HoldState::Released && hold.lease_until > now
}

async fn holds_of(ports: &Ports<'_>, order: &Order) -> Answer<Vec<Hold>> {
    if let Some(case) = &order.case {
        let mut holds = ports.holds.holds(&order.scope).await?;
        holds.retain(|h| &h.case == case || h.also.contains(case));
        return Ok(holds);
    }
    let found = try_join_all(order.instances.iter().map(|i| ports.holds.hold(&order.scope, i))).await?;
    Ok(found.into_iter().flatten().collect())
}

fn list(groups: &[GroupId]) -> String {
    groups.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
