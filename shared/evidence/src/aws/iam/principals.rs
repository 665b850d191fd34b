//! Users, groups, roles and policies, from one paged call, with what their policies come to.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::types as iam;
use picket_model::Document;
use serde_json::{Value, json};

use super::report::Report;
use crate::aws::json::{Text as _, tags};
use crate::aws::policy::Policy;
use crate::aws::tell::{Ask, Tell as _, WHOLE_LIST};

/// What an intruder does with a role: become administrator, start machines, change images, read every secret.
const POWERS: &[&str] = &[
    "cloudformation:CreateStack",
    "ec2:CreateFleet",
    "ec2:RequestSpotInstances",
    "ec2:RunInstances",
    "ecr:BatchDeleteImage",
    "ecr:CreateRepository",
    "ecr:DeleteRepository",
    "ecr:PutImage",
    "ecr:SetRepositoryPolicy",
    "eks:CreateAccessEntry",
    "iam:AttachRolePolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "kms:Decrypt",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionCode",
    "organizations:LeaveOrganization",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutBucketPolicy",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "ssm:SendCommand",
    "ssm:StartSession",
    "sts:AssumeRole",
];

/// Managed policies by ARN: the document that is in force.
type Managed = BTreeMap<String, Policy>;

/// Everybody, with their policies.
pub async fn collect(ask: Ask<'_>, client: &Client, report: &Report) -> Vec<Document> {
    let call = "iam:GetAccountAuthorizationDetails";
    let pages = client.get_account_authorization_details().into_paginator().send();
    let pages = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(pages) => pages,
        Err(error) => {
            let kinds = ["iam.group", "iam.instance_profile", "iam.policy", "iam.role", "iam.user"];
            return kinds.iter().map(|k| ask.failed(k, WHOLE_LIST, call, &error)).collect();
        }
    };
    let policies: Vec<_> = pages.iter().flat_map(|p| p.policies()).collect();
    let managed: Managed = policies.iter().map(|p| (p.arn().text(), in_force(p))).collect();
    let mut all: Vec<Document> =
        policies.iter().map(|p| ask.known("iam.policy", p.arn(), call, policy(p, &managed))).collect();
    for page in &pages {
        all.extend(page.user_detail_list().iter().map(|u| ask.known("iam.user", u.user_name(), call, user(u, report))));
        all.extend(
            page.group_detail_list().iter().map(|g| ask.known("iam.group", g.group_name(), call, group(g, &managed))),
        );
        all.extend(
            page.role_detail_list().iter().map(|r| ask.known("iam.role", r.role_name(), call, role(r, &managed))),
        );
        let profiles = page.role_detail_list().iter().flat_map(|r| r.instance_profile_list());
        all.extend(profiles.map(|p| {
            let roles: Vec<_> = p.roles().iter().map(|r| r.role_name()).collect();
            ask.known(
                "iam.instance_profile",
                p.instance_profile_name(),
                call,
                json!({"arn": p.arn(), "name": p.instance_profile_name(), "roles": roles}),
            )
        }));
    }
    all
}

fn in_force(p: &iam::ManagedPolicyDetail) -> Policy {
    let version = p.policy_version_list().iter().find(|v| v.is_default_version());
    Policy::parse(version.and_then(|v| v.document()).unwrap_or_default())
}

fn policy(p: &iam::ManagedPolicyDetail, managed: &Managed) -> Value {
    let document = p.arn().and_then(|a| managed.get(a));
    json!({
        "arn": p.arn(),
        "policy_name": p.policy_name(),
        "attachment_count": p.attachment_count().unwrap_or_default(),
        "aws_managed": p.arn().is_some_and(|a| a.contains(":iam::aws:policy/")),
        "administrator": document.map(Policy::is_administrator),
    })
}

fn user(u: &iam::UserDetail, report: &Report) -> Value {
    let name = u.user_name().text();
    let mut value = json!({
        "user_name": name,
        "arn": u.arn(),
        "inline_policies": u.user_policy_list().iter().filter_map(|p| p.policy_name()).collect::<Vec<_>>(),
        "attached_policies": attached(u.attached_managed_policies()),
        "administrator_inline": u.user_policy_list().iter().any(|p| Policy::parse(p.policy_document().unwrap_or_default()).is_administrator()),
        "groups": u.group_list(),
        "tags": tags(u.tags().iter().map(|t| (t.key(), t.value()))),
    });
    match report {
        Ok(rows) => value["credentials"] = rows.get(&name).cloned().unwrap_or_default(),
        Err(why) => value["unread"] = json!({"credentials": why}),
    }
    value
}

fn group(g: &iam::GroupDetail, managed: &Managed) -> Value {
    let inline = g.group_policy_list().iter().map(|p| Policy::parse(p.policy_document().unwrap_or_default()));
    let all = joined(inline, g.attached_managed_policies(), managed);
    json!({
        "group_name": g.group_name(),
        "attached_policies": attached(g.attached_managed_policies()),
        "inline_policies": g.group_policy_list().iter().filter_map(|p| p.policy_name()).collect::<Vec<_>>(),
        "administrator": all.is_administrator(),
    })
}

fn role(r: &iam::RoleDetail, managed: &Managed) -> Value {
    let inline: Vec<Policy> =
        r.role_policy_list().iter().map(|p| Policy::parse(p.policy_document().unwrap_or_default())).collect();
    let inline_administrator = inline.iter().any(Policy::is_administrator);
    let all = joined(inline, r.attached_managed_policies(), managed);
    let trust = Policy::parse(r.assume_role_policy_document().unwrap_or_default());
    let wildcards = all.statements.iter().filter(|s| s.allows && !s.not_actions).flat_map(|s| &s.actions);
    let profiles = r.instance_profile_list().iter();
    json!({
        "role_name": r.role_name(),
        "arn": r.arn(),
        "path": r.path(),
        "attached_policies": attached(r.attached_managed_policies()),
        "inline_policies": r.role_policy_list().iter().filter_map(|p| p.policy_name()).collect::<Vec<_>>(),
        "administrator": all.is_administrator(),
        "administrator_inline": inline_administrator,
        "service_wildcards": wildcards.filter(|a| *a == "*" || a.ends_with(":*")).collect::<Vec<_>>(),
        "powers": all.allowed(POWERS),
        "object_patterns": all.object_patterns(),
        "trusts_anybody": trust.lets_anybody("sts:AssumeRole"),
        "instance_profiles": profiles.map(|p| p.instance_profile_name()).collect::<Vec<_>>(),
        "tags": tags(r.tags().iter().map(|t| (t.key(), t.value()))),
    })
}

/// All statements of a principal, as one policy.
fn joined(inline: impl IntoIterator<Item = Policy>, attached: &[iam::AttachedPolicy], managed: &Managed) -> Policy {
    let own = inline.into_iter().flat_map(|p| p.statements);
    let named = attached.iter().filter_map(|a| a.policy_arn()).filter_map(|a| managed.get(a));
    let statements = own.chain(named.flat_map(|p| p.statements.clone())).collect();
    Policy { statements, malformed: false }
}

fn attached(list: &[iam::AttachedPolicy]) -> Vec<&str> {
    list.iter().filter_map(|p| p.policy_arn()).collect()
}
