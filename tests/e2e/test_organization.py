"""Other accounts of the organization: each is entered by the role of `infra/member.yaml`, swept, and judged by all rules.

One that cannot be entered is told as not seen and costs no other. The real templates are deployed into each account.
"""

from __future__ import annotations

import json
from typing import Any, Iterator

import boto3
import deploy
import pytest
import run
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import PARAMETERS
from deployment import BINARY, ENFORCING, ROOT, WORLD, Deployment, eventually, unique
from made_clusters import MADE
from making import make

SECRET = "a-long-external-id-4f1c"
KUBELET = {"IpProtocol": "tcp", "FromPort": 10250, "ToPort": 10250, **WORLD}
RULE = "cryptojacking_kubelet_closed"


class Organization:
    """A home account with Picket, a member that let it in, and one that did not."""

    def __init__(self, cloud: run.Cloud):
        self.cloud = cloud
        client = self.client("organizations", "123456789012")
        self.id = client.describe_organization()["Organization"]["Id"]
        make = lambda name: client.create_account(Email=f"{name}@example.com", AccountName=name)  # noqa: E731
        self.member, self.locked = (make(n)["CreateAccountStatus"]["AccountId"] for n in ("member", "locked"))
        given = {"MemberRole": "PicketScan", "ExternalId": SECRET, "OrganizationId": self.id}
        parameters = {"Mode": "enforce", **PARAMETERS, **given}
        deploy.deploy(cloud.endpoint, ROOT / "template.yaml", {"": BINARY}, parameters, "picket")
        self.picket = Deployment(cloud, "picket")
        self.picket.control("POST", "regions", [self.picket.region])
        self.let_in(self.member, SECRET)
        # The locked account has the role, and another secret: nobody who does not know it gets in.
        self.let_in(self.locked, "quite-another-external-id")
        bus = f"arn:aws:events:{self.picket.region}:{self.picket.account}:event-bus/picket-members"
        deploy.deploy(cloud.endpoint, ROOT / "infra/forward-member.yaml", {}, {"BusArn": bus}, "forward", self.member)

    def let_in(self, account: str, secret: str) -> None:
        given = {"HomeAccount": self.picket.account, "OrganizationId": self.id, "ExternalId": secret}
        deploy.deploy(self.cloud.endpoint, ROOT / "infra/member.yaml", {}, given, "picket-member", account)

    def client(self, service: str, account: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name="us-east-1", aws_access_key_id=account,
            aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=100))  # fmt: skip

    def open_kubelet(self, account: str) -> str:
        """A group that lets the world reach the kubelet."""
        ec2, name = self.client("ec2", account), unique("open")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[KUBELET])
        return group

    def open_findings(self, account: str) -> set[str]:
        return {key for key, finding in self.picket.findings(account).items() if not finding["resolved_at"]}


@pytest.fixture(scope="module")
def organization() -> Iterator[Organization]:
    with run.Cloud() as cloud:
        yield Organization(cloud)


@pytest.fixture
def picket(organization: Organization) -> Iterator[Deployment]:
    yield organization.picket
    organization.picket.control("POST", "clock", {"paused": False})
    organization.picket.apply_policy(ENFORCING)


def clock(picket: Deployment) -> None:
    """The schedule of all rules."""
    picket.invoke("collect", {"account": picket.account, "detail-type": "Scheduled Event", "detail": {}})


def test_every_account_is_judged_and_one_that_cannot_be_entered_is_told_as_not_seen(organization, picket):
    picket.control("POST", "clock", {"paused": True})
    here, there = organization.open_kubelet(picket.account), organization.open_kubelet(organization.member)
    organization.open_kubelet(organization.locked)
    clock(picket)
    assert f"{RULE} ec2.security_group/{here}" in organization.open_findings(picket.account), "home is judged at once"
    finding = eventually(
        lambda: picket.findings(organization.member).get(f"{RULE} ec2.security_group/{there}"), "the member is judged", 120
    )
    assert finding["account"] == organization.member and finding["readings"]
    assert f"{RULE} ec2.security_group/{there}" not in picket.findings(picket.account), "findings stay with their account"
    unseen = eventually(lambda: picket.items(f"benchmark#{organization.locked}#unseen"), "the locked one is kept as not seen", 60)
    [blind] = json.loads(unseen[0]["body"]["S"])
    assert blind["permission"] == "sts:AssumeRole" and organization.locked in blind["what"], blind
    assert picket.findings(organization.locked) == {}
    alert = picket.alert_about(organization.locked, "")
    assert "is not seen" in alert["Message"] and "member.yaml" in alert["Message"], alert["Message"]
    assert picket.waiting_in("collect-dead") == 0, "an account that is shut is no failure of ours"


def test_a_call_in_a_member_account_is_judged_within_seconds_and_so_is_its_mending(organization, picket):
    group = organization.open_kubelet(organization.member)
    name = f"{RULE} ec2.security_group/{group}"
    eventually(lambda: name in organization.open_findings(organization.member), "a finding of the open kubelet", 60)
    organization.client("ec2", organization.member).revoke_security_group_ingress(GroupId=group, IpPermissions=[KUBELET])
    eventually(lambda: name not in organization.open_findings(organization.member), "the finding is resolved", 60)


def test_an_account_outside_the_organization_reaches_nothing(organization, picket):
    stranger = "999999999999"
    bus = f"arn:aws:events:{picket.region}:{picket.account}:event-bus/picket-members"
    deploy.deploy(organization.cloud.endpoint, ROOT / "infra/forward-member.yaml", {}, {"BusArn": bus}, "forward", stranger)
    before = len([line for line in picket.log_of("collect") if stranger in line])
    organization.open_kubelet(stranger)
    eventually(lambda: not picket.control("GET", "events")["waiting"], "the events are delivered")
    group = organization.open_kubelet(organization.member)
    name = f"{RULE} ec2.security_group/{group}"
    eventually(lambda: name in organization.open_findings(organization.member), "later calls of a member are judged", 60)
    assert len([line for line in picket.log_of("collect") if stranger in line]) == before


def test_the_sweep_finds_a_cluster_in_a_member_account_and_has_it_judged_at_once(organization, picket):
    picket.control("POST", "clock", {"paused": True})
    nodes = make(lambda service: organization.client(service, organization.member), MADE["kops"])
    picket.invoke("sweep", {})
    scope = f"{organization.member}#{picket.region}"
    known = lambda: {row["sk"]["S"] for row in picket.items(f"cluster#{scope}")}  # noqa: E731
    eventually(lambda: "kops/k.example.com" in known(), "the cluster is in the inventory", 60)
    of_nodes = lambda: [key for key in organization.open_findings(organization.member) if key.split("/")[-1] in nodes]  # noqa: E731
    eventually(of_nodes, "findings of its nodes", 60)
    places = {row["sk"]["S"]: json.loads(row["body"]["S"]) for row in picket.items("places")}
    shut = places[f"{organization.locked}#{picket.region}"]
    assert shut["unseen"][0]["what"] == "the account" and "sts:AssumeRole" in shut["unseen"][0]["reason"], shut
    assert places[scope]["clusters"] == 1 and places[f"{picket.account}#{picket.region}"]["calls"] > 0
    shown = json.loads(picket.cli("clusters", "--output", "json").stdout)
    assert organization.member in {c["found"]["scope"]["account"] for c in shown["clusters"]}


def test_nothing_is_fixed_in_another_account_and_that_is_said(organization, picket):
    picket.apply_policy(ENFORCING + "fixes: {default: fix, per_hour: 500}\n")
    scope = {"account": organization.member, "region": picket.region}
    aim = {"action": "iam_set_password_policy", "target": organization.member, "with": {}}
    cause = {"is": "order", "by": "alice", "reason": "an audit"}
    said = picket.invoke("fix", {"order": {"scope": scope, "aims": [aim], "cause": cause}})
    assert said["is"] == "refused" and "only reads" in said["why"] and organization.member in said["why"], said
    for account in (organization.member, picket.account):
        with pytest.raises(ClientError, match="NoSuchEntity"):
            organization.client("iam", account).get_account_password_policy()
    picket.control("POST", "clock", {"paused": True})
    group = organization.open_kubelet(organization.member)
    picket.invoke("collect", {"ask": "sweep", "account": organization.member})
    assert f"{RULE} ec2.security_group/{group}" in organization.open_findings(organization.member)
    alert = picket.alert_about(group, "")
    assert "would be fixed at home" in alert["Message"], alert["Message"]
    assert picket.items(f"fix#{organization.member}#{picket.region}") == []


def test_the_role_in_a_member_account_reads_and_changes_nothing(organization, picket):
    made = picket.client("sts", picket.session_of("collect")).assume_role(
        RoleArn=f"arn:aws:iam::{organization.member}:role/PicketScan", RoleSessionName="test", ExternalId=SECRET
    )["Credentials"]
    ec2 = picket.client("ec2", (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]))
    assert ec2.describe_security_groups()["SecurityGroups"]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        ec2.create_vpc(CidrBlock="10.1.0.0/16")
    with pytest.raises(ClientError, match="AccessDenied"):
        picket.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{organization.member}:role/PicketScan", RoleSessionName="test", ExternalId="a-guess-of-mine-0000"
        )
