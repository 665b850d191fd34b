//! Keep a Kubernetes controller such as Karpenter from draining and replacing a node that is held: its groups will differ
//! from what the controller wants. It is reached through the cluster's API alone; where Picket has no access there, the
//! measure fails with what a person can do, and the notice says so.
//!
//! Caveats: the annotation stops drift and consolidation, not expiry and node repair; protection against termination,
//! which comes after containment, is what stands against those.
//! Source: karpenter.sh, "Well-known annotations"; karpenter-provider-aws pkg/cloudprovider/drift.go.

use picket_model::{Change, InstanceId, Measure, Untrusted};

/// What it needs of IAM, to find the cluster's API. What it may do there, the cluster's own rules decide:
/// `infra/kubernetes/holder.yaml`.
pub const PERMISSIONS: &[&str] = &["eks:DescribeCluster"];

/// The measure.
#[must_use]
pub fn plan(cluster: &Untrusted, instance: &InstanceId) -> Measure {
    let hold = Change::HoldNode { cluster: cluster.clone(), instance: instance.clone() };
    let go = Change::LetNodeGo { cluster: cluster.clone(), instance: instance.clone() };
    Measure::new("freeze_node", hold, Some(go))
}
