//! The settings of an EKS cluster: endpoint, logs, encryption of secrets, authentication mode, deletion protection.
//! EKS takes one kind of change in a call and one change at a time; it calls a change to what is so an error.

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, VpcAttributeName};
use aws_sdk_eks::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eks::types::{
    AuthenticationMode, Cluster, ClusterStatus, EncryptionConfig, LogSetup, LogType, Logging, Provider,
    UpdateAccessConfigRequest, VpcConfigRequest,
};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, flag, missing, seen, unknown, word, words};

const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

impl AwsFixes<'_> {
    /// `DescribeCluster`, and what the guards need: `DescribeVpcAttribute`, `DescribeNatGateways`, `ListAccessEntries`.
    pub(super) async fn read_cluster(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let found = self.described_cluster(scope, &aim.target).await?;
        match aim.action.as_str() {
            "eks_close_public_endpoint" | "eks_narrow_public_endpoint" => self.endpoint(scope, aim, &found).await,
            "eks_encrypt_secrets" => {
                let key = found.encryption_config().iter().find_map(|c| c.provider()?.key_arn());
                seen(json!({ "key": key }))
            }
            "eks_protect_deletion" => seen(json!({"on": found.deletion_protection().unwrap_or(false)})),
            "eks_set_authentication_mode" => {
                let mode = found.access_config().and_then(|a| a.authentication_mode()).map(AuthenticationMode::as_str);
                let entries = if mode == Some("CONFIG_MAP") { 0 } else { self.entries(scope, &aim.target).await? };
                Ok(Sight { now: json!({"mode": mode.unwrap_or("CONFIG_MAP")}), facts: json!({ "entries": entries }) })
            }
            "eks_set_logging" => seen(json!({ "types": logged(&found) })),
            _ => unknown(aim),
        }
    }

    /// A cluster that is not being changed.
    pub(super) async fn described_cluster(&self, scope: &Scope, name: &str) -> Answer<Cluster> {
        let doing = "reading EKS cluster";
        let answer = self.clients.eks(&scope.region).describe_cluster().name(name).send().await;
        let found = answer.map_err(|e| failed(doing, name, &e))?.cluster.ok_or_else(|| missing(doing, name))?;
        match found.status() {
            Some(ClusterStatus::Active) | None => Ok(found),
            Some(other) => Err(PortError::new(doing, name, Kind::Conflict, &format!("it is {other}"))),
        }
    }

    async fn endpoint(&self, scope: &Scope, aim: &Aim, cluster: &Cluster) -> Answer<Sight> {
        let access = cluster.resources_vpc_config().ok_or_else(|| missing("reading the network of", &aim.target))?;
        let mut cidrs = access.public_access_cidrs().to_vec();
        cidrs.sort();
        let now = json!({
            "public": access.endpoint_public_access(),
            "private": access.endpoint_private_access(),
            "cidrs": cidrs,
        });
        let vpc = access.vpc_id().unwrap_or_default().to_owned();
        let (support, hostnames) = futures::try_join!(
            self.vpc_attribute(scope, &vpc, VpcAttributeName::EnableDnsSupport),
            self.vpc_attribute(scope, &vpc, VpcAttributeName::EnableDnsHostnames),
        )?;
        // Only a list without a private endpoint has to hold the nodes.
        let needed = aim.action == "eks_narrow_public_endpoint" && !access.endpoint_private_access();
        let egress = if needed { self.nat_addresses(scope, &vpc).await? } else { Vec::new() };
        let facts = json!({"vpc": vpc, "dns_support": support, "dns_hostnames": hostnames, "egress": egress});
        Ok(Sight { now, facts })
    }

    async fn vpc_attribute(&self, scope: &Scope, vpc: &str, name: VpcAttributeName) -> Answer<bool> {
        let call = self.clients.ec2(&scope.region).describe_vpc_attribute().vpc_id(vpc).attribute(name.clone());
        let answer = call.send().await.map_err(|e| failed("reading the DNS of", vpc, &e))?;
        let value = match name {
            VpcAttributeName::EnableDnsSupport => answer.enable_dns_support(),
            _ => answer.enable_dns_hostnames(),
        };
        Ok(value.and_then(AttributeBooleanValue::value).unwrap_or(false))
    }

    /// The public addresses that nodes behind NAT gateways of the VPC come from.
    async fn nat_addresses(&self, scope: &Scope, vpc: &str) -> Answer<Vec<String>> {
        let of = Filter::builder().name("vpc-id").values(vpc).build();
        let mut pages = self.clients.ec2(&scope.region).describe_nat_gateways().filter(of).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the NAT gateways of", vpc, &e))?;
            let addresses = page.nat_gateways().iter().flat_map(|g| g.nat_gateway_addresses());
            found.extend(addresses.filter_map(|a| a.public_ip()).map(str::to_owned));
        }
        found.sort();
        Ok(found)
    }

    /// `UpdateClusterConfig`, one kind a call, or `AssociateEncryptionConfig`.
    pub(super) async fn write_cluster(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let (client, name) = (self.clients.eks(&scope.region), &aim.target);
        let call = client.update_cluster_config().name(name);
        let call = match aim.action.as_str() {
            "eks_close_public_endpoint" | "eks_narrow_public_endpoint" => call.resources_vpc_config(network(to)),
            "eks_protect_deletion" => call.deletion_protection(flag(to, "on")),
            "eks_set_authentication_mode" => {
                let mode = AuthenticationMode::from(word(to, "mode").unwrap_or_default());
                call.access_config(UpdateAccessConfigRequest::builder().authentication_mode(mode).build())
            }
            "eks_set_logging" => call.logging(logging(&words(to, "types"))),
            "eks_encrypt_secrets" => return self.encrypt(scope, aim, to).await,
            _ => return unknown(aim),
        };
        let sent = call.send().await;
        sent.map(drop).or_else(|e| so_already(&e).then_some(()).ok_or_else(|| failed("changing EKS cluster", name, &e)))
    }

    async fn encrypt(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let Some(key) = word(to, "key") else {
            return Err(PortError::new("encrypting", &aim.target, Kind::Other, "encryption cannot be switched off"));
        };
        let provider = Provider::builder().key_arn(key).build();
        let config = EncryptionConfig::builder().provider(provider).build();
        let call = self.clients.eks(&scope.region).associate_encryption_config().cluster_name(&aim.target);
        let sent = call.encryption_config(config).send().await;
        sent.map(drop).or_else(|e| {
            so_already(&e).then_some(()).ok_or_else(|| failed("encrypting the secrets of", &aim.target, &e))
        })
    }
}

/// The list of networks means nothing, and is refused, while the endpoint is closed.
fn network(to: &Value) -> VpcConfigRequest {
    let request = VpcConfigRequest::builder()
        .endpoint_public_access(flag(to, "public"))
        .endpoint_private_access(flag(to, "private"));
    let cidrs = Some(words(to, "cidrs")).filter(|c| flag(to, "public") && !c.is_empty());
    request.set_public_access_cidrs(cidrs).build()
}

fn logged(cluster: &Cluster) -> Vec<&'static str> {
    let setups = cluster.logging().map(Logging::cluster_logging).unwrap_or_default();
    let on: Vec<&str> =
        setups.iter().filter(|s| s.enabled() == Some(true)).flat_map(|s| s.types()).map(LogType::as_str).collect();
    LOGS.into_iter().filter(|l| on.contains(l)).collect()
}

/// Exactly these types.
fn logging(types: &[String]) -> Logging {
    let setup = |wanted: bool| {
        let of = LOGS.iter().filter(|l| types.iter().any(|t| t == **l) == wanted);
        let types: Vec<LogType> = of.map(|l| LogType::from(*l)).collect();
        (!types.is_empty()).then(|| LogSetup::builder().enabled(wanted).set_types(Some(types)).build())
    };
    Logging::builder().set_cluster_logging(Some([true, false].into_iter().filter_map(setup).collect())).build()
}

/// EKS calls a change to what is so an error.
fn so_already<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let SdkError::ServiceError(service) = error else { return false };
    let message = service.err().message().unwrap_or_default();
    ["already at the desired configuration", "No changes needed", "already enabled"].iter().any(|m| message.contains(m))
}
