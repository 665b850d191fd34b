//! Joined facts as sentences, each over a few documents.

use picket_model::{AccountId, Region};

use super::*;

fn document(kind: &str, id: &str, value: Value) -> Document {
    Document {
        kind: kind.to_owned(),
        account: AccountId::parse("111122223333").unwrap(),
        region: (!kind.starts_with("iam.") && kind != "aws.account").then(|| Region::parse("eu-west-1").unwrap()),
        id: id.to_owned(),
        read_at: jiff::Timestamp::UNIX_EPOCH,
        facts: Fact::known(value, "test"),
    }
}

fn joined(mut documents: Vec<Document>) -> Vec<Document> {
    let everything: BTreeSet<String> = joins().flat_map(|j| j.needs).map(|k| (*k).to_owned()).collect();
    join(&mut documents, &everything, &Settings::default());
    documents
}

fn facts<'d>(documents: &'d [Document], id: &str) -> &'d Value {
    documents.iter().find(|d| d.id == id).and_then(|d| d.facts.value()).unwrap()
}

#[test]
fn a_volume_belongs_to_the_tier_of_its_instance() {
    let all = joined(vec![
        document("ec2.instance", "i-1", json!({"instance_id": "i-1", "tags": {"Tier": "web"}})),
        document("ec2.volume", "vol-1", json!({"instance_ids": ["i-1"], "tags": {}})),
        document("ec2.volume", "vol-2", json!({"instance_ids": ["i-1"], "tags": {"tier": "data"}})),
    ]);
    assert_eq!((&facts(&all, "vol-1")["tier"], &facts(&all, "vol-2")["tier"]), (&"web".into(), &"data".into()));
}

#[test]
fn a_node_role_that_may_start_instances_is_told_with_the_node_group() {
    let role = json!({"role_name": "eks-nodes", "arn": "arn:aws:iam::111122223333:role/eks-nodes", "tags": {},
        "attached_policies": [], "instance_profiles": [], "administrator": false, "powers": ["ec2:RunInstances", "ecr:PutImage", "s3:GetObject"]});
    let all = joined(vec![
        document("iam.role", "eks-nodes", role),
        document(
            "eks.nodegroup",
            "prod/a",
            json!({"node_role": "arn:aws:iam::111122223333:role/eks-nodes", "tags": {}}),
        ),
    ]);
    assert_eq!(facts(&all, "eks-nodes")["runs_nodes"], true);
    let group = facts(&all, "prod/a");
    assert_eq!(group["more_than_a_node_needs"], json!(["ec2:RunInstances", "ecr:PutImage"]));
    assert_eq!(group["image_writes"], json!(["ecr:PutImage"]));
}

#[test]
fn what_could_not_be_read_leaves_the_fact_out_and_says_why() {
    let mut denied = document("ec2.flow_log", WHOLE_LIST, json!({}));
    denied.facts = Fact::unknown("ec2:DescribeFlowLogs was denied");
    let all = joined(vec![document("ec2.vpc", "vpc-1", json!({"vpc_id": "vpc-1", "tags": {}})), denied]);
    let vpc = facts(&all, "vpc-1");
    assert_eq!(vpc.get("flow_logs_active"), None);
    assert_eq!(vpc["unread"]["flow_logs_active"], "ec2:DescribeFlowLogs was denied");
    assert_eq!(vpc["interfaces"], 0, "the others are known");
}

#[test]
fn flow_logs_of_accepted_traffic_alone_are_not_enough() {
    let log =
        |kind: &str| json!({"resource_id": "vpc-1", "flow_log_status": "ACTIVE", "traffic_type": kind, "tags": {}});
    for (kind, enough) in [("ALL", true), ("REJECT", true), ("ACCEPT", false)] {
        let all = joined(vec![
            document("ec2.vpc", "vpc-1", json!({"vpc_id": "vpc-1", "tags": {}})),
            document("ec2.flow_log", "fl-1", log(kind)),
        ]);
        assert_eq!(facts(&all, "vpc-1")["flow_logs_active"], enough, "{kind}");
    }
}

#[test]
fn a_group_knows_what_it_guards_and_who_reaches_etcd() {
    let tags = json!({"KubernetesCluster": "k.example.com", "k8s.io/role/master": "1"});
    let rule =
        |source: &str, port: i64| json!({"protocol": "tcp", "from_port": port, "to_port": port, "group_id": source});
    let group = |id: &str, name: &str, rules: Vec<Value>| {
        let value = json!({"group_id": id, "group_name": name, "ingress": rules, "tags": {"KubernetesCluster": "k.example.com"}});
        document("ec2.security_group", id, value)
    };
    let all = joined(vec![
        document("ec2.instance", "i-1", json!({"instance_id": "i-1", "security_groups": ["sg-m"], "tags": tags})),
        group("sg-m", "masters.k.example.com", vec![rule("sg-m", 2380), rule("sg-n", 4001), rule("sg-n", 443)]),
        group("sg-n", "nodes.k.example.com", vec![]),
    ]);
    let masters = facts(&all, "sg-m");
    assert_eq!((&masters["guards"], &masters["etcd_sources"]), (&json!(["control_plane"]), &json!(["sg-n"])));
    assert_eq!(facts(&all, "sg-n")["guards"], json!(["node"]));
}

#[test]
fn sources_of_a_group_are_named_by_their_tier() {
    let group = |id: &str, tier: &str, rules: Value| {
        document("ec2.security_group", id, json!({"group_id": id, "ingress": rules, "tags": {"tier": tier}}))
    };
    let all = joined(vec![
        group("sg-lb", "web-lb", json!([])),
        group("sg-web", "web", json!([{"group_id": "sg-lb"}, {"cidr": "10.0.0.0/8"}])),
    ]);
    assert_eq!(facts(&all, "sg-web")["source_tiers"], json!(["addresses", "web_lb"]));
}

#[test]
fn a_chain_of_an_alarm_is_whole_only_if_somebody_hears_it() {
    let pattern = r#"{ $.userIdentity.type = "Root" }"#;
    let chain = |subscribers: i64| {
        joined(vec![
            document("aws.account", "111122223333", json!({"id": "111122223333"})),
            document(
                "cloudtrail.trail",
                "t",
                json!({"is_multi_region_trail": true, "is_logging": true,
                "takes": {"management_reads": true, "management_writes": true},
                "cloud_watch_logs_log_group_arn": "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*"}),
            ),
            document(
                "logs.metric_filter",
                "f",
                json!({"log_group_name": "trail", "filter_name": "root", "filter_pattern": pattern,
                "metrics": [{"name": "Root", "namespace": "CIS"}]}),
            ),
            document(
                "cloudwatch.alarm",
                "a",
                json!({"alarm_name": "root", "metric_name": "Root", "namespace": "CIS",
                "actions_enabled": true, "alarm_actions": ["arn:topic"]}),
            ),
            document(
                "sns.topic",
                "arn:topic",
                json!({"topic_arn": "arn:topic", "subscriptions_confirmed": subscribers}),
            ),
        ])
    };
    assert_eq!(facts(&chain(1), "111122223333")["watched"], json!(["root_usage"]));
    assert_eq!(facts(&chain(0), "111122223333")["watched"], json!([]));
}

#[test]
fn an_auto_scaling_group_shows_what_it_launches() {
    let all = joined(vec![
        document(
            "autoscaling.group",
            "web",
            json!({"launch_template": {"launch_template_id": "lt-1", "version": "$Latest"},
            "target_group_arns": ["t"], "tags": {"tier": "web"}}),
        ),
        document(
            "ec2.launch_template",
            "lt-1",
            json!({"launch_template_id": "lt-1", "version_number": 1, "default_version": true, "tags": {}}),
        ),
        document(
            "ec2.launch_template",
            "lt-1:2",
            json!({"launch_template_id": "lt-1", "version_number": 2, "default_version": false,
            "iam_instance_profile": "web", "security_group_ids": ["sg-1"], "tags": {}}),
        ),
        document("ec2.security_group", "sg-1", json!({"group_id": "sg-1", "ingress": [], "tags": {"tier": "web"}})),
        document("iam.instance_profile", "web", json!({"name": "web", "roles": ["web-role"]})),
        document("iam.role", "web-role", json!({"role_name": "web-role", "tags": {"tier": "web"}})),
    ]);
    let web = facts(&all, "web");
    assert_eq!((&web["role_tiers"], &web["group_tiers"]), (&json!(["web"]), &json!(["web"])));
    assert_eq!((&web["has_profile"], &web["has_load_balancer"]), (&true.into(), &true.into()));
}

#[test]
fn needs_of_needs_are_needed() {
    let wanted = BTreeSet::from(["eks.nodegroup".to_owned()]);
    let all = with_needs(&wanted);
    for kind in ["ec2.instance", "ec2.route_table", "iam.role", "ssm.managed_instance"] {
        assert!(all.contains(kind), "{kind}");
    }
}
