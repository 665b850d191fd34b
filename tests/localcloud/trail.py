"""CloudTrail and EC2's own events: a record of every call that changes something, put on the default bus.

Keeps the last 10,000 records for LookupEvents, cuts what AWS cuts (elements over 100 KB, events over 256 KB), and sends
in order from one thread so that a caller's reply never waits for it. What the records contain is `trail_shapes.py`;
who called is `caller.py`.
"""

from __future__ import annotations

import calendar
import json
import logging
import queue
import re
import threading
import time
import uuid
from collections import deque

import ministack_internals as ministack
from caller import Caller

KEPT = 10_000
ELEMENT_LIMIT = 100 * 1024
EVENT_LIMIT = 256 * 1024
TEXT_LIMIT = 1024

_TYPES = {
    "i": "AWS::EC2::Instance",
    "sg": "AWS::EC2::SecurityGroup",
    "eni": "AWS::EC2::NetworkInterface",
    "subnet": "AWS::EC2::Subnet",
    "vpc": "AWS::EC2::VPC",
    "vol": "AWS::EC2::Volume",
    "ami": "AWS::EC2::Ami",
    "lt": "AWS::EC2::LaunchTemplate",
    "snap": "AWS::EC2::Snapshot",
}
_ID = re.compile(r'"((i|sg|eni|subnet|vpc|vol|ami|lt|snap)-[0-9a-f]{8,17})"')

log = logging.getLogger("localcloud.trail")
_lock = threading.Lock()
_records: deque[tuple[str, str, dict]] = deque(maxlen=KEPT)
_outbox: queue.Queue = queue.Queue()
_clock = {"offset_seconds": 0.0, "delay_seconds": 0.0, "paused": False}


# --- sending


def send(source: str, detail_type: str, detail: dict, resources: list[str] | None = None) -> None:
    """Put an event on the default bus of the current account and region, soon."""
    due = time.monotonic() + _clock["delay_seconds"]
    _outbox.put((due, ministack.account(), ministack.region(), source, detail_type, detail, resources or []))


def _deliver() -> None:
    while True:
        due, account, region, source, detail_type, detail, resources = _outbox.get()
        while _clock["paused"] or time.monotonic() < due:
            time.sleep(0.005)
        try:
            with ministack.scope(account, region):
                ministack.put_event(source, detail_type, detail, resources)
        except Exception:
            log.exception("an event could not be put on the bus")
        finally:
            _outbox.task_done()


def start() -> None:
    threading.Thread(target=_deliver, daemon=True, name="trail").start()


def set_clock(order: dict) -> dict:
    """Shift event times, delay delivery, or hold it back."""
    unknown = set(order) - set(_clock)
    if unknown:
        raise ValueError(f"Unknown field(s) {', '.join(sorted(unknown))}; known: {', '.join(_clock)}.")
    _clock.update(order)
    return dict(_clock)


def offset() -> float:
    """By how many seconds the clock is shifted."""
    return _clock["offset_seconds"]


def waiting() -> int:
    return _outbox.unfinished_tasks


def reset() -> None:
    _clock.update(offset_seconds=0.0, delay_seconds=0.0, paused=False)
    with _lock:
        _records.clear()


# --- records


def record(
    service: str, action: str, caller: Caller, request: dict | None, reply: dict | None, *,
    headers: dict, source_ip: str, error: tuple[str, str] | None = None,
) -> dict:  # fmt: skip
    """Write the record of one call, keep it and put it on the bus."""
    entry = _entry(service, action, caller, request, reply, headers, source_ip)
    if error:
        entry["errorCode"], entry["errorMessage"] = error[0][:TEXT_LIMIT], error[1][:TEXT_LIMIT]
        entry["responseElements"] = None
    for name in ("requestParameters", "responseElements"):
        entry[name] = _cut(name, entry[name])
    event = _event(entry)
    with _lock:
        _records.append((ministack.account(), ministack.region(), event))
    if len(event["CloudTrailEvent"]) <= EVENT_LIMIT:
        send(f"aws.{service}", "AWS API Call via CloudTrail", entry)
    return entry


def _entry(
    service: str, action: str, caller: Caller, request: dict | None, reply: dict | None, headers: dict, source_ip: str
) -> dict:
    request_id = (reply or {}).get("requestId") or str(uuid.uuid4())
    by_service = caller.identity.get("invokedBy")
    return {
        "eventVersion": "1.11",
        "userIdentity": caller.identity,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _clock["offset_seconds"])),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": action,
        "awsRegion": ministack.region(),
        "sourceIPAddress": by_service or source_ip,
        "userAgent": (by_service or headers.get("user-agent") or "unknown")[:TEXT_LIMIT],
        "requestParameters": request,
        "responseElements": reply,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ministack.account(),
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{ministack.region()}.amazonaws.com",
        },
    }


def _cut(name: str, element: dict | None) -> dict | None:
    size = len(json.dumps(element))
    if element is None or size <= ELEMENT_LIMIT:
        return element
    return {"omitted": "true", "reason": f"{name} too large", "originalSize": str(size)}


def state_change(instance_id: str, state: str) -> None:
    arn = f"arn:aws:ec2:{ministack.region()}:{ministack.account()}:instance/{instance_id}"
    send("aws.ec2", "EC2 Instance State-change Notification", {"instance-id": instance_id, "state": state}, [arn])


# --- LookupEvents


def lookup(body: dict) -> dict:
    """CloudTrail's LookupEvents over the kept records of this account and region, newest first."""
    wanted = {item["AttributeKey"]: item["AttributeValue"] for item in body.get("LookupAttributes", [])}
    here = (ministack.account(), ministack.region())
    with _lock:
        kept = [event for account, region, event in reversed(_records) if (account, region) == here]
    events = [event for event in kept if _matches(event, wanted, body)]
    start = int(body.get("NextToken") or 0)
    stop = start + min(int(body.get("MaxResults") or 50), 50)
    answer = {"Events": events[start:stop]}
    if stop < len(events):
        answer["NextToken"] = str(stop)
    return answer


def _event(entry: dict) -> dict:
    text = json.dumps(entry)
    identity = entry["userIdentity"]
    resources = {name: _TYPES[kind] for name, kind in _ID.findall(text)}
    return {
        "EventId": entry["eventID"],
        "EventName": entry["eventName"],
        "ReadOnly": "false",
        "AccessKeyId": identity.get("accessKeyId", ""),
        "EventTime": _seconds(entry["eventTime"]),
        "EventSource": entry["eventSource"],
        "Username": _user_name(identity),
        "Resources": [{"ResourceType": kind, "ResourceName": name} for name, kind in resources.items()],
        "CloudTrailEvent": text,
    }


def _seconds(text: str) -> float:
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")))


def _user_name(identity: dict) -> str:
    if identity.get("type") == "AssumedRole":
        return identity["arn"].rsplit("/", 1)[-1]
    return identity.get("userName") or identity.get("type", "").lower()


def _matches(event: dict, wanted: dict, body: dict) -> bool:
    if body.get("StartTime") and event["EventTime"] < int(float(body["StartTime"])):
        return False
    if body.get("EndTime") and event["EventTime"] > float(body["EndTime"]):
        return False
    names = {item["ResourceName"] for item in event["Resources"]}
    kinds = {item["ResourceType"] for item in event["Resources"]}
    for key, value in wanted.items():
        found = names if key == "ResourceName" else kinds if key == "ResourceType" else {str(event.get(key, ""))}
        if value not in found:
            return False
    return True
