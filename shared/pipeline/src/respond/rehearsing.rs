//! Dry run: what would be done, with AWS's own answer beside each step. Nothing is changed.

use futures::future::join_all;
use picket_model::{Plan, Scope, Step};

use crate::plan::Live;
use crate::ports::{Answer, Kind, Rehearsal};

/// The steps in words, with what AWS says to each.
pub(super) async fn steps(aws: &dyn Rehearsal, scope: &Scope, plan: &Plan, live: &Live) -> Vec<String> {
    let mut vpcs: Vec<_> = plan.steps.iter().filter_map(vpc).filter(|v| !live.quarantine.contains_key(v)).collect();
    vpcs.sort();
    vpcs.dedup();
    let groups = vpcs.into_iter().map(|vpc| async move {
        format!("make the quarantine group of {vpc} [{}]", says(&aws.create_group(scope, &vpc).await))
    });
    let steps = plan.steps.iter().map(|step| async move {
        let answer = match step {
            Step::CannotContain { .. } => return step.to_string(),
            Step::Contain { before, .. } => match live.quarantine.get(&before.vpc) {
                Some(group) => says(&aws.set_groups(scope, &before.interface, std::slice::from_ref(group)).await),
                None => "not asked: its quarantine group does not exist yet".to_owned(),
            },
        };
        format!("{step} [{answer}]")
    });
    let (mut said, steps) = futures::join!(join_all(groups), join_all(steps));
    said.extend(steps);
    said
}

fn vpc(step: &Step) -> Option<picket_model::VpcId> {
    match step {
        Step::Contain { before, .. } => Some(before.vpc.clone()),
        Step::CannotContain { .. } => None,
    }
}

fn says(answer: &Answer<()>) -> String {
    match answer {
        Ok(()) => "AWS would let us".to_owned(),
        Err(error) if error.kind == Kind::Denied => format!("AWS would not let us: {}", error.why),
        Err(error) => format!("AWS did not say: {}", error.why),
    }
}
