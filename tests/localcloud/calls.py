"""The log of every AWS call the local cloud has answered: who called what, on which resources, with which result.

Tests read it to prove what a function did and, more often, what it did not do. Keeps no request bodies.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass

KEPT = 5000
_IDS = re.compile(rb"\b(?:i|sg|eni|subnet|vpc|vol|snap|lt|sgr|eni-attach|ami|r|acl|eipalloc|eipassoc|nat)-[0-9a-f]{8,17}\b")


@dataclass
class Call:
    time: float
    service: str
    action: str
    caller: str
    mutating: bool
    dry_run: bool
    status: int
    error: str
    resources: list[str]
    milliseconds: float
    account: str
    region: str


_lock = threading.Lock()
_calls: deque[Call] = deque(maxlen=KEPT)
_counts: Counter = Counter()


def resources_in(path: str, body: bytes) -> list[str]:
    """The resource ids a request names, each once, in order."""
    found = _IDS.findall(path.encode() + b" " + body[:65536])
    return list(dict.fromkeys(name.decode() for name in found))[:50]


def note(call: Call) -> None:
    with _lock:
        _calls.append(call)
        _counts[(call.service, call.action, call.caller, call.mutating)] += 1


def report(limit: int = KEPT) -> dict:
    """Counts since the last reset and the last calls, oldest first."""
    with _lock:
        counts = [
            {"service": service, "action": action, "caller": caller, "mutating": mutating, "count": count}
            for (service, action, caller, mutating), count in sorted(_counts.items())
        ]
        return {"counts": counts, "calls": [asdict(call) for call in list(_calls)[-limit:]]}


def reset() -> None:
    with _lock:
        _calls.clear()
        _counts.clear()


def now() -> float:
    return time.time()
