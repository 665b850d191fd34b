"""`picket doctor`, and the self-test of each sweep: what would keep events away is named, with what mends it."""

from __future__ import annotations

import json

import deploy
import pytest
from deployment import ROOT, eventually

pytestmark = pytest.mark.usefixtures("whole")

ELSEWHERE = "eu-central-1"


@pytest.fixture
def trail(picket):
    """A trail that logs, as every account with Picket should have."""
    client = picket.client("cloudtrail")
    picket.client("s3").create_bucket(Bucket="trail")
    client.create_trail(Name="management", S3BucketName="trail", IsMultiRegionTrail=True)
    client.start_logging(Name="management")
    yield client
    client.delete_trail(Name="management")


@pytest.fixture
def swept(picket):
    """The sweep has looked at its place."""
    picket.invoke("sweep", {})
    eventually(lambda: picket.items("places"), "the sweep has looked", 60)


def doctor(picket, *arguments: str) -> tuple[int, dict[tuple[str, str], dict]]:
    """How it ended, and what it says by thing and Region."""
    done = picket.cli("doctor", *arguments, "--output", "json")
    found = json.loads(done.stdout)["findings"]
    return done.returncode, {(f["what"], f["region"]): f for f in found}


def told(picket, *words: str) -> bool:
    return any(all(word in alert["Message"] for word in words) for alert in picket.alerts())


def test_a_deployment_to_which_events_come_is_well(picket, trail, swept):
    ended, found = doctor(picket, "--regions", picket.region)
    ill = [f for f in found.values() if f["health"] == "ill"]
    assert (ended, ill) == (0, []), ill
    assert found["the canary", picket.region]["health"] == "well", found["the canary", picket.region]
    # These tests deploy with AssessOnCalls=false, which is a choice and no illness.
    assert found["judging on calls", picket.region]["health"] == "weak"
    assert "all is well" in picket.cli("doctor", "--regions", picket.region).stdout or ended == 0


def test_a_trail_that_stopped_logging_is_ill_and_the_sweep_tells_people(picket, trail, swept):
    trail.stop_logging(Name="management")
    ended, found = doctor(picket, "--regions", picket.region, "--no-canary")
    assert ended == 1 and found["the trail", picket.region]["health"] == "ill"
    assert "start-logging" in found["the trail", picket.region]["mend"]
    picket.invoke("sweep", {})
    eventually(lambda: told(picket, "the trail", "no API call reaches Picket"), "people are told of the trail")


def test_a_rule_that_is_off_is_named_and_the_sweep_tells_people(picket, trail, swept):
    rule = f"{picket.stack}-ec2-calls"
    picket.client("events").disable_rule(Name=rule)
    try:
        ended, found = doctor(picket, "--regions", picket.region, "--no-canary")
        rules = found["the rules", picket.region]
        assert ended == 1 and rules["health"] == "ill" and f"{rule} is switched off" in rules["says"], rules
        assert rules["mend"].endswith(f"enable-rule --name {rule}")
        picket.invoke("sweep", {})
        eventually(lambda: told(picket, f"{rule} is switched off"), "people are told of the rule")
    finally:
        picket.client("events").enable_rule(Name=rule)


def test_a_queue_that_nobody_reads_is_ill(picket, trail, swept):
    functions = picket.client("lambda")
    [source] = functions.list_event_source_mappings(FunctionName=f"{picket.stack}-assess")["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        ended, found = doctor(picket, "--regions", picket.region, "--no-canary")
        readers = found["the readers of the queues", picket.region]
        assert ended == 1 and f"{picket.stack}-assess" in readers["says"], readers
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)


def test_forwarding_is_weak_where_it_is_missing_well_where_it_is_and_ill_where_it_was_switched_off(picket, trail, swept):
    about = ("the forwarding of events", ELSEWHERE)
    both = ("--regions", f"{picket.region},{ELSEWHERE}", "--no-canary")
    missing = doctor(picket, *both)[1][about]
    assert missing["health"] == "weak" and "infra/forward.yaml" in missing["mend"], missing
    given = {"Stack": picket.stack, "Home": picket.region}
    deploy.deploy(picket.cloud.endpoint, ROOT / "infra/forward.yaml", {}, given, "forward", region=ELSEWHERE)
    assert doctor(picket, *both)[1][about]["health"] == "well"
    rule = f"{picket.stack}-forward-notifications"
    picket.cloud_client("events", ELSEWHERE).disable_rule(Name=rule)
    ended, found = doctor(picket, *both)
    assert ended == 1 and found[about]["health"] == "ill" and f"{rule} is switched off" in found[about]["says"], found[about]
    picket.cloud_client("events", ELSEWHERE).enable_rule(Name=rule)
