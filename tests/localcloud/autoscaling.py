"""Auto Scaling as the local cloud serves it: moto, plus the events of the launches and terminations it causes.

An Auto Scaling launch appears three times, as in AWS: a RunInstances record by the service's role, state changes, and
`EC2 Instance Launch Successful`. Leaves the groups themselves to moto.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import caller as callers
import ministack_internals as ministack
import moto_bridge
import moto_fixes
import trail
import trail_shapes
import wire

_SERVICE = "autoscaling.amazonaws.com"
_ROLE = "AWSServiceRoleForAutoScaling"


class Service:
    """Takes the place of a ministack service that moto serves better."""

    def __init__(self, name: str):
        self._name = name

    async def handle_request(self, method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        raw = body if isinstance(body, bytes) else (body or "").encode()
        return await ministack.run_in_thread(self._answer, method, path, headers, raw, query_params)

    def _answer(self, method: str, path: str, headers: dict, body: bytes, query: dict) -> wire.Reply:
        with watching_instances():
            return moto_bridge.call(self._name, method, path, headers, body, query)

    def reset(self) -> None:
        """moto is reset as a whole, by `control.py`."""


class watching_instances:  # noqa: N801 - used as a `with` statement
    """Report the instances that Auto Scaling starts or ends inside the block."""

    def __init__(self, expected_to_end: set[str] | None = None):
        self._expected = expected_to_end or set()

    def __enter__(self) -> None:
        self._before = moto_fixes.instance_ids(ministack.account(), ministack.region())

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            return
        after = moto_fixes.instance_ids(ministack.account(), ministack.region())
        for instance_id in sorted(after - self._before):
            _launched(instance_id)
        for instance_id in sorted(self._before - after - self._expected):
            _ended(instance_id)


def _launched(instance_id: str) -> None:
    _, _, content = moto_bridge.ec2("DescribeInstances", **{"InstanceId.1": instance_id})
    reservation = trail_shapes.reply("DescribeInstances", content)["reservationSet"]["items"][0]
    instance = reservation["instancesSet"]["items"][0]
    request = {
        "instancesSet": {"items": [{"imageId": instance.get("imageId"), "minCount": 1, "maxCount": 1}]},
        "instanceType": instance.get("instanceType"),
        "subnetId": instance.get("subnetId"),
        "monitoring": {"enabled": False},
    }
    group = _group_of(instance_id)
    if group:
        who = callers.service(_SERVICE, _ROLE)
        trail.record("ec2", "RunInstances", who, request, reservation, headers={}, source_ip=_SERVICE)
    for state in ("pending", "running"):
        trail.state_change(instance_id, state)
    if group:
        _notify("EC2 Instance Launch Successful", "Launching a new EC2 instance", instance_id, group, instance)


def _ended(instance_id: str) -> None:
    for state in ("shutting-down", "terminated"):
        trail.state_change(instance_id, state)
    group = _group_of(instance_id)
    if group:
        _notify("EC2 Instance Terminate Successful", "Terminating EC2 instance", instance_id, group, {})


def _group_of(instance_id: str) -> str:
    """The Auto Scaling group of an instance, or nothing, as of a fleet's or a Spot request's."""
    tags = moto_fixes.tags_of(ministack.account(), ministack.region(), instance_id)
    return tags.get("aws:autoscaling:groupName", "")


def _notify(title: str, what: str, instance_id: str, group: str, instance: dict) -> None:
    account, region = ministack.account(), ministack.region()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    detail = {
        "StatusCode": "InProgress",
        "Description": f"{what}: {instance_id}",
        "AutoScalingGroupName": group,
        "ActivityId": str(uuid.uuid4()),
        "Details": {
            "Availability Zone": (instance.get("placement") or {}).get("availabilityZone", ""),
            "Subnet ID": instance.get("subnetId", ""),
        },
        "RequestId": str(uuid.uuid4()),
        "StatusMessage": "",
        "EndTime": now,
        "EC2InstanceId": instance_id,
        "StartTime": now,
        "Cause": "At the request of the local cloud's Auto Scaling.",
    }
    resources = [
        f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{uuid.uuid4()}:autoScalingGroupName/{group}",
        f"arn:aws:ec2:{region}:{account}:instance/{instance_id}",
    ]
    trail.send("aws.autoscaling", title, detail, resources)


def shape(action: str, params: dict[str, str], content: bytes) -> tuple[dict, dict | None]:
    """The request and the reply as CloudTrail writes them; also used for ELB and IAM."""
    return trail_shapes.plain_request(params), trail_shapes.plain_reply(action, content)


