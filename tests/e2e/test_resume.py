"""A sweep that dies in the middle goes on where it was, one that is throttled waits, and one place that fails costs no other."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Iterator

import deploy
import many
import pytest
import run
from conftest import PARAMETERS
from deployment import BINARY, ROOT, Deployment, eventually

PLACES = ("us-east-1", "eu-west-1", "eu-central-1")


@pytest.fixture(scope="module")
def swept() -> Iterator[Deployment]:
    """A deployment that sweeps three Regions, in which something runs."""
    with run.Cloud() as cloud:
        parameters = {"Mode": "observe", **PARAMETERS, "SweepRegions": ",".join(PLACES)}
        deploy.deploy(cloud.endpoint, ROOT / "template.yaml", {"": BINARY}, parameters, "picket")
        picket = Deployment(cloud, "picket")
        picket.control("POST", "clock", {"paused": True})
        for region in PLACES:
            picket.cloud_client("ec2", region).run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        yield picket


@pytest.fixture
def picket(swept: Deployment) -> Iterator[Deployment]:
    """Looks that were cut off are shown again after seconds and not after half an hour; no place was looked at yet."""
    url = swept.queue_url("sweep")
    swept.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
    for row in swept.items("places"):
        swept.client("dynamodb").delete_item(TableName="picket-state", Key={"pk": row["pk"], "sk": row["sk"]})
    swept.control("POST", "reset?what=counts")
    swept.control("POST", "clock", {"paused": True})
    yield swept
    swept.control("DELETE", "faults")


def places(picket: Deployment) -> dict[str, dict]:
    rows = [json.loads(row["body"]["S"]) for row in picket.items("places")]
    return {row["scope"]["region"]: row for row in rows}


def looks(picket: Deployment) -> dict[str, int]:
    """How often the sweep finished reading who makes instances of a Region: the last part of a look."""
    calls = picket.control("GET", "calls")["calls"]
    mine = [c for c in calls if "SweepRole" in c["caller"] and c["action"] == "DescribeLaunchTemplates" and c["status"] == 200]
    return {region: sum(c["region"] == region for c in mine) for region in PLACES}


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process through /proc")
def test_a_sweep_that_is_killed_in_one_place_goes_on_there_and_repeats_no_other(picket):
    slow = {"service": "ec2", "action": "DescribeVolumes", "role": "SweepRole", "delay_ms": 4000, "count": 1}
    picket.invoke("sweep", {})
    eventually(lambda: len(places(picket)) == 3, "every place is looked at once", 60)
    first = {region: place["at"] for region, place in places(picket).items()}
    before = looks(picket)
    # One place again, which hangs; its function dies meanwhile.
    picket.control("POST", "faults", slow)
    scope = {"account": picket.account, "region": "eu-west-1"}
    picket.sqs.send_message(QueueUrl=picket.queue_url("sweep"), MessageBody=json.dumps({"scope": scope, "because": "a test"}))
    hung = lambda: [f for f in picket.control("GET", "faults")["faults"] if f["hits"]]  # noqa: E731
    eventually(hung, "the look hangs")
    pids = picket.control("GET", "health")["function_processes"]
    killed = [pid for pid in pids if many.process_of("sweep", [pid])]
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    assert places(picket)["eu-west-1"]["at"] == first["eu-west-1"], "it was to die before it was done"
    eventually(lambda: places(picket)["eu-west-1"]["at"] > first["eu-west-1"], "the place is looked at again", 60)
    after = looks(picket)
    assert {r: after[r] - before[r] for r in PLACES if r != "eu-west-1"} == {"us-east-1": 0, "eu-central-1": 0}
    assert picket.waiting_in("sweep-dead") == 0


def test_a_sweep_that_is_throttled_waits_and_sees_everything(picket):
    picket.control("POST", "faults", {"service": "ec2", "role": "SweepRole", "rate": 0.25, "count": 12})
    eventually(lambda: try_sweep(picket), "the sweep goes through", 60)
    eventually(lambda: len(places(picket)) == 3, "every place is looked at", 90)
    found = places(picket)
    assert {region: place["instances"] for region, place in found.items()} == dict.fromkeys(PLACES, 1)
    assert all(place["unseen"] == [] for place in found.values()), found
    throttled = [c for c in picket.control("GET", "calls")["calls"] if c["error"] == "RequestLimitExceeded"]
    assert throttled and picket.waiting_in("sweep-dead") == 0


def try_sweep(picket: Deployment) -> bool:
    """The clock asks again after an error; here the test does."""
    try:
        picket.invoke("sweep", {})
    except AssertionError:
        return False
    return True


def test_a_region_that_cannot_be_read_is_reported_with_what_is_missing_and_costs_no_other(picket):
    denied = {"service": "ec2", "action": "DescribeVolumes", "role": "SweepRole", "code": "UnauthorizedOperation", "status": 403}
    picket.control("POST", "faults", {**denied, "count": 1})
    picket.invoke("sweep", {})
    eventually(lambda: len(places(picket)) == 3, "every place is looked at", 60)
    blind = [place for place in places(picket).values() if place["unseen"]]
    assert len(blind) == 1 and "ec2:DescribeVolumes was denied" in blind[0]["unseen"][0]["reason"], blind
    assert all(place["instances"] == 1 for place in places(picket).values())


def test_home_that_cannot_be_swept_costs_no_other_place(picket):
    denied = {"service": "ec2", "action": "DescribeVpcs", "role": "SweepRole", "code": "UnauthorizedOperation", "status": 403}
    picket.control("POST", "faults", {**denied, "count": 1})
    assert not try_sweep(picket), "the error is told by the alarm on errors of the function"
    eventually(lambda: len(places(picket)) == 3, "every place is looked at", 60)
