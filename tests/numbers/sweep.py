"""The deployed sweep over 2,000 instances in 40 clusters: its calls by service and operation, its time, and its peak of memory."""

from __future__ import annotations

import json
import time
from typing import Any, Callable


def measure(stage: Any, say: Callable[[str], None]) -> tuple[list, dict]:
    """One sweep of one Region; what it hands to discover is not waited for."""
    import many
    from deployment import eventually
    from rows import Row

    stage.control("POST", "regions", [stage.region])
    stage.control("POST", "clock", {"paused": True})
    say(f"launching {many.INSTANCES} instances")
    many.make(stage.client)
    stage.control("POST", "reset?what=counts")
    say("sweeping them")
    stage.resume("sweep")
    began = time.monotonic()
    # As the clock does: nobody waits for the answer.
    stage.client("lambda").invoke(FunctionName=f"{stage.stack}-sweep", InvocationType="Event", Payload=b"{}")
    place = lambda: [json.loads(row["body"]["S"]) for row in stage.items("places")]  # noqa: E731
    [seen] = eventually(lambda: [p for p in place() if p["instances"] >= many.INSTANCES], "the place is looked at", 600)
    seconds = time.monotonic() - began
    calls = dict(many.counted(stage.control("GET", "calls"), "SweepRole"))
    reads = {name: count for name, count in calls.items() if name.split(":")[0] not in ("dynamodb", "logs", "sqs")}
    peak = many.peak_kb(many.process_of("sweep", stage.control("GET", "health")["function_processes"]))
    group = "The deployed sweep: 2,000 instances in 40 clusters, in the local cloud"
    rows = [
        Row("clusters found", seen["clusters"], group=group),
        Row("calls of AWS that read", sum(reads.values()), group=group),
        Row("peak memory of the function", peak / 1024, "MB", group=group),
        Row("time", seconds, "s", group=group),
    ]
    return rows, {"calls": calls, "instances": seen["instances"], "peak_kb": peak, "seconds": round(seconds, 1)}
