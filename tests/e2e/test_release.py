"""Release: people lift a quarantine on purpose, and get back exactly what was there, or hear why not."""

from __future__ import annotations

import pytest
from made_events import api_call


@pytest.fixture
def held(picket, place):
    """A contained instance with three groups in an order that sorting would change, and that order."""
    groups = sorted((picket.new_group(place, -1, user="ci-bot") for _ in range(3)), reverse=True)
    groups = [groups[1], groups[2], groups[0]]
    [instance] = picket.launch_miner(place, groups=groups)
    picket.contain(place, instance)
    picket.case_of(instance)
    return instance, groups


def test_a_release_restores_every_interface_exactly(picket, place, held):
    instance, groups = held
    [interface] = picket.groups_of(instance)
    said = picket.invoke_release(case=picket.case_of(instance))
    quarantine = picket.quarantine_group_of(place)
    restored = {"instance": instance, "interface": interface, "from": [quarantine], "to": groups}
    assert (said["is"], said["restored"], said["planned"]) == ("done", [restored], False)
    assert picket.groups_of(instance) == {interface: groups}
    alert = picket.alert_about(interface, "RELEASED")
    assert "By        alice" in alert["Message"] and "it was a drill" in alert["Message"], alert["Message"]


def test_a_second_release_says_already(picket, held):
    case = picket.case_of(held[0])
    assert picket.invoke_release(case=case)["is"] == "done"
    assert picket.invoke_release(case=case) == {"is": "already"}
    assert picket.invoke_release(instances=[held[0]]) == {"is": "already"}


def test_what_was_released_stays_released(picket, held):
    instance, groups = held
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    picket.put_events(api_call(picket.record_of(instance)))
    picket.invoke("sweep", {})
    picket.settle()
    assert list(picket.groups_of(instance).values()) == [groups]


def test_a_release_is_refused_when_an_interface_was_changed_since_and_done_with_force(picket, place, held):
    instance, groups = held
    [interface], other = picket.groups_of(instance), picket.new_group(place, 443)
    # What was opened is contained anew at once, unless changes are paused.
    picket.settle()
    picket.pause("somebody looks at it")
    picket.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[other])
    said = picket.invoke_release(instances=[instance])
    assert said["is"] == "refused" and len(said["differences"]) == 1, said
    assert interface in said["differences"][0] and other in said["differences"][0], said
    assert picket.groups_of(instance) == {interface: [other]}
    assert picket.invoke_release(instances=[instance], force=True)["is"] == "done"
    assert picket.groups_of(instance) == {interface: groups}


def test_a_planned_release_changes_nothing(picket, place, held):
    instance, groups = held
    picket.settle()
    before = len(picket.changes(interface := next(iter(picket.groups_of(instance)))))
    said = picket.invoke_release(instances=[instance], plan_only=True)
    assert (said["is"], said["planned"], said["restored"][0]["to"]) == ("done", True, groups)
    assert picket.contained(place, instance)
    assert len(picket.changes(interface)) == before


def test_a_case_that_is_not_there_is_not_held(picket):
    assert picket.invoke_release(case="case-0123456789ab") == {"is": "not_held"}
