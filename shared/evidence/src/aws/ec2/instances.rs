//! Instances, each with what its user data shows. The text of user data is judged here and goes no further.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use futures::StreamExt as _;
use jiff::Timestamp;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{days_between, days_since, tags, time};
use crate::aws::tell::{AT_ONCE, Ask, Tell as _, reason};
use crate::aws::user_data;

const KIND: &str = "ec2.instance";

/// All instances that still exist.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let listed = client.describe_instances().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let reservations = match listed {
        Ok(reservations) => reservations,
        Err(error) => return vec![ask.failed(KIND, crate::aws::tell::WHOLE_LIST, "ec2:DescribeInstances", &error)],
    };
    let all = reservations.into_iter().flat_map(|r| r.instances.unwrap_or_default());
    let instances: Vec<ec2::Instance> = all.filter(|i| !is_gone(i)).collect();
    futures::stream::iter(instances).map(|i| read(ask, client, i)).buffer_unordered(AT_ONCE).collect().await
}

fn is_gone(instance: &ec2::Instance) -> bool {
    let state = instance.state().and_then(|s| s.name());
    matches!(state, Some(ec2::InstanceStateName::Terminated | ec2::InstanceStateName::ShuttingDown))
}

async fn read(ask: Ask<'_>, client: &Client, instance: ec2::Instance) -> Document {
    let id = instance.instance_id().unwrap_or_default();
    let call = client.describe_instance_attribute().instance_id(id).attribute(ec2::InstanceAttributeName::UserData);
    let mut value = describe(&instance, ask.at);
    match call.send().await {
        Ok(answer) => {
            let text = answer.user_data().and_then(|d| d.value()).unwrap_or_default();
            value["user_data"] = user_data::facts(text);
        }
        Err(error) => value["unread"] = json!({"user_data": reason("ec2:DescribeInstanceAttribute", &error)}),
    }
    ask.known(KIND, id, "ec2:DescribeInstances", value)
}

fn describe(i: &ec2::Instance, now: Timestamp) -> Value {
    let options = i.metadata_options();
    json!({
        "instance_id": i.instance_id(),
        "instance_type": i.instance_type().map(|t| t.as_str()),
        "image_id": i.image_id(),
        "state": i.state().and_then(|s| s.name()).map(|n| n.as_str()),
        "stopped_days": i.state_transition_reason().and_then(stopped_at).map(|t| days_between(t, now)),
        "launch_time": time(i.launch_time()),
        "age_days": days_since(i.launch_time(), now),
        "vpc_id": i.vpc_id(),
        "subnet_id": i.subnet_id(),
        "public_ip_address": i.public_ip_address(),
        "iam_instance_profile": i.iam_instance_profile().and_then(|p| p.arn()),
        "instance_lifecycle": i.instance_lifecycle().map(|l| l.as_str()),
        "virtualization_type": i.virtualization_type().map(|v| v.as_str()),
        "monitoring": i.monitoring().and_then(|m| m.state()).map(|s| s.as_str()),
        "metadata_options": {
            "http_tokens": options.and_then(|o| o.http_tokens()).map(|t| t.as_str()),
            "http_endpoint": options.and_then(|o| o.http_endpoint()).map(|e| e.as_str()),
            "http_put_response_hop_limit": options.and_then(|o| o.http_put_response_hop_limit()),
        },
        "security_groups": i.security_groups().iter().filter_map(|g| g.group_id()).collect::<Vec<_>>(),
        "network_interfaces": i.network_interfaces().iter().map(interface).collect::<Vec<_>>(),
        "block_device_mappings": i.block_device_mappings().iter().map(device).collect::<Vec<_>>(),
        "tags": tags(i.tags().iter().map(|t| (t.key(), t.value()))),
    })
}

fn interface(i: &ec2::InstanceNetworkInterface) -> Value {
    json!({
        "network_interface_id": i.network_interface_id(),
        "description": i.description(),
        "interface_type": i.interface_type(),
        "public_ip": i.association().and_then(|a| a.public_ip()),
        "ipv6_addresses": i.ipv6_addresses().iter().filter_map(|a| a.ipv6_address()).collect::<Vec<_>>(),
        "groups": i.groups().iter().filter_map(|g| g.group_id()).collect::<Vec<_>>(),
    })
}

fn device(d: &ec2::InstanceBlockDeviceMapping) -> Value {
    json!({
        "device_name": d.device_name(),
        "volume_id": d.ebs().and_then(|e| e.volume_id()),
        "delete_on_termination": d.ebs().and_then(|e| e.delete_on_termination()),
    })
}

/// When it was stopped: EC2 tells it only in `User initiated (2026-01-31 10:00:00 GMT)`.
fn stopped_at(reason: &str) -> Option<Timestamp> {
    let text = reason.split_once('(')?.1.split_once(" GMT")?.0;
    format!("{text}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_stop_is_read_from_the_words_of_ec2() {
        let at = stopped_at("User initiated (2026-01-31 10:00:00 GMT)").map(|t| t.to_string());
        assert_eq!(at.as_deref(), Some("2026-01-31T10:00:00Z"));
        for other in ["", "User initiated", "User initiated (yesterday GMT)"] {
            assert_eq!(stopped_at(other), None);
        }
    }

    #[test]
    fn an_instance_keeps_the_words_of_the_api() {
        let options = ec2::InstanceMetadataOptionsResponse::builder()
            .http_tokens(ec2::HttpTokensState::Optional)
            .http_put_response_hop_limit(2)
            .build();
        let from = ec2::Instance::builder().instance_id("i-1").metadata_options(options).build();
        let value = crate::aws::json::tidy(describe(&from, Timestamp::UNIX_EPOCH));
        assert_eq!(value["metadata_options"], json!({"http_tokens": "optional", "http_put_response_hop_limit": 2}));
        assert_eq!(value.get("public_ip_address"), None);
    }
}
