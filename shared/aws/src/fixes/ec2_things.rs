//! Single things of EC2: metadata options of instances and launch templates, subnets, images, snapshots, flow logs.

pub(super) mod metadata;
mod sharing;

use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TagSpecification,
    TrafficType,
};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, MADE, failed, flag, missing, seen, unknown, word};

impl AwsFixes<'_> {
    pub(super) async fn read_thing(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        match aim.action.as_str() {
            "ec2_enable_flow_logs" => self.read_flow_logs(scope, aim).await,
            "ec2_launch_template_imds_v2" => self.read_template(scope, aim).await,
            "ec2_make_image_private" => seen(json!({"public": self.image_is_public(scope, &aim.target).await?})),
            "ec2_make_snapshot_private" => seen(json!({"public": self.snapshot_is_public(scope, &aim.target).await?})),
            "ec2_require_imds_v2" | "ec2_set_hop_limit" => self.read_metadata(scope, aim).await,
            "ec2_subnet_no_public_address" => self.read_subnet(scope, aim).await,
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_thing(&self, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "ec2_enable_flow_logs" => self.write_flow_logs(scope, aim, to).await,
            "ec2_launch_template_imds_v2" => self.write_template(scope, aim, from, to).await,
            "ec2_make_image_private" => self.share_image(scope, &aim.target, flag(to, "public")).await,
            "ec2_make_snapshot_private" => self.share_snapshot(scope, &aim.target, flag(to, "public")).await,
            "ec2_require_imds_v2" | "ec2_set_hop_limit" => self.write_metadata(scope, aim, to).await,
            "ec2_subnet_no_public_address" => {
                let value = AttributeBooleanValue::builder().value(flag(to, "on")).build();
                let call = self.clients.ec2(&scope.region).modify_subnet_attribute().subnet_id(&aim.target);
                let sent = call.map_public_ip_on_launch(value).send().await;
                sent.map(drop).map_err(|e| failed("changing subnet", &aim.target, &e))
            }
            _ => unknown(aim),
        }
    }

    /// `DescribeSubnets`; `DescribeAutoScalingGroups` for node groups of EKS that start their nodes there.
    async fn read_subnet(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let answer = self.clients.ec2(&scope.region).describe_subnets().subnet_ids(&aim.target).send().await;
        let answer = answer.map_err(|e| failed("reading subnet", &aim.target, &e))?;
        let found = answer.subnets().first().ok_or_else(|| missing("reading subnet", &aim.target))?;
        let on = found.map_public_ip_on_launch().unwrap_or(false);
        let client = aws_sdk_autoscaling::Client::new(&self.config(scope));
        let mut pages = client.describe_auto_scaling_groups().into_paginator().send();
        let mut groups = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the node groups in", &aim.target, &e))?;
            for group in page.auto_scaling_groups() {
                let here = group.vpc_zone_identifier().is_some_and(|v| v.split(',').any(|s| s.trim() == aim.target));
                let name = group.tags().iter().find(|t| t.key() == Some("eks:nodegroup-name")).and_then(|t| t.value());
                groups.extend(name.filter(|_| here).map(str::to_owned));
            }
        }
        Ok(Sight { now: json!({ "on": on }), facts: json!({"node_groups": groups, "vpc": found.vpc_id()}) })
    }

    /// `DescribeFlowLogs`: ours is the one with our tag; one of all traffic that works and is not ours is enough.
    async fn read_flow_logs(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let logs = self.flow_logs(scope, &aim.target).await?;
        let ours = logs.iter().find(|l| l.ours).and_then(|l| l.destination.clone());
        let other = logs.iter().any(|l| !l.ours && l.whole);
        Ok(Sight { now: json!({ "bucket": ours }), facts: json!({ "other": other }) })
    }

    async fn flow_logs(&self, scope: &Scope, vpc: &str) -> Answer<Vec<FlowLog>> {
        let of = Filter::builder().name("resource-id").values(vpc).build();
        let mut pages = self.clients.ec2(&scope.region).describe_flow_logs().filter(of).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("reading the flow logs of", vpc, &e))?;
            found.extend(page.flow_logs().iter().map(|log| FlowLog {
                id: log.flow_log_id().unwrap_or_default().to_owned(),
                ours: log.tags().iter().any(|t| t.key() == Some(MADE)),
                whole: log.traffic_type() == Some(&TrafficType::All) && log.flow_log_status() == Some("ACTIVE"),
                destination: log.log_destination().map(str::to_owned),
            }));
        }
        Ok(found)
    }

    async fn write_flow_logs(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let there: Vec<FlowLog> = self.flow_logs(scope, &aim.target).await?.into_iter().filter(|l| l.ours).collect();
        match word(to, "bucket") {
            Some(bucket) if there.is_empty() => self.make_flow_log(scope, &aim.target, bucket).await,
            Some(_) => Ok(()),
            None if there.is_empty() => Ok(()),
            None => {
                let ids = there.into_iter().map(|l| l.id).collect();
                let sent = self.clients.ec2(&scope.region).delete_flow_logs().set_flow_log_ids(Some(ids)).send().await;
                sent.map(drop).map_err(|e| failed("deleting our flow log of", &aim.target, &e))
            }
        }
    }

    async fn make_flow_log(&self, scope: &Scope, vpc: &str, bucket: &str) -> Answer<()> {
        let doing = "making a flow log of";
        let tag = Tag::builder().key(MADE).value(&self.stack).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::VpcFlowLog).tags(tag).build();
        let call = self.clients.ec2(&scope.region).create_flow_logs().resource_ids(vpc);
        let call = call.resource_type(FlowLogsResourceType::Vpc).traffic_type(TrafficType::All);
        let call = call.log_destination_type(LogDestinationType::S3).log_destination(bucket).tag_specifications(tags);
        let answer = call.send().await.map_err(|e| failed(doing, vpc, &e))?;
        // EC2 says what went wrong for one resource within an answer that is no error.
        match answer.unsuccessful().iter().find_map(|u| u.error()) {
            None => Ok(()),
            Some(error) => Err(PortError::new(doing, vpc, Kind::Other, error.message().unwrap_or("it was refused"))),
        }
    }
}

struct FlowLog {
    id: String,
    ours: bool,
    whole: bool,
    destination: Option<String>,
}
