"""The live report: written after what is told and judged, opened through a link, and what other tools read of it."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import datetime, timezone

import pytest
from dateutil.parser import isoparse
from deployment import eventually

pytestmark = pytest.mark.usefixtures("whole")


def bucket(picket) -> str:
    variables = picket.client("lambda").get_function_configuration(FunctionName=f"{picket.stack}-report")
    return variables["Environment"]["Variables"]["PICKET_REPORT_BUCKET"]


def read(picket, name: str, whose: str | None = None) -> bytes:
    key = f"{whose or picket.account}/{name}"
    return picket.client("s3").get_object(Bucket=bucket(picket), Key=key)["Body"].read()


def report(picket) -> dict:
    try:
        return json.loads(read(picket, "report.json"))
    except picket.client("s3").exceptions.NoSuchKey:
        return {"held": [], "episodes": []}


def test_a_quarantine_stands_on_the_board_and_a_release_takes_it_off(picket, place):
    [instance] = picket.launch_miner(place)
    picket.alert_about(instance, "QUARANTINED")
    on_board = lambda: [h for h in report(picket)["held"] if h["asset"] == instance]  # noqa: E731
    [held] = eventually(on_board, "the board", seconds=60)
    assert held["verified"].split()[0] in ("CUT", "PENDING") and held["why"], held
    hold = picket.hold_of(instance)
    assert (held["case"], held["state"]) == (hold["case"], "contained")
    told = [e for e in report(picket)["episodes"] if e["case"] == hold["case"]]
    assert any(e["took_ms"] is not None for e in told), told
    risky = {a["asset"]: a["score"] for a in report(picket)["assets"]}
    assert risky[f"ec2.instance/{instance}"] >= 60
    picket.invoke_release(case=hold["case"], reason="a test", by="test")
    eventually(lambda: not on_board(), "an empty board", seconds=60)
    released = lambda: [e for e in report(picket)["episodes"] if e["what"].startswith("RELEASED") and e["case"] == hold["case"]]  # noqa: E731
    eventually(released, "the release told", seconds=60)


def test_the_page_is_opened_through_a_link_that_the_function_signs(picket):
    answer = picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    page = urllib.request.urlopen(answer["url"]).read().decode()
    assert f"account {picket.account}" in page and page.startswith("<!doctype html>")
    assert answer["minutes"] == 5 and answer["written"]
    with pytest.raises(Exception, match="looking for the report"):
        picket.invoke("report", {"link": {"minutes": 5, "of": "999999999999"}})


def test_an_alert_carries_a_link_to_the_report(picket, place):
    [instance] = picket.launch_miner(place)
    alert = picket.alert_about(instance, "QUARANTINED")
    [line] = [line for line in alert["Message"].splitlines() if line.startswith("Report")]
    picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    page = urllib.request.urlopen(line.split()[1]).read().decode()
    assert instance in page


def test_many_events_at_once_are_few_reports_and_the_last_is_written_after_them(picket):
    queue, before = picket.queue_url("report"), len(written(picket))
    entries = [{"Id": str(n), "MessageBody": "{}"} for n in range(10)]
    for _ in range(3):
        picket.sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    sent = time.time()
    eventually(lambda: not picket.waiting_in("report"), "every event is answered", 60)
    begun = isoparse(picket._item(f"report#{picket.account}", "pen")["begun"]["S"]).timestamp()
    assert begun > sent and len(written(picket)) - before <= 6


def written(picket) -> list[str]:
    return [line for line in picket.log_of("report") if "the report is written" in line]


def test_other_tools_read_findings_in_their_own_formats(picket):
    picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    found = json.loads(read(picket, "report.json"))["assessment"]["findings"]
    assert json.loads(read(picket, "findings.sarif"))["version"] == "2.1.0"
    rows = read(picket, "findings.csv").decode().splitlines()
    assert len(rows) >= 1 + len(found)
    assert read(picket, "benchmarks.xml").startswith(b"<?xml")
    day = json.loads(read(picket, "report.json"))["at"][:10]
    events = [json.loads(line) for line in read(picket, f"ocsf/{day}/findings.jsonl").decode().splitlines()]
    assert len(events) == len(found) and all(e["metadata"]["product"]["name"] == "Picket" for e in events)


def test_security_hub_learns_of_findings_and_of_their_end(picket):
    made = finding(picket, "finding-hub000000001")
    pages = picket.client("securityhub").get_paginator("get_findings").paginate
    ours = lambda: [f for page in pages() for f in page["Findings"] if f["Id"] == made["id"]]  # noqa: E731
    picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    [imported] = ours()
    assert (imported["RecordState"], imported["Severity"]["Label"]) == ("ACTIVE", "HIGH"), imported
    finding(picket, made["id"], resolved_at="2099-11-26T11:00:00Z")
    picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    [imported] = ours()
    assert (imported["RecordState"], imported["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED"), imported


def finding(picket, name: str, resolved_at: str | None = None) -> dict:
    """A finding in the state, as collect keeps it."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "id": name, "rule": "iam_root_no_access_keys", "title": "The root user has keys", "severity": "high", "account": picket.account,
        "region": None, "asset": "iam.root/root", "controls": [], "readings": [], "fix": "Delete them.", "action": None,
        "first_seen": now, "last_seen": now, "resolved_at": resolved_at, "waiver": None,
    }
    picket.put({"pk": {"S": f"finding#{picket.account}"}, "sk": {"S": name}, "body": {"S": json.dumps(body)}})
    return body


def test_a_report_is_opened_and_saved_from_the_terminal(picket, tmp_path):
    file = tmp_path / "report.html"
    done = picket.cli("report", "--fresh", "--save", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_text().startswith("<!doctype html>")
    link = json.loads(picket.cli("report", "--output", "json").stdout)
    assert (link["of"], link["minutes"]) == (picket.account, 15) and link["url"].startswith("http")
    missing = picket.cli("report", "--of", "999999999999")
    assert missing.returncode != 0 and "looking for the report" in missing.stderr
