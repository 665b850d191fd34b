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
