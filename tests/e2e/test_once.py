"""The same thing twice is once: however often and by whichever way a launch is reported, and our own changes are none."""

from __future__ import annotations

import time

from deployment import eventually
from made_events import api_call, mining_finding

SET_GROUPS = "ModifyNetworkInterfaceAttribute"


def changes_of(picket, *instances):
    """How often Picket set the groups of each interface of these instances."""
    interfaces = picket.groups_of(*instances)
    return {i: [c["action"] for c in picket.changes(i)].count(SET_GROUPS) for i in interfaces}


def quarantined_once(picket, *instances):
    picket.settle()
    assert set(changes_of(picket, *instances).values()) == {1}, changes_of(picket, *instances)
    cases = {picket.hold_of(instance)["case"] for instance in instances}
    assert len(cases) == 1
    alerts = picket.alerts_about(instances[0])
    assert len(alerts) == 1, [alert["Message"] for alert in alerts]
    assert picket.dead_letters() == {}


def test_the_same_event_ten_times_is_one_quarantine_one_hold_one_alert(picket, place):
    ids = picket.launch_miner(place, 2)
    record = picket.record_of(ids[0])
    picket.put_events(*[api_call(record)] * 10)
    picket.contain(place, *ids)
    quarantined_once(picket, *ids)


def test_three_ways_to_hear_of_it_are_one_quarantine_one_hold_one_alert(picket, place):
    [instance] = picket.launch_miner(place)
    [groups] = picket.groups_of(instance).values()
    picket.put_events(
        mining_finding(picket.account, picket.region, instance, groups),
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
         "detail": {"instance-id": instance, "state": "running"}},
        api_call(picket.record_of(instance)),
    )  # fmt: skip
    picket.contain(place, instance)
    quarantined_once(picket, instance)


def test_a_crypto_finding_alone_is_enough(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    picket.settle()
    assert picket.hold_of(instance) is None
    [groups] = picket.groups_of(instance).values()
    picket.put_events(mining_finding(picket.account, picket.region, instance, groups))
    picket.contain(place, instance)
    alert = picket.alert_about(instance, "QUARANTINED")
    assert "BitcoinTool.B!DNS" in alert["Message"], alert["Message"]


def test_a_sample_finding_quarantines_nothing(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    before = picket.groups_of(instance)
    sample = mining_finding(picket.account, picket.region, instance, [])
    sample["detail"]["service"]["additionalInfo"] = {"sample": True, "value": '{"sample":true}', "type": "default"}
    picket.put_events(sample)
    picket.settle()
    assert picket.groups_of(instance) == before and picket.hold_of(instance) is None


def test_a_new_finding_after_a_release_quarantines_again_and_is_told(picket, place):
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    case = picket.case_of(instance)
    picket.settle()
    assert picket.invoke_release(case=case)["is"] == "done"
    picket.alert_about(case, "RELEASED")
    later = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 2))
    picket.put_events(mining_finding(picket.account, picket.region, instance, [], updatedAt=later))
    picket.contain(place, instance)
    told = lambda: len([a for a in picket.alerts_about(instance) if a["Message"].startswith("QUARANTINED")]) == 2  # noqa: E731
    eventually(told, "a second alert, of the second quarantine")


def test_our_own_changes_come_back_as_events_and_cause_nothing(picket, place):
    [instance] = picket.launch_miner(place)
    picket.contain(place, instance)
    picket.settle()
    settled = time.time()
    own = [picket.record_of(picket.quarantine_group_of(place), name) for name in ("CreateSecurityGroup", "RevokeSecurityGroupEgress")]
    [interface] = picket.groups_of(instance)
    own.append(picket.record_of(interface, SET_GROUPS))
    assert {record["userIdentity"]["type"] for record in own} == {"AssumedRole"}
    picket.put_events(*map(api_call, own), *map(api_call, own))
    picket.settle()
    assert picket.changes(since=settled) == []


def test_responders_that_make_the_first_group_of_a_vpc_at_once_use_one(picket):
    place = picket.new_place()
    instances = [instance for user in ("one", "two", "three") for instance in picket.launch_miner(place, user=user)]
    picket.contain(place, *instances)
    quarantined = {call["resources"][-1] for i in picket.groups_of(*instances) for call in picket.changes(i)}
    assert set(changes_of(picket, *instances).values()) == {1}, quarantined
