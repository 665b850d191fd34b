"""How many AWS calls must follow one another between a trigger and the last interface that is cut.

Each stage is run alone with the messages of one launch, and the local cloud's record of calls says who called what,
from when to when. Every answer is put off by the same long time, so that calls which are made at once overlap in the
record, however slowly the local cloud answers them. A chain is a run of calls in which each begins after the one
before ended; the longest is what cannot be made faster by waiting for answers side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rows import Row
from stage import QUEUE_OF, Stage

COUNTED = {"ec2", "iam", "eks", "cloudtrail", "dynamodb"}
LAUNCHES = (1, 10, 50)
GROUP = "AWS calls that follow one another, from trigger to the last interface cut"
_STAGES = ("discover", "assess", "respond")
_DELAY_MS = 1500
_CUT = "ModifyNetworkInterfaceAttribute"


@dataclass(frozen=True)
class Call:
    begin: float
    end: float
    service: str
    action: str

    @classmethod
    def of(cls, noted: dict) -> Call:
        return cls(noted["time"], noted["time"] + noted["milliseconds"] / 1000, noted["service"], noted["action"])


def longest_chain(calls: list[Call]) -> list[Call]:
    """The longest run of calls in which each begins after the one before ended; of equals, the one that ends first."""
    chains: list[list[Call]] = []
    for call in sorted(calls, key=lambda call: call.begin):
        before = max((c for c in chains if c[-1].end <= call.begin), key=len, default=[])
        chains.append([*before, call])
    return max(chains, key=lambda chain: (len(chain), -chain[-1].end), default=[])


def measure(stage: Stage, say: Callable[[str], None]) -> tuple[list[Row], dict]:
    """For each size of launch. Event sources must be off."""
    rows, details = [], {}
    for count in LAUNCHES:
        say(f"calls in sequence for a launch of {count}")
        details[str(count)] = found = _launch(stage, count)
        parts = ", ".join(f"{function} {len(seen['chain'])}" for function, seen in found["stages"].items())
        what = f"{count} instance{'s' if count > 1 else ''} in one call: {parts}"
        rows.append(Row(what, found["calls"], aim=4, inclusive=True, group=GROUP))
    rows.append(Row("hand-overs by queue, counted apart", max(d["hand_overs"] for d in details.values()), group=GROUP))
    for function, seen in found["stages"].items():
        peak = seen["peak_kib"] * 1024 / 1e6
        rows.append(Row(f"`{function}`", peak, "MB", aim=24, group=f"Peak memory, {count} instances in one call"))
    return rows, details


def _launch(stage: Stage, count: int) -> dict:
    instances = stage.mine(count)
    messages = stage.take_launches(1)
    found: dict = {"calls": 0, "hand_overs": 0, "stages": {}}
    for function, successor in zip(_STAGES, list(QUEUE_OF)[1:]):
        found["stages"][function] = seen = _stage(stage, function, messages)
        found["calls"] += len(seen["chain"])
        found["hand_overs"] += function != _STAGES[-1]
        messages = stage.take_all(QUEUE_OF[successor])
    if not stage.is_contained(instances):
        raise SystemExit(f"a launch of {count} was not contained; there is no sequence to count")
    return found


def _stage(stage: Stage, function: str, messages: list[str]) -> dict:
    """One stage over its messages, one event each; of several the one with the longest chain counts."""
    longest, role = {"chain": []}, f"{function.capitalize()}Role"
    with stage.start(function) as running:
        for message in messages:
            # What happens only once, such as keeping the policy, was done before; connections are made now.
            stage.control("POST", "reset?what=counts")
            stage.control("POST", "faults", {"role": role, "delay_ms": _DELAY_MS})
            cost = running.invoke(stage.batch(function, [message]))
            made = [Call.of(noted) for noted in stage.control("GET", "calls")["calls"] if role in noted["caller"]]
            stage.control("DELETE", "faults")
            seen = _seen(function, made)
            seen |= {"messages": len(messages), "wall_ms": round(cost.wall_ms), "cpu_ms": round(cost.cpu_ms, 2)}
            longest = max(longest, seen, key=lambda s: len(s["chain"]))
        longest["peak_kib"] = running.peak_kib()
    return longest


def _seen(function: str, made: list[Call]) -> dict:
    handed_over = _CUT if function == "respond" else "SendMessageBatch"
    last = [call for call in made if call.action == handed_over]
    if not last:
        raise SystemExit(f"{function} made no {handed_over}: {Counter(call.action for call in made)}")
    until = max(call.begin for call in last)
    counted = [c for c in made if c.service in COUNTED and (c.end <= until or c.action == handed_over)]
    chain = longest_chain(counted)
    first = min(call.begin for call in made)
    return {
        "chain": [call.action for call in chain],
        "calls_until_then": dict(Counter(call.action for call in counted)),
        "delays_until_then": round((max(call.end for call in last) - first) * 1000 / _DELAY_MS, 2),
        "timeline": [
            [call.action, round((call.begin - first) * 1000), round((call.end - first) * 1000)] for call in made[:150]
        ],
    }
