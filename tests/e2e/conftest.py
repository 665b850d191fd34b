"""The real template with the real functions, deployed into a local cloud: once to enforce, once to observe.

Each test works in a VPC of its own with instances of its own; policy, switch and faults are put back after each.
A failed test shows what the functions logged meanwhile.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "localcloud"))
sys.path.insert(0, str(Path(__file__).parent))

import deploy  # noqa: E402
import run  # noqa: E402
from deployment import BINARY, ENFORCING, ROOT, Deployment, Place  # noqa: E402
from receiver import Receiver  # noqa: E402

FUNCTIONS = ("discover", "sweep", "assess", "collect", "respond", "deny", "release", "notify", "watch", "fix", "ask", "audit", "report", "probe")
LONGEST_LOG = 60
# What contains nothing and takes most of the emulator's time: these read their queues for the modules that use `whole`.
APART = ("collect", "report")
# These take longest, and come first, so that no worker waits for the other at the end.
LONGEST = ("test_many", "test_scan", "test_organization", "test_crash", "test_nodes")
# What is switched on in the account: a sweep of all that there are takes ten times as long and shows nothing more.
REGIONS = ["us-east-1", "eu-central-1", "eu-west-1"]

# Judging after each call takes much of the emulator's time; the tests of posture switch the rule on. Each alert is told at
# once: the tests of what merges switch that on.
PARAMETERS = {"SweepRegions": "home", "AssessOnCalls": "false", "MergeMinutes": "0", "DigestMinutes": "0", "SecurityHub": "on"}


def deployed(mode: str, stack: str, channels: dict[str, str] | None = None) -> Iterator[Deployment]:
    """A local cloud of its own with the stack in it. `channels`: parameters that take a secret, and what it holds."""
    with run.Cloud() as cloud:
        secrets = {name: deploy.secret(cloud.endpoint, name, text) for name, text in (channels or {}).items()}
        parameters = {"Mode": mode, **PARAMETERS, **secrets}
        deploy.deploy(cloud.endpoint, ROOT / "template.yaml", {"": BINARY}, parameters, stack)
        deployment = Deployment(cloud, stack)
        deployment.control("POST", "regions", REGIONS)
        yield deployment


@pytest.fixture(scope="session")
def slack() -> Iterator[Receiver]:
    """What stands where Slack's webhook would."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="session")
def pagerduty() -> Iterator[Receiver]:
    """What stands where PagerDuty's Events API would."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="session")
def enforcing(slack: Receiver, pagerduty: Receiver) -> Iterator[Deployment]:
    channels = {"SlackSecretArn": slack.url, "PagerDutySecretArn": f"KEY {pagerduty.url}"}
    for deployment in deployed("enforce", "picket", channels):
        deployment.sleep(*APART)
        yield deployment


@pytest.fixture(scope="session")
def observing() -> Iterator[Deployment]:
    for deployment in deployed("observe", "watch"):
        deployment.sleep(*APART)
        yield deployment


@pytest.fixture(scope="module")
def whole(enforcing: Deployment) -> Iterator[None]:
    """For modules whose tests are of judging and of the report: every instance that is found is judged, too, and all that
    is told or judged is reported."""
    enforcing.wake(*APART)
    yield
    enforcing.sleep(*APART)


def as_it_was(deployment: Deployment) -> Iterator[Deployment]:
    yield deployment
    deployment.control("DELETE", "faults")
    deployment.control("POST", "clock", {"offset_seconds": 0, "delay_seconds": 0, "paused": False})
    deployment.end_what_was_launched()
    deployment.apply_policy(ENFORCING)
    deployment.pause("")
    deployment.empty_queues()


@pytest.fixture
def picket(enforcing: Deployment) -> Iterator[Deployment]:
    """Picket in enforce mode."""
    yield from as_it_was(enforcing)


@pytest.fixture
def watch(observing: Deployment) -> Iterator[Deployment]:
    """Picket deployed in observe mode; the policy says enforce, and the deployment is the ceiling."""
    yield from as_it_was(observing)


@pytest.fixture
def place(picket: Deployment) -> Place:
    """A VPC of the test's own."""
    return picket.new_place()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Any:
    report = yield
    for name in ("picket", "watch"):
        deployment = getattr(item, "funcargs", {}).get(name)
        if report.failed and deployment is not None:
            report.sections += [(f"{name}: {title}", text) for title, text in what_happened(deployment, call.start)]
    return report


def what_happened(deployment: Deployment, since: float) -> list[tuple[str, str]]:
    """The functions' last log lines and what lies in the dead-letter queues."""
    since = min(since, time.time() - 1)
    logs = [(f"log of {name}", deployment.log_of(name, since)[-LONGEST_LOG:]) for name in FUNCTIONS]
    shown = [(title, "\n".join(line[:600] for line in lines)) for title, lines in logs if lines]
    return [*shown, ("dead letters", str(deployment.dead_letters()))]
