"""Events of our own: others can react to what is told and judged, by documented shapes."""

from __future__ import annotations

import json
import urllib.request

import jsonschema
import pytest
from deployment import ROOT, eventually, unique

pytestmark = pytest.mark.usefixtures("whole")


def listening(picket) -> str:
    """A queue that gets every event of ours, by a rule such as anybody may make."""
    name = unique("reacts")
    url = picket.sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{picket.region}:{picket.account}:{name}"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    picket.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events = picket.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["picket"], "detail-type": [{"prefix": "Picket "}]}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    return url


def received(picket, url: str) -> list[dict]:
    messages = picket.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def valid(event: dict) -> dict:
    shape = {"Picket Notice": "notice", "Picket Assessment": "assessment"}[event["detail-type"]]
    schema = json.loads((ROOT / "infra/events" / f"{shape}.schema.json").read_text())
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(event["detail"])
    return event["detail"]


def test_a_quarantine_its_follow_up_and_its_release_are_events_of_a_documented_shape(picket, place):
    url = listening(picket)
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "QUARANTINED")
    case = eventually(lambda: picket.hold_of(instance), "a hold")["case"]
    seen: dict[str, dict] = {}

    def kinds() -> set[str]:
        for event in received(picket, url):
            if event["detail-type"] == "Picket Notice" and event["detail"]["case"] == case:
                seen[event["detail"]["kind"]] = valid(event)
        return set(seen)

    eventually(lambda: {"quarantined", "secured"} <= kinds(), "containment and its follow-up", seconds=60)
    assert [a["instance"] for a in seen["quarantined"]["assets"]] == [instance]
    assert {i["is"] for i in seen["quarantined"]["interfaces"]} <= {"CUT", "PENDING"}
    assert "May break" in seen["quarantined"]["text"] and "QUARANTINE COMPLETE" in seen["secured"]["headline"], seen["secured"]
    picket.invoke_release(case=case, reason="a test", by="test")
    eventually(lambda: "released" in kinds(), "the release", seconds=60)


def test_the_end_of_an_assessment_is_an_event(picket):
    url = listening(picket)
    picket.invoke("collect", {"ask": "sweep", "account": picket.account})
    swept = lambda: [e for e in received(picket, url) if e["detail-type"] == "Picket Assessment" and e["detail"]["sweep"]]  # noqa: E731
    detail = valid(eventually(swept, "the event", seconds=60)[0])
    assert detail["account"] == picket.account


def test_a_forged_event_puts_nothing_into_the_report(picket):
    picket.settle()
    written = lambda: len([line for line in picket.log_of("report") if "the report is written" in line])  # noqa: E731
    before = written()
    forged = {"version": "1", "id": "forged", "kind": "released", "headline": "RELEASED: everything", "account": picket.account}
    for detail in (json.dumps(forged), json.dumps({"nothing": "of ours"})):
        entry = {"Source": "picket", "DetailType": "Picket Notice", "Detail": detail}
        assert picket.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    eventually(lambda: written() > before, "the report that the forged events led to", seconds=60)
    page = urllib.request.urlopen(picket.invoke("report", {"link": {"minutes": 5}})["url"]).read().decode()
    assert "RELEASED: everything" not in page
    assert picket.waiting_in("report-dead") == 0
