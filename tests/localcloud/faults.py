"""Faults that a test orders: throttling, lost replies, delays, and instances that are not visible yet.

Decides which fault a call meets; `gateway.py` carries it out, `ec2.py` hides the instances. Times are real seconds.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Fault:
    service: str | None = None
    action: str | None = None
    count: int | None = None  # how many calls it hits; None is unlimited
    rate: float = 1.0  # the share of calls it hits
    code: str = "RequestLimitExceeded"
    message: str = "injected by the local cloud"
    status: int = 503
    delay_ms: int = 0
    after: str | None = None  # "lost-reply": the call takes effect, the caller gets an error; "closed": no reply
    role: str | None = None  # substring of the caller's role or user name
    match: str | None = None  # substring of the request
    delay_only: bool = False
    hits: int = field(default=0)

    def meets(self, service: str, action: str, caller: str, request: bytes) -> bool:
        return (
            self.service in (None, service)
            and self.action in (None, action)
            and self.count != 0
            and (self.role is None or self.role in caller)
            and (self.match is None or self.match.encode() in request)
            and random.random() < self.rate
        )


@dataclass
class _Hiding:
    """Orders to hide the next instances that are launched."""

    left: int
    seconds: float


_lock = threading.Lock()
_faults: list[Fault] = []
_hidings: list[_Hiding] = []
_hidden_until: dict[str, float] = {}
_KNOWN = set(Fault.__dataclass_fields__) - {"hits"}


def add(order: dict) -> None:
    """Take one order as it arrives at the control endpoint; raises ValueError with a sentence when it is wrong."""
    if order.get("kind") == "invisible":
        _add_invisible(order)
        return
    unknown = set(order) - _KNOWN
    if unknown:
        raise ValueError(f"Unknown field(s) {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}.")
    if order.get("after") not in (None, "lost-reply", "closed"):
        raise ValueError('"after" is "lost-reply" or "closed".')
    fault = Fault(**order)
    if fault.delay_ms and "code" not in order and "status" not in order and not fault.after:
        fault.delay_only = True
    with _lock:
        _faults.append(fault)


def _add_invisible(order: dict) -> None:
    seconds = float(order.get("seconds", 5))
    with _lock:
        if "ids" in order:
            _hidden_until.update({name: time.monotonic() + seconds for name in order["ids"]})
        else:
            _hidings.append(_Hiding(int(order.get("last", 1)), seconds))


def clear() -> None:
    with _lock:
        _faults.clear()
        _hidings.clear()
        _hidden_until.clear()


def listing() -> dict:
    with _lock:
        return {"faults": [dict(vars(fault)) for fault in _faults], "invisible": sorted(_current_hidden())}


def meeting(service: str, action: str, caller: str, request: bytes) -> Fault | None:
    """The first fault that hits this call, counted down."""
    if not _faults:
        return None
    with _lock:
        for fault in _faults:
            if fault.meets(service, action, caller, request):
                fault.hits += 1
                if fault.count is not None:
                    fault.count -= 1
                return fault
    return None


def launched(instance_ids: list[str]) -> None:
    """Instances have just been launched: hide the last of them as ordered."""
    with _lock:
        while _hidings and instance_ids:
            hiding = _hidings[0]
            hidden = instance_ids[-hiding.left :]
            _hidden_until.update({name: time.monotonic() + hiding.seconds for name in hidden})
            hiding.left -= len(hidden)
            if hiding.left <= 0:
                _hidings.pop(0)
            return


def hidden() -> set[str]:
    """The instances that no call may see now."""
    if not _hidden_until:
        return set()
    with _lock:
        return _current_hidden()


def _current_hidden() -> set[str]:
    now = time.monotonic()
    for name in [name for name, until in _hidden_until.items() if until <= now]:
        del _hidden_until[name]
    return set(_hidden_until)
