//! The reads of discover, in at most two rounds. A denied read makes a fact unknown with its reason; a passing fault
//! fails the whole look, which is then tried again: a fact must not be lost to a busy minute.

use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, join, try_join};
use jiff::{SignedDuration, Timestamp};
use picket_checks::{exposure, fingerprints, miners, user_data};
use picket_model::{
    Asset, Exposure, Fact, GroupId, Instance, InstanceId, Observation, Principal, PrincipalKind, Rule, Scope, Subject,
    Trigger, TriggerKind, Untrusted, UserData,
};

use super::{Ports, which, without_hint};
use crate::ports::{Answer, Kind, Look, PortError, Seen, Which};

/// How many reads of the same kind run at once; EC2's bucket for them holds 100.
const AT_ONCE: usize = 50;
/// How long one look at a launch serves for all events of its instances. Short, so that `running` is looked at again
/// after `pending`, when what was not visible then is.
const ONE_LOOK: SignedDuration = SignedDuration::from_secs(10);
/// The first part of the names of AWS's policies for leaked keys.
const LEAKED_KEY_POLICY: &str = "AWSCompromisedKeyQuarantine";

/// What the first round of reads gave.
pub(super) struct First {
    pub(super) instances: Vec<Instance>,
    rules: Fact<Vec<Rule>>,
    ruled: Vec<GroupId>,
    user_data: Option<(Untrusted, Fact<UserData>)>,
    leaked_key_policy: Fact<Option<Untrusted>>,
    since: HashMap<Seen, Timestamp>,
}

/// Reads all that the trigger's hints allow to read at once.
pub(super) async fn first_round(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) -> Answer<First> {
    let scope = &trigger.scope;
    let which = which(&trigger.subject);
    let hinted = trigger.hint.instances.first();
    let images = hinted.map(|i| Seen::Image(i.image.clone()));
    let types = hinted.map(|i| Seen::InstanceType(i.instance_type.clone()));
    let seen: Vec<Seen> = asked_of(trigger.principal.as_ref(), scope).into_iter().chain(images).chain(types).collect();
    let (instances, rules, user_data, leaked, since, _) = join!(
        ports.cloud.instances(scope, &which),
        rules_of(ports, scope, &trigger.hint.groups),
        async {
            match hinted {
                Some(i) => Some((i.reservation.clone(), read_user_data(ports, scope, &i.id).await)),
                None => None,
            }
        },
        leaked_key(ports, trigger.principal.as_ref()),
        ports.inventory.first_seen(&scope.account, &seen, trigger.at),
        announce(ports, trigger, now),
    );
    // Not visible yet is no fact: it is read again in the second round, when the instance is there.
    let user_data = match user_data {
        Some((reservation, Ok(fact))) => Some((reservation, fact)),
        Some((_, Err(error))) if error.kind != Kind::NotFound => return Err(error),
        _ => None,
    };
    Ok(First {
        instances: instances?,
        rules: rules?,
        ruled: trigger.hint.groups.clone(),
        user_data,
        leaked_key_policy: leaked?,
        since: seen.into_iter().zip(since?).collect(),
    })
}

/// Says that this launch is being looked at, so that the events of its single instances need not do it again. The
/// trigger that names them all goes on whatever the answer.
async fn announce(ports: &Ports<'_>, trigger: &Trigger, now: Timestamp) {
    if let Some(hinted) = trigger.hint.instances.first().filter(|i| !i.reservation.is_empty())
        && let Err(error) = claim(ports, trigger, &hinted.reservation, now).await
    {
        tracing::info!(%error, "the launch is looked at without saying so");
    }
}

async fn claim(ports: &Ports<'_>, trigger: &Trigger, reservation: &Untrusted, now: Timestamp) -> Answer<bool> {
    let until = now.saturating_add(ONE_LOOK).unwrap_or(now);
    let look = Look { scope: &trigger.scope, reservation, by: &trigger.event, now, until };
    ports.inventory.claim_look(&look).await
}

/// Those of `instances` whose launch no other trigger is looking at.
pub(super) async fn not_looked_at(
    ports: &Ports<'_>,
    trigger: &Trigger,
    instances: Vec<Instance>,
    now: Timestamp,
) -> Answer<Vec<Instance>> {
    let mut ours = Vec::new();
    for instance in instances {
        if instance.reservation.is_empty() || claim(ports, trigger, &instance.reservation, now).await? {
            ours.push(instance);
        }
    }
    Ok(ours)
}

/// All instances of the launches that `instances` belong to.
pub(super) async fn whole_launches(
    ports: &Ports<'_>,
    trigger: &Trigger,
    instances: Vec<Instance>,
) -> Answer<Vec<Instance>> {
    let mut reservations: Vec<_> = instances.iter().map(|i| i.reservation.clone()).filter(|r| !r.is_empty()).collect();
    reservations.dedup();
    let wanted: Vec<_> = reservations.into_iter().map(Which::Reservation).collect();
    let whole = try_join_all(wanted.iter().map(|w| ports.cloud.instances(&trigger.scope, w))).await?;
    let mut all: Vec<Instance> = whole.into_iter().flatten().collect();
    for instance in instances {
        if !all.iter().any(|i| i.id == instance.id) {
            all.push(instance);
        }
    }
    Ok(all)
}

/// Reads what the first round left open and makes the observations.
pub(super) async fn complete(
    ports: &Ports<'_>,
    trigger: &Trigger,
    first: First,
    instances: Vec<Instance>,
    now: Timestamp,
) -> Answer<Vec<Observation>> {
    let scope = &trigger.scope;
    let mut groups: Vec<GroupId> = instances.iter().flat_map(Instance::groups).collect();
    groups.sort();
    groups.dedup();
    groups.retain(|g| !first.ruled.contains(g));
    let mut images: Vec<_> = instances.iter().map(|i| Seen::Image(i.image.clone())).collect();
    images.extend(instances.iter().map(|i| Seen::InstanceType(i.instance_type.clone())));
    let mut once = HashSet::new();
    images.retain(|i| !first.since.contains_key(i) && once.insert(i.clone()));
    let principal = who(ports, trigger, &instances);
    let (more_rules, user_data, images, principal) = try_join!(
        rules_of(ports, scope, &groups),
        user_data_of_all(ports, trigger, &first, &instances),
        seen_map(ports, scope, images, trigger.at),
        principal
    )?;
    let rules = join_facts(first.rules, more_rules);
    let mut trigger = without_hint(trigger);
    trigger.principal = trigger.principal.or(principal);
    let mut since = first.since;
    since.extend(images);
    Ok(instances
        .into_iter()
        .map(|instance| {
            let data = user_data.get(&instance.id).cloned().unwrap_or_else(|| Fact::unknown("not read"));
            let mut observation = observe(instance, trigger.clone(), data, &rules, now);
            observation.leaked_key_policy = first.leaked_key_policy.clone();
            apply_since(&mut observation, &since);
            observation
        })
        .collect())
}

fn observe(
    instance: Instance,
    trigger: Trigger,
    user_data: Fact<UserData>,
    rules: &Fact<Vec<Rule>>,
    now: Timestamp,
) -> Observation {
    let groups = instance.groups();
    let marks = user_data.value().map(|u| u.kubernetes.clone()).unwrap_or_default();
    let node_of = fingerprints::node_of(&instance.tags, &marks);
    let mut observation = Observation::new(Asset::Instance(instance), trigger, now);
    observation.user_data = user_data;
    observation.node_of = node_of;
    observation.world_open = match rules {
        Fact::Known { value, source } => {
            let own: Vec<Rule> = value.iter().filter(|r| groups.contains(&r.group)).cloned().collect();
            Fact::<Vec<Exposure>>::known(exposure::to_the_world(&own), source.clone())
        }
        Fact::Unknown { reason } => Fact::unknown(reason.clone()),
    };
    observation
}

/// Reads what is known of the caller, for observations that have nothing else to read.
pub(super) async fn about_caller(ports: &Ports<'_>, observations: &mut [Observation]) -> Answer<()> {
    for observation in observations {
        let trigger = observation.trigger.clone();
        let seen = asked_of(trigger.principal.as_ref(), &trigger.scope);
        let (leaked, since) = join!(
            leaked_key(ports, trigger.principal.as_ref()),
            ports.inventory.first_seen(&trigger.scope.account, &seen, trigger.at),
        );
        observation.leaked_key_policy = leaked?;
        apply_since(observation, &seen.into_iter().zip(since?).collect());
    }
    Ok(())
}

fn asked_of(principal: Option<&Principal>, scope: &Scope) -> Vec<Seen> {
    let mut seen = vec![Seen::Watching, Seen::Region(scope.region.to_string())];
    seen.extend(principal.map(|p| Seen::Principal(p.arn.clone())));
    seen
}

fn apply_since(observation: &mut Observation, since: &HashMap<Seen, Timestamp>) {
    let fact = |seen: Option<Seen>| match seen.and_then(|s| since.get(&s)) {
        Some(at) => Fact::known(*at, "Picket's inventory"),
        None => Fact::unknown("the trigger does not tell"),
    };
    observation.watching_since = fact(Some(Seen::Watching));
    observation.region_since = fact(Some(Seen::Region(observation.asset.scope().region.to_string())));
    observation.principal_since = fact(observation.trigger.principal.as_ref().map(|p| Seen::Principal(p.arn.clone())));
    observation.image_since = fact(observation.asset.instance().map(|i| Seen::Image(i.image.clone())));
    observation.type_since = fact(observation.asset.instance_type().map(|t| Seen::InstanceType(t.clone())));
}

async fn seen_map(
    ports: &Ports<'_>,
    scope: &Scope,
    what: Vec<Seen>,
    at: Timestamp,
) -> Answer<HashMap<Seen, Timestamp>> {
    if what.is_empty() {
        return Ok(HashMap::new());
    }
    let since = ports.inventory.first_seen(&scope.account, &what, at).await?;
    Ok(what.into_iter().zip(since).collect())
}

/// Who launched them, where the trigger does not say. CloudTrail's history lags by minutes and allows two reads a
/// second, so it is asked for one instance only, and its silence is no fault.
async fn who(ports: &Ports<'_>, trigger: &Trigger, instances: &[Instance]) -> Answer<Option<Principal>> {
    let asks = matches!(trigger.kind, TriggerKind::InstanceState | TriggerKind::GuardDuty | TriggerKind::SecurityHub);
    match instances.first() {
        Some(instance) if trigger.principal.is_none() && asks => {
            Ok(ports.cloud.launched_by(&trigger.scope, &instance.id).await.unwrap_or_else(|error| {
                tracing::info!(%error, "the launcher is not known");
                None
            }))
        }
        _ => Ok(None),
    }
}

async fn rules_of(ports: &Ports<'_>, scope: &Scope, groups: &[GroupId]) -> Answer<Fact<Vec<Rule>>> {
    if groups.is_empty() {
        return Ok(Fact::known(Vec::new(), "DescribeSecurityGroups"));
    }
    let source = format!("DescribeSecurityGroups {}", groups[0]);
    unknown_if_denied(ports.cloud.ingress_rules(scope, groups).await.map(|rules| Fact::known(rules, source)))
}

fn join_facts(a: Fact<Vec<Rule>>, b: Fact<Vec<Rule>>) -> Fact<Vec<Rule>> {
    match (a, b) {
        (Fact::Known { mut value, source }, Fact::Known { value: more, .. }) => {
            value.extend(more);
            Fact::Known { value, source }
        }
        (Fact::Unknown { reason }, _) | (_, Fact::Unknown { reason }) => Fact::Unknown { reason },
    }
}

async fn leaked_key(ports: &Ports<'_>, principal: Option<&Principal>) -> Answer<Fact<Option<Untrusted>>> {
    match principal {
        Some(p) if p.kind == PrincipalKind::User => {
            let attached = ports.cloud.attached_policies(p.name.as_str()).await;
            unknown_if_denied(attached.map(|policies| {
                let found = policies.into_iter().find(|name| name.as_str().starts_with(LEAKED_KEY_POLICY));
                Fact::known(found, "ListAttachedUserPolicies")
            }))
        }
        _ => Ok(Fact::known(None, "the caller is no IAM user")),
    }
}

/// The user data of each instance. Instances of one `RunInstances` share it, so one is read for all of them.
async fn user_data_of_all(
    ports: &Ports<'_>,
    trigger: &Trigger,
    first: &First,
    instances: &[Instance],
) -> Answer<HashMap<InstanceId, Fact<UserData>>> {
    let shared = matches!(trigger.kind, TriggerKind::RunInstances | TriggerKind::InstanceState)
        || matches!(trigger.subject, Subject::Launch(_));
    let key = |i: &Instance| if shared { i.reservation.clone() } else { Untrusted::new(i.id.as_str()) };
    let mut known: HashMap<Untrusted, Fact<UserData>> = first.user_data.iter().filter(|_| shared).cloned().collect();
    let mut open: Vec<(Untrusted, &InstanceId)> = Vec::new();
    for instance in instances {
        let key = key(instance);
        if !known.contains_key(&key) && !open.iter().any(|(k, _)| *k == key) {
            open.push((key, &instance.id));
        }
    }
    let reads = open.into_iter().map(|(key, id)| async move {
        let read = read_user_data(ports, &trigger.scope, id).await;
        Ok::<_, PortError>((key, not_visible_is_unknown(read)?))
    });
    let read: Vec<_> = futures::stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
    known.extend(read);
    Ok(instances.iter().filter_map(|i| known.get(&key(i)).map(|fact| (i.id.clone(), fact.clone()))).collect())
}

async fn read_user_data(ports: &Ports<'_>, scope: &Scope, id: &InstanceId) -> Answer<Fact<UserData>> {
    let source = format!("DescribeInstanceAttribute userData of {id}");
    unknown_if_denied(
        ports
            .cloud
            .user_data(scope, id)
            .await
            .map(|text| Fact::known(text.map(|t| facts_of(&t)).unwrap_or_default(), source)),
    )
}

/// What user data shows; the text itself is dropped here.
fn facts_of(base64: &str) -> UserData {
    let decoded = user_data::decode(base64);
    UserData {
        bytes: decoded.raw.len(),
        sha256: picket_model::text::sha256_hex(&decoded.raw),
        miners: miners::find(&decoded.text),
        kubernetes: fingerprints::in_user_data(&decoded.text),
        undecoded: decoded.undecoded,
    }
}

fn unknown_if_denied<T>(read: Answer<Fact<T>>) -> Answer<Fact<T>> {
    match read {
        Err(error) if error.kind == Kind::Denied => Ok(Fact::unknown(error.to_string())),
        other => other,
    }
}

fn not_visible_is_unknown<T>(read: Answer<Fact<T>>) -> Answer<Fact<T>> {
    match read {
        Err(error) if error.kind == Kind::NotFound => Ok(Fact::unknown(error.to_string())),
        other => other,
    }
}
