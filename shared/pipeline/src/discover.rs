//! Discover: from a trigger to observations. What the trigger says is only where to look; every fact is read again.
//! It reads AWS and writes nothing there; it keeps the inventory and what was seen when.
//!
//! Flow: one round of parallel reads, started from the trigger's hints; a second round only for what the first showed
//! to be needed. What is not visible yet is returned as missing, and costs the rest nothing.

mod reads;
mod sign;

use jiff::{SignedDuration, Timestamp};
use picket_model::{Asset, Attempt, InstanceId, Observation, Subject, Trigger, TriggerKind};

use crate::messages::{Message, Observed};
use crate::ports::{Answer, Cloud, Inventory, Policies, Queues, StoredPolicy, Which};
use crate::posture;

/// How long an instance may stay invisible before it is taken for one that never was. EC2's reads are consistent
/// after seconds, at most about five minutes (EC2 API, eventual consistency).
pub const VISIBLE_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How many observations travel in one message, and how many bytes of them: tags alone may come to 57 KB an instance,
/// and a queue refuses what is too long.
const PER_MESSAGE: usize = 50;
const BYTES_PER_MESSAGE: usize = 200 * 1024;

/// What discover needs.
pub struct Ports<'a> {
    /// Reads AWS.
    pub cloud: &'a dyn Cloud,
    /// Keeps the inventory.
    pub inventory: &'a dyn Inventory,
    /// Hands over to assess, and to collect what nobody had seen before.
    pub queues: &'a dyn Queues,
    /// Keeps the policy, which travels with what was found: reading it here, beside the rest, saves assess the wait.
    pub policies: Option<&'a dyn Policies>,
}

/// What came of one trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// What was found.
    pub observations: Vec<Observation>,
    /// Instances that the trigger names and AWS does not show yet. Ask again with the same trigger.
    pub missing: Vec<InstanceId>,
    /// Instances that were given up as never having been.
    pub never_seen: Vec<InstanceId>,
}

/// Looks at what a trigger names and hands what it finds to assess.
///
/// Guarantees: what is visible is handed over even when something else is not. Doing it twice hands over twice, which
/// later stages take for once.
///
/// # Errors
/// If AWS or the store cannot be read for a passing reason; nothing is lost, the trigger is tried again.
pub async fn run(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) -> Answer<Discovered> {
    let (found, policy, survey) =
        futures::join!(look(ports, trigger, now), policy(ports), sign::survey(ports, trigger, now));
    let found = found?;
    let mut messages = in_messages(&found.observations, policy.as_ref());
    messages.extend(survey?);
    if !messages.is_empty() {
        ports.queues.send(messages).await?;
    }
    if !found.observations.is_empty() {
        posture::found::remember(ports.inventory, ports.queues, &found.observations).await?;
    }
    Ok(found)
}

/// The policy, if it can be read now.
async fn policy(ports: &Ports<'_>) -> Option<StoredPolicy> {
    ports.policies?.policy().await.map_err(|error| tracing::info!(%error, "assess will read the policy")).ok()
}

/// The observations in as few messages as their number and size allow.
fn in_messages(observations: &[Observation], policy: Option<&StoredPolicy>) -> Vec<Message> {
    let mut parts: Vec<Vec<Observation>> = Vec::new();
    let mut bytes = 0;
    for observation in observations {
        let more = serde_json::to_vec(observation).map_or(0, |text| text.len());
        match parts.last_mut() {
            Some(part) if part.len() < PER_MESSAGE && bytes + more <= BYTES_PER_MESSAGE => {
                part.push(observation.clone());
                bytes += more;
            }
            _ => {
                parts.push(vec![observation.clone()]);
                bytes = more;
            }
        }
    }
    parts
        .into_iter()
        .map(|observations| Message::Observed(Observed { observations, policy: policy.cloned() }))
        .collect()
}

/// Looks without handing over: for `picket replay` and for tests.
///
/// # Errors
/// As `run`.
pub async fn look(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) -> Answer<Discovered> {
    let nothing = |observations| Discovered { observations, missing: Vec::new(), never_seen: Vec::new() };
    match &trigger.subject {
        Subject::Attempt { error, instance_type, count } => {
            let attempt = Attempt {
                scope: trigger.scope.clone(),
                error: error.clone(),
                instance_type: instance_type.clone(),
                count: *count,
                event: trigger.event.clone(),
            };
            let mut observation = Observation::new(Asset::Attempt(attempt), without_hint(trigger), now);
            reads::about_caller(ports, std::slice::from_mut(&mut observation)).await?;
            Ok(nothing(vec![observation]))
        }
        Subject::Cluster(name) => {
            let cluster = ports.cloud.cluster(&trigger.scope, name.as_str()).await?;
            Ok(nothing(vec![Observation::new(Asset::Cluster(cluster), without_hint(trigger), now)]))
        }
        Subject::Canary(name) => {
            sign::mark_canary(ports, trigger, name, now).await?;
            Ok(nothing(Vec::new()))
        }
        Subject::Sign { instances, .. } if instances.is_empty() => Ok(nothing(Vec::new())),
        Subject::Instances(ids) if trigger.kind == TriggerKind::KubernetesCall => {
            let once = sign::is_first_call(ports, trigger, ids, now).await?;
            if once { look_at_instances(ports, trigger, now).await } else { Ok(nothing(Vec::new())) }
        }
        _ => look_at_instances(ports, trigger, now).await,
    }
}

async fn look_at_instances(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) -> Answer<Discovered> {
    let first = reads::first_round(ports, trigger, now).await?;
    let mut instances = first.instances.clone();
    let named: &[InstanceId] = match &trigger.subject {
        Subject::Instances(ids) | Subject::Sign { instances: ids, .. } => ids,
        _ => &[],
    };
    let absent: Vec<_> = named.iter().filter(|id| !instances.iter().any(|i| &i.id == *id)).cloned().collect();
    if is_one_of_many(trigger.kind) {
        let ours = reads::not_looked_at(ports, trigger, instances, now).await?;
        instances = reads::whole_launches(ports, trigger, ours).await?;
    }
    let observations = reads::complete(ports, trigger, first, instances, now).await?;
    let late = now.duration_since(trigger.at) > VISIBLE_WITHIN;
    let (missing, never_seen) = if late { (Vec::new(), absent) } else { (absent, Vec::new()) };
    Ok(Discovered { observations, missing, never_seen })
}

/// Whether AWS sends one such event for each instance of a launch, so that the launch is looked at as a whole.
fn is_one_of_many(kind: TriggerKind) -> bool {
    matches!(kind, TriggerKind::InstanceState | TriggerKind::AutoScalingLaunch)
}

/// Which instances a subject means.
fn which(subject: &Subject) -> Which {
    match subject {
        Subject::Instances(ids) | Subject::Sign { instances: ids, .. } => Which::Ids(ids.clone()),
        Subject::Launch(token) => Which::ClientToken(token.clone()),
        Subject::Group(id) => Which::Group(id.clone()),
        Subject::AutoScalingGroup(name) => Which::AutoScalingGroup(name.clone()),
        Subject::LaunchTemplate(id) => Which::LaunchTemplate(id.clone()),
        Subject::Fleet(id) => Which::Fleet(id.clone()),
        Subject::Cluster(_) | Subject::Attempt { .. } | Subject::Canary(_) => Which::Ids(Vec::new()),
        Subject::Everything => Which::All,
    }
}

/// The trigger as it travels on: later stages have facts and need no hints.
fn without_hint(trigger: &Trigger) -> Trigger {
    Trigger { hint: picket_model::Hint::default(), ..trigger.clone() }
}

#[cfg(test)]
#[path = "discover_tests.rs"]
mod tests;
