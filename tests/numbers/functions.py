"""What each function costs by itself: its start, its first event, a warm event, a dropped event, its memory.

The messages are real: launches make CloudTrail's records, and what one function hands over is what the next is
measured with. Wall times include the answers of the local cloud, which is slower than AWS; CPU times are the
function's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import fmean, median

from rows import Row, quantile
from stage import QUEUE_OF, Stage

STARTS = 10
DROPPED_ROUNDS = 300
# A call that makes nothing and opens nothing; the rules of EventBridge are wider than what Picket judges.
NOT_WATCHED = "TerminateInstances"


def measure(stage: Stage, events: int, say: Callable[[str], None]) -> tuple[list[Row], dict]:
    """Starts each function `STARTS` times, and the last one handles `events` more. Event sources must be off."""
    count = STARTS + events
    for _ in range(count):
        stage.mine()
    messages = stage.take_launches(count)
    watched = messages[0]
    rows, details = [], {}
    following = [*list(QUEUE_OF)[1:], None]
    for function, successor in zip(QUEUE_OF, following):
        say(f"{function}: {STARTS} starts, {events} warm events")
        details[function] = _one(stage, function, messages)
        rows += _rows(function, details[function])
        if successor:
            messages = stage.take(QUEUE_OF[successor], count)
    say(f"discover: {DROPPED_ROUNDS} batches of 1 and of 10 events that are not watched")
    details["dropped"] = _dropped(stage, watched)
    per_event = details["dropped"]["cpu_us_per_event"]
    rows.append(Row("CPU for one dropped event", per_event, "µs", aim=20, inclusive=True, group=_title("discover")))
    return sorted(rows, key=lambda row: list(map(_title, QUEUE_OF)).index(row.group)), details


def _one(stage: Stage, function: str, messages: list[str]) -> dict:
    batches = [stage.batch(function, [message]) for message in messages]
    starts, firsts = [], []
    for batch in batches[:STARTS]:
        with stage.start(function) as running:
            starts.append(running.start)
            firsts.append(running.invoke(batch))
            if len(starts) < STARTS:
                continue
            warm = [running.invoke(batch) for batch in batches[STARTS:]]
            peak = running.peak_kib()
    return {
        "start_ms": [round(cost.wall_ms, 3) for cost in starts],
        "start_cpu_ms": [round(cost.cpu_ms, 3) for cost in starts],
        "first_ms": [round(cost.wall_ms, 3) for cost in firsts],
        "first_cpu_ms": [round(cost.cpu_ms, 3) for cost in firsts],
        "warm_ms": [round(cost.wall_ms, 3) for cost in warm],
        "warm_cpu_ms": [round(cost.cpu_ms, 3) for cost in warm],
        "peak_kib": peak,
    }


def _rows(function: str, found: dict) -> list[Row]:
    group, warm = _title(function), found["warm_ms"]
    return [
        Row(f"start to first poll, median of {STARTS}", median(found["start_ms"]), "ms", aim=15, group=group),
        Row("of that CPU, median", median(found["start_cpu_ms"]), "ms", group=group),
        Row("first event, median", median(found["first_ms"]), "ms", group=group),
        Row(f"warm event, p50 of {len(warm)}", quantile(warm, 0.5), "ms", group=group),
        Row("warm event, p99", quantile(warm, 0.99), "ms", group=group),
        Row("CPU for one warm event, mean", fmean(found["warm_cpu_ms"]), "ms", aim=3, inclusive=True, group=group),
        Row("peak memory", found["peak_kib"] * 1024 / 1e6, "MB", aim=24, group=group),
    ]


def _title(function: str) -> str:
    return f"`{function}` by itself"


def _dropped(stage: Stage, watched: str) -> dict:
    """The CPU time that one more event in a batch adds, by batches of 1 and of 10 in turns."""
    event = json.loads(watched)
    event["detail"]["eventName"] = NOT_WATCHED
    body = json.dumps(event, separators=(",", ":"))
    one, ten = stage.batch("discover", [body]), stage.batch("discover", [body] * 10)
    with stage.start("discover") as running:
        for _ in range(20):
            running.invoke(one), running.invoke(ten)
        pairs = [(running.invoke(one).cpu_ms, running.invoke(ten).cpu_ms) for _ in range(DROPPED_ROUNDS)]
    of_one, of_ten = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
    slope = (of_ten - of_one) / 9
    return {
        "bytes": len(body),
        "batch_of_1_cpu_us": round(of_one * 1000, 2),
        "batch_of_10_cpu_us": round(of_ten * 1000, 2),
        "cpu_us_per_event": round(slope * 1000, 2),
        "cpu_us_per_invocation": round((of_one - slope) * 1000, 2),
        "median_cpu_us_per_event": round(median((b - a) / 9 for a, b in pairs) * 1000, 2),
    }
