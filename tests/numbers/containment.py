"""From the API call to containment, on the local cloud: the real template, the real programs, launch after launch.

Measured from just before RunInstances is sent until DescribeNetworkInterfaces, asked every few milliseconds, shows
every interface in the quarantine group and in no other. The local cloud delivers CloudTrail's records at once, where
AWS takes seconds; the number is what Picket and the emulator add to that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from rows import Row, quantile
from stage import QUEUE_OF, Stage

WARM_UP = 3
MANY = 50
GROUP = "From the API call to containment, on the local cloud"
_POLL_SECONDS = 0.003
_GIVE_UP_SECONDS = 60
_QUIET_SECONDS = 120
_CUT = "ModifyNetworkInterfaceAttribute"


def measure(stage: Stage, launches: int, say: Callable[[str], None]) -> tuple[list[Row], dict]:
    """One launch after the other, each when all is quiet again; then one of `MANY` instances."""
    for _ in range(WARM_UP):
        _launch_and_end(stage)
    say(f"containment: {launches} launches")
    found = []
    for number in range(1, launches + 1):
        found.append(_launch_and_end(stage))
        if number % 20 == 0:
            say(f"  {number} of {launches}, median so far {median(f['ms'] for f in found):.0f} ms")
    say(f"containment: one launch of {MANY}")
    many = _launch(stage, MANY)
    times = [f["ms"] for f in found]
    rows = [
        Row(f"one instance, p50 of {launches}", quantile(times, 0.5), "ms", group=GROUP),
        Row("one instance, p99", quantile(times, 0.99), "ms", group=GROUP),
        Row(f"{MANY} instances in one call", many["ms"], "ms", group=GROUP),
        Row("AWS calls that the functions made by then", sum(many["calls_by_then"].values()), group=GROUP),
    ]
    return rows, {"median_of_phases": _phases(found), "launches": found, str(MANY): many}


def _launch_and_end(stage: Stage) -> dict:
    """One instance, and nothing left of it for the next to meet."""
    found = _launch(stage, 1)
    stage.end_what_was_launched()
    stage.settle(_QUIET_SECONDS)
    return found


def _launch(stage: Stage, count: int) -> dict:
    stage.control("POST", "reset?what=counts")
    wall, began = time.time(), time.perf_counter()
    instances = stage.mine(count)
    answered, looks = time.perf_counter(), 1
    while not stage.is_contained(instances):
        if time.perf_counter() - answered > _GIVE_UP_SECONDS:
            raise SystemExit(f"{', '.join(instances[:3])}: not contained within {_GIVE_UP_SECONDS} s")
        time.sleep(_POLL_SECONDS)
        looks += 1
    contained = time.perf_counter()
    calls, by_then = stage.control("GET", "calls")["calls"], _calls_made(stage)
    quiet = _becomes_quiet(stage)
    return {
        "ms": round((contained - began) * 1000, 2),
        "answered_ms": round((answered - began) * 1000, 2),
        "looks": looks,
        "calls_by_then": by_then,
        "calls_in_all": _calls_made(stage),
        "quiet_ms": quiet and round((quiet - began) * 1000),
        "phases": _phases_of(calls, wall, wall + contained - began),
    }


def _becomes_quiet(stage: Stage) -> float | None:
    """When no event and no message was on its way any more; nothing if that took too long."""
    try:
        stage.settle(_QUIET_SECONDS)
    except AssertionError:
        return None
    return time.perf_counter()


def _calls_made(stage: Stage) -> dict[str, int]:
    """How many AWS calls each function has made since this launch, for all of its events."""
    counts = stage.control("GET", "calls?limit=1")["counts"]
    by = lambda role: sum(c["count"] for c in counts if f"{role}Role" in c["caller"])  # noqa: E731
    return {function: by(function.capitalize()) for function in QUEUE_OF}


def _phases_of(calls: list[dict], began: float, contained: float) -> dict:
    """When what happened, in milliseconds after the launch was sent, by the local cloud's record of calls."""
    mine = [call for call in calls if began <= call["time"] <= contained]
    by = lambda role: [call for call in mine if f"{role}Role" in call["caller"]]  # noqa: E731
    sent = lambda role: [call for call in by(role) if call["action"].startswith("SendMessage")]  # noqa: E731
    cut = [call for call in by("Respond") if call["action"] == _CUT]
    begin = lambda found: min((call["time"] for call in found), default=None)  # noqa: E731
    end = lambda found: max((call["time"] + call["milliseconds"] / 1000 for call in found), default=None)  # noqa: E731
    moments = {
        "launched": end([call for call in mine if call["action"] == "RunInstances"]),
        "discover begins": begin(by("Discover")),
        "discover hands over": begin(sent("Discover")),
        "assess begins": begin(by("Assess")),
        "assess hands over": begin(sent("Assess")),
        "respond begins": begin(by("Respond")),
        "first cut begins": begin(cut),
        "last cut ended": end(cut),
    }
    return {name: round((moment - began) * 1000, 1) for name, moment in moments.items() if moment}


def _phases(found: list[dict]) -> dict:
    names = found[0]["phases"]
    return {name: round(median(f["phases"][name] for f in found if name in f["phases"]), 1) for name in names}
