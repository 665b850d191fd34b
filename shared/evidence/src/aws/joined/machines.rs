//! Instances, volumes, Auto Scaling groups and databases, with what other services know of them.

use std::collections::BTreeSet;

use picket_model::Document;
use serde_json::{Value, json};

use super::{Added, Around, Join};
use crate::aws::json::texts;

/// Machines.
pub const JOINS: &[Join] = &[
    Join { kind: "ec2.instance", needs: &["iam.instance_profile", "iam.role", "ssm.managed_instance"], add: instance },
    Join { kind: "ec2.volume", needs: &["backup.protected_resource", "ec2.instance"], add: volume },
    Join {
        kind: "autoscaling.group",
        needs: &[
            "autoscaling.launch_configuration",
            "ec2.launch_template",
            "ec2.security_group",
            "iam.instance_profile",
            "iam.role",
        ],
        add: scaling_group,
    },
    Join { kind: "rds.db_instance", needs: &["ec2.security_group"], add: database },
];

fn instance(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let interfaces = value["network_interfaces"].as_array().map(Vec::as_slice).unwrap_or_default();
    let public = value["public_ip_address"].is_string() || interfaces.iter().any(|i| i["public_ip"].is_string());
    let managed = around.having(document, "ssm.managed_instance", "instance_id", &document.id);
    let roles = roles_of(value["iam_instance_profile"].as_str(), around);
    let too_much = roles.as_ref().map_err(Clone::clone).map(|roles| {
        let all: BTreeSet<&str> = roles.iter().flat_map(|r| texts(&r["more_than_a_node_needs"])).collect();
        json!(all)
    });
    vec![
        ("public", Ok(public.into())),
        ("managed_by_ssm", managed.map(|m| m.iter().any(|m| m["ping_status"] == "Online").into())),
        ("role_names", roles.map(|r| json!(r.iter().filter_map(|r| r["role_name"].as_str()).collect::<Vec<_>>()))),
        ("more_than_a_node_needs", too_much),
    ]
}

/// The roles of an instance profile, by its ARN or name.
fn roles_of<'a>(profile: Option<&str>, around: &Around<'a>) -> Result<Vec<&'a Value>, String> {
    let Some(profile) = profile else { return Ok(Vec::new()) };
    let name = profile.rsplit('/').next().unwrap_or(profile);
    let profiles = around.everywhere("iam.instance_profile")?;
    let roles = around.everywhere("iam.role")?;
    let named: Vec<&str> = profiles.iter().filter(|p| p["name"] == name).flat_map(|p| texts(&p["roles"])).collect();
    Ok(roles.into_iter().filter(|r| r["role_name"].as_str().is_some_and(|n| named.contains(&n))).collect())
}

fn volume(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let ending = format!(":volume/{}", document.id);
    let backed_up = around
        .all(document, "backup.protected_resource")
        .map(|all| all.iter().any(|r| r["resource_arn"].as_str().is_some_and(|a| a.ends_with(&ending))).into());
    let etcd = value["tags"].as_object().is_some_and(|t| t.keys().any(|k| k.starts_with("k8s.io/etcd/")));
    let mut added = vec![("backed_up", backed_up), ("holds_etcd", Ok(etcd.into()))];
    // A volume belongs to the tier of its instance unless it says otherwise.
    if value["tier"] == "" {
        let attached: Vec<&str> = texts(&value["instance_ids"]).collect();
        let tier = around.all(document, "ec2.instance").map(|all| {
            let mut of = all.iter().filter(|i| i["instance_id"].as_str().is_some_and(|i| attached.contains(&i)));
            of.find_map(|i| i["tier"].as_str()).unwrap_or_default().into()
        });
        added.push(("tier", tier));
    }
    added
}

fn scaling_group(document: &Document, group: &Value, around: &Around<'_>) -> Added {
    let list = |field: &str| texts(&group[field]).next().is_some();
    let balanced = list("target_group_arns") || list("load_balancer_names") || list("traffic_sources");
    let mut added: Added = vec![("has_load_balancer", Ok(balanced.into()))];
    match launches(document, group, around) {
        Ok(Some(launch)) => added.extend(of_launch(document, &launch, around)),
        Ok(None) => {}
        Err(why) => {
            for field in ["image_approved", "group_tiers", "role_tiers", "has_profile", "starts_cloudwatch_agent"] {
                added.push((field, Err(why.clone())));
            }
        }
    }
    added
}

/// The template or configuration that a group launches.
fn launches(document: &Document, group: &Value, around: &Around<'_>) -> Result<Option<Value>, String> {
    if let Some(name) = group["launch_configuration_name"].as_str() {
        let found = around.having(document, "autoscaling.launch_configuration", "launch_configuration_name", name)?;
        return Ok(found.first().map(|v| (*v).clone()));
    }
    let template = &group["launch_template"];
    if template.is_null() {
        return Ok(None);
    }
    let all = around.all(document, "ec2.launch_template")?;
    let same = |t: &&&Value| {
        t["launch_template_id"] == template["launch_template_id"]
            || t["launch_template_name"] == template["launch_template_name"]
    };
    let versions: Vec<&&Value> = all.iter().filter(same).collect();
    let wanted = template["version"].as_str().unwrap_or("$Default");
    let latest = versions.iter().max_by_key(|t| t["version_number"].as_i64());
    let found = match wanted {
        "$Default" => versions.iter().find(|t| t["default_version"] == true),
        "$Latest" => latest,
        number => versions.iter().find(|t| t["version_number"].as_i64().is_some_and(|n| number.parse() == Ok(n))),
    };
    match found {
        Some(found) => Ok(Some((**found).clone())),
        None => Err(format!("version {wanted} of its launch template was not read")),
    }
}

fn of_launch(document: &Document, launch: &Value, around: &Around<'_>) -> Added {
    let ids: Vec<&str> = texts(&launch["security_group_ids"]).chain(texts(&launch["security_groups"])).collect();
    let profile = launch["iam_instance_profile"].as_str();
    let role_tiers = roles_of(profile, around);
    let role_tiers = role_tiers.map(|r| json!(r.iter().filter_map(|r| r["tier"].as_str()).collect::<Vec<_>>()));
    let agent = if launch["user_data"]["cloudwatch_agent"] == true {
        Ok(true.into())
    } else {
        Err("user data does not start the agent; whether the image does is for the nodes to say".to_owned())
    };
    vec![
        ("image_id", Ok(launch["image_id"].clone())),
        ("image_approved", Ok(launch["image_approved"].clone())),
        ("has_profile", Ok(profile.is_some().into())),
        ("role_tiers", role_tiers),
        ("group_tiers", tiers_of(document, &ids, around)),
        ("starts_cloudwatch_agent", agent),
    ]
}

/// The tiers of these security groups.
fn tiers_of(document: &Document, ids: &[&str], around: &Around<'_>) -> Result<Value, String> {
    let groups = around.all(document, "ec2.security_group")?;
    let tiers = groups.iter().filter(|g| g["group_id"].as_str().is_some_and(|i| ids.contains(&i)));
    Ok(json!(tiers.filter_map(|g| g["tier"].as_str()).collect::<Vec<_>>()))
}

fn database(document: &Document, value: &Value, around: &Around<'_>) -> Added {
    let ids: Vec<&str> = texts(&value["vpc_security_group_ids"]).collect();
    vec![("group_tiers", tiers_of(document, &ids, around))]
}
