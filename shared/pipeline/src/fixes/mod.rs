//! The fixes, one file each: what is wanted of what is there (`plan`, pure, with its guard), how both ends are told apart
//! when they are read again, and the AWS permissions that reading, making and undoing need.
//! Reading and writing are behind the port `Fixes`, which is implemented by `picket-aws` and `picket-kubernetes`.
//! To add one: a file with `ACTION`, its two lines below, its line in `picket-checks`' `fixes`, and its arm in the port.

mod accessanalyzer_enable;
mod cloudtrail_validate_logs;
mod ec2_block_public_images;
mod ec2_block_public_snapshots;
mod ec2_default_imds;
mod ec2_disable_serial_console;
mod ec2_empty_default_group;
mod ec2_enable_flow_logs;
mod ec2_encrypt_volumes_by_default;
mod ec2_launch_template_imds_v2;
mod ec2_make_image_private;
mod ec2_make_snapshot_private;
mod ec2_require_imds_v2;
mod ec2_revoke_egress;
mod ec2_revoke_ingress;
mod ec2_set_hop_limit;
mod ec2_subnet_no_public_address;
mod ecr_immutable_tags;
mod ecr_scan_on_push;
mod eks_close_public_endpoint;
mod eks_encrypt_secrets;
mod eks_freeze_node_group;
mod eks_narrow_public_endpoint;
mod eks_protect_deletion;
mod eks_revoke_access_entry;
mod eks_revoke_access_policy;
mod eks_set_authentication_mode;
mod eks_set_logging;
mod eks_tag_cluster;
mod eks_tag_node_group;
mod elb_drop_invalid_headers;
mod guardduty_enable;
mod iam_deactivate_key;
mod iam_deny_principal;
mod iam_deny_sessions;
mod iam_set_password_policy;
mod kms_enable_rotation;
mod kubernetes_cordon_node;
mod kubernetes_deny_network;
mod kubernetes_drain_node;
mod kubernetes_label_pod_security;
mod kubernetes_revoke_anonymous;
mod kubernetes_unmount_default_token;
mod logs_set_retention;
mod node_set_file_mode;
mod node_set_kubelet;
mod rds_disable_public_access;
mod rds_enable_minor_upgrades;
mod rds_protect_deletion;
mod s3_block_account_public_access;
mod s3_block_bucket_public_access;
mod s3_require_tls;
mod ssm_block_public_documents;

use picket_checks::fixes::{Known, known};
use picket_model::Untrusted;
use picket_model::fix::{Aim, FixStep, StepState};
use serde_json::{Map, Value};

use crate::wants::{cut_rules, endpoint, private_path, rules, set, stoppable, tags};
use crate::words;

/// The code of one kind of fix.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Its name, as rules and people write it.
    pub name: &'static str,
    /// What it needs of IAM, to read, to make and to undo.
    pub permissions: &'static [&'static str],
    /// What shall be there.
    pub plan: fn(&Seen<'_>) -> Result<Value, Not>,
    /// Where a thing stands between the two ends of its fix.
    pub stands: fn(&Ends<'_>) -> Stands,
    /// Why people are asked, whatever policy and rule say.
    pub asks: Option<&'static str>,
    /// Whether it stops a user or a role; policy has a switch of its own for that.
    pub stops_principals: bool,
    /// Whether what it wants moves with time, so that a yes to an earlier plan is a yes to a later one.
    pub moves: bool,
    /// What does not come back with an undo, in words.
    pub stays: &'static [&'static str],
}

/// What a fix is planned from.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The thing.
    pub target: &'a str,
    /// Parameters.
    pub with: &'a Map<String, Value>,
    /// What is there and would come back.
    pub now: &'a Value,
    /// What else was read, for guards.
    pub facts: &'a Value,
}

/// The ends of a fix, and what is there now.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'a> {
    /// What was there.
    pub before: &'a Value,
    /// What shall be there.
    pub after: &'a Value,
    /// What was read now.
    pub live: &'a Value,
}

/// Where a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// As before the fix.
    Before,
    /// As the fix wants it.
    After,
    /// Half made, or half undone.
    Between,
    /// Otherwise: somebody changed it.
    Other,
}

/// Why there is nothing to plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Not {
    /// It is so already.
    Already,
    /// It would break something.
    Guarded(String),
    /// The parameters, or what was read, cannot be used.
    Wrong(String),
}

impl Action {
    const fn new(
        name: &'static str,
        permissions: &'static [&'static str],
        plan: fn(&Seen<'_>) -> Result<Value, Not>,
    ) -> Self {
        Self {
            name,
            permissions,
            plan,
            stands: by_equality,
            asks: None,
            stops_principals: false,
            moves: false,
            stays: &[],
        }
    }

    const fn comparing(self, stands: fn(&Ends<'_>) -> Stands) -> Self {
        Self { stands, ..self }
    }

    const fn asking(self, why: &'static str) -> Self {
        Self { asks: Some(why), ..self }
    }

    const fn stopping_principals(self) -> Self {
        Self { stops_principals: true, asks: Some("it stops a user or a role"), ..self }
    }

    const fn moving(self) -> Self {
        Self { moves: true, ..self }
    }

    const fn staying(self, stays: &'static [&'static str]) -> Self {
        Self { stays, ..self }
    }

    /// What people must know of it.
    #[must_use]
    pub fn known(&self) -> Option<&'static Known> {
        known(self.name)
    }

    /// Whether AWS gives no way back.
    #[must_use]
    pub fn one_way(&self) -> bool {
        self.known().is_some_and(|k| k.one_way)
    }

    /// The step that `aim` comes to, given what was read.
    ///
    /// # Errors
    /// If there is nothing to do, or it must not be done.
    pub fn step(&self, aim: &Aim, now: &Value, facts: &Value) -> Result<FixStep, Not> {
        let after = (self.plan)(&Seen { target: &aim.target, with: &aim.with, now, facts })?;
        if &after == now {
            return Err(Not::Already);
        }
        let does = self.known().map_or(self.name, |k| k.says);
        let says = format!("{}: {does} ({})", aim.target, words::change(now, &after));
        Ok(FixStep {
            aim: aim.clone(),
            says: Untrusted::new(&says),
            before: now.clone(),
            after,
            facts: facts.clone(),
            one_way: self.one_way(),
            state: StepState::Intended,
        })
    }
}

/// Every action, alphabetical. A test compares it with the folder and with `picket-checks`.
pub const ALL: &[Action] = &[
    accessanalyzer_enable::ACTION,
    cloudtrail_validate_logs::ACTION,
    ec2_block_public_images::ACTION,
    ec2_block_public_snapshots::ACTION,
    ec2_default_imds::ACTION,
    ec2_disable_serial_console::ACTION,
    ec2_empty_default_group::ACTION,
    ec2_enable_flow_logs::ACTION,
    ec2_encrypt_volumes_by_default::ACTION,
    ec2_launch_template_imds_v2::ACTION,
    ec2_make_image_private::ACTION,
    ec2_make_snapshot_private::ACTION,
    ec2_require_imds_v2::ACTION,
    ec2_revoke_egress::ACTION,
    ec2_revoke_ingress::ACTION,
    ec2_set_hop_limit::ACTION,
    ec2_subnet_no_public_address::ACTION,
    ecr_immutable_tags::ACTION,
    ecr_scan_on_push::ACTION,
    eks_close_public_endpoint::ACTION,
    eks_encrypt_secrets::ACTION,
    eks_freeze_node_group::ACTION,
    eks_narrow_public_endpoint::ACTION,
    eks_protect_deletion::ACTION,
    eks_revoke_access_entry::ACTION,
    eks_revoke_access_policy::ACTION,
    eks_set_authentication_mode::ACTION,
    eks_set_logging::ACTION,
    eks_tag_cluster::ACTION,
    eks_tag_node_group::ACTION,
    elb_drop_invalid_headers::ACTION,
    guardduty_enable::ACTION,
    iam_deactivate_key::ACTION,
    iam_deny_principal::ACTION,
    iam_deny_sessions::ACTION,
    iam_set_password_policy::ACTION,
    kms_enable_rotation::ACTION,
    kubernetes_cordon_node::ACTION,
    kubernetes_deny_network::ACTION,
    kubernetes_drain_node::ACTION,
    kubernetes_label_pod_security::ACTION,
    kubernetes_revoke_anonymous::ACTION,
    kubernetes_unmount_default_token::ACTION,
    logs_set_retention::ACTION,
    node_set_file_mode::ACTION,
    node_set_kubelet::ACTION,
    rds_disable_public_access::ACTION,
    rds_enable_minor_upgrades::ACTION,
    rds_protect_deletion::ACTION,
    s3_block_account_public_access::ACTION,
    s3_block_bucket_public_access::ACTION,
    s3_require_tls::ACTION,
    ssm_block_public_documents::ACTION,
];

/// The action of that name.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    ALL.iter().find(|a| a.name == name)
}

/// For things that are written by one call, and so are never half made.
fn by_equality(ends: &Ends<'_>) -> Stands {
    match ends.live {
        live if live == ends.after => Stands::After,
        live if live == ends.before => Stands::Before,
        _ => Stands::Other,
    }
}

#[cfg(test)]
#[path = "../fixes_tests.rs"]
mod tests;
