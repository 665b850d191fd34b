"""Observe mode judges and tells, and changes nothing: by the deployment, by the policy, and when the policy is broken."""

from __future__ import annotations

import time

import pytest
from deployment import ENFORCING

BROKEN = ENFORCING + "moode: enforce\n"


def untouched(deployment, *instances):
    """Nothing was changed, or even tried, and people heard what would have been."""
    alert = deployment.alert_about(instances[0], "WOULD QUARANTINE")
    for interface in deployment.groups_of(*instances):
        assert f"contain {interface} of " in alert["Message"], alert["Message"]
    deployment.settle()
    assert [deployment.hold_of(instance) for instance in instances] == [None] * len(instances)


def test_a_deployment_in_observe_mode_changes_nothing(watch):
    place, start = watch.new_place(), time.time()
    ids = watch.launch_miner(place, 2)
    before = watch.groups_of(*ids)
    untouched(watch, *ids)
    watch.invoke("sweep", {})
    watch.settle()
    assert watch.changes(since=start) == [], "Picket changed something, or tried to"
    assert watch.groups_of(*ids) == before
    assert watch.quarantine_group_of(place) is None


def test_a_deployment_in_observe_mode_refuses_an_order(watch):
    place, start = watch.new_place(), time.time()
    [instance] = watch.launch_miner(place)
    said = watch.invoke_quarantine(instance)
    assert said["outcome"] == "observed" and "observe" in said["says"], said
    assert watch.changes(since=start) == []


def test_a_policy_in_observe_mode_changes_nothing(picket, place):
    picket.settle()
    start = time.time()
    picket.apply_policy("version: 1\nmode: observe\nrisk: {learning: 0s}\n")
    ids = picket.launch_miner(place, 2)
    groups = picket.groups_of(*ids)
    untouched(picket, *ids)
    assert picket.invoke_quarantine(ids[0])["outcome"] == "observed"
    picket.invoke("sweep", {})
    picket.settle()
    assert picket.changes(since=start) == []
    assert picket.groups_of(*ids) == groups


def test_an_empty_policy_observes(picket, place):
    picket.apply_policy("version: 1\n")
    [instance] = picket.launch_miner(place)
    untouched(picket, instance)


@pytest.fixture
def good_policy_in_force(picket, place):
    """A policy in enforce mode that has been used, and is the last good one."""
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    picket.settle()


def test_a_broken_policy_leaves_the_last_good_one_in_force_and_is_told(picket, place, good_policy_in_force):
    picket.apply_policy(BROKEN)
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    trouble = picket.alert_about("moode", "PICKET NEEDS YOU")
    assert "broken and not in force" in trouble["Message"], trouble["Message"]


def test_a_broken_policy_without_an_earlier_one_observes(picket, place):
    picket.settle()
    table = f"{picket.stack}-state"
    picket.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": "policy"}, "sk": {"S": "good"}})
    picket.apply_policy(BROKEN)
    [instance] = picket.launch_miner(place)
    untouched(picket, instance)
