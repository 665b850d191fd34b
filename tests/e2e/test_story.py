"""The main job: a rogue launch ends cut off, people hear who, what, why and how to lift it, and nothing else changes."""

from __future__ import annotations

import pytest
from deployment import eventually

pytestmark = pytest.mark.usefixtures("whole")


@pytest.fixture
def healthy(picket, place):
    """A web tier, a bastion and nodes of a managed cluster, launched by somebody else before."""
    web = picket.new_group(place, 80, 443)
    bastion = picket.new_group(place, 22)
    nodes = picket.new_group(place)
    cluster = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}, {"Key": "eks:cluster-name", "Value": "prod"}]
    tags = [{"ResourceType": "instance", "Tags": cluster}]
    ids = picket.launch("platform", place, [web], 3)
    ids += picket.launch("platform", place, [bastion], InstanceType="t3.micro")
    ids += picket.launch("platform", place, [nodes, web], 2, TagSpecifications=tags)
    return ids


def three_interfaces(picket, place):
    """The interfaces of a launch, each with more than one group, in orders that sorting would change."""
    rogue, tools, base = picket.new_group(place, -1, user="ci-bot"), picket.new_group(place), picket.new_group(place)
    lists = [sorted([rogue, tools, base], reverse=True), [rogue, base], [tools, rogue]]
    return [{"DeviceIndex": n, "SubnetId": place.subnet, "Groups": groups} for n, groups in enumerate(lists)]


def attach_one_more(picket, place, instance):
    group = picket.new_group(place, -1, user="ci-bot")
    ec2 = picket.ec2_of("ci-bot")
    made = ec2.create_network_interface(SubnetId=place.subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=made, InstanceId=instance, DeviceIndex=3)
    return made


def test_every_interface_of_a_rogue_instance_ends_in_the_quarantine_group_alone(picket, place):
    picket.control("POST", "clock", {"paused": True})
    [instance] = picket.launch_miner(place, NetworkInterfaces=three_interfaces(picket, place))
    attach_one_more(picket, place, instance)
    picket.control("POST", "clock", {"paused": False})
    picket.contain(place, instance, interfaces=4)


def test_an_interface_that_is_attached_after_containment_is_contained_by_the_next_sweep(picket, place):
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    picket.case_of(instance)
    attach_one_more(picket, place, instance)
    picket.invoke("sweep", {})
    picket.contain(place, instance, interfaces=2)


@pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
def test_the_quarantine_group_has_no_rule_at_all(picket, ipv6):
    place = picket.new_place(ipv6=ipv6)
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    assert picket.rules_of(picket.quarantine_group_of(place)) == []


def test_the_alert_tells_who_what_why_what_was_done_and_how_to_lift_it(picket, place):
    [one, two] = picket.launch_miner(place, 2, user="leaked-key")
    alert = picket.alert_about(one, "QUARANTINED: 2 instances")
    case, text = picket.case_of(one), alert["Message"]
    assert alert["Subject"] == f"Picket QUARANTINED: 2 instances in {picket.account} {picket.region}"
    lines = text.splitlines()
    assert lines[0] == f"QUARANTINED: 2 instances in account {picket.account}, {picket.region}", text
    assert f"Case      {case}, score 100 of 100" in lines, text
    assert any(line.startswith("Who       IAM user leaked-key with key AKIA") for line in lines), text
    for word in (one, two, "g5.48xlarge", "stratum+tcp://", "accelerated", "lets 0.0.0.0/0 reach all ports"):
        assert word in text, f"{word} is missing in:\n{text}"
    assert any(line.startswith("Done      2 of 2 interfaces are in the quarantine group") for line in lines), text
    for interface in picket.groups_of(one, two):
        verified = [line for line in lines if f" {interface} of " in line]
        assert len(verified) == 1 and ("PENDING" in verified[0] or "CUT" in verified[0]), text
    assert f'Lift it   picket release {case} --reason "..." --stack picket' in lines, text


def test_the_healthy_keep_their_groups(picket, place, healthy):
    before = picket.groups_of(*healthy)
    assert len(before) == len(healthy)
    [rogue] = picket.launch_miner(place)
    picket.contain(place, rogue)
    picket.settle()
    assert picket.groups_of(*healthy) == before
    assert [picket.hold_of(instance) for instance in healthy] == [None] * len(healthy)
    touched = [call for interface in before for call in picket.changes(interface)]
    assert touched == [], "Picket tried to change a healthy interface"


def test_an_order_quarantines_by_hand(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place, 443)])
    picket.settle()
    said = picket.invoke_quarantine(instance)
    assert said["outcome"] == "contained", said
    assert picket.contained(place, instance)
    alert = picket.alert_about(instance, "QUARANTINED")
    assert "bob ordered it: it looks odd" in alert["Message"], alert["Message"]
    assert said["case"] in alert["Message"]


def test_the_journal_tells_the_whole_case_in_order(picket, place):
    [instance] = picket.launch_miner(place, NetworkInterfaces=three_interfaces(picket, place))
    case = picket.case_of(instance)
    assert picket.invoke_release(case=case)["is"] == "done"
    told = ["contain_intended", "contain_done", "verified", "release_intended", "release_done"]
    for interface in picket.groups_of(instance):
        assert picket.events_about(case, interface) == told, picket.journal_of(case)
    times = [entry["at"] for entry in picket.journal_of(case)]
    assert times == sorted(times)
    eventually(lambda: picket.alerts_about(case)[1:], f"two alerts about {case}")
