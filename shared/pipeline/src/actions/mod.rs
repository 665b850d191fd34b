//! The code of each kind of step, one file each: what it plans from what it finds, how that is put back, and the AWS
//! permissions that it needs. To add one: a file with `PERMISSIONS`, and its lines below.
//!
//! Interfaces are changed by `contain_interface` and `restore_interface`. Everything else is a `Measure`: planned here
//! as data, made and undone by `measures`, which knows no action by name.

pub mod cancel_spot_request;
pub mod contain_interface;
pub mod cut_credentials;
pub mod deny_at_gateway;
pub mod disable_metadata;
pub mod drop_address;
pub mod freeze_capacity_provider;
pub mod freeze_compute_environment;
pub mod freeze_fleet;
pub mod freeze_node;
pub mod freeze_node_group;
pub mod freeze_scaling_group;
pub mod keep_evidence;
pub mod keep_volumes;
pub mod leave_load_balancers;
pub mod lock_snapshots;
pub mod open_window;
pub mod protect_shutdown;
pub mod protect_termination;
pub mod quarantine_group;
pub mod remove_profile;
pub mod restore_interface;
pub mod snapshot_volumes;
pub mod stop_instance;
pub mod tag_case;
pub mod tag_volumes;

use picket_model::{CaseId, Facts, InstanceId, Measure, Owner};

/// What a measure is planned from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What was read of the instance.
    pub facts: &'a Facts,
    /// The case that it is held for.
    pub case: &'a CaseId,
    /// For how many days snapshots are locked; 0 does not lock them.
    pub lock_days: u16,
    /// Whether its instance profile is taken away.
    pub remove_profile: bool,
    /// Whether the instance is to be stopped: nothing else ends its connections, and the policy allows it.
    pub stop: bool,
}

/// Plans measures of one kind.
type Plan = fn(&Subject<'_>) -> Vec<Measure>;

/// What is done once an instance is contained, in this order: evidence before anything else can be lost, credentials,
/// copies, then what others see.
const AFTERWARDS: &[Plan] = &[
    keep_evidence::plan,
    protect_termination::plan,
    protect_shutdown::plan,
    keep_volumes::plan,
    cut_credentials::plan,
    disable_metadata::plan,
    remove_profile::plan,
    cancel_spot_request::plan,
    snapshot_volumes::plan,
    lock_snapshots::plan,
    leave_load_balancers::plan,
    tag_case::plan,
    tag_volumes::plan,
    stop_instance::plan,
];

/// All measures for an instance that is contained.
#[must_use]
pub fn afterwards(subject: &Subject<'_>) -> Vec<Measure> {
    AFTERWARDS.iter().flat_map(|plan| plan(subject)).collect()
}

/// What freezes an owner before one of its instances is touched; none if nothing is left to freeze. `held`: all
/// instances that are held, which tells an attacker's own from one that is shared.
#[must_use]
pub fn freeze(owner: &Owner, instance: &InstanceId, held: &[InstanceId]) -> Option<Measure> {
    match owner {
        Owner::ScalingGroup(group) => freeze_scaling_group::plan(group, held),
        Owner::NodeGroup(group) => freeze_node_group::plan(group, held),
        Owner::Fleet(fleet) => freeze_fleet::plan(fleet, held),
        Owner::CapacityProvider { name, members } => freeze_capacity_provider::plan(name, members, held),
        Owner::ComputeEnvironment { name, members } => freeze_compute_environment::plan(name, members, held),
        Owner::Node { cluster, .. } => Some(freeze_node::plan(cluster, instance)),
    }
}

/// Every action with its permissions, alphabetical. A test compares it with the folder.
pub const ALL: &[(&str, &[&str])] = &[
    ("cancel_spot_request", cancel_spot_request::PERMISSIONS),
    ("contain_interface", contain_interface::PERMISSIONS),
    ("cut_credentials", cut_credentials::PERMISSIONS),
    ("deny_at_gateway", deny_at_gateway::PERMISSIONS),
    ("disable_metadata", disable_metadata::PERMISSIONS),
    ("drop_address", drop_address::PERMISSIONS),
    ("freeze_capacity_provider", freeze_capacity_provider::PERMISSIONS),
    ("freeze_compute_environment", freeze_compute_environment::PERMISSIONS),
    ("freeze_fleet", freeze_fleet::PERMISSIONS),
    ("freeze_node", freeze_node::PERMISSIONS),
    ("freeze_node_group", freeze_node_group::PERMISSIONS),
    ("freeze_scaling_group", freeze_scaling_group::PERMISSIONS),
    ("keep_evidence", keep_evidence::PERMISSIONS),
    ("keep_volumes", keep_volumes::PERMISSIONS),
    ("leave_load_balancers", leave_load_balancers::PERMISSIONS),
    ("lock_snapshots", lock_snapshots::PERMISSIONS),
    ("open_window", open_window::PERMISSIONS),
    ("protect_shutdown", protect_shutdown::PERMISSIONS),
    ("protect_termination", protect_termination::PERMISSIONS),
    ("quarantine_group", quarantine_group::PERMISSIONS),
    ("remove_profile", remove_profile::PERMISSIONS),
    ("restore_interface", restore_interface::PERMISSIONS),
    ("snapshot_volumes", snapshot_volumes::PERMISSIONS),
    ("stop_instance", stop_instance::PERMISSIONS),
    ("tag_case", tag_case::PERMISSIONS),
    ("tag_volumes", tag_volumes::PERMISSIONS),
];

#[cfg(test)]
mod tests {
    use picket_model::{Change, InstanceId, Scope};

    use super::*;

    fn facts() -> Facts {
        Facts {
            instance: InstanceId::parse("i-00000001").unwrap(),
            termination_protection: false,
            shutdown_behaviour: "terminate".to_owned(),
            deleted_with_it: vec!["/dev/xvda".to_owned(), "/dev/sdf".to_owned()],
            metadata_endpoint: true,
            role: Some(("node".into(), "AROA1".into())),
            target_groups: vec![("arn:tg".into(), 80)],
            spot: false,
            profile: Some(("iip-assoc-1".into(), "arn:profile".into())),
            spot_request: None,
            stop_protection: false,
            volumes: vec!["vol-1".into()],
            unknown: Vec::new(),
        }
    }

    fn subject<'a>(facts: &'a Facts, case: &'a CaseId) -> Subject<'a> {
        Subject { facts, case, lock_days: 0, remove_profile: false, stop: false }
    }

    fn planned(facts: &Facts) -> Vec<String> {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let case = CaseId::derive(&scope, "r-1");
        afterwards(&subject(facts, &case)).into_iter().map(|m| m.action).collect()
    }

    #[test]
    fn every_action_is_listed_in_order() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/actions")).unwrap();
        let mut files: Vec<_> =
            folder.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
        files.retain(|f| f != "mod");
        files.sort();
        assert_eq!(ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn the_roles_of_the_deployment_grant_what_the_actions_need() {
        let roles = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/roles.yaml"));
        for (action, permissions) in ALL {
            for permission in *permissions {
                assert!(
                    roles.contains(permission),
                    "{action} needs {permission}, which infra/roles.yaml does not grant"
                );
            }
        }
    }

    #[test]
    fn evidence_is_protected_before_credentials_are_cut_and_copies_are_made() {
        let expected = [
            "keep_evidence",
            "protect_termination",
            "protect_shutdown",
            "keep_volumes",
            "keep_volumes",
            "cut_credentials",
            "disable_metadata",
            "snapshot_volumes",
            "leave_load_balancers",
            "tag_case",
            "tag_volumes",
        ];
        assert_eq!(planned(&facts()), expected);
    }

    #[test]
    fn what_is_so_already_is_not_done_and_so_never_undone() {
        let quiet = Facts {
            termination_protection: true,
            shutdown_behaviour: "stop".to_owned(),
            deleted_with_it: Vec::new(),
            metadata_endpoint: false,
            role: None,
            target_groups: Vec::new(),
            volumes: Vec::new(),
            ..facts()
        };
        assert_eq!(planned(&quiet), ["keep_evidence", "snapshot_volumes", "tag_case"]);
    }

    #[test]
    fn a_spot_instance_is_not_protected_because_aws_cannot() {
        let planned = planned(&Facts { spot: true, ..facts() });
        assert!(!planned.iter().any(|a| a.starts_with("protect_")), "{planned:?}");
    }

    #[test]
    fn only_copies_and_a_cancelled_request_have_no_way_back() {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let case = CaseId::derive(&scope, "r-1");
        let facts = Facts { spot_request: Some("sir-1".into()), stop_protection: true, ..facts() };
        let all = Subject { lock_days: 7, remove_profile: true, stop: true, ..subject(&facts, &case) };
        for measure in afterwards(&all) {
            let stays = matches!(
                measure.apply,
                Change::Snapshot { .. }
                    | Change::KeepEvidence { .. }
                    | Change::LockSnapshots { .. }
                    | Change::CancelSpotRequest { .. }
            );
            assert_eq!(measure.undo.is_none(), stays, "{}", measure.apply);
        }
    }

    #[test]
    fn what_is_stopped_was_copied_before_and_its_protection_is_taken_off_first() {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let case = CaseId::derive(&scope, "r-1");
        let facts = Facts { stop_protection: true, ..facts() };
        let planned = afterwards(&Subject { stop: true, ..subject(&facts, &case) });
        let words: Vec<String> = planned.iter().map(|m| m.apply.to_string()).collect();
        let at = |word: &str| words.iter().position(|w| w.starts_with(word)).unwrap();
        assert!(at("keep evidence") < at("stop i-") && at("snapshot") < at("stop i-"), "{words:?}");
        assert!(at("stop protection") < at("stop i-"), "{words:?}");
    }
}
