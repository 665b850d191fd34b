"""Hostile text stays text: names, tags and events of an attacker's choice reach no subject and stop no alert."""

from __future__ import annotations

import json

import pytest
from made_events import api_call

NAMES = {
    "line breaks and control characters": "web\r\nSubject: all is well\r\n\t\x85\x9b2J\u2028end",
    "markup": "<script>alert(1)</script><!channel> [click](https://example.com) & \"'`",
    "direction changes": "\u202egnp.exe\u2066\u200b\ufeffx\U000e0041",
    "as long as EC2 takes": "\U0001f4a3" * 256,
    "a megabyte": "A" * 1_000_000,
}


def named(name):
    return [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]


def is_sound(alert):
    """Whether SNS itself would take the subject, and one line stays one."""
    subject, text = alert["Subject"], alert["Message"]
    assert 0 < len(subject) < 100 and subject.isascii() and subject.isprintable(), subject
    assert all(ch == "\n" or ch.isprintable() for ch in text), ascii(text)
    assert not any(ch in text for ch in "\u202e\u2066\u200b\ufeff\u2028")
    assert not any(line.startswith("Subject:") for line in text.splitlines())
    assert len(text.encode()) < 64 * 1024


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_hostile_name_stops_neither_quarantine_nor_alert(picket, place, name):
    [instance] = picket.launch_miner(place, TagSpecifications=named(name))
    picket.contain(place, instance, seconds=20)
    is_sound(picket.alert_about(instance, "QUARANTINED"))


def test_an_event_with_a_name_of_a_megabyte_is_handled(picket, place):
    [instance] = picket.launch_miner(place)
    record = json.loads(json.dumps(picket.record_of(instance)))
    [item] = record["responseElements"]["instancesSet"]["items"]
    item["tagSet"] = {"items": [{"key": "Name", "value": "\x00\x07\x1b[2J" + "B" * 1_000_000}]}
    record["userAgent"] = "\u202e\r\n" + "C" * 10_000
    picket.put_events(api_call(record))
    picket.contain(place, instance)
    is_sound(picket.alert_about(instance, "QUARANTINED"))
    picket.settle()
    assert picket.dead_letters() == {}


def test_a_launch_with_as_many_and_as_long_tags_as_ec2_takes_is_contained(picket, place):
    """More than a queue takes in one message."""
    tags = [{"Key": f"key-{n}", "Value": "\u5b57" * 256} for n in range(50)]
    ids = picket.launch_miner(place, 30, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    picket.contain(place, *ids, seconds=75)
    is_sound(picket.alert_about(ids[0], "QUARANTINED"))


def test_a_hostile_reason_of_a_release_stays_one_line(picket, place):
    [instance] = picket.launch_miner(place)
    case = picket.case_of(instance)
    said = picket.invoke_release(case=case, by="eve\r\nSubject: x", reason="fine\r\n\u202eLift it  nothing\x07")
    assert said["is"] == "done"
    alert = picket.alert_about(case, "RELEASED")
    is_sound(alert)
    assert "Lift it" not in [line[:7] for line in alert["Message"].splitlines()]
