//! From an observation to a verdict: a plain function of policy, observation and time. Given the same three it always
//! says the same, and it says which reasons made it so.

use jiff::Timestamp;
use picket_model::{Asset, CaseId, Decision, Observation, Reason, Score, Target, Trigger, Verdict};

use crate::policy::Policy;
use crate::signals::{self, Judged};

/// What one asset comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Why.
    pub score: Score,
    /// Why not more, where a rule of the policy held it back.
    pub held_back: Option<String>,
}

/// Judges one observation.
#[must_use]
pub fn judge(policy: &Policy, observation: &Observation, now: Timestamp) -> Judgement {
    let score = score(policy, observation);
    let wanted = match score.total {
        t if t >= policy.risk.quarantine_at.0 => Verdict::Quarantine,
        t if t >= policy.risk.notify_at.0 => Verdict::Notify,
        _ => Verdict::Note,
    };
    match limit(policy, observation, now) {
        Some((most, why)) if wanted > most => Judgement { verdict: most, score, held_back: Some(why) },
        _ => Judgement { verdict: wanted, score, held_back: None },
    }
}

fn score(policy: &Policy, observation: &Observation) -> Score {
    let mut score = Score::default();
    let mut total = 0u16;
    for signal in signals::ALL {
        match (signal.judge)(observation, policy) {
            Judged::Yes { says, evidence } => {
                let weight = policy.weight(signal.name, signal.weight);
                total += u16::from(weight);
                score.reasons.push(Reason { signal: signal.name.to_owned(), weight, says, evidence });
            }
            Judged::Unknown(why) => score.unknown.push(format!("{}: {why}", signal.name)),
            Judged::No => {}
        }
    }
    // The sort is stable: equal weights keep the alphabetical order of the signals.
    score.reasons.sort_by_key(|r| std::cmp::Reverse(r.weight));
    score.total = u8::try_from(total.min(100)).unwrap_or(100);
    score
}

/// The most that may be done about this asset, where less than everything, and why.
fn limit(policy: &Policy, observation: &Observation, now: Timestamp) -> Option<(Verdict, String)> {
    let Asset::Instance(instance) = &observation.asset else {
        return Some((Verdict::Notify, "only instances can be quarantined".to_owned()));
    };
    if instance.state.is_gone() {
        return Some((Verdict::Note, "the instance is terminated".to_owned()));
    }
    let ids =
        [Some(instance.id.as_str()), instance.vpc.as_ref().map(|v| v.as_str()), Some(instance.scope.account.as_str())];
    let exempt = policy.exempt.iter().find(|e| e.until > now && ids.contains(&Some(e.id.as_str())));
    exempt.map(|e| {
        let why = format!("{} is exempt until {}: {} ({})", e.id, e.until, e.reason, e.owner);
        (Verdict::Notify, why)
    })
}

/// Judges all observations of one trigger and joins what belongs together: the instances of one launch with one
/// verdict become one decision. Verdicts of `Note` are left out; they are in the inventory.
#[must_use]
pub fn decide(policy: &Policy, version: &str, observations: &[Observation], now: Timestamp) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for observation in observations {
        let mut judgement = judge(policy, observation, now);
        if judgement.verdict == Verdict::Note {
            continue;
        }
        judgement.score.unknown.extend(judgement.held_back.take().map(|why| format!("held back: {why}")));
        let case = case_of(observation);
        let target = target_of(observation);
        match decisions.iter_mut().find(|d| d.case == case && d.verdict == judgement.verdict) {
            Some(decision) => {
                decision.targets.push(target);
                if judgement.score.total > decision.score.total {
                    decision.score = judgement.score;
                }
            }
            None => decisions.push(new_decision(case, judgement, target, &observation.trigger, version)),
        }
    }
    decisions
}

fn new_decision(case: CaseId, judgement: Judgement, target: Target, trigger: &Trigger, version: &str) -> Decision {
    let ordered = judgement.score.reasons.iter().any(|r| r.signal == "requested");
    let mut decision =
        Decision::new(case, judgement.verdict, vec![target], judgement.score, trigger, version.to_owned());
    decision.ordered = ordered;
    decision
}

fn case_of(observation: &Observation) -> CaseId {
    let scope = observation.asset.scope();
    match &observation.asset {
        Asset::Instance(i) if !i.reservation.is_empty() => CaseId::derive(scope, i.reservation.as_str()),
        asset => CaseId::derive(scope, &asset.id()),
    }
}

fn target_of(observation: &Observation) -> Target {
    let instance = observation.asset.instance();
    Target {
        asset: observation.asset.id(),
        instance: instance.map(|i| i.id.clone()),
        vpc: instance.and_then(|i| i.vpc.clone()),
        instance_type: observation.asset.instance_type().cloned(),
        name: instance.map(|i| i.name.clone()).unwrap_or_default(),
        node_of: observation.node_of.as_ref().filter(|n| n.confidence >= crate::fingerprints::NODE_AT).map(|n| {
            let cluster = n.cluster.as_ref().map(|c| format!(" of {c}")).unwrap_or_default();
            format!("{} node{cluster}", n.distribution)
        }),
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
