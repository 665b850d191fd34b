"""Many at once: a burst is contained as a whole, what EC2 does not show yet included, and nothing is lost."""

from __future__ import annotations

import pytest


def test_fifty_instances_of_one_call_are_contained_though_three_become_visible_late(picket, place):
    picket.control("POST", "faults", {"kind": "invisible", "last": 3, "seconds": 2})
    ids = picket.launch_miner(place, 50)
    assert len(ids) == 50
    picket.contain(place, *ids, seconds=75)
    picket.settle(60)
    assert picket.contained(place, *ids)
    assert [instance for instance in ids if picket.hold_of(instance)["state"] != "contained"] == []
    assert picket.dead_letters() == {}


def test_throttled_calls_are_tried_again(picket, place):
    picket.control("POST", "faults", {"service": "ec2", "role": "RespondRole", "count": 5})
    picket.control("POST", "faults", {"service": "ec2", "role": "DiscoverRole", "count": 5})
    ids = picket.launch_miner(place, 5)
    picket.contain(place, *ids, seconds=75)
    assert picket.dead_letters() == {}


def test_a_launch_that_is_refused_is_told_though_there_is_nothing_to_contain(picket, place):
    """Attackers try types and sizes until one is granted."""
    fault = {"service": "ec2", "action": "RunInstances", "code": "VcpuLimitExceeded", "status": 400, "count": 1}
    picket.control("POST", "faults", fault)
    refused = None
    try:
        picket.launch_miner(place, 20, user="prober")
    except picket.ec2.exceptions.ClientError as error:
        refused = error.response["Error"]["Code"]
    assert refused == "VcpuLimitExceeded"
    alert = picket.alert_about("IAM user prober", "LOOK AT")
    assert "VcpuLimitExceeded" in alert["Message"], alert["Message"]
