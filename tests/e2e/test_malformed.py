"""Malformed and forged triggers are parked with the reason beside them, and cost the good ones nothing."""

from __future__ import annotations

import json

import pytest
from deployment import eventually
from made_events import api_call, envelope

STATE_CHANGE = "EC2 Instance State-change Notification"
BAD = {
    "no JSON": ("not json at all", "not JSON"),
    "no event": ('{"hello": "world"}', "no event"),
    "no detail": ('{"source": "aws.ec2", "detail-type": "' + STATE_CHANGE + '"}', "detail"),
    "an empty text": ("[]", "no event"),
}


def state_change(picket, instance, source="aws.ec2"):
    event = {"source": source, "detail-type": STATE_CHANGE, "detail": {"instance-id": instance, "state": "running"}}
    return json.dumps(envelope(event, picket.account, picket.region))


@pytest.fixture
def parked(picket):
    """Waits for as many dead letters; gives bodies with their reasons, and leaves the queue empty."""
    url, found = picket.queue_url("triggers-dead"), {}

    def wait(count):
        def look():
            got = picket.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            for message in got.get("Messages", []):
                found[message["Body"]] = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
                picket.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return found if len(found) >= count else None

        return eventually(look, f"{count} messages in the dead-letter queue; found {list(found)}")

    yield wait
    picket.sqs.purge_queue(QueueUrl=url)


def test_bad_messages_of_a_batch_are_parked_with_their_reason_and_the_good_one_is_handled(picket, place, parked):
    picket.control("POST", "clock", {"paused": True})
    [instance] = picket.launch_miner(place)
    bodies = {body: words for body, words in BAD.values()}
    bodies[state_change(picket, instance, source="mallory.ec2")] = "source is `mallory.ec2`"
    bodies[state_change(picket, "i-$(reboot)")] = "instance-id"
    good = state_change(picket, instance)
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate([*bodies, good])]
    picket.sqs.send_message_batch(QueueUrl=picket.queue_url("triggers"), Entries=entries)
    picket.contain(place, instance)
    found = parked(len(bodies))
    assert set(found) == set(bodies)
    for body, words in bodies.items():
        assert words in found[body], f"{body} was parked because: {found[body]}"
    picket.control("POST", "clock", {"paused": False})


def test_a_forged_event_about_a_healthy_instance_touches_nothing(picket, place):
    """Its record is copied from a rogue launch, with the healthy instance's id in it."""
    [rogue] = picket.launch_miner(place)
    [healthy] = picket.launch("platform", place, [picket.new_group(place, 443)])
    picket.contain(place, rogue)
    forged = json.loads(json.dumps(picket.record_of(rogue)).replace(rogue, healthy))
    before = picket.groups_of(healthy)
    picket.put_events(api_call(forged))
    picket.settle()
    assert picket.groups_of(healthy) == before
    assert picket.hold_of(healthy) is None


def test_an_instance_that_never_was_is_waited_for_and_loses_nobody_else(picket, place):
    [instance] = picket.launch_miner(place)
    record = json.loads(json.dumps(picket.record_of(instance)))
    items = record["responseElements"]["instancesSet"]["items"]
    items.append({**items[0], "instanceId": "i-0fedcba9876543210"})
    picket.control("POST", "clock", {"paused": True})
    [other] = picket.launch_miner(place)
    items.append({**items[0], "instanceId": other})
    picket.sqs.send_message(
        QueueUrl=picket.queue_url("triggers"),
        MessageBody=json.dumps(envelope(api_call(record), picket.account, picket.region)),
    )
    picket.contain(place, instance, other)
    picket.sqs.purge_queue(QueueUrl=picket.queue_url("triggers"))


def test_an_event_that_nobody_watches_is_dropped_and_counted(picket):
    event = {"source": "aws.ec2", "detail-type": "EBS Volume Notification", "detail": {"event": "createVolume"}}
    body = json.dumps(envelope(event, picket.account, picket.region))
    picket.sqs.send_message(QueueUrl=picket.queue_url("triggers"), MessageBody=body)
    counted = lambda: [line for line in picket.log_of("discover") if "TriggersDropped" in line and "not watched" in line]  # noqa: E731
    metric = json.loads(eventually(counted, "the metric TriggersDropped with the reason `not watched`")[-1])
    assert metric["TriggersDropped"] == 1 and metric["Reason"] == "not watched"
    [shape] = metric["_aws"]["CloudWatchMetrics"]
    assert shape == {"Namespace": "Picket", "Dimensions": [["Reason"]], "Metrics": [{"Name": "TriggersDropped", "Unit": "Count"}]}
