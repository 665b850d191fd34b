//! API calls in CloudTrail's records.

use serde_json::{Value, json};

use super::*;
use crate::events::cloudtrail::CALLS;

/// One event of each watched call, and variations; the hostile tests start from these too.
pub(super) fn cases() -> Vec<(Value, &'static str)> {
    [launches(), fleets(), templates(), attributes(), groups(), scaling_and_clusters(), joining(), signs(), by_agents()]
        .concat()
}

fn run(reply: Value) -> Value {
    let request = json!({
        "instancesSet": {"items": [{"imageId": "ami-0aaaaaaaaaaaaaaaa", "minCount": 1, "maxCount": 2}]},
        "instanceType": "g5.48xlarge", "clientToken": "token-1",
    });
    call("ec2", "RunInstances", request, reply)
}

fn launches() -> Vec<(Value, &'static str)> {
    let both = json!({"reservationId": "r-0a", "instancesSet": {"items": [{"instanceId": ONE}, {"instanceId": TWO}]}});
    let omitted = json!({"omitted": "true", "reason": "responseElements too large", "originalSize": "104000"});
    let refused = failed(run(Value::Null), "Client.VcpuLimitExceeded");
    let probe = failed(run(Value::Null), "Client.DryRunOperation");
    let no_token = without(run(Value::Null), "/detail/requestParameters/clientToken");
    let two_types = json!({"items": [{"minCount": 1, "maxCount": 5}, {"minCount": 1, "maxCount": "20"}]});
    let start = json!({"instancesSet": {"items": [{"instanceId": ONE}]}});
    vec![
        (run(both.clone()), "run_instances: i-0aaaaaaaaaaaaaaa1 i-0aaaaaaaaaaaaaaa2"),
        (
            run(json!({"instancesSet": {"items": [{"instanceId": ONE}, {"imageId": "ami-1"}, {"instanceId": ONE}]}})),
            "run_instances: i-0aaaaaaaaaaaaaaa1",
        ),
        (run(omitted), "run_instances: the launch with client token token-1"),
        (run(Value::Null), "run_instances: the launch with client token token-1"),
        (run(json!({"instancesSet": {}})), "run_instances: the launch with client token token-1"),
        (
            no_token,
            "malformed: RunInstances of ec2.amazonaws.com: `detail.requestParameters.clientToken` is missing, expected the client token of the launch, since `responseElements` lists no instances",
        ),
        (
            run(json!({"instancesSet": {"items": [{"instanceId": ONE}, {"instanceId": "i-MASKED"}]}})),
            "malformed: RunInstances of ec2.amazonaws.com: `detail.responseElements.instancesSet.items[1].instanceId` is `i-MASKED`, expected an EC2 instance id, such as `i-0abc1234def567890`",
        ),
        (refused.clone(), "run_instances: Client.VcpuLimitExceeded for 2 g5.48xlarge"),
        (
            with(refused.clone(), "/detail/requestParameters/instanceType", json!({"value": "p5.48xlarge"})),
            "run_instances: Client.VcpuLimitExceeded for 2 p5.48xlarge",
        ),
        (
            with(refused, "/detail/requestParameters/instancesSet", two_types),
            "run_instances: Client.VcpuLimitExceeded for 25 g5.48xlarge",
        ),
        (probe.clone(), "run_instances: Client.DryRunOperation for 2 g5.48xlarge"),
        (
            with(probe.clone(), "/detail/userIdentity/invokedBy", json!("eks-nodegroup.amazonaws.com")),
            "drop: probe by an AWS service",
        ),
        (with(probe, "/detail/requestParameters", Value::Null), "run_instances: Client.DryRunOperation for 1 "),
        (call("ec2", "StartInstances", start.clone(), start.clone()), "start_instances: i-0aaaaaaaaaaaaaaa1"),
        (call("ec2", "StartInstances", start.clone(), Value::Null), "start_instances: i-0aaaaaaaaaaaaaaa1"),
        (
            failed(call("ec2", "StartInstances", start, Value::Null), "Client.IncorrectInstanceState"),
            "drop: failed call",
        ),
    ]
}

fn fleets() -> Vec<(Value, &'static str)> {
    let fleet = |reply: Value| call("ec2", "CreateFleet", json!({"CreateFleetRequest": {"Type": "instant"}}), reply);
    let one_set = json!({"item": {"instanceIds": {"item": ONE}, "instanceType": "m7i.large", "lifecycle": "spot"}});
    let sets = json!({"item": [{"instanceIds": {"item": [ONE]}}, {"instanceIds": {"item": [TWO]}}]});
    let named =
        |set: Value| json!({"CreateFleetResponse": {"fleetId": "fleet-1", "errorSet": "", "fleetInstanceSet": set}});
    let spot = |item: Value| {
        call("ec2", "RequestSpotInstances", json!({}), json!({"spotInstanceRequestSet": {"items": [item]}}))
    };
    vec![
        (fleet(named(json!(""))), "create_fleet: fleet fleet-1"),
        (fleet(named(one_set)), "create_fleet: i-0aaaaaaaaaaaaaaa1"),
        (fleet(named(sets)), "create_fleet: i-0aaaaaaaaaaaaaaa1 i-0aaaaaaaaaaaaaaa2"),
        (
            fleet(Value::Null),
            "malformed: CreateFleet of ec2.amazonaws.com: `detail.responseElements.fleetId` is missing…",
        ),
        (
            call("ec2", "RequestSpotFleet", json!({}), json!({"spotFleetRequestId": "sfr-1"})),
            "create_fleet: fleet sfr-1",
        ),
        (spot(json!({"spotInstanceRequestId": "sir-1", "state": "open"})), "create_fleet: fleet sir-1"),
        (spot(json!({"spotInstanceRequestId": "sir-1", "instanceId": ONE})), "create_fleet: i-0aaaaaaaaaaaaaaa1"),
        (
            failed(call("ec2", "RequestSpotFleet", json!({}), Value::Null), "Client.UnauthorizedOperation"),
            "drop: failed call",
        ),
    ]
}

fn templates() -> Vec<(Value, &'static str)> {
    let made = json!({"CreateLaunchTemplateResponse": {"launchTemplate": {"launchTemplateId": "lt-1", "launchTemplateName": "n"}}});
    let version =
        json!({"CreateLaunchTemplateVersionResponse": {"launchTemplateVersion": {"launchTemplateId": "lt-2"}}});
    let request = json!({"CreateLaunchTemplateVersionRequest": {"LaunchTemplateId": "lt-3"}});
    vec![
        (call("ec2", "CreateLaunchTemplate", json!({}), made), "create_launch_template: launch template lt-1"),
        (
            call("ec2", "CreateLaunchTemplateVersion", json!({}), version),
            "create_launch_template: launch template lt-2",
        ),
        (
            call("ec2", "CreateLaunchTemplateVersion", request, Value::Null),
            "create_launch_template: launch template lt-3",
        ),
        (
            call("ec2", "CreateLaunchTemplate", json!({}), json!({})),
            "malformed: CreateLaunchTemplate of ec2.amazonaws.com: `detail.responseElements.CreateLaunchTemplateResponse…",
        ),
    ]
}

fn attributes() -> Vec<(Value, &'static str)> {
    let modify = |mut request: Value| {
        request["instanceId"] = json!(ONE);
        call("ec2", "ModifyInstanceAttribute", request, json!({"_return": true}))
    };
    let (looks, leaves) = ("modify_instance: i-0aaaaaaaaaaaaaaa1", "drop: attribute of no interest");
    vec![
        (modify(json!({"disableApiTermination": {"value": true}})), looks),
        (modify(json!({"disableApiTermination": {"value": false}})), leaves),
        (modify(json!({"disableApiStop": {"value": "true"}})), looks),
        (modify(json!({"attribute": "disableApiTermination", "value": "false"})), leaves),
        (modify(json!({"attribute": "disableApiTermination", "value": "<sensitiveDataRemoved>"})), looks),
        (modify(json!({"userData": "<sensitiveDataRemoved>"})), looks),
        (modify(json!({"attribute": "userData", "value": "<sensitiveDataRemoved>"})), looks),
        (modify(json!({"groupSet": {"items": [{"groupId": "sg-0aaaaaaaaaaaaaaa1"}]}})), looks),
        (modify(json!({"instanceType": {"value": "p5.48xlarge"}})), looks),
        (modify(json!({"sourceDestCheck": {"value": false}})), leaves),
        (modify(json!({"ebsOptimized": {"value": true}})), leaves),
        (failed(modify(json!({"userData": "x"})), "Client.IncorrectInstanceState"), "drop: failed call"),
    ]
}

fn groups() -> Vec<(Value, &'static str)> {
    let authorize = |request: Value, reply: Value| call("ec2", "AuthorizeSecurityGroupIngress", request, reply);
    let rule = json!({"_return": true, "securityGroupRuleSet": {"items": [{"groupId": "sg-0aaaaaaaaaaaaaaa2"}]}});
    let open = json!({"items": [{"ipProtocol": "-1", "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]});
    let by_id = json!({"groupId": "sg-0aaaaaaaaaaaaaaa1", "ipPermissions": open});
    let by_name = json!({"groupName": "web", "ipPermissions": open});
    let modified =
        json!({"ModifySecurityGroupRulesRequest": {"GroupId": "sg-0aaaaaaaaaaaaaaa1", "SecurityGroupRule": {}}});
    vec![
        (
            authorize(by_id.clone(), json!({"_return": true})),
            "change_group_rules: the instances in sg-0aaaaaaaaaaaaaaa1",
        ),
        (
            call("ec2", "AuthorizeSecurityGroupEgress", by_id, rule.clone()),
            "change_group_rules: the instances in sg-0aaaaaaaaaaaaaaa1",
        ),
        (authorize(by_name.clone(), rule), "change_group_rules: the instances in sg-0aaaaaaaaaaaaaaa2"),
        (
            authorize(by_name, json!({"_return": true})),
            "malformed: AuthorizeSecurityGroupIngress of ec2.amazonaws.com: names the group, not its id…",
        ),
        (
            authorize(json!({"groupId": "default"}), Value::Null),
            "malformed: AuthorizeSecurityGroupIngress of ec2.amazonaws.com: `detail.requestParameters.groupId` is `default`, expected a security group id…",
        ),
        (
            call("ec2", "ModifySecurityGroupRules", modified, Value::Null),
            "change_group_rules: the instances in sg-0aaaaaaaaaaaaaaa1",
        ),
    ]
}

fn scaling_and_clusters() -> Vec<(Value, &'static str)> {
    let named = json!({"autoScalingGroupName": "workers", "maxSize": 100});
    let eks = |name: &str, request: Value| call("eks", name, request, json!({}));
    let access = json!({"name": "prod", "principalArn": "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FAdmin"});
    vec![
        (
            call("autoscaling", "CreateAutoScalingGroup", named.clone(), Value::Null),
            "change_auto_scaling_group: Auto Scaling group workers",
        ),
        (
            call("autoscaling", "UpdateAutoScalingGroup", named, Value::Null),
            "change_auto_scaling_group: Auto Scaling group workers",
        ),
        (eks("AssociateAccessPolicy", access.clone()), "grant_cluster_access: EKS cluster prod"),
        (eks("CreateAccessEntry", access), "grant_cluster_access: EKS cluster prod"),
        (
            eks("CreateCluster", json!({"name": "prod", "roleArn": "arn:aws:iam::123456789012:role/eks"})),
            "create_cluster: EKS cluster prod",
        ),
        (eks("CreateCluster", json!({"clusterName": "old"})), "create_cluster: EKS cluster old"),
        (eks("RegisterCluster", json!({"name": "else"})), "create_cluster: EKS cluster else"),
        (eks("DeleteCluster", json!({"name": "prod"})), "delete_cluster: a sign: eks-cluster prod was deleted"),
        (
            eks("CreateFargateProfile", json!({"clusterName": "prod", "fargateProfileName": "fp"})),
            "change_nodes: EKS cluster prod",
        ),
        (eks("CreateNodegroup", json!({"name": "prod", "nodegroupName": "gpu"})), "change_nodes: EKS cluster prod"),
        (eks("UpdateClusterConfig", json!({"name": "prod"})), "update_cluster: EKS cluster prod"),
        (
            eks("UpdateNodegroupConfig", json!({"name": "prod", "nodegroupName": "gpu"})),
            "change_nodes: EKS cluster prod",
        ),
        (failed(eks("CreateCluster", json!({"name": "prod"})), "AccessDenied"), "drop: failed call"),
        (call("ecs", "CreateCluster", json!({"clusterName": "prod"}), Value::Null), "drop: not watched"),
        (call("redshift", "CreateCluster", json!({"clusterIdentifier": "prod"}), Value::Null), "drop: not watched"),
        (call("cloudhsm", "CreateCluster", json!({}), Value::Null), "drop: not watched"),
        (call("gamelift", "CreateFleet", json!({"name": "f"}), json!({"fleetId": "fleet-1"})), "drop: not watched"),
        (call("ec2", "DescribeInstances", json!({}), Value::Null), "drop: not watched"),
    ]
}

/// Calls of EKS that concern one cluster and its parts.
fn parts_of_clusters() -> Vec<(Value, &'static str)> {
    let eks = |name: &str| call("eks", name, json!({"name": "prod", "addonName": "vpc-cni"}), json!({}));
    [
        ("AssociateEncryptionConfig", "update_cluster: EKS cluster prod"),
        ("AssociateIdentityProviderConfig", "update_cluster: EKS cluster prod"),
        ("CreateAddon", "update_cluster: EKS cluster prod"),
        ("CreatePodIdentityAssociation", "grant_cluster_access: EKS cluster prod"),
        ("DeleteAddon", "update_cluster: EKS cluster prod"),
        ("DeleteFargateProfile", "change_nodes: EKS cluster prod"),
        ("DeleteNodegroup", "change_nodes: EKS cluster prod"),
        ("DisassociateIdentityProviderConfig", "update_cluster: EKS cluster prod"),
        ("UpdateAccessEntry", "grant_cluster_access: EKS cluster prod"),
        ("UpdateAddon", "update_cluster: EKS cluster prod"),
        ("UpdateClusterVersion", "update_cluster: EKS cluster prod"),
        ("UpdateNodegroupVersion", "change_nodes: EKS cluster prod"),
        ("UpdatePodIdentityAssociation", "grant_cluster_access: EKS cluster prod"),
    ]
    .into_iter()
    .map(|(name, says)| (eks(name), says))
    .collect()
}

/// Calls by which a machine becomes part of something.
fn joining() -> Vec<(Value, &'static str)> {
    let ec2 = |name: &str, request: Value| call("ec2", name, request, json!({"_return": true}));
    let interface = |description: &str, tags: Value| {
        let reply = json!({"networkInterface": {"description": description, "tagSet": {"items": tags}}});
        call("ec2", "CreateNetworkInterface", json!({"description": description}), reply)
    };
    let node = json!([{"key": "node.k8s.amazonaws.com/instance_id", "value": ONE}]);
    let mine = json!({"autoScalingGroupName": "workers", "instanceIds": [ONE]});
    let modified = json!({"ModifyLaunchTemplateRequest": {"LaunchTemplateId": "lt-4", "SetDefaultVersion": "3"}});
    let association =
        json!({"AssociateIamInstanceProfileRequest": {"InstanceId": ONE, "IamInstanceProfile": {"Name": "nodes"}}});
    let mut all = parts_of_clusters();
    all.extend([
        (ec2("AssociateIamInstanceProfile", association), "modify_instance: i-0aaaaaaaaaaaaaaa1"),
        (
            ec2("AttachNetworkInterface", json!({"instanceId": ONE, "networkInterfaceId": "eni-0aaaaaaaa"})),
            "attach_interface: i-0aaaaaaaaaaaaaaa1",
        ),
        (
            ec2("CreateReplaceRootVolumeTask", json!({"CreateReplaceRootVolumeTaskRequest": {"InstanceId": ONE}})),
            "modify_instance: i-0aaaaaaaaaaaaaaa1",
        ),
        (interface("aws-K8S-i-0aaaaaaaaaaaaaaa1", json!([])), "attach_interface: i-0aaaaaaaaaaaaaaa1"),
        (interface("pods", node), "attach_interface: i-0aaaaaaaaaaaaaaa1"),
        (interface("Amazon EKS prod", json!([])), "attach_interface: a sign: Amazon EKS prod"),
        (interface("AWS Lambda VPC ENI", json!([])), "drop: no sign of Kubernetes"),
        (ec2("ModifyFleet", json!({"ModifyFleetRequest": {"FleetId": "fleet-1"}})), "create_fleet: fleet fleet-1"),
        (
            ec2("ModifySpotFleetRequest", json!({"ModifySpotFleetRequestRequest": {"SpotFleetRequestId": "sfr-1"}})),
            "create_fleet: fleet sfr-1",
        ),
        (ec2("ModifyLaunchTemplate", modified), "create_launch_template: launch template lt-4"),
        (call("autoscaling", "AttachInstances", mine, Value::Null), "change_auto_scaling_group: i-0aaaaaaaaaaaaaaa1"),
        (
            call(
                "autoscaling",
                "SetDesiredCapacity",
                json!({"autoScalingGroupName": "workers", "desiredCapacity": 9}),
                Value::Null,
            ),
            "change_auto_scaling_group: Auto Scaling group workers",
        ),
    ]);
    all
}

/// Names and tags that may speak of Kubernetes; whether they do is not decided here.
fn signs() -> Vec<(Value, &'static str)> {
    let tagged = json!({"resourcesSet": {"items": [{"resourceId": ONE}, {"resourceId": "vol-0aaaaaaaa"}]}, "tagSet": {"items": [{"key": "kubernetes.io/cluster/c", "value": "owned"}]}});
    let group = json!({"groupName": "masters.k.example.com", "groupDescription": "Security group for masters", "vpcId": "vpc-0aaaaaaaa"});
    let balancer =
        json!({"name": "k8s-default-web-0123456789", "tags": [{"key": "elbv2.k8s.aws/cluster", "value": "c"}]});
    let provider = |url: &str| call("iam", "CreateOpenIDConnectProvider", json!({"url": url}), json!({}));
    vec![
        (call("ec2", "CreateTags", tagged, json!({"_return": true})), "tag_resources: a sign: kubernetes.io/cluster/c"),
        (
            call("ec2", "CreateSecurityGroup", group, json!({"groupId": "sg-0aaaaaaaa"})),
            "create_group: a sign: masters.k.example.com",
        ),
        (
            call("elasticloadbalancing", "CreateLoadBalancer", balancer, json!({})),
            "create_load_balancer: a sign: k8s-default-web-0123456789",
        ),
        (
            call("elasticloadbalancing", "CreateLoadBalancer", json!({"loadBalancerName": "api-k-example"}), json!({})),
            "create_load_balancer: a sign: api-k-example",
        ),
        (
            call("elasticloadbalancing", "CreateTargetGroup", json!({"name": "k8s-a-b-c"}), json!({})),
            "create_load_balancer: a sign: k8s-a-b-c",
        ),
        (
            provider("https://oidc.eks.eu-west-1.amazonaws.com/id/0123"),
            "trust_cluster: a sign: https://oidc.eks.eu-west-1.amazonaws.com/id/0123",
        ),
        (
            provider("https://token.actions.githubusercontent.com"),
            "trust_cluster: a sign: https://token.actions.githubusercontent.com",
        ),
        (
            call("iam", "CreateOpenIDConnectProvider", json!({}), json!({})),
            "malformed: CreateOpenIDConnectProvider of iam.amazonaws.com: `detail.requestParameters.url` is missing…",
        ),
    ]
}

/// Calls that nobody would watch, but for the caller.
fn by_agents() -> Vec<(Value, &'static str)> {
    let by = |agent: &str, session: &str| {
        let event = call(
            "ec2",
            "AssignPrivateIpAddresses",
            json!({"networkInterfaceId": "eni-0aaaaaaaa"}),
            json!({"_return": true}),
        );
        let event = with(event, "/detail/userAgent", json!(agent));
        with(
            event,
            "/detail/userIdentity/arn",
            json!(format!("arn:aws:sts::123456789012:assumed-role/nodes/{session}")),
        )
    };
    let refused = failed(by("cluster-autoscaler/v1.31.0", "alice"), "Client.UnauthorizedOperation");
    vec![
        (by("amazon-vpc-cni-k8s/v1.19.0 aws-sdk-go-v2/1.30", ONE), "kubernetes_call: i-0aaaaaaaaaaaaaaa1"),
        (by("karpenter.sh-1.0.8", "alice"), "kubernetes_call: a sign: karpenter.sh-1.0.8"),
        (refused, "kubernetes_call: a sign: cluster-autoscaler/v1.31.0"),
        (by("aws-cli/2.30.0", ONE), "drop: not watched"),
        (with(by("kubernetes/v1.31.1", ONE), "/detail/eventSource", json!("s3.amazonaws.com")), "drop: not watched"),
    ]
}

#[test]
fn a_provider_of_eks_is_looked_for_in_the_region_of_its_url() {
    let url = json!({"url": "https://oidc.eks.eu-west-1.amazonaws.com/id/0123"});
    let found = trigger(&call("iam", "CreateOpenIDConnectProvider", url, json!({})));
    assert_eq!(found.scope.region.as_str(), "eu-west-1");
}

#[test]
fn the_rule_for_callers_lets_through_the_same_agents() {
    let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/triggers.yaml"));
    for (mark, _) in crate::events::agents::AGENTS {
        assert!(template.contains(&format!("- wildcard: \"*{mark}*\"")), "{mark}");
    }
}

#[test]
fn each_call_says_where_to_look() {
    check(&cases());
}

#[test]
fn the_calls_are_listed_once_in_order_and_each_has_a_case() {
    let listed: Vec<_> = CALLS.iter().map(|c| (c.source, c.name)).collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(listed, sorted);
    for (source, name) in listed {
        let is = |e: &Value| e["detail"]["eventSource"] == source && e["detail"]["eventName"] == name;
        assert!(cases().iter().any(|(event, _)| is(event)), "{name} of {source}");
    }
}

#[test]
fn the_rules_of_the_deployment_let_through_exactly_these_calls() {
    let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/triggers.yaml"));
    let mut watched = Vec::new();
    let (mut source, mut names) = ("", false);
    // What wakes posture and watch is not decoded here.
    let others = ["posture-calls", "own-calls", "tampering-calls"];
    let mut ours = true;
    for line in template.lines().map(str::trim) {
        if let Some(rule) = line.strip_prefix("Name: !Sub ${Stack}-") {
            ours = !others.contains(&rule);
        }
        if let Some(list) = line.strip_prefix("eventSource: [") {
            source = list.trim_end_matches(']');
        }
        names = line == "eventName:" || (names && line.starts_with("- "));
        if let Some(name) = line.strip_prefix("- ").filter(|_| names && ours) {
            watched.push((source.to_owned(), name.to_owned()));
        }
    }
    watched.sort();
    let ours: Vec<_> = CALLS.iter().map(|c| (c.source.to_owned(), c.name.to_owned())).collect();
    assert_eq!(watched, ours);
}

#[test]
fn other_regions_forward_the_same_calls() {
    let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/forward.yaml"));
    let lines = template.lines().map(str::trim).skip_while(|line| *line != "eventName:").skip(1);
    let forwarded: Vec<_> = lines.map_while(|line| line.strip_prefix("- ")).collect();
    // IAM is called in one Region for all, and tags are set all day.
    let wanted = CALLS.iter().filter(|c| c.source != "iam.amazonaws.com" && c.name != "CreateTags");
    let mut wanted: Vec<_> = wanted.map(|c| c.name).collect();
    wanted.sort_unstable();
    wanted.dedup();
    assert_eq!(forwarded, wanted);
}
