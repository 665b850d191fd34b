"""The sweep finds what no event reported, and takes up what was left half done."""

from __future__ import annotations

import pytest
from deployment import eventually


@pytest.fixture
def lost_events(picket):
    """While the test runs, no event arrives."""
    picket.settle()
    picket.control("POST", "clock", {"paused": True})


def test_an_instance_whose_events_were_lost_is_contained_by_the_sweep(picket, place, lost_events):
    ids = picket.launch_miner(place, 2)
    picket.invoke("sweep", {})
    picket.contain(place, *ids)
    assert picket.control("GET", "events")["waiting"] > 0, "the events should not have been what told of it"
    picket.alert_about(ids[0], "QUARANTINED")


def test_the_sweep_has_a_quarantine_group_ready_in_every_vpc(picket, place):
    assert picket.quarantine_group_of(place) is None
    picket.invoke("sweep", {})
    group = eventually(lambda: picket.quarantine_group_of(place), f"a quarantine group in {place.vpc}")
    eventually(lambda: picket.rules_of(group) == [], f"no rule in {group}")


def test_an_instance_whose_groups_were_put_back_is_contained_again_and_people_are_told(picket, place):
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    case, [interface] = picket.case_of(instance), picket.groups_of(instance)
    picket.alert_about(instance, "QUARANTINED")
    picket.settle()
    open_again = picket.new_group(place, -1, user="ci-bot")
    picket.ec2_of("ci-bot").modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[open_again])
    picket.invoke("sweep", {})
    picket.contain(place, instance)
    picket.case_of(instance)
    capture = picket.hold_of(instance)["captures"][0]
    assert open_again not in capture["groups"], "the first capture is the one that counts"
    told = lambda: len([a for a in picket.alerts_about(case) if a["Message"].startswith("QUARANTINED")]) == 2  # noqa: E731
    eventually(told, "a second alert, of the second quarantine")
