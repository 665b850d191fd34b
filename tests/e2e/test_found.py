"""A cluster or node is judged by the rules the moment it is found: no sweep, and no call of its own that would wake collect.

These deployments have `AssessOnCalls: false`, so that what is judged here was asked for by whoever found it.
"""

from __future__ import annotations

import json
import time

import pytest
from deployment import eventually, unique
from made_clusters import careless_kops
from making import make

pytestmark = pytest.mark.usefixtures("whole")

SECONDS = 15  # the emulator shares its processor with the functions; by AWS's clock it is the 5 s that collect gathers
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip


@pytest.fixture(autouse=True)
def no_sweep(picket):
    """While the test runs, no sweep of places and none of all rules looks: neither is asked, and neither runs."""
    picket.sleep("sweep")
    begun = time.time()
    yield
    picket.wake("sweep")
    assert not [line for line in picket.log_of("collect", begun) if '"Sweep' in line or "Sweep {" in line]


def open_findings(picket, *assets: str) -> dict[str, set[str]]:
    """The rules that fail, by asset."""
    found: dict[str, set[str]] = {}
    for finding in picket.findings().values():
        if finding["resolved_at"] is None and finding["asset"].split("/", 1)[1] in assets:
            found.setdefault(finding["asset"], set()).add(finding["rule"])
    return found


def test_a_kops_cluster_made_by_ec2_calls_is_judged_within_seconds(picket):
    begun = time.monotonic()
    nodes = make(picket.made_by("platform"), careless_kops(f"{unique('kops')}.example.com"))
    picket._launched += nodes
    reservations = picket.ec2.describe_instances(InstanceIds=nodes)["Reservations"]
    groups = {g["GroupId"] for r in reservations for i in r["Instances"] for g in i["SecurityGroups"]}
    wanted = {f"ec2.instance/{node}": "ec2_managed_by_ssm" for node in nodes} | {f"ec2.security_group/{g}": "kops_ssh_closed" for g in groups}

    def not_judged() -> list[str]:
        found = open_findings(picket, *nodes, *groups)
        return [asset for asset, rule in wanted.items() if rule not in found.get(asset, set())]

    assert len(wanted) == 5
    eventually(lambda: not not_judged(), "findings of every node and of both groups", SECONDS)
    took = time.monotonic() - begun
    print(f"judged {took:.1f} s after the first call")


def test_an_eks_cluster_is_judged_within_seconds(picket, place):
    name = unique("shadow")
    role = picket.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    access = {"subnetIds": [place.subnet], "endpointPublicAccess": True, "endpointPrivateAccess": False}
    picket.client("eks").create_cluster(name=name, version="1.31", roleArn=role, resourcesVpcConfig=access)
    wanted = {"eks_audit_logs_on", "eks_endpoint_not_public", "eks_secrets_encrypted"}
    eventually(lambda: wanted <= open_findings(picket, name).get(f"eks.cluster/{name}", set()), f"findings of {name}", SECONDS)


def test_it_is_asked_for_once_however_often_it_is_seen(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    eventually(lambda: open_findings(picket, instance), f"findings of {instance}", SECONDS)
    row = lambda: next(r for r in picket.items(f"asset#{picket.account}#{picket.region}") if r["sk"]["S"] == instance)  # noqa: E731
    assert eventually(lambda: row().get("asked"), "it is noted that it was asked for") == {"BOOL": True}
    picket.settle()
    before = len(judged(picket))
    picket.ec2_of("platform").create_tags(Resources=[instance], Tags=[{"Key": "kubernetes.io/cluster/x", "Value": "owned"}])
    picket.settle()
    time.sleep(6)
    assert len(judged(picket)) == before, "what was judged is judged again by calls and by the clock, not by being seen"


def judged(picket) -> list[str]:
    return [line for line in picket.log_of("collect") if '"message":"judged"' in line]
