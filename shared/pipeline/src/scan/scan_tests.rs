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
        vpc: None,
        interfaces: Vec::new(),
        name: Untrusted::default(),
        tags: tags.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        metadata_v1: None,
        profile: None,
    };
    Spotted { machine: Machine::from(&instance), instance }
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
            Some(_) => (vec![spotted(3, "r-2", &[]), spotted(4, "r-3", &template)], None),
        })
    }
    async fn user_data(&self, _: &Scope, of: &InstanceId) -> Answer<Option<String>> {
        self.asked.lock().unwrap().push(of.to_string());
        Ok(Some("IyEvYmluL3NoCg==".to_owned()))
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
        Ok(Vec::new())
    }

    async fn maker(&self, _: &Scope, _: &Origin) -> Answer<Option<Untrusted>> {
        Ok(None)
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
