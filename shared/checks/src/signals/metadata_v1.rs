//! The metadata service answers without a session token, so any request forgery on the host takes its credentials.

use picket_model::{Asset, Observation};

use super::{Judged, Signal, yes};
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "metadata_v1",
    weight: 5,
    about: "the metadata service answers without a session token (IMDSv1)",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let Asset::Instance(instance) = &observation.asset else { return Judged::No };
    match instance.metadata_v1 {
        Some(true) => yes("metadata version 1 is allowed", "DescribeInstances MetadataOptions.HttpTokens"),
        Some(false) => Judged::No,
        None => Judged::Unknown("AWS did not tell the metadata options".to_owned()),
    }
}
