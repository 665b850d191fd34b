//! Asking machines over the network what they are, where signals alone are not sure and the policy allows it: which
//! machines, and by whom. What is asked, and how, is the prober's; what the answers are worth is the judgement's.

use std::collections::BTreeSet;

use async_trait::async_trait;
use picket_checks::survey::Unsure;
use picket_model::landscape::Probe;
use picket_model::{InstanceId, Untrusted, VpcId};
use serde::{Deserialize, Serialize};

use crate::ports::Answer;

/// How many machines of a place are asked at one look.
pub const MOST: usize = 200;
/// The ports of Kubernetes that are asked.
pub const PORTS: [u16; 11] = [443, 2379, 6443, 8443, 9345, 10250, 10255, 10256, 16443, 22623, 50000];

/// A machine to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub instance: InstanceId,
    /// Its private address.
    pub address: Untrusted,
    /// On which ports.
    pub ports: Vec<u16>,
}

/// What a prober that is a function is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questions {
    /// The machines.
    pub asked: Vec<Asked>,
}

/// What a prober answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// What was answered. A port that is closed, or filtered, gives none.
    pub probes: Vec<Probe>,
    /// How many machines were not asked: their addresses are not among those that it may ask, or time ran out.
    pub left: usize,
}

/// Asks machines, by reads without credentials.
#[async_trait]
pub trait Prober: Send + Sync {
    /// Asks them.
    async fn probe(&self, asked: &[Asked]) -> Answer<Answers>;
}

/// A prober, and where it may ask.
#[derive(Clone, Copy)]
pub struct Probing<'a> {
    /// The prober.
    pub prober: &'a dyn Prober,
    /// The VPCs that the policy names.
    pub vpcs: &'a BTreeSet<VpcId>,
}

/// Whom to ask of those that are not sure, and how many more there are.
pub(super) fn whom(unsure: &[Unsure], vpcs: &BTreeSet<VpcId>) -> (Vec<Asked>, usize) {
    let allowed = unsure.iter().filter(|u| u.vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc)));
    let mut asked: Vec<Asked> = allowed.filter_map(asked).collect();
    let more = asked.len().saturating_sub(MOST);
    asked.truncate(MOST);
    (asked, more)
}

fn asked(unsure: &Unsure) -> Option<Asked> {
    let address = unsure.addresses.iter().find(|a| a.as_str().parse::<std::net::IpAddr>().is_ok())?;
    Some(Asked { instance: unsure.instance.clone(), address: address.clone(), ports: PORTS.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsure(n: usize, vpc: &str, addresses: &[&str]) -> Unsure {
        Unsure {
            instance: InstanceId::parse(format!("i-{n:08x}")).unwrap(),
            vpc: VpcId::parse(vpc).ok(),
            addresses: addresses.iter().map(|a| Untrusted::new(a)).collect(),
        }
    }

    #[test]
    fn only_machines_in_the_vpcs_that_the_policy_names_are_asked() {
        let named = BTreeSet::from([VpcId::parse("vpc-00000001").unwrap()]);
        let all = [
            unsure(1, "vpc-00000001", &["ip-10-0-0-5.ec2.internal", "10.0.0.5"]),
            unsure(2, "vpc-00000002", &["10.0.0.6"]),
        ];
        let (asked, more) = whom(&all, &named);
        assert_eq!((asked.len(), asked[0].address.as_str(), more), (1, "10.0.0.5", 0));
        assert_eq!(whom(&all, &BTreeSet::new()).0, [], "and nobody where it names none");
    }

    #[test]
    fn no_more_are_asked_than_fit_and_the_rest_is_counted() {
        let named = BTreeSet::from([VpcId::parse("vpc-00000001").unwrap()]);
        let all: Vec<_> = (0..MOST + 7).map(|n| unsure(n, "vpc-00000001", &["10.0.0.5"])).collect();
        let (asked, more) = whom(&all, &named);
        assert_eq!((asked.len(), more), (MOST, 7));
    }
}
