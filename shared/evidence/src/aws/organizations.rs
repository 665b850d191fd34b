//! The organization as this account sees it. Most of it only the management account or its delegates may read.

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types as org;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{Ask, Service, Tell as _, code, reason};
use crate::collector::Reach;

const KIND: &str = "organizations.organization";

/// One document about the organization.
pub static ORGANIZATIONS: Service = Service {
    reach: Reach::Account,
    kinds: &[KIND],
    permissions: &[
        "organizations:DescribeOrganization",
        "organizations:DescribePolicy",
        "organizations:DescribeResourcePolicy",
        "organizations:ListAWSServiceAccessForOrganization",
        "organizations:ListDelegatedAdministrators",
        "organizations:ListDelegatedServicesForAccount",
        "organizations:ListPolicies",
        "organizations:ListRoots",
        "organizations:ListTargetsForPolicy",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (account, call) = (ask.place.account.as_str(), "organizations:DescribeOrganization");
    let mut value = match client.describe_organization().send().await {
        Ok(answer) => answer.organization().map_or(Value::Null, |o| describe(o, account)),
        Err(error) if code(&error) == Some("AWSOrganizationsNotInUseException") => json!({"in_use": false}),
        Err(error) => return vec![ask.failed(KIND, account, call, &error)],
    };
    if value["in_use"] == true {
        value["unread"] = json!({});
        policies(&client, &mut value).await;
        delegates(&client, &mut value).await;
    }
    vec![ask.known(KIND, account, call, value)]
}

fn describe(o: &org::Organization, account: &str) -> Value {
    json!({
        "in_use": true,
        "id": o.id(),
        "management_account": o.master_account_id(),
        "is_management_account": o.master_account_id() == Some(account),
        "feature_set": o.feature_set().map(|f| f.as_str()),
    })
}

async fn policies(client: &Client, value: &mut Value) {
    match client.list_roots().into_paginator().send().collect::<Result<Vec<_>, _>>().await {
        Ok(pages) => {
            let roots = pages.iter().flat_map(|p| p.roots()).flat_map(|r| r.policy_types());
            let on = roots.filter(|t| t.status() == Some(&org::PolicyTypeStatus::Enabled)).filter_map(|t| t.r#type());
            value["policy_types"] = on.map(|t| Value::from(t.as_str())).collect();
        }
        Err(error) => value["unread"]["policy_types"] = reason("organizations:ListRoots", &error).into(),
    }
    for (field, kind) in [
        ("service_control_policies", org::PolicyType::ServiceControlPolicy),
        ("resource_control_policies", org::PolicyType::ResourceControlPolicy),
        ("tag_policies", org::PolicyType::TagPolicy),
    ] {
        match of_type(client, kind).await {
            Ok(list) => value[field] = list,
            Err(why) => value["unread"][field] = why.into(),
        }
    }
    guardrails(client, value).await;
}

async fn of_type(client: &Client, kind: org::PolicyType) -> Result<Value, String> {
    let pages =
        client.list_policies().filter(kind.clone()).into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(|e| reason("organizations:ListPolicies", &e))?;
    let mut all = Vec::new();
    for p in pages.iter().flat_map(|p| p.policies()).filter(|p| !p.aws_managed()) {
        let id = p.id().unwrap_or_default();
        let targets = client.list_targets_for_policy().policy_id(id).into_paginator().send();
        let targets = targets.collect::<Result<Vec<_>, _>>().await;
        let targets = targets.map_err(|e| reason("organizations:ListTargetsForPolicy", &e))?;
        let ids = targets.iter().flat_map(|t| t.targets()).filter_map(|t| t.target_id()).collect::<Vec<_>>();
        let mut one = json!({"id": id, "name": p.name(), "targets": ids});
        if kind == org::PolicyType::TagPolicy {
            let text = client.describe_policy().policy_id(id).send().await;
            let text = text.map_err(|e| reason("organizations:DescribePolicy", &e))?;
            let content = text.policy().and_then(|p| p.content()).unwrap_or_default();
            one["enforced_for_ec2"] = content.contains("\"ec2:").into();
        }
        all.push(one);
    }
    Ok(all.into())
}

/// Whether some guardrail of our own hangs on the organization: a policy without a target guards nothing.
async fn guardrails(client: &Client, value: &mut Value) {
    let has_target = |field: &str| {
        let list = value[field].as_array()?;
        Some(list.iter().any(|p| p["targets"].as_array().is_some_and(|t| !t.is_empty())))
    };
    let found = [has_target("service_control_policies"), has_target("resource_control_policies")];
    if found.contains(&Some(true)) {
        value["guardrails_attached"] = true.into();
    } else if found.iter().all(Option::is_some) {
        value["guardrails_attached"] = false.into();
    } else {
        value["unread"]["guardrails_attached"] = value["unread"]["service_control_policies"].clone();
    }
    match client.describe_resource_policy().send().await {
        Ok(_) => value["delegation_policy"] = true.into(),
        Err(e) if code(&e) == Some("ResourcePolicyNotFoundException") => value["delegation_policy"] = false.into(),
        Err(e) => value["unread"]["delegation_policy"] = reason("organizations:DescribeResourcePolicy", &e).into(),
    }
}

/// Services that have access to the organization, and those of them that no delegate runs.
async fn delegates(client: &Client, value: &mut Value) {
    match undelegated(client).await {
        Ok((trusted, left)) => {
            value["trusted_services"] = trusted.into();
            value["services_without_delegate"] = left.into();
        }
        Err(why) => value["unread"]["services_without_delegate"] = why.into(),
    }
}

async fn undelegated(client: &Client) -> Result<(Vec<String>, Vec<String>), String> {
    let pages = client.list_aws_service_access_for_organization().into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(|e| reason("organizations:ListAWSServiceAccessForOrganization", &e))?;
    let services = pages.iter().flat_map(|p| p.enabled_service_principals());
    let trusted: Vec<String> = services.filter_map(|s| s.service_principal().map(str::to_owned)).collect();
    let admins = client.list_delegated_administrators().into_paginator().items().send();
    let admins = admins.collect::<Result<Vec<_>, _>>().await;
    let admins = admins.map_err(|e| reason("organizations:ListDelegatedAdministrators", &e))?;
    let mut run = Vec::new();
    for id in admins.iter().filter_map(|a| a.id()) {
        let services = client.list_delegated_services_for_account().account_id(id).into_paginator().items().send();
        let services = services.collect::<Result<Vec<_>, _>>().await;
        let services = services.map_err(|e| reason("organizations:ListDelegatedServicesForAccount", &e))?;
        run.extend(services.iter().filter_map(|s| s.service_principal().map(str::to_owned)));
    }
    let left = trusted.iter().filter(|t| !run.contains(t) && can_be_delegated(t)).cloned().collect();
    Ok((trusted, left))
}

/// Services that let another account run them for the organization; for the others there is nothing to delegate.
fn can_be_delegated(service: &str) -> bool {
    const CAN: &[&str] = &[
        "access-analyzer",
        "account",
        "backup",
        "cloudtrail",
        "config",
        "config-multiaccountsetup",
        "detective",
        "fms",
        "guardduty",
        "inspector2",
        "ipam",
        "license-manager",
        "macie",
        "member.org.stacksets.cloudformation",
        "securityhub",
        "servicecatalog",
        "ssm",
        "sso",
        "stacksets.cloudformation.amazonaws",
        "storage-lens.s3",
    ];
    let name = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    CAN.contains(&name)
}
