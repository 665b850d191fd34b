//! The metadata service of instances and of launch templates.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_ec2::types::{
    HttpTokensState, Instance, LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataOptionsRequest,
    RequestLaunchTemplateData, Tag,
};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::super::{AwsFixes, failed, missing, number, word};

/// How far back calls without a token are counted.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const DAY: i32 = 24 * 3600;
/// Tags whose value is the name of a node's cluster.
const NAMES: [&str; 4] = ["aws:eks:cluster-name", "eks:cluster-name", "eks:eks-cluster-name", "KubernetesCluster"];
/// Whose launch templates are theirs to change, by the tag that tells.
const MANAGERS: [(&str, &str); 4] = [
    ("aws:cloudformation:stack-name", "CloudFormation"),
    ("eks:cluster-name", "EKS"),
    ("eks:nodegroup-name", "EKS"),
    ("karpenter.k8s.aws/cluster", "Karpenter"),
];

impl AwsFixes<'_> {
    /// `DescribeInstances`, and `GetMetricStatistics` of calls without a token.
    pub(super) async fn read_metadata(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let doing = "reading instance";
        let answer = self.clients.ec2(&scope.region).describe_instances().instance_ids(&aim.target).send().await;
        let answer = answer.map_err(|e| failed(doing, &aim.target, &e))?;
        let found = answer.reservations().iter().flat_map(|r| r.instances()).next();
        let found = found.ok_or_else(|| missing(doing, &aim.target))?;
        let options = found.metadata_options();
        if aim.action == "ec2_set_hop_limit" {
            let limit = options.and_then(|o| o.http_put_response_hop_limit());
            return Ok(Sight {
                now: json!({ "hop_limit": limit }),
                facts: json!({"node_of": cluster_of(found), "vpc": found.vpc_id()}),
            });
        }
        let tokens = options.and_then(|o| o.http_tokens()).map(HttpTokensState::as_str);
        let calls = self.calls_without_token(scope, &aim.target).await?;
        Ok(Sight {
            now: json!({ "tokens": tokens }),
            facts: json!({"calls_without_token": calls, "vpc": found.vpc_id()}),
        })
    }

    async fn calls_without_token(&self, scope: &Scope, instance: &str) -> Answer<f64> {
        let client = aws_sdk_cloudwatch::Client::new(&self.config(scope));
        let now = SystemTime::now();
        let call = client.get_metric_statistics().namespace("AWS/EC2").metric_name("MetadataNoToken");
        let call = call.dimensions(Dimension::builder().name("InstanceId").value(instance).build());
        let call = call.start_time((now - WEEK).into()).end_time(now.into()).period(DAY).statistics(Statistic::Sum);
        let answer = call.send().await.map_err(|e| failed("counting the metadata calls of", instance, &e))?;
        Ok(answer.datapoints().iter().filter_map(|d| d.sum()).sum())
    }

    pub(super) async fn write_metadata(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_instance_metadata_options().instance_id(&aim.target);
        let call = match (aim.action.as_str(), word(to, "tokens"), number(to, "hop_limit")) {
            ("ec2_require_imds_v2", Some(tokens), _) => call.http_tokens(HttpTokensState::from(tokens)),
            ("ec2_set_hop_limit", _, Some(limit)) => call.http_put_response_hop_limit(limit),
            _ => {
                return Err(PortError::new(
                    "changing the metadata service of",
                    &aim.target,
                    Kind::Other,
                    "nothing is asked for",
                ));
            }
        };
        call.send().await.map(drop).map_err(|e| failed("changing the metadata service of", &aim.target, &e))
    }

    /// `DescribeLaunchTemplates`, `DescribeLaunchTemplateVersions` of the default one.
    pub(super) async fn read_template(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (client, doing, id) = (self.clients.ec2(&scope.region), "reading launch template", &aim.target);
        let templates = client.describe_launch_templates().launch_template_ids(id).send();
        let versions = client.describe_launch_template_versions().launch_template_id(id).versions("$Default").send();
        let (templates, versions) = futures::join!(templates, versions);
        let templates = templates.map_err(|e| failed(doing, id, &e))?;
        let versions = versions.map_err(|e| failed(doing, id, &e))?;
        let found = templates.launch_templates().first().ok_or_else(|| missing(doing, id))?;
        let options =
            versions.launch_template_versions().first().and_then(|v| v.launch_template_data()?.metadata_options());
        let facts = json!({
            "latest": found.latest_version_number(),
            "tokens": options.and_then(|o| o.http_tokens()).map(LaunchTemplateHttpTokensState::as_str),
            "hop_limit": options.and_then(|o| o.http_put_response_hop_limit()).unwrap_or(1),
            "managed_by": manager(found.tags()),
        });
        Ok(Sight { now: json!({"default": found.default_version_number()}), facts })
    }

    /// `CreateLaunchTemplateVersion` where the version is not there yet, then `ModifyLaunchTemplate`.
    pub(super) async fn write_template(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        let (client, id) = (self.clients.ec2(&scope.region), &aim.target);
        let default = |v: &Value| v.get("default").and_then(Value::as_i64).unwrap_or_default();
        let latest =
            self.read_template(scope, aim).await?.facts.get("latest").and_then(Value::as_i64).unwrap_or_default();
        if default(to) > latest {
            let options = LaunchTemplateInstanceMetadataOptionsRequest::builder()
                .http_tokens(LaunchTemplateHttpTokensState::Required)
                .set_http_put_response_hop_limit(number(to, "hop_limit"))
                .build();
            let data = RequestLaunchTemplateData::builder().metadata_options(options).build();
            let call = client
                .create_launch_template_version()
                .launch_template_id(id)
                .source_version(default(from).to_string());
            let call = call.version_description("Picket: metadata with a token only").launch_template_data(data);
            call.send().await.map_err(|e| failed("making a version of", id, &e))?;
        }
        let call = client.modify_launch_template().launch_template_id(id).default_version(default(to).to_string());
        call.send().await.map(drop).map_err(|e| failed("setting the default version of", id, &e))
    }
}

/// Of which cluster an instance is a node, by the tags that Kubernetes needs.
pub(in crate::fixes) fn cluster_of(instance: &Instance) -> Option<String> {
    let of = |t: &Tag| {
        let key = t.key()?;
        let named = if NAMES.contains(&key) { t.value() } else { None };
        named.or_else(|| key.strip_prefix("kubernetes.io/cluster/")).map(str::to_owned)
    };
    instance.tags().iter().find_map(of)
}

fn manager(tags: &[Tag]) -> Option<&'static str> {
    MANAGERS.iter().find(|(key, _)| tags.iter().any(|t| t.key() == Some(key))).map(|(_, name)| *name)
}
