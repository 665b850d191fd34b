//! Findings of GuardDuty, by itself and through Security Hub.

use serde_json::{Value, json};

use super::*;

const MINER: &str = "CryptoCurrency:EC2/BitcoinTool.B!DNS";
const MINES: &str = "guard_duty: i-0aaaaaaaaaaaaaaa1, CryptoCurrency:EC2/BitcoinTool.B!DNS at 80";

fn guardduty(resource: Value) -> Value {
    let detail = json!({
        "schemaVersion": "2.0", "accountId": "123456789012", "region": "us-east-1", "partition": "aws", "id": "f-1",
        "arn": "arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f-1", "type": MINER, "severity": 8,
        "createdAt": "2026-01-31T11:59:00.000Z", "updatedAt": "2026-01-31T11:59:30.000Z", "title": "t",
        "resource": resource,
        "service": {"serviceName": "guardduty", "archived": false, "count": 1, "additionalInfo": {"type": "default", "value": "{}"}},
    });
    event("aws.guardduty", "GuardDuty Finding", detail)
}

fn on_instance() -> Value {
    guardduty(json!({"resourceType": "Instance", "instanceDetails": {
        "instanceId": ONE, "instanceType": "g5.xlarge", "tags": [{"key": "Name", "value": "x"}],
        "networkInterfaces": [{"networkInterfaceId": "eni-0aaaaaaaaaaaaaaa1", "securityGroups": [
            {"groupId": "sg-0aaaaaaaaaaaaaaa1", "groupName": "web"}, {"groupId": "GeneratedFindingSecurityId"}]}],
    }}))
}

fn sequence(resources: Value) -> Value {
    let event = guardduty(json!({"resourceType": "AttackSequence"}));
    let event = with(event, "/detail/type", json!("AttackSequence:EKS/CompromisedCluster"));
    let event = with(event, "/detail/severity", json!(9.0));
    with(event, "/detail/service/detection", json!({"sequence": {"uid": "s", "resources": resources}}))
}

/// All keys in PascalCase, as some exporters write them.
fn pascal(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let up = |key: &String| format!("{}{}", key[..1].to_uppercase(), &key[1..]);
            object.iter().map(|(key, value)| (up(key), pascal(value))).collect()
        }
        Value::Array(all) => all.iter().map(pascal).collect(),
        other => other.clone(),
    }
}

fn hub(detail_type: &str, findings: Value) -> Value {
    let detail = json!({"actionName": "Quarantine", "actionDescription": "cut it off", "findings": findings});
    event("aws.securityhub", detail_type, detail)
}

fn hub_finding(resources: Value) -> Value {
    json!({
        "SchemaVersion": "2018-10-08", "Id": "arn:aws:guardduty:us-east-1:123456789012:detector/d/finding/f-1",
        "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/guardduty", "ProductName": "GuardDuty",
        "GeneratorId": "arn:aws:guardduty:us-east-1:123456789012:detector/d", "AwsAccountId": "123456789012",
        "Region": "us-east-1", "Types": ["TTPs/Command and Control/CryptoCurrency:EC2-BitcoinTool.B!DNS"],
        "CreatedAt": "2026-01-31T11:59:00.000Z", "UpdatedAt": "2026-01-31T11:59:30.000Z",
        "Severity": {"Product": 8, "Label": "HIGH", "Normalized": 80}, "Title": "A miner", "RecordState": "ACTIVE",
        "ProductFields": {"aws/guardduty/service/archived": "false", "aws/guardduty/service/additionalInfo/value": "{}"},
        "Resources": resources, "Workflow": {"Status": "NEW"},
    })
}

fn instance(id: &str, region: &str) -> Value {
    json!({"Type": "AwsEc2Instance", "Id": format!("arn:aws:ec2:{region}:123456789012:instance/{id}"), "Region": region})
}

fn cluster() -> Value {
    json!({"Type": "AwsEksCluster", "Id": "arn:aws:eks:us-east-1:123456789012:cluster/prod", "Region": "us-east-1"})
}

pub(super) fn cases() -> Vec<(Value, &'static str)> {
    [single(), sequences(), imported(), actions()].concat()
}

fn single() -> Vec<(Value, &'static str)> {
    let event = on_instance();
    let add = |pointer: &str, value: Value| with(event.clone(), &format!("/detail{pointer}"), value);
    let eks = json!({"resourceType": "EKSCluster", "eksClusterDetails": {"name": "prod", "arn": "a"}});
    let both = with(event.clone(), "/detail/resource/eksClusterDetails", json!({"name": "prod"}));
    let pascal_sample = with(
        event.clone(),
        "/detail",
        pascal(&add("/service/additionalInfo", json!({"value": "{\"sample\":true}"}))["detail"]),
    );
    vec![
        (event.clone(), MINES),
        (with(event.clone(), "/detail", pascal(&event["detail"])), MINES),
        (event["detail"].clone(), MINES),
        (pascal(&event["detail"]), MINES),
        (both, MINES),
        (guardduty(eks), "guard_duty: EKS cluster prod, CryptoCurrency:EC2/BitcoinTool.B!DNS at 80"),
        (
            guardduty(json!({"resourceType": "AccessKey", "accessKeyDetails": {"userName": "bob"}})),
            "drop: finding without an asset we watch",
        ),
        (
            guardduty(json!({"resourceType": "Instance", "instanceDetails": {"instanceId": "web-1"}})),
            "malformed: GuardDuty Finding: `detail.resource.instanceDetails.instanceId` is `web-1`, expected an EC2 instance id…",
        ),
        (add("/service/additionalInfo", json!({"sample": true})), "drop: sample finding"),
        (
            add("/service/additionalInfo", json!({"value": "{\"threat\":\"x\",\"sample\":true}"})),
            "drop: sample finding",
        ),
        (add("/service/additionalInfo", json!({"value": "{\"sample\": true, \"cut\": \"of"})), "drop: sample finding"),
        (add("/service/additionalInfo", json!({"value": "{\"sample\":false}"})), MINES),
        (pascal_sample, "drop: sample finding"),
        (add("/service/archived", json!(true)), "drop: archived finding"),
        (add("/severity", json!(7.95)), "guard_duty: i-0aaaaaaaaaaaaaaa1, CryptoCurrency:EC2/BitcoinTool.B!DNS at 80"),
        (add("/severity", json!("5.5")), "guard_duty: i-0aaaaaaaaaaaaaaa1, CryptoCurrency:EC2/BitcoinTool.B!DNS at 55"),
        (
            add("/severity", json!(80)),
            "malformed: GuardDuty Finding: `detail.severity` is `80`, expected a severity from 0 to 10",
        ),
        (without(event, "/detail/severity"), "malformed: GuardDuty Finding: `detail.severity` is missing…"),
    ]
}

fn sequences() -> Vec<(Value, &'static str)> {
    let arn = |id: &str| format!("arn:aws:ec2:us-east-1:123456789012:instance/{id}");
    let first = json!({"uid": arn(ONE), "name": "web", "resourceType": "EC2_INSTANCE", "data": {"ec2Instance": {"instanceState": "running"}}});
    let second = json!({"uid": "x", "name": TWO, "resourceType": "EC2_INSTANCE"});
    let cluster = json!({"uid": "arn:aws:eks:us-east-1:123456789012:cluster/prod", "name": "prod", "resourceType": "EKS_CLUSTER", "data": {"eksCluster": {}}});
    let workload = json!({"uid": "w", "name": "miner", "resourceType": "KUBERNETES_WORKLOAD"});
    let group = json!({"uid": "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:u:autoScalingGroupName/workers", "resourceType": "AUTOSCALING_AUTO_SCALING_GROUP"});
    let template = json!({"uid": "arn:aws:ec2:us-east-1:123456789012:launch-template/lt-1", "name": "t", "resourceType": "EC2_LAUNCH_TEMPLATE"});
    let odd = json!({"uid": "web-1", "resourceType": "EC2_INSTANCE"});
    vec![
        (
            sequence(json!([cluster, first, second])),
            "guard_duty: i-0aaaaaaaaaaaaaaa1 i-0aaaaaaaaaaaaaaa2, AttackSequence:EKS/CompromisedCluster at 90",
        ),
        (
            sequence(json!([workload, cluster])),
            "guard_duty: EKS cluster prod, AttackSequence:EKS/CompromisedCluster at 90",
        ),
        (
            sequence(json!([group])),
            "guard_duty: Auto Scaling group workers, AttackSequence:EKS/CompromisedCluster at 90",
        ),
        (sequence(json!([template])), "guard_duty: launch template lt-1, AttackSequence:EKS/CompromisedCluster at 90"),
        (sequence(json!([workload])), "drop: finding without an asset we watch"),
        (
            sequence(json!([odd])),
            "malformed: GuardDuty Finding: `detail.service.detection.sequence.resources[0].uid` is `web-1`, expected…",
        ),
    ]
}

fn imported() -> Vec<(Value, &'static str)> {
    let hub = |finding: Value| hub("Security Hub Findings - Imported", json!([finding]));
    let plain = hub_finding(json!([instance(ONE, "us-east-1")]));
    let custodian = with(
        with(plain.clone(), "/ProductArn", json!("arn:aws:securityhub:us-east-1::product/x/y")),
        "/ProductName",
        json!("Other"),
    );
    let untyped = without(plain.clone(), "/Types");
    let labelled = with(plain.clone(), "/Severity", json!({"Label": "CRITICAL"}));
    let named = with(plain.clone(), "/Resources", json!([{"Type": "AwsEc2Instance", "Id": ONE}]));
    let found = "security_hub: i-0aaaaaaaaaaaaaaa1, CryptoCurrency:EC2/BitcoinTool.B!DNS at 80";
    vec![
        (hub(plain.clone()), found),
        (hub(named), found),
        (hub(hub_finding(json!([cluster(), instance(ONE, "us-east-1")]))), found),
        (
            hub(hub_finding(json!([cluster()]))),
            "security_hub: EKS cluster prod, CryptoCurrency:EC2/BitcoinTool.B!DNS at 80",
        ),
        (
            hub(custodian),
            "security_hub: i-0aaaaaaaaaaaaaaa1, TTPs/Command and Control/CryptoCurrency:EC2-BitcoinTool.B!DNS at 80",
        ),
        (hub(untyped), "security_hub: i-0aaaaaaaaaaaaaaa1, A miner at 80"),
        (hub(labelled), "security_hub: i-0aaaaaaaaaaaaaaa1, CryptoCurrency:EC2/BitcoinTool.B!DNS at 90"),
        (
            hub(hub_finding(json!([{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"}]))),
            "drop: finding without an asset we watch",
        ),
        (hub(with(plain.clone(), "/RecordState", json!("ARCHIVED"))), "drop: archived finding"),
        (
            hub(with(plain.clone(), "/ProductFields", json!({"aws/guardduty/service/archived": "true"}))),
            "drop: archived finding",
        ),
        (hub(with(plain.clone(), "/Sample", json!(true))), "drop: sample finding"),
        (
            hub(with(plain.clone(), "/ProductFields", json!({"aws/guardduty/service/additionalInfo/sample": "true"}))),
            "drop: sample finding",
        ),
        (
            hub(with(plain.clone(), "/ProductFields", json!({"additionalInfo": "{\"sample\":true}"}))),
            "drop: sample finding",
        ),
        (
            hub(with(plain.clone(), "/Severity", json!({"Normalized": 300}))),
            "malformed: Security Hub Findings - Imported: `detail.findings[0].Severity.Normalized` is `300`, expected…",
        ),
        (
            hub(hub_finding(json!([instance("web-1", "us-east-1")]))),
            "malformed: Security Hub Findings - Imported: `detail.findings[0].Resources[0].Id` is `arn:aws:ec2:us-east-1:123456789012:instance/web-1`, expected an EC2 instance id…",
        ),
        (
            event("aws.securityhub", "Security Hub Findings - Imported", json!({})),
            "malformed: Security Hub Findings - Imported: `detail.findings` is missing…",
        ),
    ]
}

fn actions() -> Vec<(Value, &'static str)> {
    let action = |findings: Value| hub("Security Hub Findings - Custom Action", findings);
    let one = hub_finding(json!([instance(ONE, "us-east-1")]));
    let two = hub_finding(json!([instance(TWO, "us-east-1")]));
    let far = hub_finding(json!([instance(TWO, "eu-west-1")]));
    let archived = with(one.clone(), "/RecordState", json!("ARCHIVED"));
    let sample = with(one.clone(), "/Sample", json!(true));
    vec![
        (action(json!([one, two])), "custom_action: i-0aaaaaaaaaaaaaaa1 i-0aaaaaaaaaaaaaaa2, asked for Quarantine"),
        (action(json!([archived])), "custom_action: i-0aaaaaaaaaaaaaaa1, asked for Quarantine"),
        (action(json!([hub_finding(json!([cluster()]))])), "custom_action: EKS cluster prod, asked for Quarantine"),
        (action(json!([sample, two])), "custom_action: i-0aaaaaaaaaaaaaaa2, asked for Quarantine"),
        (action(json!([sample])), "drop: sample finding"),
        (
            action(json!([one, far])),
            "malformed: Security Hub Findings - Custom Action: its findings name assets of several accounts or Regions…",
        ),
        (
            action(json!([one, hub_finding(json!([cluster()]))])),
            "malformed: Security Hub Findings - Custom Action: its findings name assets of several accounts or Regions, or of several kinds…",
        ),
        (action(json!([hub_finding(json!([]))])), "drop: finding without an asset we watch"),
        (hub("Security Hub Insight Results", json!([])), "drop: not watched"),
    ]
}

#[test]
fn each_finding_says_where_to_look_and_what_was_found() {
    check(&cases());
}

#[test]
fn a_finding_belongs_to_the_account_that_it_is_about_not_to_the_one_that_administers() {
    let event = with(on_instance(), "/account", json!("210987654321"));
    let trigger = trigger(&event);
    assert_eq!(trigger.scope.to_string(), "123456789012/us-east-1");
    assert_eq!((trigger.event.as_str(), trigger.at.to_string().as_str()), ("f-1", "2026-01-31T11:59:30Z"));
    assert_eq!(trigger.hint.groups.iter().map(|g| g.as_str()).collect::<Vec<_>>(), ["sg-0aaaaaaaaaaaaaaa1"]);
}

#[test]
fn an_imported_finding_belongs_to_the_region_of_its_asset() {
    let event = hub("Security Hub Findings - Imported", json!([hub_finding(json!([instance(ONE, "eu-west-1")]))]));
    let trigger = trigger(&event);
    assert_eq!(trigger.scope.to_string(), "123456789012/eu-west-1");
    assert_eq!(trigger.at.to_string(), "2026-01-31T11:59:30Z");
}
