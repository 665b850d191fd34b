//! Root, the rules for passwords, and how the account is federated.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::SummaryKeyType;
use picket_model::Document;
use serde_json::{Value, json};

use super::report::{ROOT, Report};
use crate::aws::tell::{Ask, Tell as _, code, reason};

/// What is true of the account as a whole.
pub async fn collect(ask: Ask<'_>, client: &Client, report: &Report) -> Vec<Document> {
    let (root, passwords, features, saml, oidc) = futures::join!(
        root(ask, client, report),
        passwords(ask, client),
        features(ask, client),
        client.list_saml_providers().send(),
        client.list_open_id_connect_providers().send(),
    );
    let mut all = vec![root, passwords, features];
    let saml = saml.map(|a| a.saml_provider_list.unwrap_or_default());
    all.extend(ask.listed("iam.saml_provider", "iam:ListSAMLProviders", saml, |p| {
        (p.arn().unwrap_or_default().to_owned(), json!({"arn": p.arn()}))
    }));
    let oidc = oidc.map(|a| a.open_id_connect_provider_list.unwrap_or_default());
    all.extend(ask.listed("iam.oidc_provider", "iam:ListOpenIDConnectProviders", oidc, |p| {
        (p.arn().unwrap_or_default().to_owned(), json!({"arn": p.arn()}))
    }));
    all
}

async fn root(ask: Ask<'_>, client: &Client, report: &Report) -> Document {
    let mut value = json!({"unread": {}});
    match client.get_account_summary().send().await {
        Ok(answer) => {
            let map = answer.summary_map();
            let count = |key: SummaryKeyType| map.and_then(|m| m.get(&key)).copied();
            value["account_access_keys_present"] = count(SummaryKeyType::AccountAccessKeysPresent).into();
            value["account_mfa_enabled"] = count(SummaryKeyType::AccountMfaEnabled).into();
            value["account_password_present"] = map
                .and_then(|m| m.iter().find(|(k, _)| k.as_str() == "AccountPasswordPresent"))
                .map(|(_, v)| *v)
                .into();
            value["users"] = count(SummaryKeyType::Users).into();
        }
        Err(error) => value["unread"]["account_mfa_enabled"] = reason("iam:GetAccountSummary", &error).into(),
    }
    let devices = client.list_virtual_mfa_devices().into_paginator().items().send();
    match devices.collect::<Result<Vec<_>, _>>().await {
        Ok(list) => {
            let of_root = |d: &aws_sdk_iam::types::VirtualMfaDevice| {
                let user = d.user().is_some_and(|u| u.arn().ends_with(":root"));
                user || d.serial_number().ends_with(":mfa/root-account-mfa-device")
            };
            value["virtual_mfa"] = list.iter().any(of_root).into();
        }
        Err(error) => value["unread"]["virtual_mfa"] = reason("iam:ListVirtualMFADevices", &error).into(),
    }
    match report {
        Ok(rows) => value["last_used_days"] = rows.get(ROOT).and_then(last_used).into(),
        Err(why) => value["unread"]["last_used_days"] = why.as_str().into(),
    }
    value["never_used"] = matches!(report, Ok(rows) if rows.get(ROOT).is_some_and(|r| last_used(r).is_none())).into();
    ask.known("iam.root", ask.place.account.as_str(), "iam:GetAccountSummary", value)
}

fn last_used(row: &Value) -> Option<i64> {
    [&row["password_last_used_days"], &row["key_last_used_days"]].into_iter().filter_map(Value::as_i64).min()
}

async fn passwords(ask: Ask<'_>, client: &Client) -> Document {
    let (kind, call) = ("iam.password_policy", "iam:GetAccountPasswordPolicy");
    let id = ask.place.account.as_str();
    match client.get_account_password_policy().send().await {
        Ok(answer) => {
            let p = answer.password_policy();
            let value = json!({
                "exists": p.is_some(),
                "minimum_password_length": p.and_then(|p| p.minimum_password_length()).unwrap_or_default(),
                // Without a number, any password may be used again.
                "password_reuse_prevention": p.and_then(|p| p.password_reuse_prevention()).unwrap_or_default(),
                "max_password_age": p.and_then(|p| p.max_password_age()),
            });
            ask.known(kind, id, call, value)
        }
        // AWS's own rules hold then: eight characters, and any may be used again.
        Err(error) if code(&error) == Some("NoSuchEntity") => {
            let value = json!({"exists": false, "minimum_password_length": 8, "password_reuse_prevention": 0});
            ask.known(kind, id, call, value)
        }
        Err(error) => ask.failed(kind, id, call, &error),
    }
}

async fn features(ask: Ask<'_>, client: &Client) -> Document {
    let (kind, call) = ("iam.organizations_features", "iam:ListOrganizationsFeatures");
    let id = ask.place.account.as_str();
    match client.list_organizations_features().send().await {
        Ok(answer) => {
            let enabled = answer.enabled_features().iter().map(|f| f.as_str()).collect::<Vec<_>>();
            ask.known(kind, id, call, json!({"may_see": true, "enabled_features": enabled}))
        }
        // Only the management account or its delegate may ask.
        Err(error)
            if matches!(
                code(&error),
                Some(
                    "AccountNotManagementOrDelegatedAdministratorException"
                        | "OrganizationNotFoundException"
                        | "OrganizationNotInAllFeaturesModeException"
                        | "ServiceAccessNotEnabledException"
                )
            ) =>
        {
            let enabled = code(&error) == Some("ServiceAccessNotEnabledException");
            ask.known(kind, id, call, json!({"may_see": enabled, "enabled_features": []}))
        }
        Err(error) => ask.failed(kind, id, call, &error),
    }
}
