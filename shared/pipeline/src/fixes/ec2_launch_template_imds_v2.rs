//! A new default version of a launch template whose instances answer metadata requests with a token only. Instances that
//! run stay as they are.
//! Caveats: whoever names a version by its number does not use the new one. Karpenter, EKS and CloudFormation manage
//! templates of their own, which are left to them.

use serde_json::{Value, json};

use super::{Action, Ends, Not, Seen, Stands, set};

pub(super) const ACTION: Action = Action::new(
    "ec2_launch_template_imds_v2",
    &[
        "ec2:CreateLaunchTemplateVersion",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:ModifyLaunchTemplate",
    ],
    plan,
)
.comparing(stands)
.staying(&["the new version, which nothing uses then"]);

fn plan(seen: &Seen<'_>) -> Result<Value, Not> {
    let number = |name: &str| {
        let wrong = || Not::Wrong(format!("`{name}` was not read"));
        seen.facts.get(name).and_then(Value::as_i64).ok_or_else(wrong)
    };
    if seen.facts.get("tokens").and_then(Value::as_str) == Some("required") {
        return Err(Not::Already);
    }
    if let Some(owner) = seen.facts.get("managed_by").and_then(Value::as_str) {
        return Err(Not::Guarded(format!(
            "{owner} manages this launch template and would take it for drift; set it there"
        )));
    }
    // EC2 numbers versions one after the other.
    let hop_limit = seen.number("hop_limit", number("hop_limit")?.max(1), 1, 64)?;
    set(seen.now, &[("default", json!(number("latest")? + 1)), ("hop_limit", json!(hop_limit))])
}

/// The version that is the default tells both ends; its hop limit belongs to it.
fn stands(ends: &Ends<'_>) -> Stands {
    let of = |v: &Value| v.get("default").and_then(Value::as_i64);
    match of(ends.live) {
        live if live == of(ends.after) => Stands::After,
        live if live == of(ends.before) => Stands::Before,
        _ => Stands::Other,
    }
}
