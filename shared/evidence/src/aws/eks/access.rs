//! Who may use a cluster: access entries with their policies, pod identities, identity providers.

use aws_sdk_eks::Client;
use aws_sdk_eks::types as eks;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::tags;
use crate::aws::tell::{Ask, Tell as _, WHOLE_LIST, code, reason};

const ENTRY: &str = "eks.access_entry";
const PROVIDER: &str = "eks.identity_provider_config";

/// Access entries, pod identities and identity providers of a cluster.
pub async fn collect(ask: Ask<'_>, client: &Client, cluster: &str) -> Vec<Document> {
    let (mut entries, pods, providers) =
        futures::join!(entries(ask, client, cluster), pods(ask, client, cluster), providers(ask, client, cluster),);
    entries.extend(pods);
    entries.extend(providers);
    entries
}

async fn entries(ask: Ask<'_>, client: &Client, cluster: &str) -> Vec<Document> {
    let pages = client.list_access_entries().cluster_name(cluster).into_paginator().items().send();
    let principals = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(principals) => principals,
        // A cluster that knows only the ConfigMap has no entries to list.
        Err(error) if code(&error) == Some("InvalidRequestException") => return Vec::new(),
        Err(error) => return vec![ask.failed(ENTRY, WHOLE_LIST, "eks:ListAccessEntries", &error)],
    };
    let mut all = Vec::new();
    for principal in principals {
        all.push(entry(ask, client, cluster, &principal).await);
    }
    all
}

async fn entry(ask: Ask<'_>, client: &Client, cluster: &str, principal: &str) -> Document {
    let (id, call) = (format!("{cluster}/{principal}"), "eks:DescribeAccessEntry");
    let read = client.describe_access_entry().cluster_name(cluster).principal_arn(principal).send().await;
    let mut value = match read {
        Ok(answer) => answer.access_entry().map_or(Value::Null, describe_entry),
        Err(error) => return ask.failed(ENTRY, id, call, &error),
    };
    let pages = client.list_associated_access_policies().cluster_name(cluster).principal_arn(principal);
    match pages.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(policies) => value["policies"] = policies.iter().map(policy).collect(),
        Err(error) => value["unread"] = json!({"policies": reason("eks:ListAssociatedAccessPolicies", &error)}),
    }
    ask.known(ENTRY, id, call, value)
}

fn describe_entry(e: &eks::AccessEntry) -> Value {
    json!({
        "cluster_name": e.cluster_name(),
        "principal_arn": e.principal_arn(),
        "type": e.r#type(),
        "username": e.username(),
        "kubernetes_groups": e.kubernetes_groups(),
    })
}

fn policy(p: &eks::AssociatedAccessPolicy) -> Value {
    let scope = p.access_scope();
    json!({
        "name": p.policy_arn().and_then(|a| a.rsplit('/').next()),
        "scope": scope.and_then(|s| s.r#type()).map(|t| t.as_str()),
        "namespaces": scope.map(|s| s.namespaces()),
    })
}

async fn pods(ask: Ask<'_>, client: &Client, cluster: &str) -> Vec<Document> {
    let pages = client.list_pod_identity_associations().cluster_name(cluster).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("eks.pod_identity_association", "eks:ListPodIdentityAssociations", listed, |a| {
        let value = json!({
            "cluster_name": a.cluster_name(),
            "namespace": a.namespace(),
            "service_account": a.service_account(),
            "association_id": a.association_id(),
        });
        (format!("{cluster}/{}", a.association_id().unwrap_or_default()), value)
    })
}

async fn providers(ask: Ask<'_>, client: &Client, cluster: &str) -> Vec<Document> {
    let pages = client.list_identity_provider_configs().cluster_name(cluster).into_paginator().items().send();
    let configs = match pages.collect::<Result<Vec<_>, _>>().await {
        Ok(configs) => configs,
        Err(error) => return vec![ask.failed(PROVIDER, WHOLE_LIST, "eks:ListIdentityProviderConfigs", &error)],
    };
    let mut all = Vec::new();
    for config in configs {
        let (id, call) = (format!("{cluster}/{}", config.name()), "eks:DescribeIdentityProviderConfig");
        let read = client.describe_identity_provider_config().cluster_name(cluster);
        all.push(match read.identity_provider_config(config).send().await {
            Ok(answer) => {
                let oidc = answer.identity_provider_config().and_then(|c| c.oidc());
                ask.known(PROVIDER, id, call, oidc.map_or(Value::Null, provider))
            }
            Err(error) => ask.failed(PROVIDER, id, call, &error),
        });
    }
    all
}

fn provider(o: &eks::OidcIdentityProviderConfig) -> Value {
    json!({
        "cluster_name": o.cluster_name(),
        "identity_provider_config_name": o.identity_provider_config_name(),
        "issuer_url": o.issuer_url(),
        "status": o.status().map(|s| s.as_str()),
        "tags": tags(o.tags().into_iter().flatten().map(|(k, v)| (k.as_str(), v.as_str()))),
    })
}
