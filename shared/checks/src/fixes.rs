//! The fixes that there are, by name: what a rule's `fix: {action: ..., with: ...}` may say. How each is planned and made
//! is in `picket-pipeline`'s `fixes`, one file each; a test there compares the two lists.

/// What a rule or a person must know of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What its target looks like: the `id` of the document that a rule selects, or what a person types.
    pub target: &'static str,
    /// The parameters that it takes; one that ends in `?` may be left out.
    pub with: &'static [&'static str],
    /// Whether AWS gives no way back. Such a fix always asks for approval.
    pub one_way: bool,
    /// What it does, in one line.
    pub says: &'static str,
}

const fn fix(name: &'static str, target: &'static str, with: &'static [&'static str], says: &'static str) -> Known {
    Known { name, target, with, one_way: false, says }
}

const fn one_way(name: &'static str, target: &'static str, with: &'static [&'static str], says: &'static str) -> Known {
    Known { name, target, with, one_way: true, says }
}

const REGION: &str = "the Region, such as us-east-1";
const ACCOUNT: &str = "the account, such as 123456789012";
const CLUSTER: &str = "the cluster's name";
const GROUP: &str = "a security group, such as sg-0abc1234def567890";
const INSTANCE: &str = "an instance, such as i-0abc1234def567890";
const DATABASE: &str = "the database instance's name";
const NODE: &str = "CLUSTER/NODE";
const REACH: &[&str] = &["cidrs?", "ports?", "protocol?"];

/// Every fix, alphabetical.
pub const ALL: &[Known] = &[
    fix("accessanalyzer_enable", REGION, &[], "make an IAM Access Analyzer of the account"),
    fix("cloudtrail_validate_logs", "the trail's name or ARN", &[], "let CloudTrail sign its log files"),
    fix("ec2_block_public_images", REGION, &[], "no image of the account may become public"),
    fix("ec2_block_public_snapshots", REGION, &[], "no snapshot of the account is shared with everybody"),
    fix("ec2_default_imds", REGION, &["hop_limit?"], "new instances answer metadata requests with a token only"),
    fix("ec2_disable_serial_console", REGION, &[], "no serial console of any instance can be opened"),
    fix("ec2_empty_default_group", GROUP, &[], "take every rule from the default security group of a VPC"),
    fix("ec2_enable_flow_logs", "a VPC, such as vpc-0abc1234def567890", &["bucket"], "log the flows of a VPC"),
    fix("ec2_encrypt_volumes_by_default", REGION, &[], "new volumes are encrypted"),
    fix(
        "ec2_launch_template_imds_v2",
        "a launch template, such as lt-0abc1234def567890",
        &["hop_limit?"],
        "a new default version whose instances answer metadata requests with a token only",
    ),
    fix(
        "ec2_make_image_private",
        "an image, such as ami-0abc1234def567890",
        &[],
        "no longer share an image with everybody",
    ),
    fix(
        "ec2_make_snapshot_private",
        "a snapshot, such as snap-0abc1234def567890",
        &[],
        "no longer share a snapshot with everybody",
    ),
    fix("ec2_require_imds_v2", INSTANCE, &[], "answer metadata requests with a token only"),
    fix("ec2_revoke_egress", GROUP, REACH, "take the offending part out of the outbound rules, and leave the rest"),
    fix("ec2_revoke_ingress", GROUP, REACH, "take the offending part out of the inbound rules, and leave the rest"),
    fix("ec2_set_hop_limit", INSTANCE, &["limit?", "pods_have_roles?"], "metadata answers do not reach containers"),
    fix(
        "ec2_subnet_no_public_address",
        "a subnet, such as subnet-0abc1234def567890",
        &[],
        "new interfaces get no public address by themselves",
    ),
    fix("ecr_immutable_tags", "the repository's name", &[], "a tag of an image stays what it was"),
    fix("ecr_scan_on_push", "the repository's name", &[], "scan images when they are pushed"),
    fix("eks_close_public_endpoint", CLUSTER, &[], "only the VPC reaches the API server"),
    one_way("eks_encrypt_secrets", CLUSTER, &["key"], "encrypt secrets with a KMS key"),
    fix("eks_freeze_node_group", "CLUSTER/NODEGROUP", &[], "a node group may not grow"),
    fix("eks_narrow_public_endpoint", CLUSTER, &["cidrs"], "only these networks reach the public endpoint"),
    fix("eks_protect_deletion", CLUSTER, &[], "a cluster cannot be deleted by one call"),
    fix("eks_revoke_access_entry", "CLUSTER/PRINCIPAL-ARN", &[], "take a principal's access to a cluster"),
    fix("eks_revoke_access_policy", "CLUSTER/PRINCIPAL-ARN", &["policy"], "take one access policy from a principal"),
    one_way("eks_set_authentication_mode", CLUSTER, &["mode"], "let access entries decide who gets in"),
    fix("eks_set_logging", CLUSTER, &["types?"], "switch control-plane logs on"),
    fix("eks_tag_cluster", CLUSTER, &["tags"], "add tags to a cluster"),
    fix("eks_tag_node_group", "CLUSTER/NODEGROUP", &["tags"], "add tags to a node group"),
    fix("elb_drop_invalid_headers", "the load balancer's ARN", &[], "drop malformed headers"),
    fix("guardduty_enable", REGION, &[], "switch GuardDuty on"),
    fix("iam_deactivate_key", "USER/ACCESS-KEY-ID", &[], "an access key opens nothing until it is switched on again"),
    fix("iam_deny_principal", "user/NAME or role/NAME", &[], "deny everything to a user or a role"),
    fix("iam_deny_sessions", "role/NAME", &[], "deny everything to the sessions of a role that exist now"),
    fix("iam_set_password_policy", ACCOUNT, &["minimum_length?", "reuse_prevention?"], "require good passwords"),
    fix("kms_enable_rotation", "the key's id", &[], "rotate a key every year"),
    fix("kubernetes_cordon_node", NODE, &[], "schedule nothing new on a node"),
    fix("kubernetes_deny_network", "CLUSTER/NAMESPACE/KIND/NAME", &[], "deny all traffic of a pod or workload"),
    fix("kubernetes_drain_node", NODE, &[], "cordon a node and evict its pods, as their budgets allow"),
    fix("kubernetes_label_pod_security", "CLUSTER/NAMESPACE", &["level?", "mode?"], "check pods of a namespace"),
    fix("kubernetes_revoke_anonymous", "CLUSTER/KIND/[NAMESPACE/]NAME", &[], "take the rights of anonymous callers"),
    fix("kubernetes_unmount_default_token", "CLUSTER/NAMESPACE", &[], "pods get no token unless they ask for one"),
    fix("logs_set_retention", "the log group's name", &["days?"], "keep logs for so many days"),
    fix("node_set_file_mode", INSTANCE, &["path", "mode"], "tighten the mode of a file, with a backup"),
    fix("node_set_kubelet", INSTANCE, &["field", "value"], "change one setting of the kubelet, with a backup"),
    fix("rds_disable_public_access", DATABASE, &[], "a database gets no public address"),
    fix("rds_enable_minor_upgrades", DATABASE, &[], "a database takes minor upgrades by itself"),
    fix("rds_protect_deletion", DATABASE, &[], "a database cannot be deleted by one call"),
    fix("s3_block_account_public_access", ACCOUNT, &[], "no bucket of the account is public"),
    fix("s3_block_bucket_public_access", "the bucket's name", &[], "a bucket is not public"),
    fix("s3_require_tls", "the bucket's name", &[], "a bucket refuses requests without TLS"),
    fix("ssm_block_public_documents", REGION, &[], "no document of the account may become public"),
];

/// The fix of that name.
#[must_use]
pub fn known(name: &str) -> Option<&'static Known> {
    ALL.iter().find(|k| k.name == name)
}

impl Known {
    /// What is wrong with the parameters of these names: unknown ones, or ones that are missing.
    #[must_use]
    pub fn refuses(&self, given: &[&str]) -> Option<String> {
        let plain = |p: &'static str| p.trim_end_matches('?');
        let takes: Vec<&str> = self.with.iter().map(|p| plain(p)).collect();
        let list = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
        if let Some(odd) = given.iter().find(|g| !takes.contains(g)) {
            return Some(format!("{} takes no parameter `{odd}`; it takes {list}", self.name));
        }
        let needed = self.with.iter().filter(|p| !p.ends_with('?'));
        let missing = needed.into_iter().find(|p| !given.contains(p))?;
        Some(format!("{} needs the parameter `{missing}`", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_each_once() {
        let names: Vec<_> = ALL.iter().map(|k| k.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn parameters_that_are_missing_or_unknown_are_said() {
        let narrow = known("eks_narrow_public_endpoint").unwrap();
        assert_eq!(narrow.refuses(&["cidrs"]), None);
        assert!(narrow.refuses(&[]).unwrap().contains("needs the parameter `cidrs`"));
        assert!(narrow.refuses(&["cidrs", "port"]).unwrap().contains("no parameter `port`"));
        assert_eq!(known("eks_set_logging").unwrap().refuses(&[]), None);
        assert!(known("no_such_fix").is_none());
    }

    #[test]
    fn what_cannot_be_undone_is_known_as_such() {
        let one_way: Vec<_> = ALL.iter().filter(|k| k.one_way).map(|k| k.name).collect();
        assert_eq!(one_way, ["eks_encrypt_secrets", "eks_set_authentication_mode"]);
        assert!(ALL.len() - one_way.len() >= 25);
    }
}
