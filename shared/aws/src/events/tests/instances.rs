//! What a launch says about its instances before AWS shows them.

use picket_model::{GroupId, InstanceState, InterfaceKind};
use serde_json::{Value, json};

use super::*;

/// The answer of a launch as EC2 writes it, with one instance.
fn launch(item: Value) -> Value {
    let reply = json!({"requestId": "q", "reservationId": "r-0aaaaaaaaaaaaaaa1", "ownerId": "123456789012", "groupSet": {}, "instancesSet": {"items": [item]}});
    call("ec2", "RunInstances", json!({"instanceType": "g5.xlarge", "clientToken": "t"}), reply)
}

fn item() -> Value {
    json!({
        "instanceId": ONE, "imageId": "ami-0aaaaaaaaaaaaaaaa", "instanceState": {"code": 0, "name": "pending"},
        "amiLaunchIndex": 0, "productCodes": {}, "instanceType": "g5.xlarge", "launchTime": 1769860800000i64,
        "placement": {"availabilityZone": "us-east-1a", "tenancy": "default"}, "subnetId": "subnet-0aaaaaaaaaaaaaaa1",
        "vpcId": "vpc-0aaaaaaaaaaaaaaa1", "privateIpAddress": "10.0.0.9",
        "tagSet": {"items": [{"key": "Name", "value": "build\nagent"}, {"key": "team", "value": ""}]},
        "groupSet": {"items": [{"groupId": "sg-0aaaaaaaaaaaaaaa1", "groupName": "web"}]},
        "iamInstanceProfile": {"arn": "arn:aws:iam::123456789012:instance-profile/node", "id": "AIPAEXAMPLE"},
        "metadataOptions": {"state": "pending", "httpTokens": "optional", "httpPutResponseHopLimit": 1},
        "networkInterfaceSet": {"items": [
            {"networkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "vpcId": "vpc-0aaaaaaaaaaaaaaa1", "status": "in-use",
             "association": {"publicIp": "203.0.113.9", "ipOwnerId": "amazon"},
             "groupSet": {"items": [{"groupId": "sg-0aaaaaaaaaaaaaaa1"}, {"groupId": "sg-0aaaaaaaaaaaaaaa2"}]}},
            {"networkInterfaceId": "eni-0aaaaaaaaaaaaaaa2", "requesterManaged": true, "requesterId": "lb", "groupSet": {}},
            {"networkInterfaceId": "eni-0aaaaaaaaaaaaaaa3", "operator": {"managed": true, "principal": "eks.amazonaws.com"}, "groupSet": {}},
        ]},
    })
}

#[test]
fn a_launch_describes_its_instances_and_groups() {
    let hint = trigger(&launch(item())).hint;
    let [instance] = hint.instances.as_slice() else { panic!("one instance") };
    let texts = [&instance.reservation, &instance.instance_type, &instance.image, &instance.name];
    assert_eq!(texts.map(|t| t.as_str()), ["r-0aaaaaaaaaaaaaaa1", "g5.xlarge", "ami-0aaaaaaaaaaaaaaaa", "build agent"]);
    assert_eq!((instance.id.as_str(), instance.scope.to_string().as_str()), (ONE, "123456789012/us-east-1"));
    assert_eq!(
        (instance.state, instance.launched_at.to_string().as_str()),
        (InstanceState::Pending, "2026-01-31T12:00:00Z")
    );
    assert_eq!((instance.tags.len(), instance.metadata_v1), (2, Some(true)));
    assert_eq!(instance.profile.as_ref().map(|p| p.as_str()), Some("arn:aws:iam::123456789012:instance-profile/node"));
    assert_eq!(instance.public_ip().map(|ip| ip.as_str()), Some("203.0.113.9"));
    let kinds: Vec<_> = instance.interfaces.iter().map(|i| i.kind.clone()).collect();
    let (requester, operator) = ("lb".into(), "eks.amazonaws.com".into());
    assert_eq!(kinds, [InterfaceKind::Own, InterfaceKind::Requester(requester), InterfaceKind::Operator(operator)]);
    let vpcs: Vec<_> = instance.interfaces.iter().map(|i| Some(i.vpc.clone()) == instance.vpc).collect();
    assert_eq!(vpcs, [true; 3], "an interface that names no VPC is in the instance's");
    let groups: Vec<_> = hint.groups.iter().map(GroupId::as_str).collect();
    assert_eq!(groups, ["sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2"]);
}

#[test]
fn what_cannot_be_read_is_left_to_live_reads() {
    let odd = json!({
        "instanceId": ONE, "launchTime": "soon", "vpcId": "vpc-MASKED", "tagSet": 5, "metadataOptions": [],
        "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-MASKED"}, 7, {"networkInterfaceId": "eni-0aaaaaaaaaaaaaaa1"}]},
        "groupSet": {"items": [{"groupId": "sg-MASKED"}]},
    });
    let trigger = trigger(&launch(odd));
    let [instance] = trigger.hint.instances.as_slice() else { panic!("one instance") };
    assert_eq!((instance.launched_at, instance.vpc.clone(), instance.metadata_v1), (trigger.at, None, None));
    assert!(instance.interfaces.is_empty() && instance.tags.is_empty() && trigger.hint.groups.is_empty());
}

#[test]
fn a_required_token_means_that_the_first_metadata_version_is_off() {
    let instance = |tokens: &str| {
        let item = with(item(), "/metadataOptions/httpTokens", json!(tokens));
        trigger(&launch(item)).hint.instances.remove(0).metadata_v1
    };
    assert_eq!((instance("required"), instance("optional")), (Some(false), Some(true)));
}

#[test]
fn the_public_address_of_an_instance_belongs_to_its_first_interface() {
    let event = with(item(), "/publicIpAddress", json!("203.0.113.1"));
    let event = with(event, "/networkInterfaceSet/items/0/association", Value::Null);
    let instance = trigger(&launch(event)).hint.instances.remove(0);
    let addresses: Vec<_> = instance.interfaces.iter().map(|i| i.public_ip.is_some()).collect();
    assert_eq!(addresses, [true, false, false]);
}

#[test]
fn at_most_a_thousand_instances_go_into_one_trigger() {
    let items: Vec<_> = (0..1_500).map(|n| json!({"instanceId": format!("i-{n:017x}")})).collect();
    let event = call("ec2", "RunInstances", json!({}), json!({"instancesSet": {"items": items}}));
    let trigger = trigger(&event);
    assert!(matches!(&trigger.subject, Subject::Instances(ids) if ids.len() == 1_000));
    assert_eq!(trigger.hint.instances.len(), 1_000);
}

#[test]
fn groups_named_by_other_calls_are_hints_too() {
    let groups = json!({"items": [{"groupId": "sg-0aaaaaaaaaaaaaaa1"}]});
    let modified = call("ec2", "ModifyInstanceAttribute", json!({"instanceId": ONE, "groupSet": groups}), Value::Null);
    let opened = call("ec2", "AuthorizeSecurityGroupIngress", json!({"groupId": "sg-0aaaaaaaaaaaaaaa1"}), Value::Null);
    for event in [modified, opened] {
        assert_eq!(
            trigger(&event).hint.groups.iter().map(GroupId::as_str).collect::<Vec<_>>(),
            ["sg-0aaaaaaaaaaaaaaa1"]
        );
    }
}
