"""Scale: 2,000 instances in 40 clusters, seen by `picket scan` and by the deployed sweep, with calls counted and memory bounded.

The limits hold for the debug build on a busy machine; `tests/numbers/measure.py --only many` prints what it really takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Iterator

import environment
import many
import pytest
from conftest import deployed
from deployment import CLI, Deployment, eventually

# With 1,000 on a page and 100 in a question about user data, a scan takes a few dozen calls and not one for each instance.
MOST_CALLS = 150
# The process of a scan has this much more for 2,000 instances than for none.
MOST_KB = 60_000
# The function as a whole, its code included: the debug build is large.
MOST_KB_OF_SWEEP = 200_000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(scope="module")
def picket() -> Iterator[Deployment]:
    for picket in deployed("observe", "picket"):
        picket.control("POST", "regions", [picket.region])
        picket.control("POST", "clock", {"paused": True})
        yield picket


def scan(picket: Deployment, state: str) -> tuple[dict, int, float, dict]:
    """What `picket scan` finds, its peak of memory in KB, how long it takes, and its calls."""
    picket.control("POST", "reset?what=counts")
    env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(picket.cloud.port) | {"XDG_STATE_HOME": state}
    begun = time.monotonic()
    process = subprocess.Popen([CLI, "scan", "--output", "json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text, peak = many.watched(process)
    assert process.returncode == 0
    return json.loads(text), peak, time.monotonic() - begun, dict(many.counted(picket.control("GET", "calls"), "root"))


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def before(picket, state) -> int:
    """The memory of a scan that finds nothing. From then on there are many."""
    _, peak, _, _ = scan(picket, state)
    many.make(picket.client)
    return peak


def test_two_thousand_instances_take_few_calls_and_little_memory(picket, state, before):
    found, peak, seconds, calls = scan(picket, state)
    print(f"scan: {sum(calls.values())} calls in {seconds:.1f} s, {peak} KB at the peak ({before} KB without instances): {calls}")
    assert (found["summary"]["instances"], len(found["clusters"])) == (many.INSTANCES, many.CLUSTERS)
    assert sum(calls.values()) <= MOST_CALLS, calls
    assert peak - before <= MOST_KB, (before, peak)


def test_the_deployed_sweep_sees_them_all_in_few_calls_and_little_memory(picket, before):
    """What it hands to discover is counted and not waited for: here EC2 itself is one slow process."""
    functions = picket.client("lambda")
    for source in functions.list_event_source_mappings(FunctionName="picket-discover")["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    picket.control("POST", "reset?what=counts")
    begun = time.monotonic()
    picket.invoke("sweep", {})
    place = lambda: [json.loads(r["body"]["S"]) for r in picket.items("places")]  # noqa: E731
    [seen] = eventually(lambda: [p for p in place() if p["instances"] == many.INSTANCES], "the place is looked at", 240)
    seconds = time.monotonic() - begun
    assert seen["clusters"] == many.CLUSTERS and seen["unseen"] == []
    calls = many.counted(picket.control("GET", "calls"), "SweepRole")
    reads = sum(n for call, n in calls.items() if call.split(":")[0] not in ("dynamodb", "sqs", "logs"))
    pid = many.process_of("sweep", picket.control("GET", "health")["function_processes"])
    peak = many.peak_kb(pid)
    print(f"sweep: {reads} reads in {seconds:.1f} s, {peak} KB at the peak: {dict(calls)}")
    assert reads <= 2 * MOST_CALLS, calls
    assert peak <= MOST_KB_OF_SWEEP
    # 50 instances a request, and one for each cluster of EKS, by the sweep and once more by the look that found them new; a canary.
    asked = picket.waiting_in("triggers")
    assert many.INSTANCES // 50 + many.OF_EKS <= asked <= many.INSTANCES // 50 + 2 * many.OF_EKS + 1, asked
