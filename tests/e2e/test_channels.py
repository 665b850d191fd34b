"""One notice, many channels: what each subscriber and each webhook gets, what merges, and what a refusal leads to."""

from __future__ import annotations

import json

import pytest
from deployment import eventually, unique


def subscribed(picket, protocol_filter: dict[str, list[str]]) -> str:
    """A queue behind the alerts topic with a filter policy."""
    name = unique("filtered")
    url = picket.sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{picket.region}:{picket.account}:{name}"
    topic = f"arn:aws:sns:{picket.region}:{picket.account}:{picket.stack}-alerts"
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    picket.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns = picket.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"FilterPolicy": json.dumps(protocol_filter)})
    return url


def received(picket, url: str) -> list[dict]:
    got = picket.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in got]


@pytest.fixture
def merging(picket):
    """Repeats merge for five minutes."""
    lam, name = picket.client("lambda"), f"{picket.stack}-notify"
    variables = lam.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    lam.update_function_configuration(FunctionName=name, Environment={"Variables": {**variables, "PICKET_MERGE_MINUTES": "5"}})
    yield picket
    lam.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_a_subscription_gets_what_its_filter_policy_asks_for(picket, place):
    ours = subscribed(picket, {"kind": ["quarantined"], "severity": ["critical"], "account": [picket.account]})
    others = subscribed(picket, {"kind": ["released"]})
    [instance] = picket.launch_miner(place)
    alert = picket.alert_about(instance, "QUARANTINED")
    [mine] = eventually(lambda: received(picket, ours), "a filtered alert")
    assert mine["Message"] == alert["Message"]
    attributes = {name: value["Value"] for name, value in mine["MessageAttributes"].items()}
    expected = {"severity": "critical", "kind": "quarantined", "account": picket.account, "region": picket.region}
    assert attributes == expected
    assert received(picket, others) == []


def test_slack_and_pagerduty_get_their_forms_once(picket, place, slack, pagerduty):
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "QUARANTINED")
    [post] = eventually(lambda: slack.about(instance), "a post to Slack")
    assert post["text"].startswith("Picket QUARANTINED") and post["blocks"][0]["type"] == "header"
    [event] = eventually(lambda: pagerduty.about(instance), "an event of PagerDuty")
    assert (event["routing_key"], event["event_action"]) == ("KEY", "trigger")
    case = picket.hold_of(instance)["case"]
    picket.invoke_release(case=case, reason="a test", by="test")
    resolved = lambda: [e for e in pagerduty.about(case) if e["event_action"] == "resolve"]  # noqa: E731
    [end] = eventually(resolved, "the incident's end")
    assert end["dedup_key"] == event["dedup_key"]


def test_a_message_that_slack_refuses_is_told_plainer(picket, place, slack):
    picket.settle()
    slack.statuses = [400]
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "QUARANTINED")
    case = eventually(lambda: picket.hold_of(instance), "a hold")["case"]
    plainer = eventually(lambda: [p for p in slack.about(case) if "could not be sent" in json.dumps(p)], "a plainer post")
    assert len(plainer) == 1 and instance in json.dumps(plainer[0])


def test_a_channel_that_is_down_makes_no_other_tell_twice(picket, place, slack, pagerduty):
    picket.settle()
    slack.statuses = [503]
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "QUARANTINED")
    eventually(lambda: len(slack.about(instance)) == 2, "another attempt at Slack", seconds=40)
    picket.settle()
    assert len(picket.alerts_about(instance)) == 1
    assert len([e for e in pagerduty.about(instance) if e["event_action"] == "trigger"]) == 1


def test_repeats_of_one_hand_are_one_alert_and_one_count(merging, place):
    merging.apply_policy("version: 1\nmode: observe\nrisk: {learning: 0s}\n")
    cases = [merging.launch_miner(place)[0] for _ in range(3)]
    waiting = lambda: merging.items("notice#waiting")  # noqa: E731
    eventually(lambda: len(waiting()) == 2, "two of three are kept back")
    merging.settle()
    told = [alert for case in cases for alert in merging.alerts_about(case)]
    assert len(told) == 1, [alert["Message"] for alert in told]
    for item in waiting():
        body = json.loads(item["body"]["S"])
        merging.put({**item, "body": {"S": json.dumps({**body, "due": "2020-01-01T00:00:00Z"})}})
    assert merging.invoke("notify", {}) == {"told": 1}
    merged = eventually(lambda: merging.alerts_about("2 MORE"), "the count")
    assert merged[-1]["Subject"].startswith("Picket WOULD QUARANTINE: 2 more in")
    assert waiting() == []
