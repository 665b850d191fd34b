//! The root user launches nothing in a kept account.

use picket_model::{Observation, PrincipalKind};

use super::{Judged, Signal, is_launch, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal =
    Signal { name: "root_user", weight: 25, about: "the account's root user launched it", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    match &observation.trigger.principal {
        Some(p) if p.kind == PrincipalKind::Root && is_launch(observation) && !p.is_aws_service() => {
            yes("the root user made the call", "CloudTrail userIdentity.type")
        }
        _ => Judged::No,
    }
}
