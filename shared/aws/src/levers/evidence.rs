//! What is known of an instance, copied to the evidence bucket before anything can be lost: its description, attributes,
//! interfaces, groups with their rules, and its user data as it is.
//!
//! Guarantees: the first copy is the one that counts; a second is refused by S3 itself (`If-None-Match`). Nothing is
//! interpreted: foreign text stays text in JSON, user data stays in base64.

use aws_sdk_ec2::types::{Instance, InstanceAttributeName, NetworkInterface, SecurityGroup, Volume};
use aws_sdk_s3::primitives::ByteStream;
use futures::join;
use picket_model::{GroupId, InstanceId, Scope};
use picket_pipeline::ports::{Answer, Cloud as _, Kind, PortError};
use serde_json::{Value, json};

use super::{AwsLevers, failed};
use crate::{cloud, interfaces};

impl AwsLevers<'_> {
    /// `DescribeInstances`, `DescribeInstanceAttribute`, `DescribeNetworkInterfaces`, `DescribeSecurityGroups`,
    /// `DescribeVolumes`, then `PutObject`; `ec2:` and `s3:` permissions of these names. What cannot be read is said in
    /// the copy, beside what can.
    pub(super) async fn keep_evidence(&self, scope: &Scope, instance: &InstanceId, case: &str) -> Answer<()> {
        let doing = "keeping evidence of";
        let Some(bucket) = &self.evidence else {
            return Err(PortError::new(doing, instance, Kind::Other, "the deployment has no evidence bucket"));
        };
        let ids = [instance.clone()];
        let client = self.clients.ec2(&scope.region);
        let call = client.describe_instances().include_managed_resources(true).instance_ids(instance.as_str());
        let (described, found, user_data, stop, terminate, shutdown) = join!(
            call.send(),
            interfaces::raw(self.clients, scope, &ids),
            self.clients.user_data(scope, instance),
            self.attribute(scope, instance, InstanceAttributeName::DisableApiStop),
            self.attribute(scope, instance, InstanceAttributeName::DisableApiTermination),
            self.shutdown_behaviour(scope, instance),
        );
        let described = described.map_err(|e| failed("reading instance", instance, &e))?;
        let found = found?;
        let groups: Vec<GroupId> =
            found.iter().flat_map(|i| i.groups()).filter_map(|g| GroupId::parse(g.group_id()?).ok()).collect();
        let volumes = client.describe_volumes().include_managed_resources(true).filters(attached_to(instance));
        let (groups, volumes) = join!(cloud::groups(self.clients, scope, &groups), volumes.send());
        let volumes =
            volumes.map(|v| v.volumes.unwrap_or_default()).map_err(|e| failed("reading volumes of", instance, &e));
        let first = described.reservations().iter().flat_map(|r| r.instances().iter().map(move |i| (r, i))).next();
        let document = json!({
            "case": case,
            "account": scope.account,
            "region": scope.region,
            "read_at": jiff::Timestamp::now().to_string(),
            "reservation": first.map(|(r, _)| json!({"id": r.reservation_id(), "owner": r.owner_id(), "requester": r.requester_id()})),
            "instance": first.map(|(_, i)| instance_json(i)),
            "attributes": {
                "disable_api_stop": told(stop),
                "disable_api_termination": told(terminate),
                "shutdown_behaviour": told(shutdown),
            },
            "interfaces": found.iter().map(interface_json).collect::<Vec<_>>(),
            "groups": told(groups.map(|all| all.iter().map(group_json).collect::<Vec<_>>())),
            "volumes": told(volumes.map(|all| all.iter().map(volume_json).collect::<Vec<_>>())),
            "user_data_base64": told(user_data),
        });
        let key = format!("{}/{}/{case}/{instance}/evidence.json", scope.account, scope.region);
        self.put_once(bucket, &key, document.to_string()).await
    }

    async fn put_once(&self, bucket: &str, key: &str, body: String) -> Answer<()> {
        let client = self.s3();
        let call = client.put_object().bucket(bucket).key(key).content_type("application/json").if_none_match("*");
        let sent = call.body(ByteStream::from(body.into_bytes())).send().await;
        match sent.map(drop).map_err(|e| failed("keeping evidence as", key, &e)) {
            // It is there: the first copy counts. Another writer at the same moment is as good.
            Err(error) if error.kind == Kind::Conflict => Ok(()),
            answer => answer,
        }
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(self.clients.config());
        // Local clouds have no name for each bucket.
        let path_style = self.clients.config().endpoint_url().is_some();
        aws_sdk_s3::Client::from_conf(config.force_path_style(path_style).build())
    }
}

pub(super) fn attached_to(instance: &InstanceId) -> aws_sdk_ec2::types::Filter {
    aws_sdk_ec2::types::Filter::builder().name("attachment.instance-id").values(instance.as_str()).build()
}

/// What was read, or why not.
fn told<T: serde::Serialize>(answer: Answer<T>) -> Value {
    match answer {
        Ok(value) => json!(value),
        Err(error) => json!({"not_read": error.to_string()}),
    }
}

fn tags_json(tags: &[aws_sdk_ec2::types::Tag]) -> Value {
    tags.iter()
        .map(|t| (t.key().unwrap_or_default().to_owned(), json!(t.value())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn text<T: AsRef<str>>(value: Option<&T>) -> Option<String> {
    value.map(|v| v.as_ref().to_owned())
}

fn instance_json(i: &Instance) -> Value {
    let options = i.metadata_options();
    json!({
        "id": i.instance_id(), "type": text(i.instance_type()), "image": i.image_id(),
        "state": text(i.state().and_then(|s| s.name())), "launched_at": i.launch_time().map(ToString::to_string),
        "key": i.key_name(), "profile": i.iam_instance_profile().and_then(|p| p.arn()), "vpc": i.vpc_id(),
        "subnet": i.subnet_id(), "private_address": i.private_ip_address(), "public_address": i.public_ip_address(),
        "lifecycle": text(i.instance_lifecycle()), "spot_request": i.spot_instance_request_id(),
        "client_token": i.client_token(), "source_dest_check": i.source_dest_check(), "root_device": i.root_device_name(),
        "root_device_type": text(i.root_device_type()), "architecture": text(i.architecture()),
        "metadata": {
            "endpoint": text(options.and_then(|o| o.http_endpoint())), "tokens": text(options.and_then(|o| o.http_tokens())),
            "hop_limit": options.and_then(|o| o.http_put_response_hop_limit()),
        },
        "devices": i.block_device_mappings().iter().map(|d| json!({
            "name": d.device_name(), "volume": d.ebs().and_then(|e| e.volume_id()),
            "delete_on_termination": d.ebs().and_then(|e| e.delete_on_termination()),
        })).collect::<Vec<_>>(),
        "tags": tags_json(i.tags()),
    })
}

fn interface_json(i: &NetworkInterface) -> Value {
    let association = i.association();
    json!({
        "id": i.network_interface_id(), "type": text(i.interface_type()), "subnet": i.subnet_id(), "vpc": i.vpc_id(),
        "mac": i.mac_address(), "source_dest_check": i.source_dest_check(), "requester": i.requester_id(),
        "requester_managed": i.requester_managed(), "operator": i.operator().and_then(|o| o.principal()),
        "groups": i.groups().iter().map(|g| g.group_id()).collect::<Vec<_>>(),
        "private_addresses": i.private_ip_addresses().iter().map(|p| p.private_ip_address()).collect::<Vec<_>>(),
        "ipv6_addresses": i.ipv6_addresses().iter().map(|p| p.ipv6_address()).collect::<Vec<_>>(),
        "public_address": association.and_then(|a| a.public_ip()), "allocation": association.and_then(|a| a.allocation_id()),
        "association": association.and_then(|a| a.association_id()),
        "tcp_established_timeout": i.connection_tracking_configuration().and_then(|c| c.tcp_established_timeout()),
        "tags": tags_json(i.tag_set()),
    })
}

fn group_json(g: &SecurityGroup) -> Value {
    let rules = |all: &[aws_sdk_ec2::types::IpPermission]| -> Vec<Value> {
        let row = |p: &aws_sdk_ec2::types::IpPermission| {
            json!({
                "protocol": p.ip_protocol(), "from": p.from_port(), "to": p.to_port(),
                "ipv4": p.ip_ranges().iter().map(|r| json!([r.cidr_ip(), r.description()])).collect::<Vec<_>>(),
                "ipv6": p.ipv6_ranges().iter().map(|r| json!([r.cidr_ipv6(), r.description()])).collect::<Vec<_>>(),
                "prefix_lists": p.prefix_list_ids().iter().map(|r| r.prefix_list_id()).collect::<Vec<_>>(),
                "groups": p.user_id_group_pairs().iter().map(|r| r.group_id()).collect::<Vec<_>>(),
            })
        };
        all.iter().map(row).collect()
    };
    json!({
        "id": g.group_id(), "name": g.group_name(), "description": g.description(), "vpc": g.vpc_id(),
        "inbound": rules(g.ip_permissions()), "outbound": rules(g.ip_permissions_egress()), "tags": tags_json(g.tags()),
    })
}

fn volume_json(v: &Volume) -> Value {
    json!({
        "id": v.volume_id(), "size": v.size(), "type": text(v.volume_type()), "encrypted": v.encrypted(), "key": v.kms_key_id(),
        "snapshot": v.snapshot_id(), "created_at": v.create_time().map(ToString::to_string), "tags": tags_json(v.tags()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_says_so_beside_what_was() {
        assert_eq!(told(Ok::<_, PortError>(true)), json!(true));
        let error = PortError::new("reading", "i-1", Kind::Denied, "no");
        assert_eq!(told(Err::<bool, _>(error)), json!({"not_read": "reading i-1: no"}));
    }

    #[test]
    fn hostile_names_stay_text() {
        let tag = aws_sdk_ec2::types::Tag::builder().key("Name").value("\"},{\"").build();
        let instance = Instance::builder().instance_id("i-00000001").tags(tag).build();
        let text = instance_json(&instance).to_string();
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["tags"]["Name"], json!("\"},{\""));
    }
}
