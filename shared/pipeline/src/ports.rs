//! What the stages need of the world. Reads and changes are apart, so that a stage that only reads cannot change;
//! every change asks for a `Permit`. Behind the ports: `picket-aws` in AWS, `fakes` in tests.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use picket_model::fix::{Aim, Fix};
use picket_model::{
    AccountId, Capture, CaseId, Change, Cluster, Entry, Facts, FlowFacts, GroupId, Hold, Instance, InstanceId,
    InstanceState, Interface, InterfaceId, Notice, Observation, Owners, Principal, Rule, ScalingGroup, Scope,
    Untrusted, VpcId,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::messages::Message;
use crate::permit::Permit;
use crate::render::Page;

/// What kind of failure, as far as it changes what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The thing is not there, or not visible yet.
    NotFound,
    /// We may not.
    Denied,
    /// Too many calls, a lost reply, a fault of the service: worth another try.
    Transient,
    /// Somebody else was faster, or the state is not what the call needs.
    Conflict,
    /// Anything else: trying again will not help.
    Other,
}

/// A call that failed: what was being done, to what, and of which kind.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{doing} {what}: {why}")]
pub struct PortError {
    /// Such as `reading the interfaces of`.
    pub doing: &'static str,
    /// The thing.
    pub what: String,
    /// The service's own words, bounded.
    pub why: Untrusted,
    /// What kind.
    pub kind: Kind,
}

impl PortError {
    /// An error of `kind` while `doing` something to `what`.
    pub fn new(doing: &'static str, what: impl fmt::Display, kind: Kind, why: &str) -> Self {
        Self { doing, what: what.to_string(), why: Untrusted::new(why), kind }
    }
}

/// The answer of a port.
pub type Answer<T> = Result<T, PortError>;

/// Which instances to read. All but `Ids` may give none; `Ids` gives those that are visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// These; an id that is not visible is left out and costs the others nothing.
    Ids(Vec<InstanceId>),
    /// All of one reservation.
    Reservation(Untrusted),
    /// All launched with this client token.
    ClientToken(Untrusted),
    /// All in this group.
    Group(GroupId),
    /// All of this Auto Scaling group.
    AutoScalingGroup(Untrusted),
    /// All of this launch template.
    LaunchTemplate(Untrusted),
    /// All of this fleet.
    Fleet(Untrusted),
    /// All that are not terminated.
    All,
}

/// Reads AWS.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The instances that `which` names and that are visible.
    async fn instances(&self, scope: &Scope, which: &Which) -> Answer<Vec<Instance>>;
    /// Every instance by its id and state alone: of thousands, no more than a page is held in full.
    async fn standing(&self, scope: &Scope) -> Answer<Vec<(InstanceId, InstanceState)>> {
        let all = self.instances(scope, &Which::All).await?;
        Ok(all.into_iter().map(|i| (i.id, i.state)).collect())
    }
    /// The interfaces attached to these instances, in no order.
    async fn interfaces(&self, scope: &Scope, of: &[InstanceId]) -> Answer<Vec<Interface>>;
    /// The user data as AWS holds it, in base64; none if there is none.
    async fn user_data(&self, scope: &Scope, of: &InstanceId) -> Answer<Option<String>>;
    /// The ingress rules of these groups, one row a source.
    async fn ingress_rules(&self, scope: &Scope, of: &[GroupId]) -> Answer<Vec<Rule>>;
    /// Those of `groups` that exist.
    /// An open group of ours counts as gone: whoever put an interface into one, we never do.
    async fn existing_groups(&self, scope: &Scope, groups: &[GroupId]) -> Answer<Vec<GroupId>>;
    /// An EKS cluster.
    async fn cluster(&self, scope: &Scope, name: &str) -> Answer<Cluster>;
    /// All VPCs.
    async fn vpcs(&self, scope: &Scope) -> Answer<Vec<VpcId>>;
    /// The names of all EKS clusters.
    async fn clusters(&self, scope: &Scope) -> Answer<Vec<Untrusted>>;
    /// The names of the managed policies attached to an IAM user.
    async fn attached_policies(&self, user: &str) -> Answer<Vec<Untrusted>>;
    /// Interfaces that are in an open group of ours: there must be none, but for the moment that a window is open.
    async fn in_open_groups(&self, scope: &Scope) -> Answer<Vec<Interface>>;
    /// Who launched an instance, by CloudTrail's history of 90 days.
    async fn launched_by(&self, scope: &Scope, instance: &InstanceId) -> Answer<Option<Principal>>;
}

/// A group as it was read, with how many rules it has in all: both directions, IPv4, IPv6, prefix lists and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// The group.
    pub id: GroupId,
    /// Its VPC.
    pub vpc: VpcId,
    /// How many rules it has.
    pub rules: usize,
}

/// Reads and changes what containment is made of. Every change needs a permit.
#[async_trait]
pub trait Containment: Send + Sync {
    /// The groups that carry this deployment's quarantine mark in a VPC. The mark can be forged: the caller compares ids.
    async fn marked_groups(&self, scope: &Scope, vpc: &VpcId) -> Answer<Vec<GroupState>>;
    /// Makes a quarantine group. It has AWS's default egress rules until `empty_group`.
    async fn create_group(&self, permit: &Permit, scope: &Scope, vpc: &VpcId) -> Answer<GroupId>;
    /// Removes every rule of a group, in both directions and families.
    async fn empty_group(&self, permit: &Permit, scope: &Scope, group: &GroupId) -> Answer<()>;
    /// Makes a group that lets everything in and out, for the open window.
    async fn open_group(&self, permit: &Permit, scope: &Scope, vpc: &VpcId) -> Answer<GroupId>;
    /// The open groups of ours in a VPC: there are some only while a window is open, or where a worker died in one.
    async fn open_groups(&self, scope: &Scope, vpc: &VpcId) -> Answer<Vec<GroupId>>;
    /// Removes an open group of ours; AWS refuses while an interface is in it.
    async fn remove_group(&self, permit: &Permit, scope: &Scope, group: &GroupId) -> Answer<()>;
    /// Replaces the groups of an interface.
    async fn set_groups(
        &self,
        permit: &Permit,
        scope: &Scope,
        interface: &InterfaceId,
        groups: &[GroupId],
    ) -> Answer<()>;
}

/// Asks AWS with `DryRun` whether it would let us, and changes nothing: `Ok` is yes.
#[async_trait]
pub trait Rehearsal: Send + Sync {
    /// Whether we could make a quarantine group.
    async fn create_group(&self, scope: &Scope, vpc: &VpcId) -> Answer<()>;
    /// Whether we could give an interface these groups.
    async fn set_groups(&self, scope: &Scope, interface: &InterfaceId, groups: &[GroupId]) -> Answer<()>;
}

/// Reads and makes the changes beside the groups. Making one twice is making it once, and what is so already is done.
#[async_trait]
pub trait Levers: Send + Sync {
    /// What must be known of an instance before its measures are planned.
    async fn facts(&self, scope: &Scope, instance: &InstanceId) -> Answer<Facts>;
    /// An Auto Scaling group.
    async fn scaling_group(&self, scope: &Scope, name: &Untrusted) -> Answer<ScalingGroup>;
    /// What owns an instance and would replace, destroy or multiply it.
    async fn owners(&self, scope: &Scope, instance: &Instance) -> Answer<Owners>;
    /// How the connections of interfaces leave them, by what each was captured with. One that is not shown is left out.
    async fn flow_facts(&self, scope: &Scope, of: &[(InstanceId, Capture)]) -> Answer<Vec<FlowFacts>>;
    /// Makes a change.
    async fn make(&self, permit: &Permit, scope: &Scope, change: &Change) -> Answer<()>;
}

/// Reaches nodes through the API of their Kubernetes cluster, which alone can speak with its controllers.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Keeps new pods from the node of an instance, and controllers from disrupting it. A node that is not of this
    /// cluster is not found.
    async fn hold_node(&self, permit: &Permit, scope: &Scope, cluster: &Untrusted, instance: &InstanceId)
    -> Answer<()>;
    /// Takes that back; what was so before stays.
    async fn let_node_go(
        &self,
        permit: &Permit,
        scope: &Scope,
        cluster: &Untrusted,
        instance: &InstanceId,
    ) -> Answer<()>;
}

/// The policy as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPolicy {
    /// What was put last.
    pub current: Option<String>,
    /// The last one that could be read.
    pub good: Option<String>,
    /// Whether people have paused all changes, and why.
    pub paused: Option<String>,
}

/// Keeps the policy.
#[async_trait]
pub trait Policies: Send + Sync {
    /// Reads the policy and the pause switch.
    async fn policy(&self) -> Answer<StoredPolicy>;
    /// Remembers a policy that could be read.
    async fn keep_good(&self, text: &str) -> Answer<()>;
    /// Puts a policy that was checked; it is in force at the next batch.
    async fn put_policy(&self, text: &str, by: &Untrusted) -> Answer<()>;
    /// Pauses all changes, or lets them go on.
    async fn set_paused(&self, why: Option<&Untrusted>, by: &Untrusted) -> Answer<()>;
}

/// Something whose first use in an account is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seen {
    /// Picket itself: since when it watches.
    Watching,
    /// A principal, by ARN.
    Principal(Untrusted),
    /// A Region.
    Region(String),
    /// An image.
    Image(Untrusted),
    /// A type of instance.
    InstanceType(Untrusted),
}

/// A launch that one trigger looks at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Where.
    pub scope: &'a Scope,
    /// Which launch.
    pub reservation: &'a Untrusted,
    /// The trigger's event.
    pub by: &'a Untrusted,
    /// Now.
    pub now: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// The inventory, and what was seen when.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// When each was first seen; what is new is remembered as seen at `at`. Answers in the order of the question.
    async fn first_seen(&self, account: &AccountId, what: &[Seen], at: Timestamp) -> Answer<Vec<Timestamp>>;
    /// Adds or refreshes assets. Answers the ids of those whose first judgement nobody has asked for yet.
    async fn remember(&self, observations: &[Observation]) -> Answer<Vec<String>>;
    /// Notes that the first judgement of these was asked for.
    async fn asked_for(&self, scope: &Scope, ids: &[String]) -> Answer<()> {
        let _ = (scope, ids);
        Ok(())
    }
    /// Keeps how many instances run in an account and Region.
    async fn keep_running(&self, scope: &Scope, count: usize) -> Answer<()>;
    /// Takes a launch for looking at it as a whole until `until`. False if another trigger did so before: AWS sends
    /// two events for each instance of a launch, and one look is enough for all of them. The same trigger may ask again.
    async fn claim_look(&self, look: &Look<'_>) -> Answer<bool> {
        let _ = look;
        Ok(true)
    }
}

/// How many instances may be held per account and clock hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The hour, such as `2026-11-23T14`.
    pub hour: String,
    /// The limit.
    pub limit: u32,
    /// Other counters of that hour that must allow it, too.
    pub also: Vec<Counter>,
}

/// One more counter of the hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// What it counts, such as `group/web`.
    pub name: String,
    /// How many are taken from it.
    pub count: usize,
    /// The limit.
    pub limit: u32,
}

/// What came of an attempt to begin holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// All are ours, captured and journalled.
    All,
    /// These exist already, as they were found; nothing was written for any.
    Existing(Vec<Hold>),
    /// The hour's budget does not allow it; nothing was written.
    OverBudget,
}

/// Holds, captures and the journal. All writes here happen before the change that they announce.
#[async_trait]
pub trait Holds: Send + Sync {
    /// Writes new holds with their captures, takes them from the budget and journals the intents: all or nothing.
    /// A hold that exists and was not released is never overwritten.
    async fn begin(&self, new: &[Hold], intents: &[Entry], budget: &Budget) -> Answer<Begun>;
    /// Takes over or updates a hold that is still as `expected`: answers false if somebody else was faster.
    async fn update(&self, expected: &Hold, next: &Hold, entries: &[Entry]) -> Answer<bool>;
    /// Takes over a hold that was released, counted against the budget as a new one. `Existing` with nothing in it if
    /// somebody else was faster.
    async fn begin_again(&self, expected: &Hold, next: &Hold, entries: &[Entry], budget: &Budget) -> Answer<Begun>;
    /// A hold.
    async fn hold(&self, scope: &Scope, instance: &InstanceId) -> Answer<Option<Hold>>;
    /// All holds of an account and Region, released ones included.
    async fn holds(&self, scope: &Scope) -> Answer<Vec<Hold>>;
    /// Adds entries that announce no change; the same entry twice is once.
    async fn note(&self, entries: &[Entry]) -> Answer<()>;
    /// The journal of a case, oldest first.
    async fn journal(&self, case: &CaseId) -> Answer<Vec<Entry>>;
    /// How many instances run in an account, as the sweep counted them last; none before the first sweep.
    async fn running(&self, account: &AccountId) -> Answer<Option<u64>>;
    /// The quarantine group that we made for a VPC.
    async fn quarantine_group(&self, scope: &Scope, vpc: &VpcId) -> Answer<Option<GroupId>>;
    /// Remembers it, unless one is remembered already that is not `gone`: answers the one that counts.
    async fn keep_quarantine_group(
        &self,
        scope: &Scope,
        vpc: &VpcId,
        group: &GroupId,
        gone: Option<&GroupId>,
    ) -> Answer<GroupId>;
}

/// What was read of a thing: what a fix would change and put back, and what its guard must know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// What is there, whole.
    pub now: Value,
    /// What else was read.
    pub facts: Value,
}

/// Reads and changes what fixes are about. Writing twice is writing once, and what is so already is written.
#[async_trait]
pub trait Fixes: Send + Sync {
    /// What is there. `Conflict` while it cannot be read whole because a change of it is under way.
    async fn read(&self, scope: &Scope, aim: &Aim) -> Answer<Sight>;
    /// Changes it from one end to the other. `Conflict` while another change is under way.
    async fn write(&self, permit: &Permit, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()>;
}

/// What came of an attempt to write a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is written.
    Yes,
    /// Somebody else was faster; nothing was written.
    Changed,
    /// The hour's budget does not allow it; nothing was written.
    OverBudget,
    /// Another fix acts on what must not be changed at the same time; nothing was written.
    NotItsTurn,
}

/// Keeps fixes, with their captures, and their journal.
#[async_trait]
pub trait FixStore: Send + Sync {
    /// A fix.
    async fn fix(&self, scope: &Scope, id: &CaseId) -> Answer<Option<Fix>>;
    /// All fixes of an account and Region.
    async fn fixes(&self, scope: &Scope) -> Answer<Vec<Fix>>;
    /// Writes a fix that is to be made, put back or asked about, in place of `known`, with its entries, its part of the
    /// budget, and the turns that `fix::moved` says: all or nothing.
    async fn begin_fix(
        &self,
        known: Option<&Fix>,
        next: &Fix,
        entries: &[Entry],
        budget: Option<&Budget>,
    ) -> Answer<Kept>;
    /// Updates a fix that is still as `expected`, with its turns: answers false if somebody else was faster.
    async fn update_fix(&self, expected: &Fix, next: &Fix, entries: &[Entry]) -> Answer<bool>;
    /// Adds entries that announce no change; the same entry twice is once.
    async fn note_fix(&self, entries: &[Entry]) -> Answer<()>;
}

/// Makes links for people who are asked.
pub trait Links: Send + Sync {
    /// A link that shows a fix until `until`, good for one question; none where nothing serves it.
    fn link(&self, id: &CaseId, question: &str, until: Timestamp) -> Option<String>;
}

/// Hands messages to the next stage.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends; when it answers, they are kept by the queue.
    async fn send(&self, messages: Vec<Message>) -> Answer<()>;
}

/// Starts the release function, which alone may put anything back. Nobody waits for its end.
#[async_trait]
pub trait Releases: Send + Sync {
    /// Starts it with an order.
    async fn start(&self, order: &crate::release::Order) -> Answer<()>;
}

/// What came of an attempt to take a notice for telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours to tell.
    Ours,
    /// It was told before.
    Told,
    /// Another worker is telling it, or died at it; ask again later.
    Busy,
}

/// Tells people.
#[async_trait]
pub trait Pager: Send + Sync {
    /// Takes a notice for telling until `until`, unless it was told or another worker is telling it.
    async fn claim(&self, notice: &Notice, now: Timestamp, until: Timestamp) -> Answer<Claim>;
    /// Sends one message, in the form of this pager's channel. One that has no form there counts as sent.
    async fn publish(&self, page: &Page) -> Answer<()>;
    /// Remembers that it was told.
    async fn keep_told(&self, notice: &Notice) -> Answer<()>;
    /// Gives a notice back that could not be sent, so that the next attempt need not wait. Without it, the claim runs out.
    async fn give_back(&self, _notice: &Notice) -> Answer<()> {
        Ok(())
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
