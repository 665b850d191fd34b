//! Made landscapes: what is said of them. The files are in `testdata/landscapes`.

use super::*;
use picket_model::landscape::ControlPlane;

fn of(yaml: &str) -> Survey {
    let landscape: Landscape =
        serde_saphyr::from_str(&format!("scope: {{account: '123456789012', region: eu-west-1}}\n{yaml}")).unwrap();
    survey(landscape)
}

#[test]
fn nothing_is_nothing() {
    let survey = of("instances: [{id: i-00000001}]");
    assert_eq!((survey.instances, survey.clusters.len(), survey.suspects.len()), (1, 0, 0));
}

#[test]
fn what_was_not_seen_of_a_cluster_is_told_and_not_taken_for_safe() {
    let survey = of(r"
instances: [{id: i-00000001, groups: [sg-00000001], tags: {'eks:cluster-name': prod}}]
unseen: [{what: the user data of i-00000001, instance: i-00000001, reason: denied}]
");
    assert_eq!(survey.clusters[0].exposure, []);
    let unknown = survey.clusters[0].unknown.join("; ");
    assert!(unknown.contains("sg-00000001") && unknown.contains("denied"), "{unknown}");
}

#[test]
fn k3s_nodes_without_any_tag_are_one_cluster_by_what_they_join() {
    let survey = of(r"
instances:
- {id: i-00000001, vpc: vpc-00000001, addresses: [10.0.0.5], user_data: 'curl -sfL https://get.k3s.io | sh -'}
- {id: i-00000002, vpc: vpc-00000001, addresses: [10.0.0.6], user_data: 'curl https://get.k3s.io | K3S_URL=https://10.0.0.5:6443 K3S_TOKEN=abcdefgh12345 sh -'}
- {id: i-00000003, vpc: vpc-00000001, addresses: [10.0.0.7], user_data: 'curl https://get.k3s.io | K3S_URL=https://10.0.0.5:6443 K3S_TOKEN=abcdefgh12345 sh -'}
- {id: i-00000004, vpc: vpc-00000001, addresses: [10.0.0.8], user_data: 'curl -sfL https://get.k3s.io | sh -'}
- {id: i-00000005, vpc: vpc-00000001, user_data: 'apt install nginx'}
");
    assert_eq!(survey.clusters.iter().map(|c| c.nodes.len()).collect::<Vec<_>>(), [3, 1], "{survey:#?}");
    let big = &survey.clusters[0];
    assert_eq!((big.distribution.as_str(), big.control_plane), ("k3s", ControlPlane::Nodes));
    assert_eq!(big.nodes[0].id.as_str(), "i-00000001");
}

#[test]
fn what_is_not_sure_is_named_before_the_end_and_judged_anew_with_what_it_answers() {
    let landscape: Landscape = serde_saphyr::from_str(
        r"
scope: {account: '123456789012', region: eu-west-1}
instances:
- {id: i-00000001, vpc: vpc-00000001, addresses: [10.0.0.5], groups: [sg-00000001]}
- {id: i-00000002, vpc: vpc-00000001, addresses: [10.0.0.6], user_data: 'kubeadm init'}
- {id: i-00000003, vpc: vpc-00000001, addresses: [10.0.0.7], user_data: 'apt install nginx'}
- {id: i-00000004, vpc: vpc-00000001, addresses: [10.0.0.8], tags: {'kubernetes.io/role/node': '1'}}
groups: [{id: sg-00000001, name: x, rules: [{protocol: tcp, first: 6443, last: 6443, cidrs: [10.0.0.0/8]}]}]
",
    )
    .unwrap();
    let mut surveyor = Surveyor::new(landscape.scope.clone());
    landscape.clone().sights().for_each(|sight| surveyor.see(sight));
    let unsure: Vec<_> = surveyor.unsure().into_iter().map(|u| u.instance.to_string()).collect();
    assert_eq!(unsure, ["i-00000001", "i-00000004"], "a suspect, and a node of an unknown kind");
    let answer = r#"{"what": "probe", "address": "10.0.0.5", "instance": "i-00000001", "port": 6443, "path": "/version",
        "status": 200, "body": "{ \"gitVersion\": \"v1.31.2+rke2r1\" }"}"#;
    surveyor.see(serde_json::from_str(answer).unwrap());
    let asked = surveyor.finish();
    let told = asked.clusters.iter().find(|c| c.distribution == "rke2").unwrap();
    assert_eq!((told.nodes[0].id.as_str(), told.version.as_ref().unwrap().as_str()), ("i-00000001", "1.31.2+rke2r1"));
    let suspects: Vec<_> = survey(landscape).suspects.into_iter().map(|s| s.id.to_string()).collect();
    assert_eq!(suspects, ["i-00000001"], "without being asked it stays in doubt");
}

/// The made landscapes of `testdata/landscapes`.
#[cfg(test)]
mod made {
    use std::collections::BTreeSet;

    use picket_model::landscape::{Found, NodeRole, ReachFrom};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        name: String,
        #[serde(default)]
        expect: Expected,
        landscape: serde_json::Value,
    }

    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Expected {
        clusters: Vec<Cluster>,
        suspects: usize,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Cluster {
        distribution: String,
        name: Option<String>,
        version: Option<String>,
        control_plane: Option<ControlPlane>,
        control: usize,
        worker: usize,
        etcd: usize,
        unknown: usize,
        bastions: usize,
        also: Vec<String>,
        world: BTreeSet<String>,
        owner: Option<String>,
        /// Marks that must be among the evidence.
        marks: Vec<String>,
        /// Doors that answer anybody, or `none`.
        anonymous: Vec<String>,
    }

    fn anonymous(found: &Found) -> Vec<String> {
        let door = |a: &picket_model::landscape::Anonymous| {
            format!("{} {}", serde_json::to_value(a.door).unwrap().as_str().unwrap(), a.port)
        };
        let all: Vec<String> = found.anonymous.iter().map(door).collect();
        if all.is_empty() { vec!["none".to_owned()] } else { all }
    }

    fn of(found: &Found, wanted: Option<&Cluster>) -> Cluster {
        let count = |role| found.nodes.iter().filter(|n| n.role == role).count();
        let world = found.exposure.iter().filter(|r| matches!(r.from, ReachFrom::World(_)));
        let door =
            |r: &picket_model::landscape::Reach| serde_json::to_value(r.door).unwrap().as_str().unwrap().to_owned();
        let text = |t: &Option<picket_model::Untrusted>| t.as_ref().map(ToString::to_string);
        let told = |mark: &str| found.evidence.iter().any(|clue| clue.mark == mark);
        Cluster {
            distribution: found.distribution.clone(),
            name: text(&found.name),
            // What a case does not tell, it does not ask.
            version: text(&found.version).filter(|_| wanted.is_some_and(|w| w.version.is_some())),
            control_plane: Some(found.control_plane).filter(|_| wanted.is_some_and(|w| w.control_plane.is_some())),
            control: count(NodeRole::ControlPlane),
            worker: count(NodeRole::Worker),
            etcd: count(NodeRole::Etcd),
            unknown: count(NodeRole::Unknown),
            bastions: found.bastions.len(),
            also: if wanted.is_some_and(|w| w.also.is_empty()) { Vec::new() } else { found.also.clone() },
            world: if wanted.is_some_and(|w| w.world.is_empty()) { BTreeSet::new() } else { world.map(door).collect() },
            owner: text(&found.owner),
            marks: wanted.into_iter().flat_map(|w| &w.marks).filter(|m| told(m)).cloned().collect(),
            anonymous: if wanted.is_some_and(|w| w.anonymous.is_empty()) { Vec::new() } else { anonymous(found) },
        }
    }

    fn wrong(case: Case) -> Option<String> {
        let mut landscape = case.landscape;
        landscape["scope"] = serde_json::json!({"account": "123456789012", "region": "eu-west-1"});
        let survey = survey(serde_json::from_value(landscape).unwrap());
        let found: Vec<Cluster> =
            survey.clusters.iter().enumerate().map(|(n, c)| of(c, case.expect.clusters.get(n))).collect();
        let right = found == case.expect.clusters && survey.suspects.len() == case.expect.suspects;
        let suspects: Vec<_> = survey.suspects.iter().map(|s| (s.id.as_str(), s.confidence, &s.evidence)).collect();
        let marks: Vec<Vec<_>> =
            survey.clusters.iter().map(|c| c.evidence.iter().map(|e| e.mark.as_str()).collect()).collect();
        (!right).then(|| {
            format!(
                "{}\n  found {found:?}\n  wanted {:?}\n  suspects {suspects:?}\n  marks {marks:?}",
                case.name, case.expect.clusters
            )
        })
    }

    fn check(text: &str, at_least: usize) {
        let cases: Vec<Case> = serde_saphyr::from_str(text).unwrap();
        assert!(cases.len() >= at_least);
        let wrong: Vec<String> = cases.into_iter().filter_map(wrong).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// A generator of numbers that is the same each time.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % most.max(1)
        }
    }

    fn all() -> Vec<(String, Landscape)> {
        let files = [
            include_str!("../../testdata/landscapes/around.yaml"),
            include_str!("../../testdata/landscapes/eks.yaml"),
            include_str!("../../testdata/landscapes/kops.yaml"),
            include_str!("../../testdata/landscapes/self-managed.yaml"),
            include_str!("../../testdata/landscapes/tools.yaml"),
            include_str!("../../testdata/landscapes/decoys.yaml"),
        ];
        let cases = files.iter().flat_map(|f| serde_saphyr::from_str::<Vec<Case>>(f).unwrap());
        let with_scope = |case: Case| {
            let mut landscape = case.landscape;
            landscape["scope"] = serde_json::json!({"account": "123456789012", "region": "eu-west-1"});
            (case.name, serde_json::from_value(landscape).unwrap())
        };
        cases.map(with_scope).collect()
    }

    #[test]
    fn the_order_in_which_things_are_seen_makes_no_difference() {
        let mut dice = Dice(7);
        for (name, landscape) in all() {
            let expected = survey(landscape.clone());
            for _ in 0..3 {
                let mut surveyor = Surveyor::new(landscape.scope.clone());
                let mut sights: Vec<Sight> = landscape.clone().sights().collect();
                while !sights.is_empty() {
                    let next = dice.below(sights.len());
                    surveyor.see(sights.swap_remove(next));
                }
                assert_eq!(surveyor.finish(), expected, "{name}");
            }
        }
    }

    #[test]
    fn what_is_seen_twice_counts_once() {
        for (name, landscape) in all() {
            let mut surveyor = Surveyor::new(landscape.scope.clone());
            landscape.clone().sights().chain(landscape.clone().sights()).for_each(|s| surveyor.see(s));
            let (twice, once) = (surveyor.finish(), survey(landscape));
            let brief =
                |s: &Survey| s.clusters.iter().map(|c| (c.id.clone(), c.confidence, c.nodes.len())).collect::<Vec<_>>();
            assert_eq!((twice.instances, brief(&twice)), (once.instances, brief(&once)), "{name}");
        }
    }

    #[test]
    fn strangers_beside_a_cluster_change_nothing_about_it() {
        for (name, landscape) in all() {
            let mut crowded = landscape.clone();
            let stranger = |n: usize| {
                let id = format!("i-{n:08x}");
                let text = format!(
                    "{{\"id\": \"{id}\", \"vpc\": \"vpc-00000001\", \"tags\": {{\"Name\": \"web\"}}, \"user_data\": \"apt install nginx\"}}"
                );
                serde_json::from_str(&text).unwrap()
            };
            crowded.instances.extend((0x1000..0x1014).map(stranger));
            assert_eq!(survey(crowded).clusters, survey(landscape).clusters, "{name}");
        }
    }

    #[test]
    fn hostile_text_in_every_place_is_survived_and_stays_short() {
        let mut dice = Dice(11);
        let pool: Vec<char> = "kubeadm join\n\"'{}[]$()%:/\\#<>|&;\u{202e}\u{0}\u{1f600}=-_.0aZ".chars().collect();
        for _ in 0..60 {
            let mut text =
                |most: usize| (0..dice.below(most)).map(|_| pool[dice.below(pool.len())]).collect::<String>();
            let (name, data) = (text(400), text(4000));
            let tags =
                serde_json::json!({"Name": name, format!("kubernetes.io/cluster/{name}"): name, name.clone(): data});
            let landscape = serde_json::json!({
                "scope": {"account": "123456789012", "region": "eu-west-1"},
                "instances": [{"id": "i-00000001", "tags": tags, "key": name, "applications": [data], "user_data": data}],
                "groups": [{"id": "sg-00000001", "name": name, "description": data, "rules": [{"protocol": name, "cidrs": [data], "says": [name]}]}],
                "names": [{"kind": "dns", "name": name, "values": [name, data]}],
                "balancers": [{"name": name, "dns": data, "listeners": [{"port": 6443, "targets": [name, "i-00000001"]}]}],
                "agents": [{"user_agent": data, "caller": name}],
            });
            let survey = survey(serde_json::from_value(landscape).unwrap());
            let longest =
                survey.clusters.iter().flat_map(|c| &c.evidence).map(|e| e.found.as_str().chars().count()).max();
            assert!(longest.unwrap_or(0) <= picket_model::text::LONGEST + 1);
        }
    }

    #[test]
    fn what_stands_around_nodes_speaks_for_them_and_is_no_cluster_alone() {
        check(include_str!("../../testdata/landscapes/around.yaml"), 17);
    }

    #[test]
    fn eks_is_found_in_all_its_forms() {
        check(include_str!("../../testdata/landscapes/eks.yaml"), 10);
    }

    #[test]
    fn kops_is_found_with_and_without_its_tags() {
        check(include_str!("../../testdata/landscapes/kops.yaml"), 4);
    }

    #[test]
    fn what_people_install_themselves_is_found_and_joined() {
        check(include_str!("../../testdata/landscapes/self-managed.yaml"), 22);
    }

    #[test]
    fn larger_tools_are_found_and_named() {
        check(include_str!("../../testdata/landscapes/tools.yaml"), 15);
    }

    #[test]
    fn decoys_are_called_nothing() {
        check(include_str!("../../testdata/landscapes/decoys.yaml"), 15);
    }
}
