//! The whole world may talk to the Kubernetes API server: how Tesla's cluster was entered. Endpoint and sources are
//! judged together; a public endpoint that only some networks may reach is not this.

use picket_model::{Asset, GroupId, Observation, Rule};

use super::{Judged, Signal, yes};
use crate::exposure::to_the_world;
use crate::policy::Policy;

pub(super) const SIGNAL: Signal = Signal {
    name: "public_api_server",
    weight: 40,
    about: "the Kubernetes API server can be reached from anywhere",
    judge,
};

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let Asset::Cluster(cluster) = &observation.asset else { return Judged::No };
    match cluster.public_endpoint {
        None => Judged::Unknown("AWS did not tell the endpoint configuration".to_owned()),
        Some(false) => Judged::No,
        Some(true) => {
            // EKS reads back `0.0.0.0/0` when no source was given; an empty list means the same.
            let world = cluster.public_cidrs.is_empty() || cluster.public_cidrs.iter().any(|c| is_world(c.as_str()));
            let source = "DescribeCluster resourcesVpcConfig";
            if world { yes("its API server is open to the world", source) } else { Judged::No }
        }
    }
}

fn is_world(cidr: &str) -> bool {
    let Ok(group) = GroupId::parse("sg-00000000") else { return false };
    let rule = Rule { group, protocol: "-1".to_owned(), first: None, last: None, cidr: cidr.to_owned() };
    !to_the_world(&[rule]).is_empty()
}
