"""`picket assess` over an account that somebody misconfigured: each thing gets exactly the findings that it should.

Nothing of Picket is deployed here: the command line reads the account by AWS's own APIs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import boto3
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "localcloud"))

import environment  # noqa: E402
import run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PICKET = Path(os.environ.get("PICKET", ROOT / "target" / "debug" / "picket"))


class Account:
    """An account in a local cloud of its own."""

    def __init__(self, cloud: run.Cloud):
        self.cloud = cloud

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.cloud.endpoint,
            region_name=environment.REGION,
            aws_access_key_id=environment.ACCOUNT,
            aws_secret_access_key="test",
        )

    def findings(self, *more: str) -> dict[str, set[str]]:
        """The rules that fail, by asset."""
        answer = json.loads(self.picket("assess", "--output", "json", *more))
        found: dict[str, set[str]] = {}
        for finding in answer["assessment"]["findings"]:
            found.setdefault(finding["asset"], set()).add(finding["rule"])
        return found

    def picket(self, *args: str, **variables: str) -> str:
        env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(self.cloud.port) | variables
        done = subprocess.run([str(PICKET), *args], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with run.Cloud() as cloud:
        made = Account(cloud)
        # The local cloud loads a service at its first call, which takes longer than a call to AWS may.
        made.picket("assess", "--output", "json")
        yield made


@pytest.fixture(scope="module")
def vpc(account: Account) -> str:
    return account.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]


def test_a_group_that_is_open_in_halves_gets_exactly_its_findings(account: Account, vpc: str) -> None:
    ec2 = account.client("ec2")
    group = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]

    def tcp(port: int, *cidrs: str) -> dict:
        return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": c} for c in cidrs]}

    rules = [tcp(22, "0.0.0.0/1", "128.0.0.0/1"), tcp(10250, "0.0.0.0/0", "203.0.113.0/24"), tcp(443, "10.0.0.0/8")]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert account.findings()[f"ec2.security_group/{group}"] == {
        "cryptojacking_kubelet_closed",
        "ec2_admin_ports_closed_v4",
        "ec2_only_web_ports_open",
        "ec2_risky_ports_closed",
        "ec2_ssh_closed",
        "ec2_tagged_security_group",
    }


def test_a_cluster_that_was_made_in_a_hurry_gets_exactly_its_findings(account: Account, vpc: str) -> None:
    ec2 = account.client("ec2")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"{environment.REGION}{zone}")
        for n, zone in enumerate("ab")
    ]
    role = account.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    account.client("eks").create_cluster(
        name="shadow",
        roleArn=role,
        resourcesVpcConfig={
            "subnetIds": [s["Subnet"]["SubnetId"] for s in subnets],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
        },
    )
    assert account.findings()["eks.cluster/shadow"] == {
        "eks_access_entries",
        "eks_all_logs_on",
        "eks_audit_logs_kept",
        "eks_audit_logs_on",
        "eks_deletion_protected",
        "eks_endpoint_closed",
        "eks_endpoint_not_public",
        "eks_endpoint_private",
        "eks_endpoint_restricted",
        "eks_secrets_encrypted",
        "eks_secrets_encryption_on",
        "eks_tagged",
        "eks_users_from_iam",
        "eks_workload_identity",
    }


def test_a_snapshot_that_is_shared_with_everybody_gets_exactly_its_findings(account: Account) -> None:
    ec2 = account.client("ec2")
    zone = f"{environment.REGION}a"
    volume = ec2.create_volume(AvailabilityZone=zone, Size=8, Encrypted=False)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    found = account.findings()
    assert found[f"ec2.snapshot/{snapshot}"] == {"ec2_snapshot_encrypted", "ec2_snapshot_private"}
    assert found[f"ec2.volume/{volume}"] == {"ec2_tagged_volume", "ec2_volume_used"}


def test_a_node_that_gives_its_role_away_is_told_until_it_is_mended(account: Account, vpc: str) -> None:
    ec2 = account.client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.9.0/24")["Subnet"]["SubnetId"]
    tags = [{"Key": "kubernetes.io/cluster/self-made", "Value": "owned"}]
    launched = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 2},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    node = launched["Instances"][0]["InstanceId"]
    mine = {"cryptojacking_nodes_hop_limit", "cryptojacking_nodes_imds_v2", "ec2_imds_v2"}
    assert mine <= account.findings()[f"ec2.instance/{node}"]
    ec2.modify_instance_metadata_options(InstanceId=node, HttpTokens="required", HttpPutResponseHopLimit=1)
    assert not mine & account.findings().get(f"ec2.instance/{node}", set())


def test_benchmarks_are_evaluated_as_far_as_they_promise(account: Account) -> None:
    rows = {row["id"]: row for row in json.loads(account.picket("benchmark", "list", "--output", "json"))}
    for benchmark, evaluated, total in [
        ("cis-aws-foundations-7.0.0", 68, 70),
        ("cis-aws-three-tier-1.0.0", 96, 96),
        ("cis-aws-compute-ec2-1.0.0", 20, 21),
        ("aws-security-hub-2026-08", 51, 58),
        ("cis-eks-1.8.0", 15, 50),
        ("cis-amazon-linux-2023-1.0.0", 222, 243),
        ("kops", 9, 15),
    ]:
        row = rows[benchmark]
        assert (row["total"], row["evaluated"] >= evaluated) == (total, True), row
        listed = row["evaluated"] + row["manual"] + row["not_applicable"] + row["pending"]
        assert listed == total, f"counts of {benchmark} do not add up: {row}"


def test_the_policy_that_is_printed_reads_and_nothing_else(account: Account) -> None:
    policy = json.loads(account.picket("assess", "--print-policy"))
    actions = [action for statement in policy["Statement"] for action in statement["Action"]]
    assert {"ec2:DescribeSecurityGroups", "eks:DescribeCluster", "iam:GetAccountAuthorizationDetails"} <= set(actions)
    reads = ("Describe", "Get", "List", "View", "GenerateCredentialReport")
    assert [a for a in actions if not a.split(":")[1].startswith(reads)] == []


def test_under_the_policy_that_is_printed_nothing_is_denied(account: Account, vpc: str) -> None:
    account.client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    iam = account.client("iam")
    iam.create_user(UserName="assessor")
    iam.put_user_policy(UserName="assessor", PolicyName="only", PolicyDocument=account.picket("assess", "--print-policy"))
    key = iam.create_access_key(UserName="assessor")["AccessKey"]

    def unseen(**variables: str) -> dict[str, str]:
        answer = json.loads(account.picket("assess", "--output", "json", **variables))
        # What a cluster's own API lets somebody read is the cluster's to say, and no policy of IAM.
        return {u["what"]: u["why"] for u in answer["assessment"]["unseen"] if not u["what"].startswith("kubernetes.")}

    as_root = unseen()
    as_assessor = unseen(AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"])
    assert {what: why for what, why in as_assessor.items() if what not in as_root} == {}
    assert [why for why in as_assessor.values() if "denied" in why] == []
