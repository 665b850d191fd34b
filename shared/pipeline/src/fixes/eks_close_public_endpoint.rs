//! Close the public endpoint of an EKS cluster: only its VPC, and what is connected to it, reaches the API server.
//! Guard: the private endpoint is on, and the VPC can resolve its name. The private endpoint is never switched on here:
//! that is a change of the network that its owner has to know of.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "eks_close_public_endpoint",
    &["ec2:DescribeVpcAttribute", "eks:DescribeCluster", "eks:UpdateClusterConfig"],
    plan,
)
.comparing(super::endpoint);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if !Seen::flag(seen.now, "public")? {
        return Err(Not::Already);
    }
    super::private_path(seen)?;
    set(seen.now, &[("public", json!(false))])
}
