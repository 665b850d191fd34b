//! Respond: carry out a decision. The only stage that may change security groups, and only to the quarantine group.
//!
//! Flow: read live state, policy and quarantine groups at once -> plan -> permit or refusal -> write holds with their
//! captures and intents, all or nothing -> freeze the owners -> set every interface at once -> read again -> cut what
//! outlives that -> tell -> close the holds -> secure: evidence, credentials, snapshots, load balancers, tag.
//! Guarantees: nothing changes without a capture and an intent before it; a crash anywhere converges when the same
//! decision, or any other for the same instance, is tried again; no failure undoes containment.
//! Assumptions: a decision is a proposal; it is carried out against what AWS shows now, not against what it says.
//! Caveats: interfaces that AWS services manage cannot be changed; they are reported as LEAKING.
//! Errors: passing faults are returned so that the message is tried again; refusals are told and end it.

mod containing;
mod cutting;
mod rehearsing;
mod reopened;
mod securing;
mod taking;
mod verifying;

use futures::future::try_join_all;
use futures::{join, try_join};
use jiff::{RoundMode, TimestampRound, Unit};
use picket_model::{Decision, Entry, Event, InstanceId, Notice, NoticeKind, Plan, Scope, Untrusted, VpcId};

use crate::actions::quarantine_group::{self, Check};
use crate::in_force::{self, InForce, Settings};
use crate::messages::{Message, Prepare};
use crate::permit::{self, Refusal};
use crate::plan::{self, Live};
use crate::ports::{Answer, Clock, Cloud, Containment, Holds, Levers, Policies, Queues, Rehearsal};
use crate::rails::{self, Left};

/// What respond needs.
pub struct Ports<'a> {
    /// Reads AWS.
    pub cloud: &'a dyn Cloud,
    /// Changes groups.
    pub containment: &'a dyn Containment,
    /// Keeps the policy.
    pub policies: &'a dyn Policies,
    /// Keeps holds and the journal.
    pub holds: &'a dyn Holds,
    /// Asks AWS whether it would let us.
    pub rehearsal: &'a dyn Rehearsal,
    /// Changes everything else.
    pub levers: &'a dyn Levers,
    /// Hands over to notify.
    pub queues: &'a dyn Queues,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

/// What came of a decision.
#[derive(Debug, PartialEq, Eq)]
pub enum Responded {
    /// These interfaces were contained now.
    Contained(usize),
    /// Nothing was left to do.
    Nothing,
    /// No permit; people were told, once.
    Refused(Refusal),
    /// Another worker is at it; try again soon.
    Later(String),
}

impl Responded {
    /// One word, for metrics and machines.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Contained(_) => "contained",
            Self::Nothing => "nothing",
            Self::Refused(Refusal::Observing { .. }) => "observed",
            Self::Refused(Refusal::Rehearsing { .. }) => "rehearsed",
            Self::Refused(_) => "refused",
            Self::Later(_) => "later",
        }
    }
}

impl std::fmt::Display for Responded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Contained(1) => f.write_str("one interface was put into quarantine"),
            Self::Contained(n) => write!(f, "{n} interfaces were put into quarantine"),
            Self::Nothing => f.write_str("there was nothing left to do"),
            Self::Refused(refusal) => write!(f, "not done: {refusal}"),
            Self::Later(why) => write!(f, "not done yet: {why}"),
        }
    }
}

/// Carries out a decision.
///
/// # Errors
/// If something could not be read or changed for a passing reason.
pub async fn run(ports: &Ports<'_>, settings: &Settings, decision: &Decision) -> Answer<Responded> {
    let (in_force, live, checks) = read(ports, settings, decision).await?;
    let plan = plan::build(decision, &live);
    if plan.steps.is_empty() {
        // Someone may have crashed after the change and before saying so.
        return containing::resume(ports, settings, &in_force, decision, &live).await;
    }
    let hour = ports.clock.now();
    let hour = hour.round(TimestampRound::new().smallest(Unit::Hour).mode(RoundMode::Trunc)).unwrap_or(hour);
    let members = rails::members(ports.levers, ports.holds, &in_force, decision, &live, hour).await?;
    let sifted = rails::sift(&in_force, decision, &live, &plan, &members);
    for Left { refusal, plan } in &sifted.left {
        refuse(ports, settings, decision, plan, &live, refusal.clone()).await?;
    }
    if let (true, Some(left)) = (sifted.plan().steps.is_empty(), sifted.left.first()) {
        return stopped(ports, settings, &in_force, decision, &live, &left.refusal).await;
    }
    let permit = match permit::for_plan(&in_force, decision, &sifted) {
        Ok(permit) => permit,
        Err(refusal) => return refuse(ports, settings, decision, sifted.plan(), &live, refusal).await,
    };
    let plan = sifted.plan();
    let mut live = live;
    for (vpc, check) in checks {
        let missing = plan_touches(plan, &vpc) && !live.quarantine.contains_key(&vpc);
        if missing {
            let group =
                quarantine_group::ensure(ports.containment, ports.holds, &permit, &decision.scope, &vpc, check).await?;
            live.quarantine.insert(vpc, group);
        }
    }
    // With the group known, an interface that is in it already is told from one that is not.
    let plan = rails::sift(&in_force, decision, &live, &plan::build(decision, &live), &members);
    let going = containing::Going { in_force: &in_force, permit: &permit, plan: plan.plan(), live: &live, members };
    containing::carry_out(ports, settings, decision, &going).await
}

/// The rails left nothing to take. What is held already goes on all the same: an interface that the never-list names
/// must not keep the rest of its instance from being secured.
async fn stopped(
    ports: &Ports<'_>,
    settings: &Settings,
    in_force: &InForce,
    decision: &Decision,
    live: &Live,
    refusal: &Refusal,
) -> Answer<Responded> {
    let went_on = match refusal {
        Refusal::Never { .. } => containing::resume(ports, settings, in_force, decision, live).await?,
        _ => Responded::Nothing,
    };
    Ok(if went_on == Responded::Nothing { Responded::Refused(refusal.clone()) } else { went_on })
}

/// Has the quarantine groups of some VPCs ready, so that the first containment there costs no extra calls.
///
/// # Errors
/// If one cannot be made; the others are made all the same when it is tried again.
pub async fn prepare(ports: &Ports<'_>, settings: &Settings, wanted: &Prepare) -> Answer<usize> {
    let in_force = in_force::read(ports.policies, settings).await?;
    let Ok(permit) = permit::to_prepare(&in_force, &wanted.scope) else { return Ok(0) };
    let (mut made, mut failed) = (0, None);
    for vpc in &wanted.vpcs {
        if in_force.policy.flows.open_window {
            clear_windows(ports, &permit, &wanted.scope, vpc).await;
        }
        match prepare_one(ports, &permit, wanted, vpc).await {
            Ok(new) => made += usize::from(new),
            Err(error) => {
                tracing::warn!(%vpc, %error, "the quarantine group is not ready; the others are made all the same");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(made), Err)
}

/// Removes open groups that a dead worker left in a VPC, so that nobody finds one to launch into. AWS refuses while an
/// interface is in one, which the sweep has closed first.
async fn clear_windows(ports: &Ports<'_>, permit: &permit::Permit, scope: &Scope, vpc: &VpcId) {
    let left = ports.containment.open_groups(scope, vpc).await;
    let left = left.map_err(|error| tracing::warn!(%vpc, %error, "open groups could not be looked for"));
    for group in left.unwrap_or_default() {
        if let Err(error) = ports.containment.remove_group(permit, scope, &group).await {
            tracing::warn!(%group, %error, "an open group could not be removed");
        }
    }
}

async fn prepare_one(ports: &Ports<'_>, permit: &permit::Permit, wanted: &Prepare, vpc: &VpcId) -> Answer<bool> {
    let check = quarantine_group::check(ports.containment, ports.holds, &wanted.scope, vpc).await?;
    if matches!(check, Check::Ready(_)) {
        return Ok(false);
    }
    quarantine_group::ensure(ports.containment, ports.holds, permit, &wanted.scope, vpc, check).await.map(|_| true)
}

fn plan_touches(plan: &Plan, vpc: &VpcId) -> bool {
    plan.instances().iter().any(|i| plan.captures_of(i).iter().any(|c| &c.vpc == vpc))
}

/// Reads everything that a plan is made of, at once.
async fn read(
    ports: &Ports<'_>,
    settings: &Settings,
    decision: &Decision,
) -> Answer<(InForce, Live, Vec<(VpcId, Check)>)> {
    let scope = &decision.scope;
    let ids: Vec<_> = decision.targets.iter().filter_map(|t| t.instance.clone()).collect();
    let mut vpcs: Vec<VpcId> = decision.targets.iter().filter_map(|t| t.vpc.clone()).collect();
    vpcs.sort();
    vpcs.dedup();
    let which = crate::ports::Which::Ids(ids.clone());
    let (in_force, instances, interfaces, checks) = join!(
        in_force::read(ports.policies, settings),
        ports.cloud.instances(scope, &which),
        ports.cloud.interfaces(scope, &ids),
        check_all(ports, decision, vpcs),
    );
    let mut live = Live { instances: instances?, interfaces: interfaces?, quarantine: Default::default() };
    let mut checks = checks?;
    // A VPC that the decision did not know, or knew wrongly: one more read, on a path that is not the usual one.
    let mut unknown: Vec<VpcId> = live.interfaces.iter().map(|i| i.vpc.clone()).collect();
    unknown.sort();
    unknown.dedup();
    unknown.retain(|v| !checks.iter().any(|(known, _)| known == v));
    checks.extend(check_all(ports, decision, unknown).await?);
    for (vpc, check) in &checks {
        if let Check::Ready(group) = check {
            live.quarantine.insert(vpc.clone(), group.clone());
        }
    }
    Ok((in_force?, live, checks))
}

async fn check_all(ports: &Ports<'_>, decision: &Decision, vpcs: Vec<VpcId>) -> Answer<Vec<(VpcId, Check)>> {
    let reads = vpcs.into_iter().map(|vpc| async move {
        let check = quarantine_group::check(ports.containment, ports.holds, &decision.scope, &vpc).await?;
        Ok((vpc, check))
    });
    try_join_all(reads).await
}

/// Journals and tells what would have been done. The same decision twice is told once.
async fn refuse(
    ports: &Ports<'_>,
    settings: &Settings,
    decision: &Decision,
    plan: &Plan,
    live: &Live,
    refusal: Refusal,
) -> Answer<Responded> {
    let (event, suffix, kind) = match &refusal {
        Refusal::Observing { .. } => {
            let steps = plan.steps.iter().map(ToString::to_string).collect();
            (Event::Planned, "would", NoticeKind::WouldQuarantine { steps })
        }
        Refusal::Rehearsing { .. } => {
            let steps = rehearsing::steps(ports.rehearsal, &decision.scope, plan, live).await;
            (Event::Planned, "would", NoticeKind::WouldQuarantine { steps })
        }
        // Somebody has to decide now: what is beyond the limit goes on meanwhile.
        Refusal::BlastRadius { .. } => {
            (Event::Refused, "refused", NoticeKind::Escalated { why: refusal.to_string(), held: false })
        }
        other => (Event::Refused, "refused", NoticeKind::Refused { why: other.to_string() }),
    };
    let entries: Vec<Entry> = plan
        .instances()
        .into_iter()
        .map(|instance| Entry {
            case: decision.case.clone(),
            at: decision.triggered_at,
            subject: instance.to_string(),
            event,
            by: Untrusted::new("respond"),
            details: Untrusted::new(&refusal.to_string()),
        })
        .collect();
    let of = plan.instances();
    // Told once for the same instances and reason: a launch that was seen only in part at first is told of again, and
    // so is what a pause had stopped and the never-list stops now.
    let id = format!("{}/{suffix}/{}/{}", decision.case, refusal.word(), digest(of.iter().map(InstanceId::as_str)));
    // Only of what is refused: the rest of the same decision is contained.
    let mut refused = decision.clone();
    refused.targets.retain(|t| t.instance.as_ref().is_none_or(|i| of.contains(i)));
    let notice = notice(&refused, settings, id, kind, ports);
    try_join!(ports.holds.note(&entries), ports.queues.send(vec![Message::Notice(Box::new(notice))]))?;
    Ok(Responded::Refused(refusal))
}

/// Names some things, in whichever order they come.
fn digest<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = ids.into_iter().collect();
    names.sort_unstable();
    let mut digest = picket_model::text::sha256_hex(names.join(",").as_bytes());
    digest.truncate(12);
    digest
}

fn notice(decision: &Decision, settings: &Settings, id: String, kind: NoticeKind, ports: &Ports<'_>) -> Notice {
    Notice { id, kind, decision: decision.clone(), at: ports.clock.now(), stack: settings.stack.clone() }
}

#[cfg(test)]
#[path = "respond_tests.rs"]
pub(crate) mod tests;
