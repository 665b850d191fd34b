//! Events that are no API calls, and what an envelope must hold.

use serde_json::{Value, json};

use super::*;
use crate::events::NOTIFICATIONS;

pub(super) fn cases() -> Vec<(Value, &'static str)> {
    let state = |id: &str, state: &str| {
        event("aws.ec2", "EC2 Instance State-change Notification", json!({"instance-id": id, "state": state}))
    };
    let asked = |detail: Value| event("picket", "Picket Manual Trigger", detail);
    vec![
        (state(ONE, "pending"), "instance_state: i-0aaaaaaaaaaaaaaa1"),
        (state(ONE, "running"), "instance_state: i-0aaaaaaaaaaaaaaa1"),
        (state(ONE, "shutting-down"), "drop: state of no interest"),
        (state("odd", "terminated"), "drop: state of no interest"),
        (
            state(" i-0aaaaaaaaaaaaaaa1", "running"),
            "malformed: EC2 Instance State-change Notification: `detail.instance-id` is ` i-0aaaaaaaaaaaaaaa1`, expected an EC2 instance id…",
        ),
        (
            event("aws.ec2", "EC2 Instance State-change Notification", json!({})),
            "malformed: EC2 Instance State-change Notification: `detail.state` is missing…",
        ),
        (
            event("aws.autoscaling", "EC2 Instance Launch Successful", json!({"EC2InstanceId": ONE})),
            "auto_scaling_launch: i-0aaaaaaaaaaaaaaa1",
        ),
        (
            event("aws.autoscaling", "EC2 Instance Launch Unsuccessful", json!({"EC2InstanceId": ""})),
            "drop: not watched",
        ),
        (
            event("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action", json!({"EC2InstanceId": ONE})),
            "drop: not watched",
        ),
        (event("aws.ec2", "EC2 Spot Instance Interruption Warning", json!({"instance-id": ONE})), "drop: not watched"),
        (event("aws.events", "Scheduled Event", json!({})), "schedule: everything"),
        (event("aws.scheduler", "Scheduled Event", json!({})), "schedule: everything"),
        (asked(json!({})), "manual: everything"),
        (asked(json!({"instances": [ONE, TWO], "by": "alice"})), "manual: i-0aaaaaaaaaaaaaaa1 i-0aaaaaaaaaaaaaaa2"),
        (asked(json!({"cluster": "prod"})), "manual: EKS cluster prod"),
        (event("picket", "Picket Canary", json!({"name": "1767225600000000"})), "canary: canary 1767225600000000"),
        (
            event("picket", "Picket Canary", json!({"name": "x"})),
            "malformed: Picket Canary: `detail.name` is `x`, expected a number",
        ),
        (
            asked(json!({"instances": []})),
            "malformed: Picket Manual Trigger: `detail.instances` is a list, expected the ids of instances; leave the field out…",
        ),
        (
            asked(json!({"instances": ["web"]})),
            "malformed: Picket Manual Trigger: `detail.instances[0]` is `web`, expected an EC2 instance id…",
        ),
        (
            asked(json!({"cluster": 5})),
            "malformed: Picket Manual Trigger: `detail.cluster` is `5`, expected the name of an EKS cluster",
        ),
    ]
}

#[test]
fn each_notification_says_where_to_look() {
    check(&cases());
}

#[test]
fn the_notifications_are_listed_once_in_order() {
    let listed: Vec<_> = NOTIFICATIONS.iter().map(|n| n.detail_type).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(listed, sorted);
}

#[test]
fn who_asked_to_look_is_named_in_the_log_but_is_not_the_one_who_launched() {
    let trigger = trigger(&event("picket", "Picket Manual Trigger", json!({"by": "alice\nroot"})));
    assert_eq!(trigger.event.as_str(), "6f6d5f0e-0000-4000-8000-000000000001 by alice root");
    assert_eq!(trigger.principal, None);
}

#[test]
fn an_event_from_somebody_else_is_a_forgery() {
    let call = call("ec2", "RunInstances", json!({"clientToken": "t"}), Value::Null);
    let ecs = super::call("ecs", "CreateCluster", json!({}), Value::Null);
    let finding = event("custom.security", "GuardDuty Finding", json!({}));
    let wanted = "malformed: this claims to be";
    check(&[
        (
            with(call.clone(), "/source", json!("evil.app")),
            &format!("{wanted} RunInstances of ec2.amazonaws.com, but its source is `evil.app`, not `aws.ec2`"),
        ),
        (
            with(call.clone(), "/source", json!("aws.s3")),
            &format!("{wanted} RunInstances of ec2.amazonaws.com, but its source is `aws.s3`, not `aws.ec2`"),
        ),
        (
            with(call.clone(), "/source", json!("picket")),
            &format!("{wanted} RunInstances of ec2.amazonaws.com, but its source is `picket`…"),
        ),
        (
            with(ecs, "/source", json!("evil.app")),
            &format!("{wanted} CreateCluster of ecs.amazonaws.com, but its source is `evil.app`…"),
        ),
        (finding, &format!("{wanted} GuardDuty Finding, but its source is `custom.security`, not `aws.guardduty`")),
        (
            with(call, "/account", json!("210987654321")),
            "malformed: RunInstances of ec2.amazonaws.com: was delivered in account `210987654321`, but its `recipientAccountId` is `123456789012`",
        ),
    ]);
}

#[test]
fn an_envelope_names_its_source_its_kind_and_its_detail() {
    let call = call("ec2", "RunInstances", json!({"clientToken": "t"}), Value::Null);
    let scheduled = event("aws.events", "Scheduled Event", json!({}));
    let title = "malformed: an event of EventBridge:";
    check(&[
        (without(call.clone(), "/source"), &format!("{title} `source` is missing…")),
        (without(call.clone(), "/detail-type"), &format!("{title} `detail-type` is missing…")),
        (without(call.clone(), "/detail"), &format!("{title} `detail` is missing, expected an object")),
        (with(call.clone(), "/detail", json!([1, 2])), &format!("{title} `detail` is a list, expected an object")),
        (
            with(call.clone(), "/source", json!(5)),
            &format!("{title} `source` is `5`, expected the service that sent it…"),
        ),
        (without(call.clone(), "/detail/eventName"), "malformed: a CloudTrail record: `detail.eventName` is missing…"),
        (
            with(call.clone(), "/detail/userIdentity", json!("me")),
            "malformed: RunInstances of ec2.amazonaws.com: `detail.userIdentity` is `me`, expected an object",
        ),
        (
            with(call.clone(), "/detail/errorCode", json!(7)),
            "malformed: RunInstances of ec2.amazonaws.com: `detail.errorCode` is `7`, expected the code of the error",
        ),
        (
            with(call.clone(), "/detail/awsRegion", json!("region-code")),
            "malformed: RunInstances of ec2.amazonaws.com: `detail.awsRegion` is `region-code`, expected an AWS Region, such as `us-east-1`",
        ),
        (
            with(call, "/detail/eventTime", json!("yesterday")),
            "malformed: RunInstances of ec2.amazonaws.com: `detail.eventTime` is `yesterday`, expected a time in RFC 3339…",
        ),
        (without(scheduled.clone(), "/time"), "malformed: Scheduled Event: `time` is missing…"),
        (
            with(scheduled, "/account", json!("1")),
            "malformed: Scheduled Event: `account` is `1`, expected a 12-digit AWS account id…",
        ),
    ]);
}

#[test]
fn what_is_no_event_is_said_to_be_none() {
    for text in ["", "{", "hello", "{\"a\":1} x"] {
        assert!(sentence(&decode(text)).starts_with("malformed: the text is not JSON: "), "{text}");
    }
    for text in ["{}", "[]", "null", "5", "\"detail-type\"", "{\"Records\":[]}", "[\"aws.ec2\",\"x\",{}]"] {
        assert!(sentence(&decode(text)).starts_with("malformed: this is no event: expected an object with"), "{text}");
    }
}
