//! What fixes read and change in AWS, behind the pipeline's `Fixes`: one file a service or two. What each wants is in
//! `picket-pipeline`'s `fixes`; here a thing is read whole, and written from one end to the other.
//!
//! Guarantees: what is so already is written, and so is taking away what is gone; nothing is written that was not asked
//! for; an update of AWS that is under way is a `Conflict`, which passes.

mod account;
mod data;
mod ec2_settings;
mod ec2_things;
mod eks;
mod eks_access;
mod eks_groups;
mod iam;
mod iam_stop;
mod node;
mod rules;
mod s3;

use std::fmt::Display;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Fixes, Kind, PortError, Sight};
use serde_json::{Value, json};

use crate::Clients;
use crate::error::port_error;

/// The tag of things that fixes make.
pub const MADE: &str = "picket:fix";

/// Reads and changes things in AWS, for one deployment.
#[derive(Debug)]
pub struct AwsFixes<'a> {
    clients: &'a Clients,
    stack: String,
}

impl<'a> AwsFixes<'a> {
    /// For the deployment named `stack`.
    #[must_use]
    pub fn new(clients: &'a Clients, stack: &str) -> Self {
        Self { clients, stack: stack.to_owned() }
    }

    /// The SDK's configuration in the Region of `scope`.
    fn config(&self, scope: &Scope) -> SdkConfig {
        self.clients.in_region(&scope.region)
    }

    async fn see(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        match aim.action.as_str() {
            "ec2_empty_default_group" | "ec2_revoke_egress" | "ec2_revoke_ingress" => self.read_rules(scope, aim).await,
            "ec2_enable_flow_logs"
            | "ec2_launch_template_imds_v2"
            | "ec2_make_image_private"
            | "ec2_make_snapshot_private"
            | "ec2_require_imds_v2"
            | "ec2_set_hop_limit"
            | "ec2_subnet_no_public_address" => self.read_thing(scope, aim).await,
            "eks_freeze_node_group" | "eks_tag_cluster" | "eks_tag_node_group" => self.read_group(scope, aim).await,
            "eks_revoke_access_entry" | "eks_revoke_access_policy" => self.read_access(scope, aim).await,
            "iam_deny_principal" | "iam_deny_sessions" => self.read_stop(scope, aim).await,
            other => match other.split('_').next().unwrap_or_default() {
                "ec2" => self.read_setting(scope, aim).await,
                "eks" => self.read_cluster(scope, aim).await,
                "iam" => self.read_iam(aim).await,
                "node" => self.read_node(scope, aim).await,
                "s3" => self.read_s3(scope, aim).await,
                "ecr" | "elb" | "kms" | "logs" | "rds" => self.read_data(scope, aim).await,
                _ => self.read_account(scope, aim).await,
            },
        }
    }

    async fn change(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "ec2_empty_default_group" | "ec2_revoke_egress" | "ec2_revoke_ingress" => {
                self.write_rules(scope, aim, from, to).await
            }
            "ec2_enable_flow_logs"
            | "ec2_launch_template_imds_v2"
            | "ec2_make_image_private"
            | "ec2_make_snapshot_private"
            | "ec2_require_imds_v2"
            | "ec2_set_hop_limit"
            | "ec2_subnet_no_public_address" => self.write_thing(scope, aim, from, to).await,
            "eks_freeze_node_group" | "eks_tag_cluster" | "eks_tag_node_group" => {
                self.write_group(scope, aim, from, to).await
            }
            "eks_revoke_access_entry" | "eks_revoke_access_policy" => self.write_access(scope, aim, to).await,
            "iam_deny_principal" | "iam_deny_sessions" => self.write_stop(scope, aim, from, to).await,
            other => match other.split('_').next().unwrap_or_default() {
                "ec2" => self.write_setting(scope, aim, to).await,
                "eks" => self.write_cluster(scope, aim, to).await,
                "iam" => self.write_iam(aim, to).await,
                "node" => self.write_node(scope, aim, to).await,
                "s3" => self.write_s3(scope, aim, to).await,
                "ecr" | "elb" | "kms" | "logs" | "rds" => self.write_data(scope, aim, to).await,
                _ => self.write_account(scope, aim, to).await,
            },
        }
    }
}

#[async_trait]
impl Fixes for AwsFixes<'_> {
    async fn read(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        self.see(scope, aim).await
    }

    async fn write(&self, permit: &Permit, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        tracing::info!(%permit, action = aim.action, target = aim.target, "changing");
        self.change(scope, aim, from, to).await
    }
}

/// What is there, with nothing else to know.
fn seen(now: Value) -> Answer<Sight> {
    Ok(Sight { now, facts: json!({}) })
}

/// No such action here: a defect of ours.
fn unknown<T>(aim: &Aim) -> Answer<T> {
    Err(PortError::new("finding the code of", &aim.action, Kind::Other, "it is not made here"))
}

/// The two parts of a target such as `CLUSTER/NODEGROUP`.
fn parts(aim: &Aim) -> Answer<(&str, &str)> {
    let wrong = || PortError::new("reading the target", &aim.target, Kind::Other, "it has no `/`");
    aim.target.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or_else(wrong)
}

fn missing(doing: &'static str, what: &str) -> PortError {
    PortError::new(doing, what, Kind::NotFound, "it is not there")
}

fn flag(of: &Value, name: &str) -> bool {
    of.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn word<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name).and_then(Value::as_str)
}

fn number(of: &Value, name: &str) -> Option<i32> {
    of.get(name).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}

fn words(of: &Value, name: &str) -> Vec<String> {
    let items = of.get(name).and_then(Value::as_array);
    items.map_or_else(Vec::new, |i| i.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Taking away what is gone is done.
fn gone_is_done(answer: Answer<()>) -> Answer<()> {
    match answer {
        Err(error) if error.kind == Kind::NotFound => Ok(()),
        answer => answer,
    }
}

/// What a request object that was not built means.
fn unbuilt(error: &impl std::error::Error) -> PortError {
    PortError::new("building", "a request", Kind::Other, &error.to_string())
}

/// `port_error`, with the codes of the services here that it does not know.
fn failed<E, R>(doing: &'static str, what: impl Display, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
{
    let plain = port_error(doing, what, error);
    let SdkError::ServiceError(service) = error else { return plain };
    PortError { kind: kind_of(service.err().code().unwrap_or_default()).unwrap_or(plain.kind), ..plain }
}

/// The code of an error, if the service gave one.
fn code<E, R>(error: &SdkError<E, R>) -> &str
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().code().unwrap_or_default(),
        _ => "",
    }
}

fn kind_of(code: &str) -> Option<Kind> {
    match code {
        "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "LoadBalancerNotFound"
        | "NoSuchBucket"
        | "RepositoryNotFoundException" => Some(Kind::NotFound),
        "ConcurrentModification"
        | "ConcurrentModificationException"
        | "InvalidDBInstanceState"
        | "InvalidDBInstanceStateFault"
        | "OperationAbortedException"
        | "OperationAborted" => Some(Kind::Conflict),
        "AccessDenied" => Some(Kind::Denied),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
