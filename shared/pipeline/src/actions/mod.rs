//! The code of each kind of step, one file each: what it plans from what it finds, how that is put back, and the AWS
//! permissions that it needs. To add one: a file with `PERMISSIONS`, and its lines below.
//!
//! Interfaces are changed by `contain_interface` and `restore_interface`. Everything else is a `Measure`: planned here
//! as data, made and undone by `measures`, which knows no action by name.

pub mod contain_interface;
pub mod cut_credentials;
pub mod disable_metadata;
pub mod freeze_scaling_group;
pub mod keep_volumes;
pub mod leave_load_balancers;
pub mod protect_shutdown;
pub mod protect_termination;
pub mod quarantine_group;
pub mod restore_interface;
pub mod snapshot_volumes;
pub mod tag_case;

use picket_model::{CaseId, Facts, Measure};

/// What a measure is planned from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What was read of the instance.
    pub facts: &'a Facts,
    /// The case that it is held for.
    pub case: &'a CaseId,
}

/// Plans measures of one kind.
type Plan = fn(&Subject<'_>) -> Vec<Measure>;

/// What is done once an instance is contained, in this order: evidence before anything else can be lost, credentials,
/// copies, then what others see.
const AFTERWARDS: &[Plan] = &[
    protect_termination::plan,
    protect_shutdown::plan,
    keep_volumes::plan,
    cut_credentials::plan,
    disable_metadata::plan,
    snapshot_volumes::plan,
    leave_load_balancers::plan,
    tag_case::plan,
];

/// All measures for an instance that is contained.
#[must_use]
pub fn afterwards(subject: &Subject<'_>) -> Vec<Measure> {
    AFTERWARDS.iter().flat_map(|plan| plan(subject)).collect()
}

/// Every action with its permissions, alphabetical. A test compares it with the folder.
pub const ALL: &[(&str, &[&str])] = &[
    ("contain_interface", contain_interface::PERMISSIONS),
    ("cut_credentials", cut_credentials::PERMISSIONS),
    ("disable_metadata", disable_metadata::PERMISSIONS),
    ("freeze_scaling_group", freeze_scaling_group::PERMISSIONS),
    ("keep_volumes", keep_volumes::PERMISSIONS),
    ("leave_load_balancers", leave_load_balancers::PERMISSIONS),
    ("protect_shutdown", protect_shutdown::PERMISSIONS),
    ("protect_termination", protect_termination::PERMISSIONS),
    ("quarantine_group", quarantine_group::PERMISSIONS),
    ("restore_interface", restore_interface::PERMISSIONS),
    ("snapshot_volumes", snapshot_volumes::PERMISSIONS),
    ("tag_case", tag_case::PERMISSIONS),
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
            unknown: Vec::new(),
        }
    }

    fn planned(facts: &Facts) -> Vec<String> {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let case = CaseId::derive(&scope, "r-1");
        afterwards(&Subject { facts, case: &case }).into_iter().map(|m| m.action).collect()
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
            "protect_termination",
            "protect_shutdown",
            "keep_volumes",
            "keep_volumes",
            "cut_credentials",
            "disable_metadata",
            "snapshot_volumes",
            "leave_load_balancers",
            "tag_case",
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
            ..facts()
        };
        assert_eq!(planned(&quiet), ["snapshot_volumes", "tag_case"]);
    }

    #[test]
    fn a_spot_instance_is_not_protected_because_aws_cannot() {
        let planned = planned(&Facts { spot: true, ..facts() });
        assert!(!planned.iter().any(|a| a.starts_with("protect_")), "{planned:?}");
    }

    #[test]
    fn only_a_snapshot_has_no_way_back() {
        let scope: Scope = serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap();
        let case = CaseId::derive(&scope, "r-1");
        for measure in afterwards(&Subject { facts: &facts(), case: &case }) {
            assert_eq!(measure.undo.is_none(), matches!(measure.apply, Change::Snapshot { .. }), "{}", measure.apply);
        }
    }
}
