//! One trigger through the stages: look, judge, decide, plan, permit. It stops before the first change.

use jiff::Timestamp;
use picket_aws::Clients;
use picket_checks::{Judgement, decide};
use picket_model::{Asset, CaseId, Decision, Fact, InstanceId, Observation, Plan, Score, Subject, Trigger, Verdict};
use picket_pipeline::ports::{Cloud, Kind, PortError};
use picket_pipeline::{InForce, Refusal, discover, permit, plan, rails};
use serde::Serialize;

use super::recorded::{NOT_IN_EVENT, NOT_IN_INVENTORY, NoInventory, Recorded, undescribed};
use crate::failure::Failure;

/// What one trigger comes to.
#[derive(Debug, Serialize)]
pub struct Judged {
    /// What woke us.
    pub trigger: Trigger,
    /// What is thought of the assets; those of which the same is thought are together.
    pub findings: Vec<Finding>,
    /// What would be carried out.
    pub proposals: Vec<Proposal>,
    /// Why less is known than there is: one line each.
    pub gaps: Vec<String>,
}

impl Judged {
    /// Instances that people would be told about.
    pub fn suspects(&self) -> impl Iterator<Item = &str> {
        let told = self.findings.iter().filter(|f| f.verdict > Verdict::Note);
        told.flat_map(|f| &f.assets).map(String::as_str).filter(|a| a.starts_with("i-"))
    }
}

/// What is thought of some assets.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Their ids.
    pub assets: Vec<String>,
    /// What the policy chooses.
    pub verdict: Verdict,
    /// Why.
    pub score: Score,
    /// Why not more.
    pub held_back: Option<String>,
}

/// A quarantine, planned and not carried out.
#[derive(Debug, Serialize)]
pub struct Proposal {
    /// Its case.
    pub case: CaseId,
    /// The steps.
    pub plan: Plan,
    /// Whether they would be carried out.
    pub permitted: bool,
    /// What the permit says, in words.
    pub permit: String,
}

/// Judges a trigger, from what it says itself or from what AWS shows now.
///
/// # Errors
/// If AWS is to be read and cannot be.
pub(super) async fn judge(trigger: Trigger, clients: Option<&Clients>, in_force: &InForce) -> Result<Judged, Failure> {
    let recorded = Recorded::new(&trigger);
    let (cloud, now): (&dyn Cloud, _) = match clients {
        Some(clients) => (clients, Timestamp::now()),
        // Offline it is the time of the event, so that the same event always comes to the same.
        None => (&recorded, trigger.at),
    };
    let mut gaps = if clients.is_none() { gaps(&trigger) } else { Vec::new() };
    let ports = discover::Ports { cloud, inventory: &NoInventory, queues: &NoInventory, policies: None };
    let mut found = match discover::look(&ports, &trigger, now).await {
        Err(error) if error.kind == Kind::NotFound => {
            gaps.push(format!("AWS does not show it: {error}"));
            Vec::new()
        }
        found => {
            let found = found?;
            let absent = found.missing.iter().chain(&found.never_seen);
            gaps.extend(absent.map(|id| format!("AWS does not show {id}; it is gone, or not visible yet")));
            found.observations
        }
    };
    found.iter_mut().for_each(no_inventory);
    let findings = findings(&in_force.policy, &found, now);
    let decisions = decide(&in_force.policy, &in_force.version, &found, now);
    let mut proposals = Vec::new();
    for decision in decisions.iter().filter(|d| d.verdict == Verdict::Quarantine) {
        proposals.push(propose(cloud, decision, &found, in_force).await?);
    }
    Ok(Judged { trigger, findings, proposals, gaps })
}

/// What the event leaves open, where that would look like a fact.
fn gaps(trigger: &Trigger) -> Vec<String> {
    let nothing = trigger.hint.instances.is_empty();
    match &trigger.subject {
        Subject::Instances(_) => {
            let named = undescribed(trigger).into_iter();
            named.map(|id| format!("type, image, interfaces and tags of {id}: {NOT_IN_EVENT}")).collect()
        }
        Subject::Cluster(name) => vec![format!("version and endpoints of EKS cluster {name}: {NOT_IN_EVENT}")],
        Subject::Attempt { .. } => Vec::new(),
        subject if nothing => vec![format!("which instances are meant by {subject}: {NOT_IN_EVENT}")],
        _ => Vec::new(),
    }
}

/// Says why first sights are unknown.
fn no_inventory(observation: &mut Observation) {
    let since = [
        &mut observation.watching_since,
        &mut observation.principal_since,
        &mut observation.region_since,
        &mut observation.image_since,
    ];
    for fact in since {
        *fact = Fact::unknown(NOT_IN_INVENTORY);
    }
}

fn findings(policy: &picket_checks::Policy, found: &[Observation], now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for observation in found {
        let Judgement { verdict, score, held_back } = picket_checks::judge(policy, observation, now);
        let same = |f: &&mut Finding| f.verdict == verdict && f.score == score && f.held_back == held_back;
        let asset = observation.asset.id();
        match findings.iter_mut().find(same) {
            Some(finding) => finding.assets.push(asset),
            None => findings.push(Finding { assets: vec![asset], verdict, score, held_back }),
        }
    }
    findings
}

/// Plans a decision against what was observed, and asks for a permit that nobody uses.
async fn propose(
    cloud: &dyn Cloud,
    decision: &Decision,
    found: &[Observation],
    in_force: &InForce,
) -> Result<Proposal, PortError> {
    let instances: Vec<_> = found.iter().filter_map(|o| o.asset.instance().cloned()).collect();
    let ids: Vec<_> = decision.targets.iter().filter_map(|t| t.instance.clone()).collect();
    let interfaces = cloud.interfaces(&decision.scope, &ids).await?;
    let bare = without_interfaces(found);
    let live = plan::Live { instances, interfaces, quarantine: Default::default() };
    let mut plan = plan::build(decision, &live);
    for (_, why) in plan.skipped.iter_mut().filter(|(id, _)| bare.contains(id)) {
        "its interfaces are not known here".clone_into(why);
    }
    let mut sifted = rails::sift(in_force, decision, &live, &plan, &[]);
    let nothing = sifted.plan().steps.is_empty();
    let first = sifted.left.drain(..).next().filter(|_| nothing);
    let answer = first.map_or_else(|| permit::for_plan(in_force, decision, &sifted), |left| Err(left.refusal));
    let (permitted, permit) = match answer {
        Ok(_) => (true, "granted: it would be carried out; replay changes nothing".to_owned()),
        Err(Refusal::Observing { .. }) => (false, "observe: nothing would be changed".to_owned()),
        Err(refusal) => (false, format!("refused: {refusal}")),
    };
    Ok(Proposal { case: decision.case.clone(), plan, permitted, permit })
}

/// Instances that were observed without any interface: there is nothing to plan with, which is not the same as done.
fn without_interfaces(found: &[Observation]) -> Vec<InstanceId> {
    let bare = |o: &Observation| match &o.asset {
        Asset::Instance(i) if i.interfaces.is_empty() && !i.state.is_gone() => Some(i.id.clone()),
        _ => None,
    };
    found.iter().filter_map(bare).collect()
}
