"""A careless account from end to end: it gets exactly the findings that it should, what the policy lets be fixed is fixed by the
deployed function and judged to be mended, and when all of it is undone the account is as it was. IAM is enforced all the while.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import Any, Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from careless import Careless
from conftest import deployed
from deployment import Deployment, eventually

POLICY = "version: 1\nmode: enforce\nfixes: {default: fix, per_hour: 500}\n"

# Every rule that fails, by what it fails for: what `careless.py` made, the account itself, and the stack that judges it.
EXPECTED: dict[str, str] = {
    "aws.account/123456789012": (
        "account_spending_watched alarms_on_bucket_policy_changes alarms_on_cloudtrail_changes alarms_on_config_changes "
        "alarms_on_gateway_changes alarms_on_iam_policy_changes alarms_on_key_deletions alarms_on_network_acl_changes "
        "alarms_on_organization_changes alarms_on_root_usage alarms_on_route_table_changes "
        "alarms_on_security_group_changes alarms_on_sign_in_failures alarms_on_sign_in_without_mfa "
        "alarms_on_unauthorized_calls alarms_on_vpc_changes cloudtrail_s3_object_reads cloudtrail_s3_object_writes "
        "iam_support_role organizations_management_account_empty tiers_admin_group tiers_admin_policy"
    ),
    "aws.region/us-east-1": (
        "config_recording config_rule_active_eip_attached config_rule_active_encrypted_volumes "
        "cryptojacking_guardduty_watches_clusters guardduty_on"
    ),
    "cloudtrail.trail/arn:aws:cloudtrail:us-east-1:123456789012:trail/<trail>": (
        "cloudtrail_bucket_logged cloudtrail_encrypted cloudtrail_validation"
    ),
    "ec2.image/<image>": "ec2_image_private",
    "ec2.instance/<node>": (
        "cryptojacking_nodes_hop_limit cryptojacking_nodes_imds_v2 cryptojacking_nodes_not_public ec2_approved_image "
        "ec2_detailed_monitoring ec2_imds_v2 ec2_instance_profile ec2_managed_by_ssm ec2_no_public_address"
    ),
    "ec2.launch_template/<template>": "ec2_template_imds_v2",
    "ec2.network_acl/<acl>": "ec2_network_acl_admin_closed",
    "ec2.network_acl/<first acl>": "ec2_network_acl_admin_closed",
    "ec2.network_interface/<node interface>": "ec2_tagged_network_interface",
    "ec2.security_group/<api group>": "cryptojacking_api_server_closed ec2_only_web_ports_open",
    "ec2.security_group/<dashboard group>": "cryptojacking_node_ports_closed ec2_only_web_ports_open",
    "ec2.security_group/<default group>": "ec2_default_group_empty",
    "ec2.security_group/<docker group>": "cryptojacking_docker_closed ec2_only_web_ports_open",
    "ec2.security_group/<etcd group>": "cryptojacking_etcd_closed ec2_only_web_ports_open",
    "ec2.security_group/<first default group>": "ec2_default_group_empty",
    "ec2.security_group/<kubelet group>": "cryptojacking_kubelet_closed cryptojacking_pool_ports_closed ec2_only_web_ports_open",
    "ec2.security_group/<pool group>": "cryptojacking_pool_ports_closed",
    "ec2.security_group/<ssh group>": "ec2_admin_ports_closed_v4 ec2_only_web_ports_open ec2_risky_ports_closed ec2_ssh_closed",
    "ec2.security_group/<cluster group>": "cryptojacking_pool_ports_closed",
    "ec2.settings/us-east-1": "ec2_default_imds_v2 ec2_encrypted_by_default ec2_images_block_public ec2_snapshots_block_public",
    "ec2.snapshot/<image snapshot 0>": "ec2_snapshot_encrypted",
    "ec2.snapshot/<snapshot>": "ec2_snapshot_encrypted ec2_snapshot_private",
    "ec2.subnet/<other subnet>": "ec2_subnet_no_public_address",
    "ec2.subnet/<subnet>": "ec2_subnet_no_public_address",
    "ec2.volume/<node volume>": "ec2_volume_backed_up ec2_volume_encrypted",
    "ec2.volume/<volume>": "ec2_volume_used",
    "ec2.vpc/<first vpc>": "vpc_flow_logs",
    "ec2.vpc/<vpc>": (
        "vpc_endpoint_ec2 vpc_endpoint_ecr_api vpc_endpoint_ecr_dkr vpc_endpoint_logs vpc_endpoint_s3 vpc_endpoint_ssm "
        "vpc_endpoint_ssm_contacts vpc_endpoint_ssm_incidents vpc_endpoint_sts vpc_flow_logs"
    ),
    "ecr.repository/<repository>": "ecr_immutable_tags ecr_lifecycle ecr_scanned",
    "eks.cluster/<cluster>": (
        "eks_access_entries eks_all_logs_on eks_audit_logs_kept eks_audit_logs_on eks_deletion_protected "
        "eks_endpoint_closed eks_endpoint_not_public eks_endpoint_private eks_endpoint_restricted eks_secrets_encrypted "
        "eks_secrets_encryption_on eks_users_from_iam eks_workload_identity"
    ),
    "iam.password_policy/123456789012": "iam_password_length iam_password_reuse",
    "iam.root/123456789012": "iam_root_hardware_mfa",
    "iam.user/<user>": "iam_idle_credentials iam_key_rotation iam_no_admin_inline_user iam_rights_by_group",
    "kms.key/<key>": "kms_rotation",
    "logs.log_group/<log group>": "tiers_log_retention_web",
    "organizations.organization/123456789012": "organizations_guardrails organizations_tag_policies_on organizations_tag_policy_for_ec2",
    "rds.db_instance/<database>": "rds_encrypted rds_minor_upgrades rds_not_public tiers_database_group",
    "s3.bucket/<audit bucket of the stack>": "s3_mfa_delete",
    "s3.bucket/<bucket>": "s3_bucket_blocks_public_access s3_mfa_delete s3_policy_not_public s3_versioning",
    "s3.bucket/<evidence bucket of the stack>": "s3_mfa_delete",
    "s3.bucket/<report bucket of the stack>": "s3_mfa_delete",
    "s3.bucket/<trail bucket>": "s3_mfa_delete s3_tls_only s3_versioning",
    "s3.bucket/picket-local-artifacts-123456789012": "s3_mfa_delete s3_tls_only s3_versioning",
    "securityhub.hub/us-east-1": "securityhub_on",
    "ssm.settings/us-east-1": "ssm_documents_block_public",
}
# The stack leaves the tags of its queues, table and topic to whoever deploys it.
UNTAGGED = [
    "dynamodb:us-east-1:123456789012:table/picket-state",
    "sns:us-east-1:123456789012:picket-alerts",
    "sqs:us-east-1:123456789012:on-call",
    "sqs:us-east-1:123456789012:picket-assess",
    "sqs:us-east-1:123456789012:picket-assess-dead",
    "sqs:us-east-1:123456789012:picket-audit-dead",
    "sqs:us-east-1:123456789012:picket-collect",
    "sqs:us-east-1:123456789012:picket-collect-dead",
    "sqs:us-east-1:123456789012:picket-fix",
    "sqs:us-east-1:123456789012:picket-fix-dead",
    "sqs:us-east-1:123456789012:picket-notices",
    "sqs:us-east-1:123456789012:picket-notices-dead",
    "sqs:us-east-1:123456789012:picket-report",
    "sqs:us-east-1:123456789012:picket-report-dead",
    "sqs:us-east-1:123456789012:picket-respond",
    "sqs:us-east-1:123456789012:picket-respond-dead",
    "sqs:us-east-1:123456789012:picket-sweep",
    "sqs:us-east-1:123456789012:picket-sweep-dead",
    "sqs:us-east-1:123456789012:picket-triggers",
    "sqs:us-east-1:123456789012:picket-triggers-dead",
    "sqs:us-east-1:123456789012:picket-watch",
    "sqs:us-east-1:123456789012:picket-watch-dead",
]
EXPECTED |= {f"tagging.resource/arn:aws:{name}": "tagging_resource_tagged" for name in UNTAGGED}

# What is fixed without asking anybody, and what only after a yes.
FIXED = {
    "cloudtrail_validate_logs", "ec2_block_public_images", "ec2_block_public_snapshots", "ec2_default_imds", "ec2_empty_default_group",
    "ec2_encrypt_volumes_by_default", "ec2_launch_template_imds_v2", "ec2_make_image_private", "ec2_make_snapshot_private",
    "ec2_require_imds_v2", "ec2_revoke_ingress", "ec2_subnet_no_public_address", "ecr_immutable_tags", "ecr_scan_on_push",
    "eks_protect_deletion", "eks_set_logging", "guardduty_enable", "iam_set_password_policy", "kms_enable_rotation",
    "rds_disable_public_access", "rds_enable_minor_upgrades", "s3_block_bucket_public_access", "s3_require_tls", "ssm_block_public_documents",
}  # fmt: skip
APPROVED = {"ec2_revoke_egress", "eks_close_public_endpoint"}
# People are asked for these two, too; they cannot be undone, so here the answer is no.
DENIED = {"eks_encrypt_secrets", "eks_set_authentication_mode"}
# What the rules find mended afterwards. What no rule names as its own fix is mended along with others: `ec2_only_web_ports_open`.
MENDED = {
    "aws.region/us-east-1": "guardduty_on",
    "cloudtrail.trail/arn:aws:cloudtrail:us-east-1:123456789012:trail/<trail>": "cloudtrail_validation",
    "ec2.image/<image>": "ec2_image_private",
    "ec2.instance/<node>": "cryptojacking_nodes_imds_v2 ec2_imds_v2",
    "ec2.launch_template/<template>": "ec2_template_imds_v2",
    "ec2.security_group/<api group>": "cryptojacking_api_server_closed ec2_only_web_ports_open",
    "ec2.security_group/<cluster group>": "cryptojacking_pool_ports_closed",
    "ec2.security_group/<default group>": "ec2_default_group_empty",
    "ec2.security_group/<docker group>": "cryptojacking_docker_closed ec2_only_web_ports_open",
    "ec2.security_group/<etcd group>": "cryptojacking_etcd_closed ec2_only_web_ports_open",
    "ec2.security_group/<first default group>": "ec2_default_group_empty",
    "ec2.security_group/<kubelet group>": "cryptojacking_kubelet_closed cryptojacking_pool_ports_closed ec2_only_web_ports_open",
    "ec2.security_group/<pool group>": "cryptojacking_pool_ports_closed",
    "ec2.security_group/<ssh group>": "ec2_admin_ports_closed_v4 ec2_only_web_ports_open ec2_risky_ports_closed ec2_ssh_closed",
    "ec2.settings/us-east-1": "ec2_default_imds_v2 ec2_encrypted_by_default ec2_images_block_public ec2_snapshots_block_public",
    "ec2.snapshot/<snapshot>": "ec2_snapshot_private",
    "ec2.subnet/<other subnet>": "ec2_subnet_no_public_address",
    "ec2.subnet/<subnet>": "ec2_subnet_no_public_address",
    "ecr.repository/<repository>": "ecr_immutable_tags ecr_scanned",
    "eks.cluster/<cluster>": "eks_all_logs_on eks_audit_logs_on eks_deletion_protected eks_endpoint_closed eks_endpoint_not_public eks_endpoint_private eks_endpoint_restricted",
    "iam.password_policy/123456789012": "iam_password_length iam_password_reuse",
    "kms.key/<key>": "kms_rotation",
    "rds.db_instance/<database>": "rds_minor_upgrades rds_not_public",
    "s3.bucket/<bucket>": "s3_bucket_blocks_public_access",
    "s3.bucket/<trail bucket>": "s3_tls_only",
    "s3.bucket/picket-local-artifacts-123456789012": "s3_tls_only",
    "ssm.settings/us-east-1": "ssm_documents_block_public",
}


class Story:
    """The account's way, each station taken once, in order."""

    def __init__(self, picket: Deployment):
        self.picket = picket
        picket.control("POST", "regions", [picket.region])
        # No event wakes anybody: what is judged, is judged by the sweep of all rules.
        picket.control("POST", "clock", {"paused": True})
        for which in ("current", "good"):
            picket._put("policy", which, POLICY)

    @cached_property
    def names(self) -> dict[str, str]:
        shift = lambda seconds: self.picket.control("POST", "clock", {"offset_seconds": seconds})  # noqa: E731
        return Careless(self.picket.client, self.picket.account, self.picket.region, shift).make()

    @cached_property
    def careless(self) -> dict[str, set[str]]:
        """What is found, and how the account was then."""
        assert self.names
        self.before = look(self.picket, self.names)
        return self.judged()

    @cached_property
    def fixed(self) -> dict[str, list[dict]]:
        """The fixes by action, once all have ended; people answered the questions."""
        assert self.careless
        self.ended()
        for fix in self.fixes():
            if fix["state"] == "proposed":
                self.invoke({"say": {"scope": fix["scope"], "id": fix["id"], "approve": actions(fix) <= APPROVED, "by": "carol"}})
        self.ended()
        found: dict[str, list[dict]] = {}
        for fix in self.fixes():
            if fix["state"] == "fixed":
                found.setdefault(fix["steps"][0]["aim"]["action"], []).append(fix)
        return found

    @cached_property
    def mended(self) -> dict[str, set[str]]:
        """What is found afterwards."""
        assert self.fixed
        return self.judged()

    @cached_property
    def after(self) -> dict[str, Any]:
        """The account once everything is undone, the last fix first."""
        assert self.mended
        made = sorted((fix for fixes in self.fixed.values() for fix in fixes), key=lambda fix: fix["since"], reverse=True)
        for fix in made:
            undo = {"scope": fix["scope"], "id": fix["id"], "by": "bob", "reason": "the drill is over"}
            said = eventually(lambda: (s := self.invoke({"undo": undo}))["is"] != "later" and s, f"an end of the undo of {fix['id']}", 60)
            assert said["is"] in ("undone", "already"), (actions(fix), said)
        return look(self.picket, self.names)

    def judged(self) -> dict[str, set[str]]:
        """The rules that fail, by what they fail for, in the names of `careless.py`."""
        self.picket.invoke("collect", {"ask": "sweep", "account": self.picket.account})
        found: dict[str, set[str]] = {}
        for finding in self.picket.findings().values():
            if finding["resolved_at"] is None:
                found.setdefault(self.name_of(finding["asset"]), set()).add(finding["rule"])
        return found

    def name_of(self, asset: str) -> str:
        for name, made in sorted(self.names.items(), key=lambda item: -len(item[1])):
            if re.search(rf"/{re.escape(made)}$", asset):
                return asset.removesuffix(made) + f"<{name}>"
        return re.sub(r"picket-\w+-[0-9a-f-]+-(audit|evidence|report)-[0-9a-f]+", r"<\1 bucket of the stack>", asset)

    def fixes(self) -> list[dict]:
        rows = self.picket.items(f"fix#{self.picket.account}#{self.picket.region}")
        return [json.loads(row["body"]["S"]) for row in rows]

    def ended(self) -> None:
        under_way = lambda: [f["state"] for f in self.fixes() if f["state"] in ("applying", "approved", "undoing")]  # noqa: E731
        eventually(lambda: not self.picket.waiting_in("fix") and not under_way(), "every fix has ended", 120)

    def invoke(self, work: dict) -> dict:
        return self.picket.invoke("fix", work)


def actions(fix: dict) -> set[str]:
    return {step["aim"]["action"] for step in fix["steps"]}


def look(picket: Deployment, names: dict[str, str]) -> dict[str, Any]:
    """Everything that a fix here may change, as AWS tells it."""
    ec2, s3, iam = picket.ec2, picket.client("s3"), picket.client("iam")
    told: dict[str, Any] = {}

    def tell(what: str, ask: Callable[[], Any]) -> None:
        try:
            answer = ask()
        except ClientError as error:
            answer = error.response["Error"]["Code"]
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
        told[what] = json.loads(json.dumps(answer, default=str, sort_keys=True))

    pages = ec2.get_paginator("describe_security_group_rules").paginate()
    # AWS gives the ids of rules anew.
    rules = [{k: v for k, v in rule.items() if "RuleId" not in k and "RuleArn" not in k} for page in pages for rule in page["SecurityGroupRules"]]
    told["rules"] = sorted(json.dumps(rule, sort_keys=True) for rule in rules)
    tell("subnets", lambda: {s["SubnetId"]: s["MapPublicIpOnLaunch"] for s in ec2.describe_subnets()["Subnets"]})
    tell("image", lambda: ec2.describe_image_attribute(ImageId=names["image"], Attribute="launchPermission")["LaunchPermissions"])
    tell("snapshot", lambda: ec2.describe_snapshot_attribute(SnapshotId=names["snapshot"], Attribute="createVolumePermission")["CreateVolumePermissions"])
    tell("metadata", lambda: ec2.describe_instances(InstanceIds=[names["node"]])["Reservations"][0]["Instances"][0]["MetadataOptions"])
    tell("template", lambda: ec2.describe_launch_templates(LaunchTemplateIds=[names["template"]])["LaunchTemplates"][0]["DefaultVersionNumber"])
    tell("encrypted by default", ec2.get_ebs_encryption_by_default)
    tell("public images", ec2.get_image_block_public_access_state)
    tell("public snapshots", ec2.get_snapshot_block_public_access_state)
    tell("metadata defaults", lambda: ec2.get_instance_metadata_defaults()["AccountLevel"])
    tell("cluster", lambda: cluster(picket.client("eks").describe_cluster(name=names["cluster"])["cluster"]))
    tell("repository", lambda: [repository(r) for r in picket.client("ecr").describe_repositories()["repositories"]])
    tell("key", lambda: picket.client("kms").get_key_rotation_status(KeyId=names["key"])["KeyRotationEnabled"])
    tell("database", lambda: picket.client("rds").describe_db_instances()["DBInstances"])
    tell("log group", lambda: picket.client("logs").describe_log_groups(logGroupNamePrefix="/app/web")["logGroups"])
    tell("trail", lambda: picket.client("cloudtrail").describe_trails()["trailList"])
    tell("passwords", lambda: iam.get_account_password_policy()["PasswordPolicy"])
    tell("detectors", lambda: picket.client("guardduty").list_detectors()["DetectorIds"])
    setting = f"arn:aws:ssm:{picket.region}:{picket.account}:servicesetting/ssm/documents/console/public-sharing-permission"
    tell("documents", lambda: picket.client("ssm").get_service_setting(SettingId=setting)["ServiceSetting"]["SettingValue"])
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        tell(f"policy of {name}", lambda: s3.get_bucket_policy(Bucket=name)["Policy"])
        tell(f"public access to {name}", lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    return told


def cluster(told: dict) -> dict:
    """A kind of log that is named as off is the same as one that is not named; so is protection."""
    on = sorted(kind for setup in told["logging"]["clusterLogging"] if setup["enabled"] for kind in setup["types"])
    return {**told, "logging": on, "deletionProtection": told.get("deletionProtection", False)}


def repository(told: dict) -> dict:
    return {**told, "imageScanningConfiguration": told["imageScanningConfiguration"].get("scanOnPush", False)}


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    for picket in deployed("enforce", "picket"):
        yield Story(picket)


def spelled(rows: dict[str, str]) -> dict[str, set[str]]:
    return {asset: set(rules.split()) for asset, rules in rows.items()}


def difference(found: dict[str, set[str]], expected: dict[str, set[str]]) -> dict[str, list[str]]:
    """What is found and not expected (+), and what is expected and not found (-)."""
    flat = lambda rows: {f"{asset} {rule}" for asset, rules in rows.items() for rule in rules}  # noqa: E731
    return {"+": sorted(flat(found) - flat(expected)), "-": sorted(flat(expected) - flat(found))}


def test_it_gets_exactly_the_findings_that_are_written_down(story):
    assert difference(story.careless, spelled(EXPECTED)) == {"+": [], "-": []}


def test_what_the_policy_lets_be_fixed_is_fixed_by_the_deployed_function(story):
    by_action = {action: len(fixes) for action, fixes in story.fixed.items()}
    print(f"{len(by_action)} different fixes, {sum(by_action.values())} in all: {by_action}")
    others = [(actions(f), f["state"], f["steps"]) for f in story.fixes() if f["state"] not in ("fixed", "denied")]
    assert not others, "every other fix was denied"
    assert set(by_action) == FIXED | APPROVED and len(by_action) >= 25, story.picket.log_of("fix")[-40:]
    for action, fixes in story.fixed.items():
        for fix in fixes:
            asked = fix["approval"] is not None
            assert asked == (action in APPROVED), (action, fix["approval"])
            assert fix["cause"]["is"] == "finding", fix["cause"]
    denied = {action for fix in story.fixes() if fix["state"] == "denied" for action in actions(fix)}
    assert denied == DENIED


def test_what_was_fixed_is_judged_to_be_mended_and_nothing_else_is(story):
    expected = spelled(EXPECTED)
    for asset, rules in spelled(MENDED).items():
        assert rules <= expected[asset], asset
        expected[asset] -= rules
    assert difference(story.mended, expected) == {"+": [], "-": []}
    kept = {f["rule"] for f in story.picket.findings().values() if f["resolved_at"]}
    assert {"cryptojacking_kubelet_closed", "ec2_snapshot_private", "cloudtrail_validation"} <= kept, "resolved findings are kept"


def test_when_all_is_undone_the_account_is_as_it_was(story):
    assert story.after.keys() == story.before.keys()
    assert {what: (was, story.after[what]) for what, was in story.before.items() if story.after[what] != was} == {}
    assert difference(story.judged(), spelled(EXPECTED)) == {"+": [], "-": []}


def test_no_function_was_denied_anything_it_needs_nor_changed_what_it_may_not(story):
    assert story.after
    roles = {role["RoleName"] for role in story.picket.roles()}
    calls = [call for call in story.picket.control("GET", "calls")["calls"] if call["caller"] in roles]
    assert [c for c in calls if "Denied" in c["error"] or "Unauthorized" in c["error"]] == []
    changing = {c["caller"] for c in calls if c["mutating"] and c["service"] in ("ec2", "eks", "s3", "rds", "kms", "ecr", "ssm", "cloudtrail")}
    assert {caller for caller in changing if "FixRole" not in caller and "ReportRole" not in caller and "AuditRole" not in caller} == set()
