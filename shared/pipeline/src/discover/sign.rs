//! Triggers that speak of a cluster rather than of a machine: the sweep is asked to look at the whole place. A cluster
//! in the making sends many such signs, so one look serves a burst of them.

use jiff::{SignedDuration, Timestamp};
use picket_checks::signs;
use picket_model::{InstanceId, Subject, Trigger, TriggerKind, Untrusted};

use super::Ports;
use crate::messages::{Message, Survey};
use crate::ports::{Answer, Look};

/// How long one sign serves for all that follow it. The look itself waits as long, and so sees what they made.
const BURST_SECONDS: u16 = 20;
/// How often a caller that is a part of Kubernetes leads to a look at its machine; it calls all day.
const ONE_CALLER: SignedDuration = SignedDuration::from_hours(6);

/// What to ask of the sweep because of a trigger, if it speaks of Kubernetes and no other did so just now.
pub(super) async fn survey(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) -> Answer<Option<Message>> {
    let Some(because) = because(trigger) else { return Ok(None) };
    let burst = SignedDuration::from_secs(i64::from(BURST_SECONDS));
    if !claim(ports, trigger, "survey", burst, now).await? {
        return Ok(None);
    }
    let scope = trigger.scope.clone();
    Ok(Some(Message::Survey(Survey { scope, because, wait_seconds: BURST_SECONDS })))
}

/// Why the whole place is to be looked at: a word of a sign, or a change of how machines are made.
fn because(trigger: &Trigger) -> Option<String> {
    match (&trigger.subject, trigger.kind) {
        (Subject::Sign { words, .. }, _) => signs::of_kubernetes(words),
        (Subject::Cluster(name), TriggerKind::CreateCluster | TriggerKind::ChangeNodes) => {
            Some(format!("{} of EKS cluster {name}", trigger.kind))
        }
        _ => None,
    }
}

/// Whether this is the first call of a part of Kubernetes on these machines for a while.
pub(super) async fn is_first_call(
    ports: &Ports<'_>,
    trigger: &Trigger,
    ids: &[InstanceId],
    now: Timestamp,
) -> Answer<bool> {
    match ids.first() {
        Some(id) => claim(ports, trigger, id.as_str(), ONE_CALLER, now).await,
        None => Ok(true),
    }
}

/// Marks that a canary arrived. The mark lives for an hour or two, and is all that is looked for.
pub(super) async fn mark_canary(ports: &Ports<'_>, trigger: &Trigger, name: &Untrusted, now: Timestamp) -> Answer<()> {
    claim(ports, trigger, &format!("canary-{name}"), SignedDuration::from_mins(1), now).await.map(drop)
}

async fn claim(
    ports: &Ports<'_>,
    trigger: &Trigger,
    what: &str,
    serves: SignedDuration,
    now: Timestamp,
) -> Answer<bool> {
    let until = now.saturating_add(serves).unwrap_or(now);
    let reservation = &Untrusted::new(what);
    ports.inventory.claim_look(&Look { scope: &trigger.scope, reservation, by: &trigger.event, now, until }).await
}
