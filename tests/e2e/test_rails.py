"""The rails: pause switch, blast radius, never-list and exemption stop Picket, and people are told which and why."""

from __future__ import annotations

import time

from deployment import ENFORCING


def is_refused(picket, instances, *words):
    """Nothing was touched, and the alert says which rail it was."""
    before = picket.groups_of(*instances)
    alert = picket.alert_about(instances[0], "NOT QUARANTINED")
    for word in words:
        assert word in alert["Message"], alert["Message"]
    picket.settle()
    assert picket.groups_of(*instances) == before
    assert [picket.hold_of(instance) for instance in instances] == [None] * len(instances)
    assert [call for interface in before for call in picket.changes(interface)] == []
    assert len(picket.alerts_about(instances[0])) == 1


def test_while_changes_are_paused_nothing_is_touched_and_people_are_told(picket, place):
    picket.pause("we are moving house")
    ids = picket.launch_miner(place)
    is_refused(picket, ids, "paused: we are moving house", "picket resume")


def test_after_the_pause_it_goes_on(picket, place):
    picket.pause("a drill")
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "NOT QUARANTINED")
    picket.settle()
    picket.pause("")
    picket.invoke("sweep", {})
    picket.contain(place, instance)


def test_a_launch_larger_than_the_blast_radius_is_not_touched_at_all(picket, place):
    picket.apply_policy(ENFORCING.replace("5000", "1"))
    ids = picket.launch_miner(place, 2)
    is_refused(picket, ids, "2 more instances would pass the limit of 1 an hour", "blast_radius.instances_per_hour")


def test_the_blast_radius_counts_what_was_held_before_in_the_hour(picket, place):
    picket.settle()
    hours = [time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + later)) for later in (0, 60)]
    keys = [{"pk": {"S": f"blast#{picket.account}"}, "sk": {"S": hour}} for hour in dict.fromkeys(hours)]
    for key in keys:
        picket.client("dynamodb").put_item(TableName=f"{picket.stack}-state", Item={**key, "held": {"N": "3"}})
    picket.apply_policy(ENFORCING.replace("5000", "4"))
    [first] = picket.launch_miner(place)
    picket.contain(place, first)
    picket.settle()
    ids = picket.launch_miner(place)
    is_refused(picket, ids, "1 more instances would pass the limit of 4 an hour")


def test_what_the_policy_never_touches_is_not_touched(picket, place):
    picket.apply_policy(f"{ENFORCING}never: [{{id: {place.vpc}, why: the bank}}]\n")
    ids = picket.launch_miner(place)
    is_refused(picket, ids, f"never to touch {place.vpc}: the bank")


def test_an_order_meets_the_same_rails(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    before = picket.groups_of(instance)
    picket.pause("hands off")
    said = picket.invoke_quarantine(instance)
    assert said["outcome"] == "refused" and "hands off" in said["says"], said
    assert picket.groups_of(instance) == before


def test_what_is_exempt_for_a_while_is_told_and_not_touched(picket, place):
    exempt = f"{{id: {place.vpc}, owner: ml, reason: training, until: '2999-01-01T00:00:00Z'}}"
    picket.apply_policy(f"{ENFORCING}exempt: [{exempt}]\n")
    [instance] = picket.launch_miner(place)
    alert = picket.alert_about(instance, "LOOK AT")
    assert "training (ml)" in alert["Message"], alert["Message"]
    picket.settle()
    assert picket.hold_of(instance) is None


def test_a_tag_of_the_instance_exempts_nothing(picket, place):
    tags = [{"Key": "picket:exempt", "Value": "true"}, {"Key": "picket:never", "Value": "true"}]
    [instance] = picket.launch_miner(place, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    picket.contain(place, instance)
