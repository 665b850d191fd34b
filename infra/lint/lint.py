#!/usr/bin/env python3
"""Lints template.yaml and infra/*.yaml; prints what it finds and exits with 1 if it finds anything.

    python3 -m venv VENV && VENV/bin/pip install --no-deps --require-hashes -r infra/lint/requirements.txt
    VENV/bin/python infra/lint/lint.py

Three passes. cfn-lint over the templates as they are. cfn-lint over what the SAM translator makes of template.yaml, because
it does not look inside SAM functions. Then the promises below, which no linter knows: who may do what, and that nothing is lost.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "template.yaml"
NESTED = sorted((ROOT / "infra").glob("*.yaml"))
REGION = "us-east-1"

# Every action of every role. roles.yaml holds the same list: to grant more takes two edits, and a reader sees both.
TRACE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
TAKE = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
SEND = {"sqs:SendMessage"}
READ = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
WRITE = {"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
OWNERS = {
    "batch:UpdateComputeEnvironment", "ec2:ModifyFleet", "ec2:ModifySpotFleetRequest", "ecs:DescribeCapacityProviders",
    "ecs:UpdateCapacityProvider", "eks:UpdateNodegroupConfig"}
WINDOW = {"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:DeleteSecurityGroup"}
CLUSTERS = {"eks:DescribeCluster", "eks:ListClusters"}
INTERFACES = {"ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"}
# What a scan reads, in this account and in others: the same list as in the code, in `picket scan --print-policy` and in member.yaml.
SCAN = {
    "autoscaling:DescribeAutoScalingGroups",
    "cloudtrail:LookupEvents",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRegions",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:GetManagedPrefixListEntries",
    "eks:DescribeCluster",
    "eks:ListClusters",
    "eks:ListFargateProfiles",
    "eks:ListNodegroups",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "events:ListRules",
    "iam:GetInstanceProfile",
    "iam:ListAttachedRolePolicies",
    "iam:ListOpenIDConnectProviders",
    "route53:ListHostedZones",
    "route53:ListResourceRecordSets",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "sqs:ListQueues",
    "ssm:DescribeParameters",
    "ssm:GetInventory",
    "tag:GetResources",
}
# What rules ask about: what collect reads, in this account and in others.
RULES = {
    "access-analyzer:ListAnalyzers", "access-analyzer:ListFindings", "account:GetAlternateContact", "account:GetContactInformation",
    "acm:ListCertificates", "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLaunchConfigurations",
    "backup:ListProtectedResources", "budgets:ViewBudget", "cloudfront:GetDistributionConfig", "cloudfront:ListDistributions",
    "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus", "cloudwatch:DescribeAlarms",
    "config:DescribeConfigRules", "config:DescribeConfigurationRecorderStatus", "config:DescribeConfigurationRecorders",
    "ec2:DescribeAddresses", "ec2:DescribeClientVpnEndpoints", "ec2:DescribeCustomerGateways", "ec2:DescribeDhcpOptions",
    "ec2:DescribeFlowLogs", "ec2:DescribeImages", "ec2:DescribeInstanceAttribute", "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates",
    "ec2:DescribeManagedPrefixLists", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls", "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRegions", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeSnapshotAttribute",
    "ec2:DescribeSnapshots", "ec2:DescribeSpotFleetRequests", "ec2:DescribeSubnets", "ec2:DescribeTrafficMirrorFilters",
    "ec2:DescribeTrafficMirrorSessions", "ec2:DescribeTrafficMirrorTargets", "ec2:DescribeTransitGatewayAttachments",
    "ec2:DescribeTransitGatewayRouteTables", "ec2:DescribeTransitGateways", "ec2:DescribeVolumes",
    "ec2:DescribeVpcBlockPublicAccessOptions", "ec2:DescribeVpcEndpointServiceConfigurations", "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs", "ec2:DescribeVpnConnections", "ec2:DescribeVpnGateways",
    "ec2:GetAllowedImagesSettings", "ec2:GetEbsEncryptionByDefault", "ec2:GetImageBlockPublicAccessState",
    "ec2:GetInstanceMetadataDefaults", "ec2:GetManagedPrefixListEntries", "ec2:GetSnapshotBlockPublicAccessState",
    "ecr:DescribeRepositories", "ecr:GetLifecyclePolicy", "ecr:GetRegistryScanningConfiguration", "ecr:GetRepositoryPolicy",
    "eks:DescribeAccessEntry", "eks:DescribeAddon", "eks:DescribeCluster", "eks:DescribeClusterVersions",
    "eks:DescribeIdentityProviderConfig", "eks:DescribeNodegroup", "eks:ListAccessEntries", "eks:ListAddons",
    "eks:ListAssociatedAccessPolicies", "eks:ListClusters", "eks:ListIdentityProviderConfigs", "eks:ListNodegroups",
    "eks:ListPodIdentityAssociations", "elasticfilesystem:DescribeFileSystems", "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags", "elasticloadbalancing:DescribeTargetGroups", "guardduty:GetDetector",
    "guardduty:ListDetectors", "iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary", "iam:GetCredentialReport", "iam:ListOpenIDConnectProviders", "iam:ListOrganizationsFeatures",
    "iam:ListSAMLProviders", "iam:ListServerCertificates", "iam:ListVirtualMFADevices", "kms:DescribeKey", "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus", "kms:ListKeys", "kms:ListResourceTags", "logs:DescribeLogGroups", "logs:DescribeMetricFilters",
    "logs:DescribeSubscriptionFilters", "logs:ListTagsForResource", "macie2:GetAutomatedDiscoveryConfiguration",
    "macie2:GetMacieSession", "macie2:ListClassificationJobs", "organizations:DescribeOrganization", "organizations:DescribePolicy",
    "organizations:DescribeResourcePolicy", "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListDelegatedAdministrators", "organizations:ListDelegatedServicesForAccount", "organizations:ListPolicies",
    "organizations:ListRoots", "organizations:ListTargetsForPolicy", "rds:DescribeDBInstances", "rds:DescribeEventSubscriptions",
    "route53:ListHostedZones", "route53:ListResourceRecordSets", "s3:GetAccountPublicAccessBlock", "s3:GetBucketLogging",
    "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration", "s3:ListAllMyBuckets", "securityhub:DescribeHub", "sns:GetTopicAttributes", "sns:ListTopics",
    "ssm:DescribeDocumentPermission", "ssm:DescribeInstanceInformation", "ssm:GetServiceSetting", "ssm:ListDocuments",
    "ssm:ListResourceComplianceSummaries", "sso:ListInstances", "tag:GetResources"}
ACTIONS = {
    "Discover": LOG | TAKE | SEND | READ | WRITE | CLUSTERS | INTERFACES | {
        "autoscaling:DescribeAutoScalingGroups", "cloudtrail:LookupEvents", "ec2:DescribeImages", "ec2:DescribeInstanceAttribute",
        "ec2:DescribeLaunchTemplateVersions", "iam:ListAttachedUserPolicies"},
    "Sweep": LOG | TAKE | SEND | READ | WRITE | SCAN | {
        "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus", "ec2:DescribeVpcs",
        "events:DescribeRule", "events:ListTargetsByRule", "events:PutEvents", "lambda:InvokeFunction", "organizations:ListAccounts", "sts:AssumeRole"},
    "Assess": LOG | TAKE | SEND | READ | WRITE,
    "Collect": LOG | TAKE | SEND | READ | WRITE | RULES | {
        "events:PutEvents", "organizations:ListAccounts", "ssm:GetCommandInvocation", "ssm:SendCommand", "sts:AssumeRole"},
    "Respond": LOG | TAKE | SEND | READ | WRITE | INTERFACES | OWNERS | WINDOW | {
        "batch:DescribeComputeEnvironments", "ec2:CancelSpotInstanceRequests", "ec2:CreateNetworkAclEntry", "ec2:DescribeFleetInstances",
        "ec2:DescribeFleets", "ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables",
        "ec2:DescribeSpotFleetInstances", "ec2:DescribeSpotFleetRequests", "ec2:DescribeSpotInstanceRequests", "ec2:DescribeVolumes",
        "ec2:DisassociateAddress", "ec2:DisassociateIamInstanceProfile", "ec2:LockSnapshot", "ec2:StopInstances", "eks:DescribeCluster", "eks:DescribeNodegroup", "s3:PutObject",
        "autoscaling:DescribeAutoScalingGroups", "autoscaling:SuspendProcesses", "ec2:CreateSecurityGroup", "ec2:CreateSnapshots",
        "ec2:CreateTags", "ec2:DescribeInstanceAttribute", "ec2:DescribeSnapshots", "ec2:ModifyInstanceAttribute",
        "ec2:ModifyInstanceMetadataOptions", "ec2:ModifyNetworkInterfaceAttribute", "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth", "iam:GetInstanceProfile", "lambda:InvokeFunction"},
    "Deny": LOG | READ | {
        "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:DeletePolicy", "iam:DetachRolePolicy", "iam:GetPolicy", "iam:GetPolicyVersion"},
    "Release": LOG | SEND | READ | WRITE | INTERFACES | OWNERS | {
        "ec2:AssociateAddress", "ec2:AssociateIamInstanceProfile", "iam:PassRole", "ec2:DeleteNetworkAclEntry", "ec2:DescribeNetworkAcls", "ec2:StartInstances", "eks:DescribeCluster",
        "autoscaling:ResumeProcesses", "ec2:DeleteTags", "ec2:DescribeInstanceAttribute", "ec2:ModifyInstanceAttribute",
        "ec2:ModifyInstanceMetadataOptions", "ec2:ModifyNetworkInterfaceAttribute", "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:RegisterTargets", "iam:GetInstanceProfile",
        "ec2:DescribeSpotInstanceRequests", "ec2:DescribeIamInstanceProfileAssociations", "lambda:InvokeFunction"},
    "Watch": LOG | TAKE | SEND | READ,
    "Notify": LOG | TAKE | READ | WRITE | {"dynamodb:DeleteItem", "kms:Decrypt", "kms:GenerateDataKey", "secretsmanager:GetSecretValue", "sns:Publish",
        "events:PutEvents", "s3:GetObject"},
    "Report": LOG | TAKE | READ | WRITE | {"s3:GetObject", "s3:PutObject", "securityhub:BatchImportFindings"},
    "Audit": LOG | SEND | {
        "dynamodb:DescribeStream", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
        "dynamodb:PutItem", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    "Ask": LOG | READ | {"secretsmanager:GetSecretValue"},
    "Probe": LOG | {
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"},
    "Fix": LOG | TAKE | SEND | READ | WRITE | {
        "access-analyzer:ListAnalyzers", "autoscaling:DescribeAutoScalingGroups", "cloudtrail:DescribeTrails",
        "cloudwatch:GetMetricStatistics", "ec2:DescribeFlowLogs", "ec2:DescribeImageAttribute", "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates", "ec2:DescribeNatGateways", "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSnapshotAttribute", "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute", "ec2:GetEbsEncryptionByDefault", "ec2:GetImageBlockPublicAccessState",
        "ec2:GetInstanceMetadataDefaults", "ec2:GetManagedPrefixListEntries", "ec2:GetSerialConsoleAccessStatus",
        "ec2:GetSnapshotBlockPublicAccessState", "ecr:DescribeRepositories", "eks:DescribeAccessEntry", "eks:DescribeCluster",
        "eks:DescribeNodegroup", "eks:ListAccessEntries", "eks:ListAssociatedAccessPolicies", "eks:ListTagsForResource",
        "elasticloadbalancing:DescribeLoadBalancerAttributes", "guardduty:GetDetector", "guardduty:ListDetectors",
        "iam:GetAccountPasswordPolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetUser", "iam:ListAccessKeys",
        "iam:ListAttachedRolePolicies", "iam:ListAttachedUserPolicies", "iam:ListInstanceProfilesForRole", "kms:DescribeKey",
        "kms:GetKeyRotationStatus", "logs:DescribeLogGroups", "rds:DescribeDBInstances", "s3:GetAccountPublicAccessBlock",
        "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketWebsite", "ssm:DescribeInstanceInformation",
        "ssm:GetCommandInvocation", "ssm:GetServiceSetting",
        "access-analyzer:CreateAnalyzer", "access-analyzer:DeleteAnalyzer", "cloudtrail:UpdateTrail",
        "ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs",
        "ec2:CreateLaunchTemplateVersion", "ec2:CreateTags", "ec2:DeleteFlowLogs", "ec2:DisableEbsEncryptionByDefault",
        "ec2:DisableImageBlockPublicAccess", "ec2:DisableSerialConsoleAccess", "ec2:DisableSnapshotBlockPublicAccess",
        "ec2:EnableEbsEncryptionByDefault", "ec2:EnableImageBlockPublicAccess", "ec2:EnableSerialConsoleAccess",
        "ec2:EnableSnapshotBlockPublicAccess", "ec2:ModifyImageAttribute", "ec2:ModifyInstanceMetadataDefaults",
        "ec2:ModifyInstanceMetadataOptions", "ec2:ModifyLaunchTemplate", "ec2:ModifySnapshotAttribute", "ec2:ModifySubnetAttribute",
        "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress", "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability", "eks:AssociateAccessPolicy", "eks:AssociateEncryptionConfig", "eks:CreateAccessEntry",
        "eks:DeleteAccessEntry", "eks:DisassociateAccessPolicy", "eks:TagResource", "eks:UntagResource", "eks:UpdateClusterConfig",
        "eks:UpdateNodegroupConfig", "elasticloadbalancing:ModifyLoadBalancerAttributes", "guardduty:CreateDetector",
        "guardduty:DeleteDetector", "guardduty:UpdateDetector", "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreatePolicy",
        "iam:CreateServiceLinkedRole", "iam:DeleteAccountPasswordPolicy", "iam:DeletePolicy", "iam:DetachRolePolicy",
        "iam:DetachUserPolicy", "iam:UpdateAccessKey", "iam:UpdateAccountPasswordPolicy", "kms:CreateGrant", "kms:DisableKeyRotation",
        "kms:EnableKeyRotation", "lambda:GetFunctionUrlConfig", "logs:CreateLogDelivery", "logs:DeleteLogDelivery",
        "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy", "rds:ModifyDBInstance", "s3:DeleteBucketPolicy",
        "s3:PutAccountPublicAccessBlock", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "secretsmanager:GetSecretValue",
        "ssm:SendCommand", "ssm:UpdateServiceSetting"},
}
# The partition keys each role may read and write, and the queues it may send to. None: all keys.
READS = {
    "Discover": {"asset#*", "seen#*", "policy", "switch"}, "Sweep": {"asset#*", "cluster#*", "hold#*", "places", "policy", "seen#*", "switch"},
    "Assess": {"asset#*", "seen#*", "policy", "switch"}, "Collect": {"finding#*", "benchmark#*", "policy", "rules", "switch"}, "Respond": None,
    "Release": {"hold#*", "case#*", "vpc#*", "policy", "switch"}, "Notify": {"notice#*"}, "Watch": {"hold#*", "case#*"},
    "Report": {"benchmark#*", "case#*", "cluster#*", "episode#*", "finding#*", "hold#*", "places", "policy", "report#*", "rules", "switch", "trend#*"},
    "Ask": {"fix#*"}, "Deny": {"hold#*"}, "Fix": {"fix#*", "case#*", "policy", "switch"},
    "Audit": {"audit#*"}, "Probe": set(),
}
WRITES = {
    "Discover": {"asset#*", "seen#*"}, "Sweep": {"asset#*", "cluster#*", "places", "seen#*"}, "Assess": {"policy"},
    "Collect": {"finding#*", "benchmark#*"},
    "Respond": {"hold#*", "case#*", "vpc#*", "blast#*"}, "Release": {"hold#*", "case#*"}, "Notify": {"episode#*", "notice#*"}, "Watch": set(),
    "Ask": set(), "Deny": set(), "Fix": {"fix#*", "case#*", "blast#*", "turn#*"}, "Report": {"report#*", "trend#*"},
    "Audit": {"audit#*"}, "Probe": set(),
}
SENDS = {
    "Discover": {"assess", "collect", "sweep", "triggers-dead"}, "Sweep": {"triggers", "respond", "collect", "sweep", "notices"},
    "Assess": {"respond", "notices"}, "Collect": {"collect", "fix", "notices"},
    "Respond": {"notices"}, "Release": {"notices"}, "Notify": set(), "Watch": {"notices"},
    "Ask": set(), "Deny": set(), "Fix": {"fix", "notices"}, "Report": set(),
    "Audit": {"audit-dead"}, "Probe": set(),
}
# Changes of fix that AWS lets nobody confine to a resource.
ACCOUNT_WIDE = {
    "ec2:DisableEbsEncryptionByDefault", "ec2:DisableImageBlockPublicAccess", "ec2:DisableSerialConsoleAccess",
    "ec2:DisableSnapshotBlockPublicAccess", "ec2:EnableEbsEncryptionByDefault", "ec2:EnableImageBlockPublicAccess",
    "ec2:EnableSerialConsoleAccess", "ec2:EnableSnapshotBlockPublicAccess", "ec2:ModifyInstanceMetadataDefaults",
    "guardduty:CreateDetector", "iam:DeleteAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy", "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery", "s3:PutAccountPublicAccessBlock",
}
# The statements that let respond into two kinds of groups only, and the conditions one of which each must carry. What may be opened
# is never what must be shut: no statement that opens names the mark of a quarantine group.
OPEN = ("aws:RequestTag/picket:open", "aws:ResourceTag/picket:open")
QUARANTINE = {
    ("ec2:AuthorizeSecurityGroupEgress", "security-group"): "aws:ResourceTag/picket:open",
    ("ec2:AuthorizeSecurityGroupIngress", "security-group"): "aws:ResourceTag/picket:open",
    ("ec2:DeleteSecurityGroup", "security-group"): "aws:ResourceTag/picket:open",
    ("ec2:CreateSecurityGroup", "security-group"): "aws:RequestTag/picket:quarantine",
    ("ec2:CreateTags", "security-group"): "aws:RequestTag/picket:quarantine",
    ("ec2:RevokeSecurityGroupEgress", "security-group"): "aws:ResourceTag/picket:quarantine",
    ("ec2:RevokeSecurityGroupIngress", "security-group"): "aws:ResourceTag/picket:quarantine",
    ("ec2:ModifyNetworkInterfaceAttribute", "security-group"): "aws:ResourceTag/picket:quarantine",
}
# What the conditions of these two must say, in every statement that allows the action: one way for respond, the other for release.
HELD = {
    ("Respond", "ec2:CreateTags"): ("aws:RequestTag/picket:",),
    ("Respond", "ec2:ModifyInstanceAttribute"): (
        '"ec2:Attribute/DisableApiStop": "false"', '"ec2:Attribute/DisableApiTermination": "true"',
        '"ec2:Attribute/InstanceInitiatedShutdownBehavior": "stop"', "BlockDeviceMapping"),
    ("Release", "iam:PassRole"): ('"iam:PassedToService": "ec2.amazonaws.com"',),
    ("Respond", "ec2:LockSnapshot"): ('"aws:ResourceTag/picket:case": "false"',),
    ("Respond", "ec2:ModifyInstanceMetadataOptions"): ('"ec2:Attribute/HttpEndpoint": "disabled"',),
    ("Deny", "iam:AttachRolePolicy"): ("policy/picket/${Stack}/deny-*",),
    ("Fix", "ec2:CreateTags"): ("ec2:CreateAction",),
    ("Fix", "iam:AttachRolePolicy"): ("policy/AWSDenyAll", "deny-sessions-*"),
    ("Fix", "iam:AttachUserPolicy"): ("policy/AWSDenyAll",),
    ("Fix", "kms:CreateGrant"): ("kms:GrantIsForAWSResource",),
    ("Release", "ec2:DeleteTags"): ('"aws:TagKeys": ["picket:case"]',),
    ("Release", "ec2:ModifyInstanceAttribute"): (
        '"ec2:Attribute/DisableApiStop": "true"', '"ec2:Attribute/DisableApiTermination": "false"',
        '"ec2:Attribute/InstanceInitiatedShutdownBehavior": "terminate"', "BlockDeviceMapping"),
    ("Release", "ec2:ModifyInstanceMetadataOptions"): ('"ec2:Attribute/HttpEndpoint": "enabled"',),
    ("Notify", "dynamodb:DeleteItem"): ('["notice#waiting"]',),
    ("Deny", "iam:DetachRolePolicy"): ("policy/picket/${Stack}/deny-*",),
}
# IAM takes no more inline policy than this in a role, and no more than this in a managed policy, without white space.
LARGEST_ROLE, LARGEST_POLICY = 10240, 6144

found = []


def check(holds, sentence):
    if not holds:
        found.append(sentence)


def load(path):
    return yaml_parse(path.read_text())


def of_type(template, kind):
    return {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == kind}


def many(value):
    return value if isinstance(value, list) else [value]


def text(value):
    """The text of a string, a Sub or a Ref; enough to read a name out of it."""
    return value if isinstance(value, str) else value.get("Fn::Sub") or value.get("Ref") or json.dumps(value)


def tail(value):
    """What follows the stack's name: `${Stack}-triggers-dead` is `triggers-dead`."""
    return text(value).rsplit("${Stack}-", 1)[-1].rsplit("${AWS::StackName}-", 1)[-1]


def cfn_lint(*paths):
    run = subprocess.run([Path(sys.executable).with_name("cfn-lint"), "--regions", REGION, "--format", "parseable", *map(str, paths)],
                         capture_output=True, text=True)
    if run.returncode:
        lines = (run.stdout + run.stderr).splitlines()
        found.extend(line.replace(f"{ROOT}/", "")[:300] for line in lines if line.strip())


def translated():
    """template.yaml as CloudFormation will see it. The translator wants uploaded code and templates, so it is given addresses."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    template = load(MAIN)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/code.zip"
    for properties in of_type(template, "AWS::CloudFormation::Stack").values():
        properties["TemplateURL"] = f"https://bucket.s3.amazonaws.com/{properties['TemplateURL']}"
    defaults = {name: p.get("Default") for name, p in template["Parameters"].items()}
    return transform(template, defaults, managed_policy_loader=type("NoPolicies", (), {"load": staticmethod(dict)}))


def roles_do_what_is_listed_and_no_more():
    template = load(ROOT / "infra/roles.yaml")
    roles, more = of_type(template, "AWS::IAM::Role"), of_type(template, "AWS::IAM::ManagedPolicy")
    traces = more.pop("TracePolicy")
    check({text(r) for r in traces["Roles"]} == set(roles), "roles.yaml: TracePolicy belongs to every role, and to no other")
    sends = [(s["Effect"], set(s["Action"])) for s in traces["PolicyDocument"]["Statement"]]
    check(sends == [("Allow", TRACE)], "roles.yaml: TracePolicy allows more than to send traces")
    for name, policy in more.items():
        size = len(json.dumps(policy["PolicyDocument"], separators=(",", ":")))
        check(size <= LARGEST_POLICY, f"roles.yaml: {name} holds {size} characters, more than IAM takes")
        check(len(policy["Roles"]) == 1, f"roles.yaml: {name} belongs to more than one role")
    check({f"{name}Role" for name in ACTIONS} == set(roles), "roles.yaml: one role a function, each listed in lint.py")
    for name in ACTIONS.keys() & {r.removesuffix("Role") for r in roles}:
        role = roles[f"{name}Role"]
        where = f"roles.yaml: {name}Role"
        check(not role.get("ManagedPolicyArns"), f"{where} takes a managed policy, which someone else may widen")
        documents = [p["PolicyDocument"] for p in role["Policies"]]
        documents += [p["PolicyDocument"] for p in more.values() if text(p["Roles"][0]) == f"{name}Role"]
        statements = [s["Fn::If"][1] if "Fn::If" in s else s for d in documents for s in d["Statement"]]
        allowed = [s for s in statements if s["Effect"] == "Allow"]
        granted = {a for s in allowed for a in many(s["Action"])}
        for action in sorted(granted ^ ACTIONS[name]):
            check(False, f"{where}: {action} is {'not listed' if action in granted else 'missing'}")
        reads, writes, sends = set(), set(), set()
        for s in allowed:
            actions, resources = set(many(s["Action"])), [text(r) for r in many(s["Resource"])]
            condition = json.dumps(s.get("Condition", {}))
            keys = s.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
            looks_only = all(a.split(":")[1].startswith(("Describe", "GenerateCredentialReport", "Get", "List", "Lookup", "View")) for a in actions)
            check("*" not in "".join(actions), f"{where}: {s['Sid']} has a wildcard in an action")
            wide = name == "Fix" and (set(actions) <= ACCOUNT_WIDE or s["Effect"] == "Deny")
            check(looks_only or wide or "*" not in resources, f"{where}: {s['Sid']} may change anything, anywhere")
            if actions & READ:
                reads = None if keys is None else reads | set(keys)
            if actions & WRITE:
                writes = None if keys is None else writes | set(keys)
            if actions & SEND:
                sends |= {tail(r) for r in resources}
            for (action, kind), key in QUARANTINE.items():
                if name == "Respond" and action in actions and any(f":{kind}/" in r for r in resources):
                    held = '"StringEquals"' in condition and (key in condition or any(o in condition for o in OPEN))
                    check(held, f"{where}: {s['Sid']} is not held to groups of Picket's own")
            for action in actions:
                wanted = HELD.get((name, action))
                check(not wanted or any(w in condition for w in wanted), f"{where}: {s['Sid']} is not held to what Picket does")
        denied = {a for s in statements if s["Effect"] == "Deny" for a in many(s["Action"])}
        check(name != "Respond" or {"ec2:CreateTags", "ec2:DeleteTags"} <= denied, f"{where} is not forbidden to tag")
        check(name != "Probe" or granted - LOG <= denied, f"{where}: the probe's own code may do more than write its log")
        check(name != "Deny" or "iam:AttachRolePolicy" in denied, f"{where} is not forbidden to change Picket")
        size = len(json.dumps([p["PolicyDocument"] for p in role["Policies"]], separators=(",", ":")))
        check(size <= LARGEST_ROLE, f"{where} holds {size} characters, more than IAM takes")
        check(reads == READS[name], f"{where} reads other keys than are listed: {reads}")
        check(writes == WRITES[name], f"{where} writes other keys than are listed: {writes}")
        check(sends == SENDS[name], f"{where} sends to other queues than are listed: {sends}")


def the_role_in_other_accounts_reads_and_is_for_this_organization():
    role = of_type(load(ROOT / "infra/member.yaml"), "AWS::IAM::Role")["ScanRole"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    for document, listed in zip(documents, (SCAN, RULES), strict=True):
        [reads] = document["Statement"]
        check(set(reads["Action"]) == listed, f"member.yaml: other reads than are listed: {set(reads['Action']) ^ listed}")
    size = len(json.dumps(documents, separators=(",", ":")))
    check(size <= LARGEST_ROLE, f"member.yaml: the role holds {size} characters, more than IAM takes")
    held = trust["Condition"]["StringEquals"]
    check({"sts:ExternalId", "aws:PrincipalOrgID"} <= set(held), "member.yaml: the role is not held to an external id and the organization")


def each_function_has_its_own_role_and_log():
    for name, f in of_type(load(MAIN), "AWS::Serverless::Function").items():
        check(f["Handler"] == tail(f["FunctionName"]) == name.lower(), f"template.yaml: {name}: handler and names differ")
        check(f["Role"] == {"Fn::GetAtt": ["Roles", f"Outputs.{name}Arn"]}, f"template.yaml: {name} has another's role")
        check(f["LoggingConfig"]["LogGroup"] == {"Fn::GetAtt": ["Logs", f"Outputs.{name}"]}, f"template.yaml: {name} has another's log")


def no_message_is_lost():
    main, queues = load(MAIN), of_type(load(ROOT / "infra/queues.yaml"), "AWS::SQS::Queue")
    alarms = of_type(load(ROOT / "infra/alarms.yaml"), "AWS::CloudWatch::Alarm").values()
    watched = {tail(a["Dimensions"][0]["Value"]) for a in alarms if a["MetricName"] == "ApproximateNumberOfMessagesVisible"}
    for name, queue in queues.items():
        if name.endswith("Dead"):
            check(queue["MessageRetentionPeriod"] == 1209600, f"queues.yaml: {name} keeps messages for less than 14 days")
            check(tail(queue["QueueName"]) in watched, f"alarms.yaml: nobody watches {name}")
        else:
            redrive = queue["RedrivePolicy"]["deadLetterTargetArn"]
            check(redrive == {"Fn::GetAtt": [f"{name}Dead", "Arn"]}, f"queues.yaml: {name} has no dead-letter queue of its own")
    default = main["Globals"]["Function"]["Timeout"]
    for name, f in of_type(main, "AWS::Serverless::Function").items():
        for event in (e["Properties"] for e in f.get("Events", {}).values() if e["Type"] == "SQS"):
            queue = queues[event["Queue"]["Fn::GetAtt"][1].removeprefix("Outputs.").removesuffix("Arn")]
            enough = queue["VisibilityTimeout"] >= 6 * f.get("Timeout", default)
            check(enough, f"template.yaml: {name} may still hold a message when it becomes visible again")
            check(event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], f"template.yaml: {name} fails whole batches")
            check(event["ScalingConfig"]["MaximumConcurrency"] >= 5, f"template.yaml: {name}: fewer than 5 at once starve a poller")


def the_audit_chain_is_locked_and_written_once():
    bucket = of_type(load(ROOT / "infra/audit.yaml"), "AWS::S3::Bucket")["Audit"]
    check(bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"], "audit.yaml: what is written is not locked")
    [policy] = of_type(load(ROOT / "infra/audit.yaml"), "AWS::S3::BucketPolicy").values()
    once = [s for s in policy["PolicyDocument"]["Statement"] if s["Condition"] == {"Null": {"s3:if-none-match": "true"}}]
    check(once and once[0]["Effect"] == "Deny", "audit.yaml: a segment may be written over")
    [source] = of_type(load(MAIN), "AWS::Serverless::Function")["Audit"]["Events"].values()
    source = source["Properties"]
    check(source["StartingPosition"] == "TRIM_HORIZON", "template.yaml: Audit passes over what was written before it began")
    check(source["MaximumRecordAgeInSeconds"] < 86400, "template.yaml: the stream forgets before Audit parks what it cannot export")
    check(source["DestinationConfig"]["OnFailure"]["Type"] == "SQS", "template.yaml: Audit drops what it cannot export")


def rules_take_this_account_only_and_park_what_fails():
    for name, rule in of_type(load(ROOT / "infra/triggers.yaml"), "AWS::Events::Rule").items():
        pattern, where = rule["EventPattern"], f"triggers.yaml: {name}"
        check(pattern.get("account") == [{"Ref": "AWS::AccountId"}], f"{where} takes events of other accounts")
        if pattern["detail-type"] == ["AWS API Call via CloudTrail"]:
            keys = set(pattern["detail"])
            check({"eventSource", "eventName"} <= keys or "userAgent" in keys, f"{where} keys neither on the call nor on the caller")
            names = pattern["detail"].get("eventName", [])
            check(names == sorted(names), f"{where}: names are not in alphabetical order")
        for target in rule["Targets"]:
            check(target.get("DeadLetterConfig"), f"{where} drops what it cannot deliver")


def calls_of_other_accounts_reach_collect_alone():
    """By a bus of their own, from this organization, and the same calls as at home."""
    home = of_type(load(ROOT / "infra/triggers.yaml"), "AWS::Events::Rule")["PostureCalls"]["EventPattern"]["detail"]
    for name in ("members", "forward-member"):
        [rule] = of_type(load(ROOT / f"infra/{name}.yaml"), "AWS::Events::Rule").values()
        check(rule["EventPattern"]["detail"] == home, f"{name}.yaml takes other calls than posture-calls of triggers.yaml")
    members = load(ROOT / "infra/members.yaml")
    [rule], [policy] = of_type(members, "AWS::Events::Rule").values(), of_type(members, "AWS::Events::EventBusPolicy").values()
    check(rule["EventBusName"] == {"Ref": "Bus"}, "members.yaml: the rule is on another bus than its own")
    check([t["Arn"] for t in rule["Targets"]] == [{"Ref": "CollectArn"}], "members.yaml: the calls reach others than collect")
    held = policy["Statement"]["Condition"]["StringEquals"]
    check(held == {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}, "members.yaml: the bus is open to others than the organization")


def main():
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    cfn_lint(MAIN, *NESTED)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "template.translated.json"
            path.write_text(json.dumps(translated()))
            cfn_lint(path)
    except InvalidDocumentException as refusal:
        found.extend(f"template.yaml: {cause.message}" for cause in refusal.causes)
    for path in (MAIN, *NESTED):
        check(path.read_text().startswith("# "), f"{path.name}: does not begin by saying what it is")
    roles_do_what_is_listed_and_no_more()
    the_role_in_other_accounts_reads_and_is_for_this_organization()
    each_function_has_its_own_role_and_log()
    no_message_is_lost()
    the_audit_chain_is_locked_and_written_once()
    rules_take_this_account_only_and_park_what_fails()
    calls_of_other_accounts_reach_collect_alone()
    print("\n".join(found) or f"{len(NESTED) + 1} templates, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
