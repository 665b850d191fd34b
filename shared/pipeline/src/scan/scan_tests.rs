//! A scan of a small made Region: what is read once, what is missing, and what that costs the rest.

use async_trait::async_trait;
use futures::FutureExt as _;
use picket_model::landscape::Machine;
use picket_model::{Instance, InstanceState};

use super::*;
use crate::ports::PortError;
use crate::respond::tests as respond;

/// Three instances of one launch, one of another, one from a launch template, on two pages.
#[derive(Default)]
struct Small {
    denied: Vec<Part>,
    machines_denied: bool,
    asked: Mutex<Vec<String>>,
    /// The user data of all; a shell that does nothing where none is given.
    user_data: Option<&'static str>,
    launchers: Vec<(InstanceId, Untrusted)>,
}

fn spotted(n: u32, reservation: &str, tags: &[(&str, &str)]) -> Spotted {
    let instance = Instance {
        id: respond::instance_id(n),
        scope: respond::scope(),
        reservation: reservation.into(),
        instance_type: "m6i.large".into(),
        image: "ami-1".into(),
        state: InstanceState::Running,
        launched_at: Timestamp::UNIX_EPOCH,
        vpc: picket_model::VpcId::parse("vpc-00000001").ok(),
        interfaces: Vec::new(),
        name: Untrusted::default(),
        tags: tags.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        metadata_v1: None,
        profile: None,
    };
    let machine = Machine { addresses: vec![Untrusted::new(&format!("10.0.0.{n}"))], ..Machine::from(&instance) };
    Spotted { machine, instance }
}

fn denied(action: &str) -> PortError {
    PortError::new("calling", action, Kind::Denied, "AccessDenied: no")
}

#[async_trait]
impl Lookout for Small {
    async fn machines(&self, _: &Scope, after: Option<&str>) -> Answer<Page> {
        if self.machines_denied {
            return Err(denied("ec2:DescribeInstances"));
        }
        let template = [("aws:ec2launchtemplate:id", "lt-1")];
        Ok(match after {
            None => ((0..3).map(|n| spotted(n, "r-1", &[])).collect(), Some("2".to_owned())),
            Some(_) => {
                (vec![spotted(3, "r-2", &[("aws:autoscaling:groupName", "nodes")]), spotted(4, "r-3", &template)], None)
            }
        })
    }
    async fn user_data(&self, _: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        self.asked.lock().unwrap().push(of.to_string());
        Ok(Some(self.user_data.unwrap_or("IyEvYmluL3NoCg==").to_owned()))
    }
    async fn sights(&self, _: &Scope, part: Part, _: See<'_>) -> Answer<()> {
        if self.denied.contains(&part) { Err(denied("ec2:DescribeVolumes")) } else { Ok(()) }
    }
    async fn images(&self, _: &Scope, ids: &[Untrusted], _: See<'_>) -> Answer<()> {
        self.asked.lock().unwrap().extend(ids.iter().map(ToString::to_string));
        Ok(())
    }
    async fn roles(&self, _: &Scope, _: &[Untrusted], _: See<'_>) -> Answer<()> {
        Ok(())
    }
    async fn prefix_lists(&self, _: &Scope, _: &[Untrusted], _: See<'_>) -> Answer<()> {
        Ok(())
    }
    async fn programs(&self, _: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        Ok(Vec::new())
    }
    async fn launchers(&self, _: &Scope) -> Answer<Vec<(InstanceId, Untrusted)>> {
        Ok(self.launchers.clone())
    }

    async fn maker(&self, _: &Scope, of: &Origin) -> Answer<Option<Untrusted>> {
        Ok(Some(Untrusted::new(&format!("{of:?}"))).filter(|_| matches!(of, Origin::ScalingTier(_))))
    }
    fn calls(&self, _: &Scope) -> usize {
        0
    }
}

fn scanned(world: &Small) -> Scanned {
    run(world, &respond::scope(), Timestamp::UNIX_EPOCH, &|_| {}).now_or_never().unwrap()
}

#[test]
fn user_data_is_read_once_a_launch_and_not_where_the_template_tells_it() {
    let world = Small::default();
    let found = scanned(&world);
    assert_eq!(found.instances.len(), 5);
    let asked = world.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|a| a.starts_with("i-")).count(), 2, "{asked:?}");
    assert_eq!(asked.iter().filter(|a| a.starts_with("ami-")).count(), 1, "an image is asked for once");
}

#[test]
fn a_part_that_is_denied_is_said_with_its_permission_and_costs_the_rest_nothing() {
    let world = Small { denied: vec![Part::Volumes], ..Small::default() };
    let found = scanned(&world);
    assert_eq!(found.instances.len(), 5);
    let unseen: Vec<_> = found.survey.unseen.iter().map(|u| (u.what.as_str(), u.reason.as_str())).collect();
    assert_eq!(unseen, [("volumes", "ec2:DescribeVolumes was denied")]);
}

#[test]
fn without_instances_the_scan_still_answers_and_says_so() {
    let world = Small { machines_denied: true, ..Small::default() };
    let found = scanned(&world);
    assert!(found.instances.is_empty());
    assert!(found.survey.unseen.iter().any(|u| u.what == "instances" && u.reason.contains("ec2:DescribeInstances")));
}

#[test]
fn each_page_is_kept_as_it_goes_by() {
    let pages = Mutex::new(Vec::new());
    let keep = |page: &[Spotted]| pages.lock().unwrap().push(page.len());
    run(&Small::default(), &respond::scope(), Timestamp::UNIX_EPOCH, &keep).now_or_never().unwrap();
    assert_eq!(*pages.lock().unwrap(), [3, 2]);
}

/// A prober that finds an API server everywhere, and remembers whom it asked.
#[derive(Default)]
struct Everywhere(Mutex<Vec<String>>);

#[async_trait]
impl Prober for Everywhere {
    async fn probe(&self, asked: &[Asked]) -> Answer<Answers> {
        self.0.lock().unwrap().extend(asked.iter().map(|a| a.address.to_string()));
        let probe = |a: &Asked| Probe {
            address: a.address.clone(),
            instance: Some(a.instance.clone()),
            port: 6443,
            path: "/version".to_owned(),
            status: Some(200),
            body: Untrusted::new("{ \"gitVersion\": \"v1.30.2+k3s1\" }"),
            names: Vec::new(),
        };
        Ok(Answers { probes: asked.iter().map(probe).collect(), left: 1 })
    }
}

fn probed(user_data: &'static str, vpc: &str) -> (Vec<String>, Scanned) {
    let (world, prober) = (Small { user_data: Some(user_data), ..Small::default() }, Everywhere::default());
    let vpcs = BTreeSet::from([picket_model::VpcId::parse(vpc).unwrap()]);
    let with = With { probing: Some(Probing { prober: &prober, vpcs: &vpcs }), ..With::default() };
    let found = run_with(&world, &respond::scope(), Timestamp::UNIX_EPOCH, &with).now_or_never().unwrap();
    (prober.0.into_inner().unwrap(), found)
}

#[test]
fn machines_in_doubt_are_asked_in_the_vpcs_that_are_named_and_their_answers_are_evidence() {
    let doubtful = "curl https://pkgs.k8s.io/core";
    let (asked, found) = probed(doubtful, "vpc-00000001");
    assert_eq!(asked.len(), 4, "the one from a template tells nothing");
    assert!(found.survey.clusters.iter().all(|c| c.distribution == "k3s" && !c.anonymous.is_empty()));
    assert!(found.survey.unseen.iter().any(|u| u.reason == "1 machines were not asked"), "{:?}", found.survey.unseen);
    let (asked, found) = probed(doubtful, "vpc-00000002");
    assert_eq!((asked.len(), found.survey.clusters.len()), (0, 0), "another VPC is named");
}

#[test]
fn a_machine_that_signals_are_sure_of_is_not_asked() {
    assert_eq!(probed("curl -sfL https://get.k3s.io | sh -", "vpc-00000001").0, [] as [String; 0]);
    assert_eq!(probed("apt install nginx", "vpc-00000001").0, [] as [String; 0]);
}

#[test]
fn whoever_made_the_auto_scaling_group_owns_what_a_service_launched_for_it() {
    let by = |arn: &str| {
        let launchers = (0..4).map(|n| (respond::instance_id(n), Untrusted::new(arn))).collect();
        let user_data = Some("curl -sfL https://get.k3s.io | K3S_URL=https://k.example.com:6443 sh -");
        let found = scanned(&Small { user_data, launchers, ..Small::default() });
        let [cluster] = found.survey.clusters.as_slice() else { panic!("{:?}", found.survey.clusters) };
        cluster.owner.as_ref().map(ToString::to_string).unwrap()
    };
    assert_eq!(by("arn:aws:iam::123456789012:user/ann"), "arn:aws:iam::123456789012:user/ann");
    let service = "arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling";
    assert!(by(service).contains("ScalingTier"));
}
