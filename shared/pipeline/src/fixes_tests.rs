//! The fixes as a list, and each by what it wants of what is there.

use serde_json::json;

use super::*;

#[test]
fn every_fix_is_listed_in_order_here_and_for_rules() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/fixes")).unwrap();
    let mut files: Vec<_> =
        folder.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    files.retain(|f| f != "mod");
    files.sort();
    let listed: Vec<_> = ALL.iter().map(|a| a.name).collect();
    assert_eq!(listed, files);
    assert_eq!(listed, picket_checks::fixes::ALL.iter().map(|k| k.name).collect::<Vec<_>>());
}

#[test]
fn at_least_twenty_five_can_be_undone() {
    assert!(ALL.iter().filter(|a| !a.one_way()).count() >= 25);
    assert!(ALL.iter().all(|a| !a.permissions.is_empty()));
}

#[test]
fn the_role_of_fix_is_granted_what_they_need() {
    let roles = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/roles.yaml"));
    let start = roles.find("  FixRole:").unwrap();
    let role = roles[start..].split("\n\n").next().unwrap();
    for action in ALL {
        for permission in action.permissions.iter().filter(|p| **p != "sts:GetCallerIdentity") {
            assert!(role.contains(permission), "{} needs {permission}, which FixRole is not granted", action.name);
        }
    }
}

fn seen(name: &str, target: &str, with: Value, now: Value, facts: Value) -> Result<Value, Not> {
    let aim =
        Aim { action: name.to_owned(), target: target.to_owned(), with: with.as_object().cloned().unwrap_or_default() };
    action(name).unwrap().step(&aim, &now, &facts).map(|s| s.after)
}

fn guarded(answer: Result<Value, Not>, word: &str) {
    match answer {
        Err(Not::Guarded(why)) => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?} is not guarded because of {word}"),
    }
}

#[test]
fn a_switch_is_turned_and_what_is_so_already_is_not() {
    for (name, off, on) in [
        ("cloudtrail_validate_logs", json!({"on": false}), json!({"on": true})),
        ("ec2_block_public_images", json!({"state": "unblocked"}), json!({"state": "block-new-sharing"})),
        ("ec2_block_public_snapshots", json!({"state": "unblocked"}), json!({"state": "block-all-sharing"})),
        ("ec2_disable_serial_console", json!({"on": true}), json!({"on": false})),
        ("ec2_encrypt_volumes_by_default", json!({"on": false}), json!({"on": true})),
        ("ec2_make_image_private", json!({"public": true}), json!({"public": false})),
        ("ec2_make_snapshot_private", json!({"public": true}), json!({"public": false})),
        ("ecr_immutable_tags", json!({"mutability": "MUTABLE"}), json!({"mutability": "IMMUTABLE"})),
        ("ecr_scan_on_push", json!({"on": false}), json!({"on": true})),
        ("eks_protect_deletion", json!({"on": false}), json!({"on": true})),
        ("elb_drop_invalid_headers", json!({"on": false}), json!({"on": true})),
        ("guardduty_enable", json!({"detector": "none"}), json!({"detector": "on"})),
        ("iam_deactivate_key", json!({"status": "Active"}), json!({"status": "Inactive"})),
        ("kms_enable_rotation", json!({"on": false}), json!({"on": true})),
        ("kubernetes_cordon_node", json!({"unschedulable": false}), json!({"unschedulable": true})),
        ("rds_disable_public_access", json!({"public": true}), json!({"public": false})),
        ("rds_enable_minor_upgrades", json!({"on": false}), json!({"on": true})),
        ("rds_protect_deletion", json!({"on": false}), json!({"on": true})),
        ("ssm_block_public_documents", json!({"sharing": "Enable"}), json!({"sharing": "Disable"})),
    ] {
        assert_eq!(seen(name, "x", json!({}), off, json!({})), Ok(on.clone()), "{name}");
        assert_eq!(seen(name, "x", json!({}), on, json!({})), Err(Not::Already), "{name}");
    }
}

fn endpoint_of(public: bool, private: bool, cidrs: &[&str]) -> Value {
    json!({"public": public, "private": private, "cidrs": cidrs})
}

#[test]
fn a_public_endpoint_is_closed_only_where_a_private_one_can_be_used() {
    let (open, dns) = (endpoint_of(true, true, &["0.0.0.0/0"]), json!({"dns_support": true, "dns_hostnames": true}));
    let close = |now: Value, facts: &Value| seen("eks_close_public_endpoint", "prod", json!({}), now, facts.clone());
    assert_eq!(close(open.clone(), &dns), Ok(endpoint_of(false, true, &["0.0.0.0/0"])));
    guarded(close(endpoint_of(true, false, &["0.0.0.0/0"]), &dns), "private endpoint is off");
    guarded(close(open.clone(), &json!({"dns_support": true, "dns_hostnames": false})), "dns hostnames");
    guarded(close(open, &json!({})), "could not be read");
    assert_eq!(close(endpoint_of(false, true, &[]), &dns), Err(Not::Already));
}

#[test]
fn a_public_endpoint_is_narrowed_and_no_node_is_locked_out() {
    let with = json!({"cidrs": ["203.0.113.0/24"]});
    let narrow = |now: Value, facts: Value| seen("eks_narrow_public_endpoint", "prod", with.clone(), now, facts);
    let dns = json!({"dns_support": true, "dns_hostnames": true});
    let open = endpoint_of(true, true, &["0.0.0.0/0"]);
    assert_eq!(narrow(open, dns), Ok(endpoint_of(true, true, &["203.0.113.0/24"])));
    let public_only = endpoint_of(true, false, &["0.0.0.0/0"]);
    guarded(narrow(public_only.clone(), json!({"egress": ["198.51.100.7"]})), "198.51.100.7");
    guarded(narrow(public_only.clone(), json!({})), "not known");
    assert!(narrow(public_only, json!({"egress": ["203.0.113.9"]})).is_ok());
    guarded(narrow(endpoint_of(true, true, &["192.0.2.0/24"]), json!({})), "closed to everybody");
}

#[test]
fn the_networks_of_a_closed_endpoint_mean_nothing() {
    let stands = action("eks_close_public_endpoint").unwrap().stands;
    let (before, after) = (endpoint_of(true, true, &["192.0.2.0/24"]), endpoint_of(false, true, &["192.0.2.0/24"]));
    let at = |live: Value| stands(&Ends { before: &before, after: &after, live: &live });
    assert_eq!(at(endpoint_of(false, true, &["0.0.0.0/0"])), Stands::After);
    assert_eq!(at(endpoint_of(true, true, &["192.0.2.0/24"])), Stands::Before);
    assert_eq!(at(endpoint_of(true, true, &["0.0.0.0/0"])), Stands::Other);
}

#[test]
fn log_types_that_are_on_stay_on() {
    let now = json!({"types": ["scheduler"]});
    let set = |with: Value| seen("eks_set_logging", "prod", with, now.clone(), json!({}));
    assert_eq!(set(json!({"types": ["audit"]})), Ok(json!({"types": ["audit", "scheduler"]})));
    assert_eq!(set(json!({"types": "audit,api"})), Ok(json!({"types": ["api", "audit", "scheduler"]})));
    assert!(matches!(set(json!({"types": ["everything"]})), Err(Not::Wrong(_))));
}

#[test]
fn nobody_is_locked_out_by_the_authentication_mode_or_a_revoked_entry() {
    let mode = |from: &str, to: &str, entries: u32| {
        let facts = json!({"entries": entries});
        seen("eks_set_authentication_mode", "prod", json!({"mode": to}), json!({"mode": from}), facts)
    };
    assert_eq!(mode("CONFIG_MAP", "API_AND_CONFIG_MAP", 0), Ok(json!({"mode": "API_AND_CONFIG_MAP"})));
    guarded(mode("CONFIG_MAP", "API", 3), "first");
    guarded(mode("API_AND_CONFIG_MAP", "API", 0), "no access entry");
    assert_eq!(mode("API", "API_AND_CONFIG_MAP", 3), Err(Not::Already));
    let entry = |kind: &str| json!({"entry": {"type": kind, "groups": []}, "policies": []});
    let revoke = |now: Value, entries: u32| {
        seen("eks_revoke_access_entry", "prod/arn:role", json!({}), now, json!({"entries": entries}))
    };
    assert_eq!(revoke(entry("STANDARD"), 2), Ok(json!({"entry": null, "policies": []})));
    guarded(revoke(entry("EC2_LINUX"), 2), "nodes");
    guarded(revoke(entry("STANDARD"), 1), "only access entry");
}

#[test]
fn a_frozen_node_group_keeps_what_runs_and_grows_no_more() {
    let group = |min: i64, max: i64, desired: i64| json!({"min": min, "max": max, "desired": desired});
    let freeze = |now| seen("eks_freeze_node_group", "prod/miners", json!({}), now, json!({}));
    assert_eq!(freeze(group(0, 100, 7)), Ok(group(0, 7, 7)));
    assert_eq!(freeze(group(0, 100, 0)), Ok(group(0, 1, 0)));
    assert_eq!(freeze(group(2, 7, 7)), Err(Not::Already));
}

#[test]
fn tags_that_are_there_keep_their_values() {
    let now = json!({"tags": {"team": "blue"}});
    let with = json!({"tags": {"team": "red", "env": "prod"}});
    assert_eq!(
        seen("eks_tag_cluster", "x", with, now, json!({})),
        Ok(json!({"tags": {"team": "blue", "env": "prod"}}))
    );
    assert!(matches!(
        seen("eks_tag_node_group", "x", json!({"tags": {"aws:x": "1"}}), json!({"tags": {}}), json!({})),
        Err(Not::Wrong(_))
    ));
}

fn world(ports: i32) -> Value {
    json!({"protocol": "tcp", "from": ports, "to": ports, "peer": {"network": "0.0.0.0/0"}, "description": "x", "tags": {}})
}

#[test]
fn only_the_offending_rules_leave_and_unrelated_ones_may_come_meanwhile() {
    let (ssh, web, new) = (world(22), world(443), world(80));
    let before = json!({"ingress": [ssh, web]});
    let after = seen("ec2_revoke_ingress", "sg-1", json!({"ports": ["22"]}), before.clone(), json!({})).unwrap();
    assert_eq!(after, json!({"ingress": [web]}));
    let stands = action("ec2_revoke_ingress").unwrap().stands;
    let at = |rules: &[&Value]| stands(&Ends { before: &before, after: &after, live: &json!({"ingress": rules}) });
    assert_eq!(at(&[&web, &new]), Stands::After);
    assert_eq!(at(&[&ssh, &web, &new]), Stands::Before);
    let quarantine = json!({"quarantine": true});
    guarded(seen("ec2_revoke_egress", "sg-1", json!({}), json!({"egress": [ssh]}), quarantine), "quarantine");
}

#[test]
fn a_default_group_that_is_in_use_is_left() {
    let now = json!({"ingress": [world(22)], "egress": []});
    let empty = |facts: Value| seen("ec2_empty_default_group", "sg-1", json!({}), now.clone(), facts);
    assert_eq!(empty(json!({"default": true, "interfaces": []})), Ok(json!({"ingress": [], "egress": []})));
    guarded(empty(json!({"default": true, "interfaces": ["eni-1"]})), "eni-1");
    assert!(matches!(empty(json!({"default": false})), Err(Not::Wrong(_))));
}

#[test]
fn metadata_is_tightened_only_where_nothing_breaks() {
    let imds = |calls: Value| {
        let facts = json!({"calls_without_token": calls});
        seen("ec2_require_imds_v2", "i-1", json!({}), json!({"tokens": "optional"}), facts)
    };
    assert_eq!(imds(json!(0.0)), Ok(json!({"tokens": "required"})));
    guarded(imds(json!(12.0)), "12 times");
    guarded(imds(json!(null)), "could not be read");
    let hops = |with: Value, facts: Value| seen("ec2_set_hop_limit", "i-1", with, json!({"hop_limit": 2}), facts);
    assert_eq!(hops(json!({}), json!({})), Ok(json!({"hop_limit": 1})));
    guarded(hops(json!({}), json!({"node_of": "prod"})), "pods without roles");
    assert!(hops(json!({"pods_have_roles": true}), json!({"node_of": "prod"})).is_ok());
    assert_eq!(hops(json!({"limit": "2"}), json!({})), Err(Not::Already));
    let facts = json!({"latest": 4, "hop_limit": 2, "tokens": "optional"});
    let template =
        |facts: &Value| seen("ec2_launch_template_imds_v2", "lt-1", json!({}), json!({"default": 2}), facts.clone());
    assert_eq!(template(&facts), Ok(json!({"default": 5, "hop_limit": 2})));
    guarded(template(&json!({"latest": 4, "hop_limit": 2, "managed_by": "Karpenter"})), "Karpenter");
    assert_eq!(template(&json!({"tokens": "required"})), Err(Not::Already));
}

#[test]
fn a_subnet_where_nodes_need_public_addresses_is_left() {
    let subnet = |groups: &[&str]| {
        seen("ec2_subnet_no_public_address", "subnet-1", json!({}), json!({"on": true}), json!({"node_groups": groups}))
    };
    assert_eq!(subnet(&[]), Ok(json!({"on": false})));
    guarded(subnet(&["workers"]), "workers");
}

#[test]
fn people_and_roles_that_others_need_are_not_stopped() {
    let deny = |facts: Value| seen("iam_deny_principal", "role/x", json!({}), json!({"denied": false}), facts);
    assert_eq!(deny(json!({"path": "/", "profiles": []})), Ok(json!({"denied": true})));
    guarded(deny(json!({"path": "/aws-service-role/eks.amazonaws.com/"})), "AWS manages");
    guarded(deny(json!({"path": "/picket/picket/"})), "Picket");
    guarded(deny(json!({"path": "/", "profiles": ["nodes"]})), "nodes");
    let sessions = |now: Value| {
        let facts = json!({"path": "/", "profiles": [], "time": "2026-11-02T03:04:05Z"});
        seen("iam_deny_sessions", "role/x", json!({}), now, facts)
    };
    assert_eq!(sessions(json!({"issued_before": null})), Ok(json!({"issued_before": "2026-11-02T03:04:05Z"})));
    assert_eq!(sessions(json!({"issued_before": "2026-11-02T03:04:05Z"})), Err(Not::Already));
}

#[test]
fn what_is_stricter_already_stays() {
    let password = |now: Value| seen("iam_set_password_policy", "123456789012", json!({}), now, json!({}));
    let made = password(json!({"policy": null})).unwrap();
    assert_eq!((&made["policy"]["minimum_length"], &made["policy"]["reuse_prevention"]), (&json!(14), &json!(24)));
    let strict = json!({"policy": {"minimum_length": 20, "reuse_prevention": 24, "max_age": 90}});
    assert_eq!(password(strict), Err(Not::Already));
    let days = |now: Value| seen("logs_set_retention", "/x", json!({}), json!({"days": now}), json!({}));
    assert_eq!(days(json!(30)), Ok(json!({"days": 365})));
    assert_eq!(days(json!(731)), Err(Not::Already));
    assert_eq!(days(json!(null)), Err(Not::Already), "logs that never expire would be deleted");
}

#[test]
fn a_bucket_policy_gets_one_statement_more() {
    let tls = |now: Value| seen("s3_require_tls", "b", json!({}), json!({"policy": now}), json!({"partition": "aws"}));
    let made = tls(json!(null)).unwrap();
    let policy: Value = serde_json::from_str(made["policy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Statement"][0]["Condition"]["Bool"]["aws:SecureTransport"], "false");
    assert_eq!(tls(made["policy"].clone()), Err(Not::Already));
    let one = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}"#;
    let both: Value = serde_json::from_str(tls(json!(one)).unwrap()["policy"].as_str().unwrap()).unwrap();
    assert_eq!(both["Statement"].as_array().map(Vec::len), Some(2));
    guarded(
        seen("s3_block_bucket_public_access", "b", json!({}), json!({"block": null}), json!({"website": true})),
        "website",
    );
}

#[test]
fn a_cluster_s_objects_are_changed_only_where_they_are_anonymous_unused_or_warned_of() {
    let binding = |subjects: Value| json!({"binding": {"metadata": {"name": "b"}, "subjects": subjects}});
    let (nobody, dev) = (json!({"kind": "User", "name": "system:anonymous"}), json!({"kind": "User", "name": "dev"}));
    let revoke = |target: &str, now: Value| seen("kubernetes_revoke_anonymous", target, json!({}), now, json!({}));
    let target = "prod/ClusterRoleBinding/b";
    assert_eq!(revoke(target, binding(json!([nobody]))), Ok(json!({"binding": null})));
    assert_eq!(revoke(target, binding(json!([nobody, dev]))), Ok(binding(json!([dev]))));
    assert_eq!(revoke(target, binding(json!([dev]))), Err(Not::Already));
    guarded(revoke("prod/ClusterRoleBinding/system:public-info-viewer", binding(json!([nobody]))), "health");
    let token = |facts: Value| {
        seen("kubernetes_unmount_default_token", "prod/web", json!({}), json!({"automount": null}), facts)
    };
    assert_eq!(token(json!({"pods": []})), Ok(json!({"automount": false})));
    guarded(token(json!({"pods": ["web-1"]})), "web-1");
    let label = |with: Value, now: Value| seen("kubernetes_label_pod_security", "prod/web", with, now, json!({}));
    assert_eq!(label(json!({}), json!({})), Ok(json!({"warn": "baseline"})));
    guarded(label(json!({"mode": "enforce"}), json!({})), "warned");
    assert!(label(json!({"mode": "enforce"}), json!({"warn": "baseline"})).is_ok());
    guarded(label(json!({"level": "restricted"}), json!({"warn": "baseline"})), "owner");
}

#[test]
fn a_workload_is_cut_off_beside_policies_that_are_there_or_not_at_all() {
    let deny = |facts: Value| {
        seen("kubernetes_deny_network", "prod/web/Deployment/shop", json!({}), json!({"policy": null}), facts)
    };
    let facts = json!({"name": "picket-deny-shop", "selectable": true, "allowing": []});
    assert_eq!(deny(facts), Ok(json!({"policy": "picket-deny-shop"})));
    guarded(deny(json!({"name": "x", "selectable": true, "allowing": ["allow-all"]})), "allow-all");
    guarded(deny(json!({"name": "x", "selectable": false, "allowing": []})), "label");
    let drain = |facts: Value| {
        seen("kubernetes_drain_node", "prod/n", json!({}), json!({"unschedulable": false, "pods": ["a"]}), facts)
    };
    assert_eq!(drain(json!({"orphans": []})), Ok(json!({"unschedulable": true, "pods": []})));
    guarded(drain(json!({"orphans": ["web/one"]})), "web/one");
}

#[test]
fn a_node_is_tightened_within_bounds() {
    let mode = |path: &str, mode: &str, now: &str| {
        let with = json!({"path": path, "mode": mode});
        seen("node_set_file_mode", "i-1", with, json!({"mode": now, "owner": "root:root"}), json!({}))
    };
    assert_eq!(mode("/etc/kubernetes/admin.conf", "600", "644").unwrap()["mode"], "600");
    assert_eq!(mode("/etc/kubernetes/admin.conf", "640", "604").unwrap()["mode"], "600");
    assert_eq!(mode("/etc/kubernetes/admin.conf", "644", "600"), Err(Not::Already));
    guarded(mode("/etc/shadow", "600", "644"), "only files below");
    guarded(mode("/etc/kubernetes/../shadow", "600", "644"), "only files below");
    let kubelet = |field: &str, value: &str, healthy: bool| {
        let with = json!({"field": field, "value": value});
        seen("node_set_kubelet", "i-1", with, json!({"value": null}), json!({"healthy": healthy}))
    };
    assert_eq!(kubelet("authentication.anonymous.enabled", "false", true), Ok(json!({"value": false})));
    assert!(matches!(kubelet("authentication.anonymous.enabled", "true", true), Err(Not::Wrong(_))));
    assert!(matches!(kubelet("evictionHard", "0", true), Err(Not::Wrong(_))));
    guarded(kubelet("readOnlyPort", "0", false), "healthy");
}

#[test]
fn one_that_others_made_is_enough() {
    let log = |facts: Value| {
        seen("ec2_enable_flow_logs", "vpc-1", json!({"bucket": "arn:aws:s3:::b"}), json!({"bucket": null}), facts)
    };
    assert_eq!(log(json!({"other": true})), Err(Not::Already));
    assert_eq!(log(json!({"other": false})), Ok(json!({"bucket": "arn:aws:s3:::b"})));
    let analyzer = |other: bool| {
        seen("accessanalyzer_enable", "us-east-1", json!({}), json!({"analyzer": null}), json!({"other": other}))
    };
    assert_eq!(analyzer(true), Err(Not::Already));
    assert_eq!(analyzer(false), Ok(json!({"analyzer": "picket"})));
}
