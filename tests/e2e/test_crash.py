"""A worker that dies, or a call that fails, between two interfaces: the rest is done, and the capture stays the first."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from deployment import eventually

SET_GROUPS = {"service": "ec2", "action": "ModifyNetworkInterfaceAttribute", "role": "RespondRole"}


@pytest.fixture
def two_interfaces(picket, place):
    """A launch with two interfaces whose events are held back; gives the instance and its groups."""
    group, other = picket.new_group(place, -1, user="ci-bot"), picket.new_group(place)
    lists = [[other, group], [group]]
    interfaces = [{"DeviceIndex": n, "SubnetId": place.subnet, "Groups": groups} for n, groups in enumerate(lists)]
    picket.control("POST", "clock", {"paused": True})
    [instance] = picket.launch_miner(place, NetworkInterfaces=interfaces)
    return instance, picket.groups_of(instance)


def capture_is(picket, instance, groups):
    captures = {c["interface"]: c["groups"] for c in picket.hold_of(instance)["captures"]}
    assert captures == groups


def release_restores(picket, instance, groups):
    said = picket.invoke_release(case=picket.case_of(instance))
    assert said["is"] == "done", said
    assert picket.groups_of(instance) == groups


def processes_of(picket, function):
    """The processes of one function of this stack: children of the local cloud, known by their environment."""
    found = []
    for pid in picket.control("GET", "health")["function_processes"]:
        try:
            names = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"AWS_LAMBDA_FUNCTION_NAME={picket.stack}-{function}".encode() in names:
            found.append(pid)
    return found


@pytest.mark.parametrize("after", ["lost-reply", "closed"])
def test_a_lost_reply_between_two_interfaces_does_no_harm(picket, place, two_interfaces, after):
    instance, groups = two_interfaces
    last = sorted(groups)[-1]
    picket.control("POST", "faults", {**SET_GROUPS, "match": last, "count": 1, "after": after})
    picket.control("POST", "clock", {"paused": False})
    picket.contain(place, instance, interfaces=2)
    picket.case_of(instance)
    capture_is(picket, instance, groups)
    release_restores(picket, instance, groups)


def test_a_change_that_fails_is_told_as_leaking_and_done_later_and_told_again(picket, place, two_interfaces):
    instance, groups = two_interfaces
    last = sorted(groups)[-1]
    fault = {**SET_GROUPS, "match": last, "count": 1, "code": "OperationNotPermitted", "status": 400}
    picket.control("POST", "faults", fault)
    picket.control("POST", "clock", {"paused": False})
    alert = picket.alert_about(instance, "QUARANTINED, BUT LEAKING")
    assert f"LEAKING {last} of {instance}" in alert["Message"], alert["Message"]
    picket.settle()
    picket.invoke("sweep", {})
    picket.contain(place, instance, interfaces=2)
    picket.case_of(instance)
    capture_is(picket, instance, groups)
    healed = lambda: [a for a in picket.alerts_about(instance) if a["Message"].startswith("QUARANTINED:")]  # noqa: E731
    eventually(healed, "an alert that it does not leak any more")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the process through /proc")
def test_a_worker_that_is_killed_between_two_interfaces_is_continued_after_its_lease(picket, place, two_interfaces):
    """Slow: another worker waits for the lease of the dead one to end, a minute and a half later."""
    instance, groups = two_interfaces
    first, last = sorted(groups)
    url = picket.queue_url("respond")
    usual = picket.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    picket.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "20"})
    try:
        hangs = {**SET_GROUPS, "match": last, "count": 1, "delay_ms": 5000, "status": 500, "code": "InternalError"}
        picket.control("POST", "faults", hangs)
        picket.control("POST", "clock", {"paused": False})
        one_is_done = lambda: picket.groups_of(instance)[first] == [picket.quarantine_group_of(place)]  # noqa: E731
        eventually(one_is_done, f"{first} is contained while the call for {last} hangs")
        for pid in processes_of(picket, "respond"):
            os.kill(pid, signal.SIGKILL)
        assert picket.groups_of(instance)[last] == groups[last], "the worker was to die before the second change"
        assert picket.hold_of(instance)["state"] == "containing"
        picket.contain(place, instance, interfaces=2, seconds=180)
        case = picket.case_of(instance)
    finally:
        picket.sqs.set_queue_attributes(QueueUrl=url, Attributes=usual)
    capture_is(picket, instance, groups)
    intents = [entry for entry in picket.journal_of(case) if entry["event"] == "contain_intended"]
    assert {entry["subject"] for entry in intents} == set(groups)
    picket.settle(60)
    assert picket.dead_letters() == {}, "a message was given up while the lease of a dead worker ran"
    release_restores(picket, instance, groups)
