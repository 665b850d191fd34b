//! The scan at scale: a made organization behind the ports, with as many instances and clusters in as many Regions as
//! asked for. Calls are counted as AWS would see them, page by page, and memory is read from the kernel.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::landscape::{Group, GroupRule, Known, Machine, ScalingTier, Sight};
use picket_model::{
    AccountId, GroupId, Instance, InstanceId, InstanceState, Interface, InterfaceId, InterfaceKind, Region, Scope,
    Untrusted, VpcId,
};
use picket_pipeline::ports::{Answer, Kind, PortError};
use picket_pipeline::scan::{self, Lookout, Origin, Page, Part, See, Spotted};

/// How many instances are on a page of EC2.
const PER_PAGE: usize = 1_000;
/// Every so many clusters one is of EKS; the others are kops.
const KINDS: usize = 2;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Instances, all Regions together.
    pub instances: usize,
    /// Clusters, all Regions together.
    pub clusters: usize,
    /// Regions.
    pub regions: usize,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Came {
    /// Instances that were seen.
    pub instances: usize,
    /// Clusters that were found.
    pub clusters: usize,
    /// Nodes that were not found, or under another distribution than they were made as.
    pub wrong: usize,
    /// Calls of AWS.
    pub calls: usize,
    /// The most that one Region took.
    pub most_calls: usize,
    /// Seconds, of processor and all.
    pub seconds: f64,
    /// Kilobytes that the process had at most before.
    pub before_kb: u64,
    /// Kilobytes that it had at most in all.
    pub peak_kb: u64,
}

/// Scans all of it, one Region after the other, and keeps of each what a table shows.
pub fn run(size: Size) -> Came {
    let began = std::time::Instant::now();
    let mut came = Came { before_kb: peak_kb(), ..Came::default() };
    for number in 0..size.regions {
        let Some(world) = Made::new(size, number) else { continue };
        let scope = world.scope.clone();
        let found = futures::executor::block_on(scan::run(&world, &scope, Timestamp::UNIX_EPOCH, &|_| {}));
        came.instances += found.instances.len();
        came.clusters += found.survey.clusters.len();
        came.calls += found.calls;
        came.most_calls = came.most_calls.max(found.calls);
        let kinds: BTreeMap<String, String> = found
            .survey
            .clusters
            .iter()
            .flat_map(|c| c.nodes.iter().map(|n| (n.id.to_string(), c.distribution.clone())))
            .collect();
        let right = |(id, kind): &(InstanceId, &str)| kinds.get(id.as_str()).is_some_and(|found| found == kind);
        came.wrong += world.made().filter(|made| !right(made)).count();
    }
    came.seconds = began.elapsed().as_secs_f64();
    came.peak_kb = peak_kb();
    came
}

/// The most memory that this process ever had.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// One Region, made as it is asked for: nothing of it is held.
struct Made {
    scope: Scope,
    number: usize,
    instances: usize,
    clusters: usize,
    calls: AtomicUsize,
}

impl Made {
    fn new(size: Size, number: usize) -> Option<Self> {
        let share = |all: usize| all / size.regions + usize::from(number < all % size.regions);
        let region = Region::parse(format!("zz-made-{}", number + 1)).ok()?;
        let scope = Scope { account: AccountId::parse("123456789012").ok()?, region };
        let (instances, clusters) = (share(size.instances), share(size.clusters));
        Some(Self { scope, number, instances, clusters, calls: AtomicUsize::new(0) })
    }

    /// How many nodes a cluster has: half of all instances are nodes.
    fn nodes(&self) -> usize {
        (self.instances / 2).checked_div(self.clusters).unwrap_or(0)
    }

    /// The cluster of an instance.
    fn cluster(&self, index: usize) -> Option<usize> {
        index.checked_div(self.nodes()).filter(|cluster| *cluster < self.clusters)
    }

    fn id(&self, index: usize) -> Option<InstanceId> {
        InstanceId::parse(format!("i-{:02x}{index:015x}", self.number)).ok()
    }

    fn group(&self, cluster: usize) -> Option<GroupId> {
        GroupId::parse(format!("sg-{:02x}{cluster:015x}", self.number)).ok()
    }

    fn kind(cluster: usize) -> &'static str {
        ["eks", "kops"][cluster % KINDS]
    }

    /// Every node with the distribution that it was made as.
    fn made(&self) -> impl Iterator<Item = (InstanceId, &'static str)> + '_ {
        (0..self.instances).filter_map(|n| Some((self.id(n)?, Self::kind(self.cluster(n)?))))
    }

    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn spotted(&self, index: usize) -> Option<Spotted> {
        let cluster = self.cluster(index);
        let pairs: Vec<(String, String)> = match cluster.map(|c| (c, Self::kind(c))) {
            Some((c, "eks")) => vec![
                ("eks:cluster-name".to_owned(), format!("eks-{c}")),
                (format!("kubernetes.io/cluster/eks-{c}"), "owned".to_owned()),
            ],
            Some((c, "kops")) => vec![
                ("KubernetesCluster".to_owned(), format!("k{c}.example.com")),
                (
                    format!(
                        "k8s.io/role/{}",
                        if index.is_multiple_of(self.nodes()) { "control-plane" } else { "node" }
                    ),
                    "1".to_owned(),
                ),
            ],
            _ => vec![("Name".to_owned(), format!("web-{index}"))],
        };
        let id = self.id(index)?;
        let vpc = VpcId::parse(format!("vpc-{:08x}", self.number)).ok()?;
        let interface = Interface {
            id: InterfaceId::parse(format!("eni-{:02x}{index:015x}", self.number)).ok()?,
            instance: Some(id.clone()),
            vpc: vpc.clone(),
            groups: cluster.and_then(|c| self.group(c)).into_iter().collect(),
            kind: InterfaceKind::Own,
            public_ip: None,
        };
        let instance = Instance {
            id,
            scope: self.scope.clone(),
            reservation: Untrusted::new(&cluster.map_or_else(|| format!("r-{index}"), |c| format!("r-cluster-{c}"))),
            instance_type: "m6i.large".into(),
            image: "ami-0123456789abcdef0".into(),
            state: InstanceState::Running,
            launched_at: Timestamp::UNIX_EPOCH,
            vpc: Some(vpc),
            interfaces: vec![interface],
            name: Untrusted::default(),
            tags: pairs.iter().map(|(k, v)| (Untrusted::new(k), Untrusted::new(v))).collect(),
            metadata_v1: Some(false),
            profile: None,
        };
        Some(Spotted { machine: Machine::from(&instance), instance })
    }

    fn network(&self, see: See<'_>) {
        for cluster in 0..self.clusters {
            let rule = |port, protocol: &str| GroupRule {
                protocol: protocol.to_owned(),
                first: Some(port),
                last: Some(port),
                groups: self.group(cluster).into_iter().collect(),
                ..GroupRule::default()
            };
            let Some(id) = self.group(cluster) else { continue };
            see(Sight::Group(Group {
                id,
                name: Untrusted::new(&format!("group-{cluster}")),
                description: "made".into(),
                vpc: VpcId::parse(format!("vpc-{:08x}", self.number)).ok(),
                tags: BTreeMap::new(),
                rules: vec![rule(6443, "tcp"), rule(8472, "udp")],
            }));
        }
    }
}

#[async_trait]
impl Lookout for Made {
    async fn machines(&self, _: &Scope, after: Option<&str>) -> Answer<Page> {
        self.call();
        let start = after.and_then(|token| token.parse().ok()).unwrap_or(0);
        let end = (start + PER_PAGE).min(self.instances);
        let page = (start..end).filter_map(|n| self.spotted(n)).collect();
        Ok((page, (end < self.instances).then(|| end.to_string())))
    }

    async fn user_data(&self, _: &Scope, _: &InstanceId) -> Answer<Option<String>> {
        self.call();
        Ok(None)
    }

    async fn sights(&self, _: &Scope, part: Part, see: See<'_>) -> Answer<()> {
        self.call();
        match part {
            Part::Groups => self.network(see),
            Part::Clusters => {
                for cluster in (0..self.clusters).filter(|c| Self::kind(*c) == "eks") {
                    // Describe, node groups, Fargate profiles.
                    (0..3).for_each(|_| self.call());
                    see(Sight::Known(Known { name: Untrusted::new(&format!("eks-{cluster}")), ..Known::default() }));
                }
            }
            Part::ScalingTiers => {
                for cluster in (0..self.clusters).filter(|c| Self::kind(*c) == "kops") {
                    let name = Untrusted::new(&format!("nodes.k{cluster}.example.com"));
                    see(Sight::ScalingTier(ScalingTier { name, ..ScalingTier::default() }));
                }
            }
            Part::Agents => {
                return Err(PortError::new("calling", "cloudtrail:LookupEvents", Kind::Denied, "AccessDenied"));
            }
            _ => {}
        }
        Ok(())
    }

    async fn images(&self, _: &Scope, _: &[Untrusted], _: See<'_>) -> Answer<()> {
        self.call();
        Ok(())
    }

    async fn roles(&self, _: &Scope, _: &[Untrusted], _: See<'_>) -> Answer<()> {
        Ok(())
    }

    async fn prefix_lists(&self, _: &Scope, _: &[Untrusted], _: See<'_>) -> Answer<()> {
        Ok(())
    }

    async fn programs(&self, _: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        self.call();
        Ok(Vec::new())
    }

    async fn launchers(&self, _: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        self.call();
        Ok(Vec::new())
    }

    async fn maker(&self, _: &Scope, _: &Origin) -> Answer<Option<Untrusted>> {
        self.call();
        Ok(None)
    }

    fn calls(&self, _: &Scope) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}
