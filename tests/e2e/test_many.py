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
MOST_KB = 40_000

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
    found = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return found, usage.ru_maxrss, time.monotonic() - begun, dict(many.counted(picket.control("GET", "calls"), "root"))


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
    picket.control("POST", "reset?what=counts")
    begun = time.monotonic()
    picket.invoke("sweep", {})
    place = lambda: [json.loads(r["body"]["S"]) for r in picket.items("places")]  # noqa: E731
    [seen] = eventually(lambda: [p for p in place() if p["instances"] == many.INSTANCES], "the place is looked at", 120)
    assert seen["clusters"] == many.CLUSTERS and seen["unseen"] == []
    # Discover looks at each, in the background of the sweep.
    known = lambda: len(picket.items(f"asset#{picket.account}#{picket.region}")) == many.INSTANCES + many.OF_EKS  # noqa: E731
    eventually(known, "every instance and cluster is in the inventory", 300)
    seconds = time.monotonic() - begun
    report = picket.control("GET", "calls")
    calls = {name: many.counted(report, name) for name in ("SweepRole", "DiscoverRole")}
    reads = {name: sum(n for call, n in of.items() if call.split(":")[0] in ("ec2", "eks", "iam", "autoscaling")) for name, of in calls.items()}
    pids = picket.control("GET", "health")["function_processes"]
    peaks = {f: many.peak_kb(pid) for f in ("sweep", "discover") if (pid := many.process_of(f, pids))}
    print(f"sweep: {seconds:.1f} s, reads {reads}, peaks in KB {peaks}, calls {calls}")
    assert reads["SweepRole"] <= 2 * MOST_CALLS, calls["SweepRole"]
    # Each request to look covers 50 instances and takes a few reads.
    assert reads["DiscoverRole"] <= 20 * (many.INSTANCES // 50) + 10 * many.OF_EKS, calls["DiscoverRole"]
    assert peaks and all(peak <= 250_000 for peak in peaks.values()), peaks
    assert picket.dead_letters() == {}

