//! Launch templates, each as its default version sets it, and Spot fleets that launch by a specification of their own.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{AT_ONCE, Ask, Tell as _, WHOLE_LIST};
use crate::aws::user_data;

const TEMPLATE: &str = "ec2.launch_template";

/// Templates and Spot fleets.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (templates, fleets) = futures::join!(
        client.describe_launch_templates().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_spot_fleet_requests().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let mut all = ask.listed("ec2.spot_fleet", "ec2:DescribeSpotFleetRequests", fleets, spot_fleet);
    match templates {
        Ok(list) => {
            let read = futures::stream::iter(list).map(|t| template(ask, client, t)).buffer_unordered(AT_ONCE);
            all.extend(read.collect::<Vec<_>>().await.concat());
        }
        Err(error) => all.push(ask.failed(TEMPLATE, WHOLE_LIST, "ec2:DescribeLaunchTemplates", &error)),
    }
    all
}

/// The default version and, where it differs, the latest: groups may launch either.
async fn template(ask: Ask<'_>, client: &Client, template: ec2::LaunchTemplate) -> Vec<Document> {
    let id = template.launch_template_id().text();
    let call = client.describe_launch_template_versions().launch_template_id(&id);
    let read = call.versions("$Default").versions("$Latest").send().await;
    let versions = match read {
        Ok(answer) => answer.launch_template_versions.unwrap_or_default(),
        Err(error) => return vec![ask.failed(TEMPLATE, id, "ec2:DescribeLaunchTemplateVersions", &error)],
    };
    let document = |v: &ec2::LaunchTemplateVersion| {
        // The default version is what the template stands for; the latest, where it is another, is named with its number.
        let name = match v.default_version() {
            Some(true) => id.clone(),
            _ => format!("{id}:{}", v.version_number().unwrap_or_default()),
        };
        let mut value = describe(v);
        value["tags"] = tags(template.tags().iter().map(|t| (t.key(), t.value())));
        ask.known(TEMPLATE, name, "ec2:DescribeLaunchTemplateVersions", value)
    };
    let mut all: Vec<Document> = versions.iter().map(document).collect();
    all.dedup_by(|a, b| a.id == b.id);
    all
}

fn describe(v: &ec2::LaunchTemplateVersion) -> Value {
    let data = v.launch_template_data();
    let options = data.and_then(|d| d.metadata_options());
    let interfaces = data.map(|d| d.network_interfaces()).unwrap_or_default();
    let disks = data.map(|d| d.block_device_mappings()).unwrap_or_default();
    let own = data.map(|d| d.security_group_ids()).unwrap_or_default().iter().map(String::as_str);
    let groups = own.chain(interfaces.iter().flat_map(|i| i.groups()).map(String::as_str));
    let profile = data.and_then(|d| d.iam_instance_profile());
    json!({
        "launch_template_id": v.launch_template_id(),
        "launch_template_name": v.launch_template_name(),
        "version_number": v.version_number(),
        "default_version": v.default_version().unwrap_or_default(),
        "image_id": data.and_then(|d| d.image_id()),
        "iam_instance_profile": profile.and_then(|p| p.arn().or(p.name())),
        "security_group_ids": groups.collect::<Vec<_>>(),
        "metadata_options": {
            "http_tokens": options.and_then(|o| o.http_tokens()).map(|t| t.as_str()),
            "http_endpoint": options.and_then(|o| o.http_endpoint()).map(|t| t.as_str()),
            "http_put_response_hop_limit": options.and_then(|o| o.http_put_response_hop_limit()),
        },
        "associate_public_ip_address": interfaces.iter().any(|i| i.associate_public_ip_address() == Some(true)),
        "ebs": disks.iter().filter_map(|d| d.ebs()).map(|e| json!({"encrypted": e.encrypted()})).collect::<Vec<_>>(),
        "instance_tags": launch_tags(data),
        "user_data": user_data::facts(data.and_then(|d| d.user_data()).unwrap_or_default()),
    })
}

fn launch_tags(data: Option<&ec2::ResponseLaunchTemplateData>) -> Value {
    let specs = data.map(|d| d.tag_specifications()).unwrap_or_default();
    let of_instances = specs.iter().filter(|s| s.resource_type() == Some(&ec2::ResourceType::Instance));
    tags(of_instances.flat_map(|s| s.tags()).map(|t| (t.key(), t.value())))
}

fn spot_fleet(f: &ec2::SpotFleetRequestConfig) -> (String, Value) {
    let config = f.spot_fleet_request_config();
    let specs = config.map(|c| c.launch_specifications()).unwrap_or_default();
    let disks = specs.iter().flat_map(|s| s.block_device_mappings()).filter_map(|d| d.ebs());
    let value = json!({
        "spot_fleet_request_id": f.spot_fleet_request_id(),
        "spot_fleet_request_state": f.spot_fleet_request_state().map(|s| s.as_str()),
        "uses_launch_template": config.is_some_and(|c| !c.launch_template_configs().is_empty()),
        "ebs": disks.map(|e| json!({"encrypted": e.encrypted().unwrap_or_default()})).collect::<Vec<_>>(),
        "tags": tags(f.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (f.spot_fleet_request_id().text(), value)
}
