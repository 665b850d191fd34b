//! Take the offending part out of the inbound rules of a security group, and leave the rest: a network, a port range or a
//! prefix list is split around it. Without `cidrs`, what the whole world reaches is meant; with `ports`, only those.
//! Guard: no more rules than AWS takes, and never a quarantine group.

use serde_json::Value;

use super::{Action, Not, Seen};

pub(super) const ACTION: Action = Action::new(
    "ec2_revoke_ingress",
    &[
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:GetManagedPrefixListEntries",
        "ec2:RevokeSecurityGroupIngress",
    ],
    plan,
)
.comparing(super::rules)
.staying(&["ids of the rules: AWS gives new ones"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    super::cut_rules(seen)
}
