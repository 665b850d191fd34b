//! From the calls that misconfigure an account to the rules that fail, against the local cloud:
//!
//! ```text
//! .venv/cloud/bin/python tests/localcloud/run.py -- cargo test -p picket-evidence --test local_cloud
//! ```
//!
//! Without a local cloud there is nothing to read, and the test says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test: what fails, fails")]

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types as ec2;
use picket_aws::Clients;
use picket_checks::rules::{Evidence, catalogue, judge_all};
use picket_evidence::account::{self, Wanted};
use picket_evidence::aws::COLLECTORS;
use picket_evidence::aws::settings::Settings;
use picket_model::{AccountId, Fact, Outcome, Region};

/// What was made, each with the rules that have to fail for it: no more and no fewer.
type Expected = BTreeMap<String, BTreeSet<&'static str>>;

#[tokio::test]
async fn a_misconfigured_account_fails_exactly_the_rules_that_it_should() {
    let local = std::env::var("AWS_ENDPOINT_URL").is_ok_and(|u| u.starts_with("http://127.0.0.1"));
    if !local {
        println!("no local cloud at AWS_ENDPOINT_URL: nothing is read");
        return;
    }
    let clients = Clients::load(None, Some("eu-west-1")).await;
    let region = Region::parse("eu-west-1").unwrap();
    let expected = misconfigure(&clients, &region).await;
    let caller = aws_sdk_sts::Client::new(clients.config()).get_caller_identity().send().await.unwrap();
    let account = AccountId::parse(caller.account().unwrap()).unwrap();
    let (settings, regions) = (Settings::default(), [region.clone()]);
    let at = jiff::Timestamp::now();
    let wanted = Wanted { account: &account, regions: &regions, kinds: None, settings: &settings, at };
    let read = account::read(&wanted, COLLECTORS, |_| clients.in_region(&region)).await;
    for document in &read.documents {
        let kind = catalogue::kinds().unwrap().get(&document.kind).unwrap();
        match &document.facts {
            Fact::Known { value, .. } => {
                kind.fields.check(value, "").unwrap_or_else(|why| panic!("{}: {why}", document.asset()));
            }
            Fact::Unknown { reason } => println!("unread {}: {reason}", document.asset()),
        }
    }
    let mut evidence = Evidence::default();
    for (kind, region) in &read.complete {
        evidence.complete(kind, &account, region.as_ref());
    }
    evidence.add(read.documents);
    let judged = judge_all(catalogue::built_in().unwrap().iter(), &evidence);
    let mut failed: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for one in &judged {
        if one.evaluation().outcome == Outcome::Fail {
            failed.entry(one.document.asset()).or_default().insert(&one.rule.name);
        }
    }
    let mut wrong = Vec::new();
    for (asset, rules) in expected {
        let found = failed.remove(&asset).unwrap_or_default();
        let (more, fewer): (Vec<_>, Vec<_>) = (found.difference(&rules).collect(), rules.difference(&found).collect());
        if !more.is_empty() || !fewer.is_empty() {
            wrong.push(format!("{asset}: fails besides {more:?}, and should fail {fewer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn misconfigure(clients: &Clients, region: &Region) -> Expected {
    let client = clients.ec2(region);
    let vpc = client.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let group = client.create_security_group().group_name("open").description("open").vpc_id(&vpc);
    let group = group.send().await.unwrap().group_id.unwrap();
    let rule = |port: i32, cidr: &str| {
        let range = ec2::IpRange::builder().cidr_ip(cidr).build();
        ec2::IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
    };
    let halves = [rule(22, "0.0.0.0/1"), rule(22, "128.0.0.0/1"), rule(10250, "0.0.0.0/0"), rule(443, "10.0.0.0/8")];
    let call = client.authorize_security_group_ingress().group_id(&group);
    call.set_ip_permissions(Some(halves.to_vec())).send().await.unwrap();
    let volume = client.create_volume().availability_zone("eu-west-1a").size(8).encrypted(false);
    let volume = volume.send().await.unwrap().volume_id.unwrap();
    let snapshot = client.create_snapshot().volume_id(&volume).send().await.unwrap().snapshot_id.unwrap();
    let share = client.modify_snapshot_attribute().snapshot_id(&snapshot).group_names("all");
    let share = share.attribute(ec2::SnapshotAttributeName::CreateVolumePermission);
    share.operation_type(ec2::OperationType::Add).send().await.unwrap();
    cluster(clients, region, &vpc).await;
    BTreeMap::from([
        (
            format!("ec2.security_group/{group}"),
            BTreeSet::from([
                "cryptojacking_kubelet_closed",
                "ec2_admin_ports_closed_v4",
                "ec2_only_web_ports_open",
                "ec2_risky_ports_closed",
                "ec2_ssh_closed",
                "ec2_tagged_security_group",
            ]),
        ),
        (format!("ec2.volume/{volume}"), BTreeSet::from(["ec2_tagged_volume", "ec2_volume_used"])),
        (format!("ec2.snapshot/{snapshot}"), BTreeSet::from(["ec2_snapshot_encrypted", "ec2_snapshot_private"])),
        (
            "eks.cluster/shadow".to_owned(),
            BTreeSet::from([
                "eks_access_entries",
                "eks_all_logs_on",
                "eks_audit_logs_kept",
                "eks_audit_logs_on",
                "eks_deletion_protected",
                "eks_endpoint_closed",
                "eks_endpoint_not_public",
                "eks_endpoint_private",
                "eks_endpoint_restricted",
                "eks_secrets_encrypted",
                "eks_secrets_encryption_on",
                "eks_tagged",
                "eks_users_from_iam",
                "eks_workload_identity",
            ]),
        ),
        (format!("ec2.vpc/{vpc}"), BTreeSet::from(["ec2_tagged_vpc", "vpc_flow_logs"])),
    ])
}

/// A cluster as somebody makes one in a hurry: public, without logs, without a key.
async fn cluster(clients: &Clients, region: &Region, vpc: &str) {
    let ec2 = clients.ec2(region);
    let mut network = aws_sdk_eks::types::VpcConfigRequest::builder();
    for (zone, cidr) in [("eu-west-1a", "10.9.1.0/24"), ("eu-west-1b", "10.9.2.0/24")] {
        let call = ec2.create_subnet().vpc_id(vpc).cidr_block(cidr).availability_zone(zone);
        network = network.subnet_ids(call.send().await.unwrap().subnet.unwrap().subnet_id.unwrap());
    }
    let network = network.endpoint_public_access(true).endpoint_private_access(false);
    let role = clients.iam().create_role().role_name("eks").assume_role_policy_document("{}");
    let role = role.send().await.unwrap().role.unwrap().arn;
    let call = clients.eks(region).create_cluster().name("shadow").resources_vpc_config(network.build());
    call.role_arn(role).send().await.unwrap();
}
