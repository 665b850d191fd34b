//! The ladder: what ends the connections of an interface that is in quarantine already. Pure.
//!
//! A change of groups ends no connection that EC2 remembers (tracks). Which rung ends it depends on how it leaves:
//!
//! | Instance | Connection | Ended by | Policy |
//! |---|---|---|---|
//! | never ran | none | the swap of groups alone: CUT | – |
//! | ran | not tracked: its rules let everything in and out | the swap of groups alone: CUT | – |
//! | ran | tracked, through a public address | taking the address away | `drop_address` |
//! | ran | through a NAT gateway in another subnet: always tracked | a deny of its /32 in that subnet's network ACL | `deny_at_gateway` |
//! | ran | tracked, through a public address, IPv6, or inside the VPC | the open window, before the swap | `open_window` |
//! | ran | through a NAT gateway in its own subnet, a transit gateway, a peer, a firewall, an egress-only gateway | stopping | `stop` |
//! | ran | whatever is left | stopping | `stop` |
//!
//! A network ACL looks at the address on the other side alone, so one of the instance's own subnet cannot single it out;
//! one of the gateway's subnet can, as there the instance is the other side. ACLs lie between subnets only.
//! What is left open is PENDING with its reason. A busy connection never idles out, so no end is promised for it.

mod tracking;

use jiff::{SignedDuration, Timestamp};
use picket_checks::policy::{DropAddress, Flows};
use picket_model::{Acl, AclEntry, Change, FlowFacts, InterfaceId, Measure, Tracking, Verification, Way};

pub use tracking::{GroupRule, tracking};

/// After how many idle seconds EC2 forgets a TCP connection, unless the interface says otherwise.
const IDLE: u32 = 432_000;
/// AWS's own last entry of every network ACL, which does not count.
const LAST_ENTRY: u16 = 32_767;
/// More addresses than this are not denied one by one.
const MOST_ADDRESSES: usize = 6;

/// A way that connections of an instance that ran may still take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// Through a public address.
    Public,
    /// Through a NAT gateway.
    Nat,
    /// By IPv6 to the internet.
    Ipv6,
    /// Through something else, by its name.
    Other(String),
    /// Inside the VPC.
    Inside,
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public => f.write_str("through its public address"),
            Self::Nat => f.write_str("through a NAT gateway"),
            Self::Ipv6 => f.write_str("by IPv6"),
            Self::Other(target) => write!(f, "through {target}"),
            Self::Inside => f.write_str("inside the VPC"),
        }
    }
}

/// A rung of the ladder, for one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rung {
    /// A change that ends the connections of a path.
    Make(Box<Measure>),
    /// The open window.
    OpenWindow,
    /// Stopping, once the evidence is kept.
    Stop,
}

/// Which connections of an interface may outlive the swap of its groups.
#[must_use]
pub fn open_paths(facts: &FlowFacts) -> Vec<Path> {
    let remembered = facts.tracking != Tracking::Untracked;
    let to_internet = facts.ways.contains(&Way::Internet);
    let mut open = Vec::new();
    if remembered && to_internet && !facts.public.is_empty() {
        open.push(Path::Public);
    }
    if remembered && to_internet && facts.ipv6 {
        open.push(Path::Ipv6);
    }
    for way in &facts.ways {
        match way {
            Way::Internet => {}
            Way::Nat { acl: Some(acl), .. } if denies_all(acl, facts) => {}
            Way::Nat { .. } => open.push(Path::Nat),
            Way::Other { target } => open.push(Path::Other(target.to_string())),
        }
    }
    if remembered {
        open.push(Path::Inside);
    }
    open.dedup();
    open
}

/// What ends them, in order, and why the rest is not ended.
#[must_use]
pub fn choose(facts: &FlowFacts, allowed: &Flows) -> (Vec<Rung>, Vec<String>) {
    let (mut rungs, mut left) = (Vec::new(), Vec::new());
    let mut stop = false;
    for path in open_paths(facts) {
        let windowed = allowed.open_window && matches!(path, Path::Public | Path::Ipv6 | Path::Inside);
        let ended = match &path {
            Path::Public => drop_addresses(facts, allowed),
            Path::Nat => deny_at_gateway(facts, allowed),
            Path::Ipv6 => Err("an IPv6 address is not taken away".to_owned()),
            Path::Other(_) => Err("what lies on the way keeps connections by itself".to_owned()),
            Path::Inside => Err("no rung ends it but the open window and stopping".to_owned()),
        };
        match ended {
            Ok(measures) => rungs.extend(measures.into_iter().map(Box::new).map(Rung::Make)),
            Err(_) if windowed => {}
            Err(why) => {
                // Inside the VPC alone is not worth the memory of the instance.
                stop |= path != Path::Inside;
                left.push(format!("{path}: {why}"));
            }
        }
        if windowed && !rungs.contains(&Rung::OpenWindow) {
            rungs.push(Rung::OpenWindow);
        }
    }
    if stop && allowed.stop {
        rungs.push(Rung::Stop);
    }
    (rungs, left)
}

fn drop_addresses(facts: &FlowFacts, allowed: &Flows) -> Result<Vec<Measure>, String> {
    let may = |elastic: bool| match allowed.drop_address {
        DropAddress::Any => true,
        DropAddress::Elastic => elastic,
        DropAddress::Never => false,
    };
    if !facts.public.iter().all(|p| may(p.elastic.is_some())) {
        return Err("the policy's `flows.drop_address` does not let it be taken away".to_owned());
    }
    Ok(facts.public.iter().map(|address| crate::actions::drop_address::measure(facts, address)).collect())
}

fn deny_at_gateway(facts: &FlowFacts, allowed: &Flows) -> Result<Vec<Measure>, String> {
    if !allowed.deny_at_gateway {
        return Err("the policy's `flows.deny_at_gateway` does not let its ACL be changed".to_owned());
    }
    if facts.prefixes || facts.addresses.is_empty() || facts.addresses.len() > MOST_ADDRESSES {
        return Err(format!("it has too many addresses to deny: {}", facts.addresses.len()));
    }
    let mut measures = Vec::new();
    for way in &facts.ways {
        let Way::Nat { gateway, acl } = way else { continue };
        let Some(acl) = acl else { return Err(format!("{gateway} is in the same subnet, and no ACL lies between")) };
        if !acl.ours {
            return Err(format!("{} belongs to the VPC's owner, another account", acl.id));
        }
        let missing: Vec<_> = facts.addresses.iter().filter(|a| !is_denied(acl, **a)).copied().collect();
        for egress in [false, true] {
            room(acl, egress, missing.len(), usize::from(allowed.acl_entries))?;
        }
        if !missing.is_empty() {
            measures.push(crate::actions::deny_at_gateway::measure(facts, acl, usize::from(allowed.acl_entries)));
        }
    }
    Ok(measures)
}

/// Whether `more` entries fit in one direction, below every entry that allows.
fn room(acl: &Acl, egress: bool, more: usize, limit: usize) -> Result<(), String> {
    let used = acl.entries.iter().filter(|e| e.egress == egress && e.number != LAST_ENTRY).count();
    let name = if egress { "outbound" } else { "inbound" };
    if used + more > limit {
        return Err(format!("{} has {used} of {limit} {name} entries", acl.id));
    }
    match free_numbers(&acl.entries, egress).take(more).count() {
        n if n == more => Ok(()),
        _ => Err(format!("{} has no free number ahead of its {name} entries that allow", acl.id)),
    }
}

/// The free numbers of one direction that count before every entry that allows: the nearest first.
pub fn free_numbers(entries: &[AclEntry], egress: bool) -> impl Iterator<Item = u16> {
    let of = move |e: &&AclEntry| e.egress == egress;
    let first_allow = entries.iter().filter(of).filter(|e| e.allows).map(|e| e.number).min().unwrap_or(LAST_ENTRY);
    let taken: Vec<u16> = entries.iter().filter(of).map(|e| e.number).collect();
    (1..first_allow.min(LAST_ENTRY)).rev().filter(move |n| !taken.contains(n))
}

/// Whether an address is denied in both directions, ahead of what allows.
fn is_denied(acl: &Acl, address: std::net::Ipv4Addr) -> bool {
    [false, true].into_iter().all(|egress| {
        let allow = acl.entries.iter().filter(|e| e.egress == egress && e.allows).map(|e| e.number).min();
        let denial = acl.entries.iter().find(|e| e.egress == egress && e.denies(address)).map(|e| e.number);
        denial.is_some_and(|d| allow.is_none_or(|a| d < a))
    })
}

fn denies_all(acl: &Acl, facts: &FlowFacts) -> bool {
    !facts.prefixes && !facts.addresses.is_empty() && facts.addresses.iter().all(|a| is_denied(acl, *a))
}

/// How an interface in quarantine is called, from what was read after the rungs were made. `windowed`: it went through
/// the open window. `left`: why what is open was not ended.
#[must_use]
pub fn word(facts: &FlowFacts, windowed: bool, left: &[String], contained_at: Timestamp) -> Verification {
    let ended = |p: &Path| windowed && matches!(p, Path::Public | Path::Ipv6 | Path::Inside);
    let open: Vec<Path> = open_paths(facts).into_iter().filter(|p| !ended(p)).collect();
    if open.is_empty() && facts.unknown.is_empty() {
        return Verification::Cut;
    }
    let idle = i64::from(facts.idle.unwrap_or(IDLE));
    let until = contained_at.saturating_add(SignedDuration::from_secs(idle)).unwrap_or(contained_at);
    let until = until.strftime("%Y-%m-%d %H:%M UTC");
    let mut text = match open.as_slice() {
        [] => "whether connections last is not known".to_owned(),
        [Path::Inside] => format!(
            "its ways out are cut; a connection inside the VPC that was open may last: an idle one until {until}, a busy \
             one without end"
        ),
        open => {
            let ways: Vec<String> = open.iter().map(ToString::to_string).collect();
            let ways = ways.join(", ");
            format!("connections that were open may last {ways}: idle ones until {until}, busy ones without end")
        }
    };
    let why: Vec<&str> =
        left.iter().filter(|l| !l.starts_with("inside")).chain(&facts.unknown).map(String::as_str).collect();
    if !why.is_empty() {
        text = format!("{text} ({})", why.join("; "));
    }
    Verification::Pending(text)
}

/// Whether a measure is a rung of the ladder.
#[must_use]
pub fn is_rung(change: &Change) -> bool {
    matches!(change, Change::DropAddress { .. } | Change::DenyInAcl { .. })
}

/// Whether a rung is one of this interface: an ACL's entries are of an instance, and so of each of its interfaces.
#[must_use]
pub fn is_of(change: &Change, interface: &InterfaceId) -> bool {
    match change {
        Change::DropAddress { interface: of, .. } => of == interface,
        Change::DenyInAcl { .. } => true,
        _ => false,
    }
}

/// Whether what was read shows a rung that was made.
#[must_use]
pub fn shows(facts: &FlowFacts, change: &Change) -> bool {
    match change {
        Change::DropAddress { interface, address, .. } if interface == &facts.interface => {
            !facts.public.iter().any(|p| p.public == address.public)
        }
        Change::DenyInAcl { acl, addresses, .. } => facts.ways.iter().all(|way| match way {
            Way::Nat { acl: Some(found), .. } if &found.id == acl => addresses.iter().all(|a| is_denied(found, *a)),
            _ => true,
        }),
        _ => true,
    }
}

#[cfg(test)]
#[path = "flows_tests.rs"]
mod tests;
