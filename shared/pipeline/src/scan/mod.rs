//! Scan: all that an account holds in one Region, judged for Kubernetes. It reads, and changes nothing.
//!
//! Flow: the parts are read side by side, each sight going straight into the judgement; instances come page by page, and
//! only a page is held at once. What a part could not be read for is said, and costs the others nothing. Then the few
//! reads that need the first: images, roles, prefix lists, and who made what was found.

pub mod atlas;
mod lookout;
mod owners;
mod probing;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use picket_checks::survey::Surveyor;
use picket_model::landscape::{Probe, Sight, Survey, Unseen};
use picket_model::{InstanceId, Scope, Untrusted};
use serde::{Deserialize, Serialize};

pub use atlas::{Atlas, Kept, Looked};
pub use lookout::{Lookout, Origin, Page, Part, READS, READS_OF_ORGANIZATION, Read, See, Spotted, reason};
pub use probing::{Answers, Asked, PORTS, Prober, Probing, Questions};
pub use rows::Row;

use crate::ports::{Answer, Kind};

/// How many parts of a Region are read at once.
const PARTS_AT_ONCE: usize = 4;
/// How many instances' user data are read at once; the reader keeps to EC2's buckets by itself.
const USER_DATA_AT_ONCE: usize = 10;
/// How many pages of instances a Region may have: with 1,000 on a page, more than AWS lets anybody run.
const PAGES: usize = 1_000;
/// With one of these tags EKS itself says what a machine is; its user data would add nothing.
const TOLD_BY_AWS: &[&str] = &["aws:eks:cluster-name", "eks:cluster-name", "eks:eks-cluster-name"];
/// The Auto Scaling group that launched a machine.
const TIER: &str = "aws:autoscaling:groupName";
/// The launch template that a machine came from; its user data is read there, once for all.
const TEMPLATE: &str = "aws:ec2launchtemplate:id";

/// What one look at an account and Region gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// When it began.
    pub at: Timestamp,
    /// The clusters, and what could not be seen.
    pub survey: Survey,
    /// Every instance in a line.
    pub instances: Vec<Row>,
    /// How many calls of AWS it took.
    pub calls: usize,
}

/// Takes each page of instances in full as it goes by: for the inventory. Answers after it is kept.
pub type Keep<'a> = &'a (dyn Fn(&[Spotted]) + Send + Sync);

/// Is shown every sight, for a file of them.
pub type Beside<'a> = &'a (dyn Fn(&Sight) + Send + Sync);

/// Who takes part in a look.
pub struct With<'a> {
    /// Takes each page of instances.
    pub keep: Keep<'a>,
    /// Is shown every sight.
    pub beside: Beside<'a>,
    /// Asks machines that signals alone are not sure of; none where it must not.
    pub probing: Option<Probing<'a>>,
}

impl Default for With<'_> {
    fn default() -> Self {
        Self { keep: &|_| {}, beside: &|_| {}, probing: None }
    }
}

/// Looks at one account and Region. It always answers: what cannot be seen is in the answer with its reason.
pub async fn run(lookout: &dyn Lookout, scope: &Scope, now: Timestamp, keep: Keep<'_>) -> Scanned {
    run_with(lookout, scope, now, &With { keep, ..With::default() }).await
}

/// The same, with others who take part in it.
pub async fn run_with(lookout: &dyn Lookout, scope: &Scope, now: Timestamp, with: &With<'_>) -> Scanned {
    let before = lookout.calls(scope);
    let eye = Eye { lookout, scope, judge: Mutex::new(Judge::new(scope)), beside: with.beside };
    let parts = stream::iter(Part::ALL).for_each_concurrent(PARTS_AT_ONCE, |part| eye.part(*part));
    futures::join!(eye.machines(with.keep), parts);
    eye.second_round().await;
    if let Some(probing) = &with.probing {
        eye.probe(probing).await;
    }
    let judge = eye.judge.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (mut instances, mut survey) = (judge.rows, judge.surveyor.finish());
    owners::ask(lookout, scope, &judge.tiers, &mut survey).await;
    rows::join(&mut instances, &survey);
    Scanned { at: now, survey, instances, calls: lookout.calls(scope).saturating_sub(before) }
}

/// One look in the making.
struct Eye<'a> {
    lookout: &'a dyn Lookout,
    scope: &'a Scope,
    judge: Mutex<Judge>,
    beside: Beside<'a>,
}

/// What was seen so far: given to the judgement at once, but for what leads to further reads.
struct Judge {
    surveyor: Surveyor,
    rows: Vec<Row>,
    images: BTreeSet<Untrusted>,
    profiles: BTreeSet<Untrusted>,
    prefix_lists: BTreeSet<Untrusted>,
    /// The Auto Scaling groups of machines: whoever made one owns what it launches.
    tiers: HashMap<InstanceId, Untrusted>,
}

impl Judge {
    fn new(scope: &Scope) -> Self {
        let (images, profiles, prefix_lists, tiers) = Default::default();
        Self { surveyor: Surveyor::new(scope.clone()), rows: Vec::new(), images, profiles, prefix_lists, tiers }
    }

    fn see(&mut self, sight: Sight) {
        match &sight {
            Sight::Machine(machine) => {
                self.images.extend(machine.image.clone());
                self.profiles.extend(machine.profile.clone());
                let tier = machine.tags.get(&Untrusted::new(TIER));
                self.tiers.extend(tier.map(|tier| (machine.id.clone(), tier.clone())));
            }
            Sight::Group(group) => {
                self.prefix_lists.extend(group.rules.iter().flat_map(|rule| rule.prefix_lists.iter().cloned()));
            }
            _ => {}
        }
        self.surveyor.see(sight);
    }
}

impl Eye<'_> {
    fn see(&self, sight: Sight) {
        (self.beside)(&sight);
        self.judge.lock().unwrap_or_else(PoisonError::into_inner).see(sight);
    }

    fn unseen(&self, what: impl Into<String>, instance: Option<&InstanceId>, why: String) {
        self.see(Sight::Unseen(Unseen { what: what.into(), instance: instance.cloned(), reason: why }));
    }

    /// The answer, or nothing and a note of what is missing for it.
    fn or_unseen<T>(&self, what: &str, answer: Answer<T>) -> Option<T> {
        answer.map_err(|error| self.unseen(what, None, reason(&error))).ok()
    }

    async fn part(&self, part: Part) {
        let read = self.lookout.sights(self.scope, part, &|sight| self.see(sight)).await;
        self.or_unseen(part.says(), read);
    }

    /// All instances, page by page, each with its user data where that can tell anything new.
    async fn machines(&self, keep: Keep<'_>) {
        let programs = self.lookout.programs(self.scope).await;
        let mut programs = by_instance(self.or_unseen("programs on machines", programs).unwrap_or_default());
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let page = self.lookout.machines(self.scope, after.as_deref()).await;
            let Some((mut page, next)) = self.or_unseen("instances", page) else { return };
            for spotted in &mut page {
                spotted.machine.applications = programs.remove(&spotted.instance.id).unwrap_or_default();
            }
            self.user_data(&mut page).await;
            keep(&page);
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            for spotted in page {
                judge.rows.push(Row::of(&spotted.instance));
                let sight = Sight::Machine(Box::new(spotted.machine));
                (self.beside)(&sight);
                judge.see(sight);
            }
            match next {
                Some(token) => after = Some(token),
                None => return,
            }
        }
        self.unseen("instances", None, format!("there are more than {PAGES} pages of them"));
    }

    /// Reads the user data of a page: once a launch, since its instances share it, and not where it is known elsewhere.
    async fn user_data(&self, page: &mut [Spotted]) {
        let mut first: BTreeMap<Untrusted, InstanceId> = BTreeMap::new();
        for spotted in page.iter().filter(|s| wants_user_data(s)) {
            first.entry(launch(spotted)).or_insert_with(|| spotted.instance.id.clone());
        }
        let reads = first.into_iter().map(|(launch, id)| async move {
            let read = self.lookout.user_data(self.scope, &id).await;
            (launch, id, read)
        });
        let read: Vec<_> = stream::iter(reads).buffer_unordered(USER_DATA_AT_ONCE).collect().await;
        let mut known: HashMap<Untrusted, Option<String>> = HashMap::new();
        for (launch, id, answer) in read {
            match answer {
                Ok(text) => drop(known.insert(launch, text)),
                // It ended while we looked.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => self.unseen("user data of instances", Some(&id), reason(&error)),
            }
        }
        for spotted in page.iter_mut().filter(|s| wants_user_data(s)) {
            spotted.machine.user_data = known.get(&launch(spotted)).cloned().flatten();
        }
    }

    /// What the first round led to.
    async fn second_round(&self) {
        let (images, profiles, lists) = {
            let judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            let all = |set: &BTreeSet<Untrusted>| set.iter().cloned().collect::<Vec<_>>();
            (all(&judge.images), all(&judge.profiles), all(&judge.prefix_lists))
        };
        let see: See<'_> = &|sight| self.see(sight);
        let (images, roles, lists) = futures::join!(
            self.lookout.images(self.scope, &images, see),
            self.lookout.roles(self.scope, &profiles, see),
            self.lookout.prefix_lists(self.scope, &lists, see),
        );
        self.or_unseen("images", images);
        self.or_unseen("roles of instances", roles);
        self.or_unseen("prefix lists", lists);
    }

    /// Asks the machines that all this leaves in doubt.
    async fn probe(&self, probing: &Probing<'_>) {
        let unsure = self.judge.lock().unwrap_or_else(PoisonError::into_inner).surveyor.unsure();
        let (asked, more) = probing::whom(&unsure, probing.vpcs);
        if asked.is_empty() {
            return;
        }
        let Some(answers) = self.or_unseen("answers to probes", probing.prober.probe(&asked).await) else { return };
        let ours = |probe: &Probe| asked.iter().any(|a| probe.instance.as_ref() == Some(&a.instance));
        answers.probes.into_iter().filter(ours).for_each(|probe| self.see(Sight::Probe(probe)));
        if more + answers.left > 0 {
            self.unseen("answers to probes", None, format!("{} machines were not asked", more + answers.left));
        }
    }
}

fn by_instance(programs: Vec<(InstanceId, Untrusted)>) -> HashMap<InstanceId, Vec<Untrusted>> {
    let mut all: HashMap<InstanceId, Vec<Untrusted>> = HashMap::new();
    for (instance, program) in programs {
        all.entry(instance).or_default().push(program);
    }
    all
}

fn wants_user_data(spotted: &Spotted) -> bool {
    let tagged = |key: &str| spotted.instance.tags.contains_key(&Untrusted::new(key));
    !tagged(TEMPLATE) && !TOLD_BY_AWS.iter().any(|key| tagged(key))
}

/// What shares its user data: all instances of one `RunInstances`.
fn launch(spotted: &Spotted) -> Untrusted {
    match &spotted.instance.reservation {
        reservation if reservation.is_empty() => Untrusted::new(spotted.instance.id.as_str()),
        reservation => reservation.clone(),
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
