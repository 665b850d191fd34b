"""The quarantine group is checked on each use: ours by its recorded id, and empty."""

from __future__ import annotations

import pytest
from deployment import WORLD, eventually


@pytest.fixture
def group(picket, place):
    """The VPC's quarantine group, in use."""
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    picket.settle()
    return picket.quarantine_group_of(place)


def tampered(picket, group):
    everything = [{"IpProtocol": "-1", **WORLD}]
    picket.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=everything)
    picket.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everything)
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": group}]}
    picket.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    assert picket.rules_of(group)


def test_rules_that_were_added_are_removed_before_the_next_use(picket, place, group):
    picket.control("POST", "clock", {"paused": True})
    tampered(picket, group)
    [instance] = picket.launch_miner(place)
    picket.control("POST", "clock", {"paused": False})
    picket.contain(place, instance)
    assert picket.quarantine_group_of(place) == group
    assert picket.rules_of(group) == []


def test_the_sweep_removes_rules_that_were_added(picket, group):
    tampered(picket, group)
    picket.invoke("sweep", {})
    eventually(lambda: picket.rules_of(group) == [], f"no rule in {group}")


def test_a_decoy_with_our_tag_is_not_used(picket, place):
    tags = [{"Key": "picket:quarantine", "Value": picket.stack}, {"Key": "Name", "Value": f"{picket.stack} quarantine"}]
    decoy = picket.ec2_of("ci-bot").create_security_group(
        GroupName=f"{picket.stack}-quarantine-1", Description="not ours", VpcId=place.vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]  # fmt: skip
    rules = picket.rules_of(decoy)
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    assert picket.quarantine_group_of(place) != decoy
    assert picket.rules_of(decoy) == rules, "a group that is not ours was changed"


def test_a_group_that_was_deleted_is_made_again(picket, place, group):
    picket.end_what_was_launched()
    picket.ec2.delete_security_group(GroupId=group)
    [instance] = picket.launch_miner(place)
    eventually(lambda: picket.quarantine_group_of(place) != group, "another quarantine group")
    picket.contain(place, instance)
    assert picket.rules_of(picket.quarantine_group_of(place)) == []
