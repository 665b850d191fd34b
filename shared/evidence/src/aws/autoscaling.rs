//! Auto Scaling groups and launch configurations.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types as asg;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::aws::user_data;
use crate::collector::Reach;

/// Groups and launch configurations.
pub static AUTOSCALING: Service = Service {
    reach: Reach::Region,
    kinds: &["autoscaling.group", "autoscaling.launch_configuration"],
    permissions: &["autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLaunchConfigurations"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (groups, configurations) = futures::join!(
        client.describe_auto_scaling_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_launch_configurations().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let call = "autoscaling:DescribeLaunchConfigurations";
    let mut all = ask.listed("autoscaling.launch_configuration", call, configurations, configuration);
    all.extend(ask.listed("autoscaling.group", "autoscaling:DescribeAutoScalingGroups", groups, group));
    all
}

fn group(g: &asg::AutoScalingGroup) -> (String, Value) {
    let mixed = g.mixed_instances_policy().and_then(|m| m.launch_template());
    let template = g.launch_template().or(mixed.and_then(|m| m.launch_template_specification()));
    let subnets = g.vpc_zone_identifier().unwrap_or_default().split(',').map(str::trim).filter(|s| !s.is_empty());
    let value = json!({
        "auto_scaling_group_name": g.auto_scaling_group_name(),
        "availability_zones": g.availability_zones(),
        "subnet_ids": subnets.collect::<Vec<_>>(),
        "health_check_type": g.health_check_type(),
        "target_group_arns": g.target_group_arns(),
        "load_balancer_names": g.load_balancer_names(),
        "traffic_sources": g.traffic_sources().iter().map(|t| t.identifier()).collect::<Vec<_>>(),
        "launch_configuration_name": g.launch_configuration_name(),
        "launch_template": template.map(|t| json!({
            "launch_template_id": t.launch_template_id(),
            "launch_template_name": t.launch_template_name(),
            "version": t.version().unwrap_or("$Default"),
        })),
        "instance_ids": g.instances().iter().filter_map(|i| i.instance_id()).collect::<Vec<_>>(),
        "tags": tags(g.tags().iter().map(|t| (t.key(), t.value()))),
        "tags_not_propagated": kept_back(g),
    });
    (g.auto_scaling_group_name().text(), value)
}

/// Keys of tags that new instances do not get.
fn kept_back(g: &asg::AutoScalingGroup) -> Vec<&str> {
    g.tags().iter().filter(|t| t.propagate_at_launch() != Some(true)).filter_map(|t| t.key()).collect()
}

fn configuration(c: &asg::LaunchConfiguration) -> (String, Value) {
    let options = c.metadata_options();
    let value = json!({
        "launch_configuration_name": c.launch_configuration_name(),
        "image_id": c.image_id(),
        "iam_instance_profile": c.iam_instance_profile(),
        "security_groups": c.security_groups(),
        "associate_public_ip_address": c.associate_public_ip_address(),
        // What is not set is what EC2 does by itself: version 1 is answered, over one hop.
        "metadata_options": {
            "http_tokens": options.and_then(|o| o.http_tokens()).map_or("optional", |t| t.as_str()),
            "http_endpoint": options.and_then(|o| o.http_endpoint()).map_or("enabled", |t| t.as_str()),
            "http_put_response_hop_limit": options.and_then(|o| o.http_put_response_hop_limit()).unwrap_or(1),
        },
        "user_data": user_data::facts(c.user_data().unwrap_or_default()),
    });
    (c.launch_configuration_name().text(), value)
}
