//! How long it takes, and how much memory, to judge very many instances as they stream by:
//! `cargo run --release -p picket-soak --example judge_many -- 10000`.
#![allow(clippy::unwrap_used, reason = "a measuring tool: what is broken ends it")]

use std::time::Instant;

use picket_checks::survey::Surveyor;
use picket_model::landscape::{Group, GroupRule, Machine, Sight};
use picket_model::{AccountId, GroupId, InstanceId, Region, Scope, Untrusted, VpcId};

const NODES_OF_A_CLUSTER: usize = 20;

fn main() {
    let wanted: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let scope =
        Scope { account: AccountId::parse("123456789012").unwrap(), region: Region::parse("eu-west-1").unwrap() };
    let before = memory();
    let begun = Instant::now();
    let mut surveyor = Surveyor::new(scope);
    let mut bytes = 0;
    for n in 0..wanted {
        let machine = machine(n);
        bytes += machine.user_data.as_ref().map_or(0, String::len);
        surveyor.see(Sight::Machine(Box::new(machine)));
    }
    for group in 0..wanted.div_ceil(NODES_OF_A_CLUSTER) {
        surveyor.see(Sight::Group(cluster_group(group)));
    }
    let seen = begun.elapsed();
    let survey = surveyor.finish();
    let judged = begun.elapsed();
    let nodes: usize = survey.clusters.iter().map(|c| c.nodes.len()).sum();
    println!("instances {}, with {} MB of user data", survey.instances, bytes / 1_000_000);
    println!("clusters {}, nodes {nodes}, suspects {}", survey.clusters.len(), survey.suspects.len());
    println!(
        "seen in {} ms, judged in {} ms, {} us an instance",
        seen.as_millis(),
        judged.as_millis(),
        judged.as_micros() as usize / wanted
    );
    println!("memory {before} MB before, {} MB at its highest", memory());
}

/// The highest resident memory so far, in MB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<usize>().ok()).map_or(0, |kb| kb / 1024)
}

/// Six of ten are nodes of EKS, two of kops, one of k3s without a tag, one is a web server.
fn machine(n: usize) -> Machine {
    let mut machine = Machine::new(InstanceId::parse(format!("i-{n:017x}")).unwrap());
    let cluster = n / NODES_OF_A_CLUSTER;
    machine.vpc = Some(VpcId::parse(format!("vpc-{:08x}", cluster % 50)).unwrap());
    machine.groups = vec![GroupId::parse(format!("sg-{cluster:08x}")).unwrap()];
    machine.addresses = vec![Untrusted::new(&format!("10.{}.{}.{}", cluster % 50, n / 250 % 250, n % 250))];
    let padding = "# what the owner adds\nexport SOMETHING=with-a-value-of-some-length\n".repeat(120);
    let mut tag = |key: &str, value: &str| drop(machine.tags.insert(Untrusted::new(key), Untrusted::new(value)));
    tag("Name", "node");
    tag("team", "payments");
    machine.user_data = Some(match cluster % 10 {
        0..=5 => {
            tag("eks:cluster-name", &format!("eks-{cluster}"));
            tag(&format!("kubernetes.io/cluster/eks-{cluster}"), "owned");
            format!("#!/bin/bash\n{padding}/etc/eks/bootstrap.sh eks-{cluster} --b64-cluster-ca LS0t\n")
        }
        6 | 7 => {
            tag("KubernetesCluster", &format!("k{cluster}.example.com"));
            tag("k8s.io/role/node", "1");
            format!(
                "#!/bin/bash\n{padding}NODEUP_URL_AMD64=x\nClusterName: k{cluster}.example.com\nInstanceGroupRole: Node\n"
            )
        }
        8 => format!(
            "#!/bin/bash\n{padding}curl -sfL https://get.k3s.io | K3S_URL=https://k{cluster}.example.com:6443 sh -\n"
        ),
        _ => format!("#!/bin/bash\n{padding}apt-get install -y nginx\n"),
    });
    machine
}

fn cluster_group(n: usize) -> Group {
    let rule = GroupRule {
        protocol: "tcp".to_owned(),
        first: Some(443),
        last: Some(443),
        cidrs: vec!["10.0.0.0/8".to_owned()],
        ..GroupRule::default()
    };
    Group {
        id: GroupId::parse(format!("sg-{n:08x}")).unwrap(),
        name: Untrusted::new("nodes"),
        description: Untrusted::new("nodes"),
        vpc: None,
        tags: picket_model::landscape::Tags::new(),
        rules: vec![rule],
    }
}
