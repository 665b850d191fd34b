//! Deny an instance's private addresses where its NAT gateway is: in the network ACL of the gateway's subnet, in both
//! directions, ahead of every entry that allows. A network ACL ends connections that security groups let go on.
//!
//! Guarantees: numbers that are free are taken, none is overwritten; entries that were there before are not ours to
//! take away; the number of entries stays within the policy's limit.
//! Caveats: it holds until the release, since a connection whose denial goes is taken up again while EC2 remembers it.
//! Sources: VPC user guide, "Network ACLs", "NAT gateways"; EC2 user guide, "Connection tracking".

use picket_model::{Acl, Change, FlowFacts, Measure};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] = &[
    "ec2:CreateNetworkAclEntry",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
];

/// The measure for one ACL.
pub(crate) fn measure(facts: &FlowFacts, acl: &Acl, limit: usize) -> Measure {
    let (instance, addresses, id) = (facts.instance.clone(), facts.addresses.clone(), acl.id.clone());
    let before = acl.entries.iter().filter(|e| addresses.iter().any(|a| e.denies(*a))).cloned().collect();
    let undo = Change::AllowInAcl { instance: instance.clone(), acl: id.clone(), addresses: addresses.clone(), before };
    Measure::new("deny_at_gateway", Change::DenyInAcl { instance, acl: id, addresses, limit }, Some(undo))
}
