//! Take every rule from the default security group of a VPC, so that what is launched without a group reaches nothing.
//! Guard: nothing uses the group now.

use serde_json::{Value, json};

use super::{Action, Not, Seen, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_empty_default_group",
    &[
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateTags",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
    ],
    plan,
)
.comparing(super::rules)
.staying(&["ids of the rules: AWS gives new ones"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    if !Seen::flag(seen.facts, "default")? {
        return Err(Not::Wrong(format!("{} is not the default group of its VPC", seen.target)));
    }
    let used = seen.fact_strings("interfaces");
    if !used.is_empty() {
        let some = used.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        return Err(Not::Guarded(format!(
            "{} interfaces use it and would be cut off, such as {some}; give them a group of their own first",
            used.len()
        )));
    }
    set(seen.now, &[("ingress", json!([])), ("egress", json!([]))])
}
