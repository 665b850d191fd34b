//! The risk signals: what speaks against an asset, one file each. To add one: a file with a `SIGNAL`, and a line in
//! `ALL`. Each looks at one observation and answers yes with its evidence, no, or unknown with the reason.
//! Weights are points of a score of 100; the policy may change them. How they are joined is `decide`'s.

mod accelerated_type;
mod burst;
mod failed_launch;
mod guardduty_crypto;
mod guardduty_other;
mod leaked_key;
mod metadata_v1;
mod miner_in_user_data;
mod new_image;
mod new_principal;
mod new_region;
mod new_type;
mod public_address;
mod public_api_server;
mod requested;
mod root_user;
mod very_large_type;
mod world_open_everything;
mod world_open_kubernetes;
mod world_open_ssh;

use jiff::{SignedDuration, Timestamp};
use picket_model::{Asset, Exposure, Fact, Observation, Openness};

use crate::policy::Policy;

/// A risk signal.
pub struct Signal {
    /// Its name in policies and reports.
    pub name: &'static str,
    /// Its published weight, 0 to 100.
    pub weight: u8,
    /// What it means, for the table that `picket policy signals` prints.
    pub about: &'static str,
    /// Looks at one observation.
    pub judge: fn(&Observation, &Policy) -> Judged,
}

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It speaks against the asset.
    Yes {
        /// One line for a person.
        says: String,
        /// Where that was read.
        evidence: String,
    },
    /// It does not, or does not concern this kind of asset.
    No,
    /// It cannot be told, and why.
    Unknown(String),
}

/// All signals, alphabetical. A test compares it with the folder.
pub const ALL: &[Signal] = &[
    accelerated_type::SIGNAL,
    burst::SIGNAL,
    failed_launch::SIGNAL,
    guardduty_crypto::SIGNAL,
    guardduty_other::SIGNAL,
    leaked_key::SIGNAL,
    metadata_v1::SIGNAL,
    miner_in_user_data::SIGNAL,
    new_image::SIGNAL,
    new_principal::SIGNAL,
    new_region::SIGNAL,
    new_type::SIGNAL,
    public_address::SIGNAL,
    public_api_server::SIGNAL,
    requested::SIGNAL,
    root_user::SIGNAL,
    very_large_type::SIGNAL,
    world_open_everything::SIGNAL,
    world_open_kubernetes::SIGNAL,
    world_open_ssh::SIGNAL,
];

fn yes(says: impl Into<String>, evidence: impl Into<String>) -> Judged {
    Judged::Yes { says: says.into(), evidence: evidence.into() }
}

/// Whether the call that woke us made or started machines, so that its caller is the machines' launcher.
fn is_launch(observation: &Observation) -> bool {
    use picket_model::TriggerKind as K;
    matches!(observation.trigger.kind, K::RunInstances | K::StartInstances | K::CreateFleet | K::ChangeAutoScalingGroup)
}

/// Judges a first-seen fact: new, and not just because everything is to a Picket that was deployed today.
fn newly_seen(what: &str, since: &Fact<Timestamp>, observation: &Observation, policy: &Policy) -> Judged {
    let at = observation.trigger.at;
    if let Some(start) = observation.watching_since.value() {
        let watched = at.duration_since(*start);
        if watched < policy.risk.learning {
            let (so_far, all) = (watched.as_hours().max(0), policy.risk.learning.as_hours());
            return Judged::Unknown(format!("what is new here is not known yet: {so_far} of {all} hours learned"));
        }
    }
    match since {
        Fact::Unknown { reason } => Judged::Unknown(reason.clone()),
        Fact::Known { value, source } => {
            let age = at.duration_since(*value).max(SignedDuration::ZERO);
            if age > policy.risk.new_for {
                return Judged::No;
            }
            let when = if age < SignedDuration::from_mins(1) {
                "now".to_owned()
            } else {
                format!("{} min ago", age.as_mins())
            };
            yes(format!("{what} was first seen in this account {when}"), source.clone())
        }
    }
}

/// Judges whether the world can reach any of `ports` by a rule that names ports. What is open on all of them is told by
/// `world_open_everything`, and so is a fact that is missing: once is enough.
fn open_to(observation: &Observation, ports: &[u16]) -> Judged {
    let (Asset::Instance(_), Fact::Known { value, source }) = (&observation.asset, &observation.world_open) else {
        return Judged::No;
    };
    let names_one = |e: &&Exposure| e.openness != Openness::Everything && ports.iter().any(|p| e.openness.covers(*p));
    match value.iter().find(names_one) {
        Some(e) => yes(format!("{} lets {} reach {}", e.group, e.from, e.openness), source.clone()),
        None => Judged::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed_in_order_with_its_own_name() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/signals")).unwrap();
        let mut files: Vec<_> =
            folder.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        files.retain(|f| f != "mod");
        files.sort();
        assert_eq!(ALL.iter().map(|s| s.name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn every_signal_says_what_it_means_and_weighs_something() {
        for signal in ALL {
            assert!(signal.about.len() > 20, "{}", signal.name);
            assert!((1..=100).contains(&signal.weight), "{}", signal.name);
        }
    }
}
