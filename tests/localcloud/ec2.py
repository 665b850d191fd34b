"""EC2 as the local cloud serves it: moto behind permissions, DryRun, idempotency, visibility, paging and records.

The order is AWS's: who may, then DryRun, then the call. Corrections of moto's model are in `moto_fixes.py`, the
resources of a permission in `iam.py`, the shape of a record in `trail_shapes.py`.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import autoscaling
import caller as callers
import ec2_settings
import faults
import iam
import ministack_internals as ministack
import moto_bridge
import moto_fixes
import moto_paths
import paging
import regions
import trail
import trail_shapes
import wire

_AFTER = {
    "RunInstances": ("pending", "running"),
    "StartInstances": ("pending", "running"),
    "StopInstances": ("stopping", "stopped"),
    "TerminateInstances": ("shutting-down", "terminated"),
}
# Calls in whose course others launch or end instances: Auto Scaling replaces a member, a fleet starts its own.
_LAUNCHING = {"CreateFleet", "RequestSpotFleet", "RequestSpotInstances", "TerminateInstances"}
_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_lock = threading.Lock()
_replies: dict[tuple, tuple[dict, wire.Reply]] = {}  # by account, region, action and client token


class Service:
    """Takes the place of ministack's EC2."""

    async def handle_request(self, method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        raw = body if isinstance(body, bytes) else (body or "").encode()
        return await ministack.run_in_thread(answer, headers, raw, query_params)

    def reset(self) -> None:
        with _lock:
            _replies.clear()


def answer(headers: dict, body: bytes, query: dict) -> wire.Reply:
    """One EC2 call, from permission to record."""
    params = wire.query_params(body, query)
    action = params.get("Action", "")
    who = callers.of(ministack.access_key(headers, query))
    reply = iam.refusal(who.key, action, params) or _dry_run(params) or _invisible(params)
    reply = reply or _repeated(action, params)
    if reply is None:
        reply = _carry_out(action, params, headers)
        _remember(action, params, reply)
        fresh = True
    else:
        fresh = False
    if not wire.is_read_only(action):
        _record(action, params, headers, who, reply, fresh)
    return reply


def _dry_run(params: dict[str, str]) -> wire.Reply | None:
    if params.get("DryRun", "false").lower() != "true":
        return None
    return wire.ec2_error("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


# --- the call itself


def _carry_out(action: str, params: dict[str, str], headers: dict) -> wire.Reply:
    try:
        paging.offset_of(params.get("NextToken"))
    except paging.BadToken as error:
        return wire.ec2_error("InvalidParameterValue", f"Invalid NextToken '{error}'.")
    if any(_NOT_IN_XML.search(value) for value in params.values()):
        return wire.ec2_error("InvalidParameterValue", "A parameter holds characters that no reply could show.")
    paged = action in paging.LISTS
    params = _with_default_subnet(params) if action == "RunInstances" else params
    _know_instance_profile(params)
    own = moto_paths.answer(action, params) or ec2_settings.answer(action, params) or _locked(action, params)
    if own is not None:
        return own
    sent = {key: value for key, value in params.items() if not (paged and key in ("MaxResults", "NextToken"))}
    if action in paging.CUT_BY_MOTO and "InstanceId.1" not in params:
        sent["MaxResults"] = paging.ALL
    if action in _LAUNCHING:
        with autoscaling.watching_instances(set(wire.values_of(params, "InstanceId"))):
            status, reply_headers, content = _call(sent, headers)
    else:
        status, reply_headers, content = _call(sent, headers)
    if status >= 400:
        return status, reply_headers, content
    if wire.is_read_only(action):
        content = regions.shown(content) if action == "DescribeRegions" else content
        content = paging.page(action, params, _without_invisible(action, content))
    elif action == "RunInstances":
        content = _as_just_launched(content)
        if params.get("DisableApiTermination", "").lower() == "true":
            moto_fixes.protect(ministack.account(), ministack.region(), _instances_in(content))
        faults.launched(_instances_in(content))
    return status, reply_headers, content


def _locked(action: str, params: dict[str, str]) -> wire.Reply | None:
    """A locked snapshot is not deleted."""
    if action != "DeleteSnapshot":
        return None
    lock = moto_paths.lock_of(ministack.account(), ministack.region(), params.get("SnapshotId", ""))
    return wire.ec2_error("SnapshotLocked", "The snapshot is locked and cannot be deleted.") if lock else None


def _know_instance_profile(params: dict[str, str]) -> None:
    """moto looks instance profiles up in its own IAM; tell it those of ministack's, which is the one in use."""
    for key, value in params.items():
        if "IamInstanceProfile." in key:
            profile = ministack.instance_profile(value.rsplit("/", 1)[-1])
            if profile:
                moto_fixes.know_instance_profile(ministack.account(), *profile)


def _call(params: dict[str, str], headers: dict) -> wire.Reply:
    form = {**headers, "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    return moto_bridge.call("ec2", "POST", "/", form, urlencode(params).encode())


def _with_default_subnet(params: dict[str, str]) -> dict[str, str]:
    """A launch that names no subnet goes to the default one, as in AWS; moto would invent an address."""
    named = any(key.startswith(("SubnetId", "NetworkInterface.", "LaunchTemplate.")) for key in params)
    zone = params.get("Placement.AvailabilityZone", "")
    subnet = "" if named else moto_fixes.default_subnet(ministack.account(), ministack.region(), zone)
    return {**params, "SubnetId": subnet} if subnet else params


def _as_just_launched(content: bytes) -> bytes:
    """RunInstances answers an instance that is only beginning to be; moto answers one that runs."""
    root = ElementTree.fromstring(content)
    for parent in list(root.iter()):
        for kid in list(parent):
            name = wire.local_name(kid)
            if name in ("association", "ipAddress") or (name == "kernelId" and kid.text == "None"):
                parent.remove(kid)
            elif name == "instanceState":
                _set(kid, code="0", name="pending")
            elif name == "attachment":
                _set(kid, status="attaching")
            elif name == "metadataOptions":
                _set(kid, state="pending")
            elif name == "blockDeviceMapping":
                kid.clear()
            elif name == "dnsName":
                kid.text = ""
    return wire.to_xml(root)


def _set(element: ElementTree.Element, **values: str) -> None:
    for kid in element:
        kid.text = values.get(wire.local_name(kid), kid.text)


def _instances_in(content: bytes) -> list[str]:
    root = ElementTree.fromstring(content)
    found = [element.text or "" for element in root.iter() if wire.local_name(element) == "instanceId"]
    return list(dict.fromkeys(found))


# --- idempotency


def _token_key(action: str, params: dict[str, str]) -> tuple | None:
    token = params.get("ClientToken")
    return (ministack.account(), ministack.region(), action, token) if action == "RunInstances" and token else None


def _repeated(action: str, params: dict[str, str]) -> wire.Reply | None:
    """The first reply to a client token, or an error when the parameters differ."""
    key = _token_key(action, params)
    first = _replies.get(key) if key else None
    if first is None:
        return None
    if first[0] != params:
        message = "The client token you specified has already been used with different parameters."
        return wire.ec2_error("IdempotentParameterMismatch", message)
    return first[1]


def _remember(action: str, params: dict[str, str], reply: wire.Reply) -> None:
    key = _token_key(action, params)
    if key and reply[0] < 400:
        with _lock:
            _replies[key] = (params, reply)


# --- instances that are not visible yet


def _hidden_interfaces(hidden: set[str]) -> set[str]:
    account, region = ministack.account(), ministack.region()
    found = [moto_fixes.instance(account, region, name) for name in hidden]
    return {nic.id for one in found if one is not None for nic in one.nics.values()}


def _invisible(params: dict[str, str]) -> wire.Reply | None:
    """A request that names a hidden instance, or one of its interfaces, by id does not find it."""
    hidden = faults.hidden()
    if not hidden:
        return None
    named = {value for key, value in params.items() if not key.startswith("Filter.")}
    for name in sorted(hidden & named):
        return wire.ec2_error("InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist")
    for name in sorted(_hidden_interfaces(hidden) & named):
        return wire.ec2_error("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{name}' does not exist")
    return None


def _without_invisible(action: str, content: bytes) -> bytes:
    hidden = faults.hidden()
    if not hidden or not action.startswith("Describe"):
        return content
    root = ElementTree.fromstring(content)
    for parent in list(root.iter()):
        for item in [kid for kid in parent if wire.local_name(kid) == "item" and _shows(kid, hidden)]:
            parent.remove(item)
    for reservations in [element for element in root.iter() if wire.local_name(element) == "reservationSet"]:
        for reservation in list(reservations):
            instances = wire.child(reservation, "instancesSet")
            if instances is not None and len(instances) == 0:
                reservations.remove(reservation)
    return wire.to_xml(root)


def _shows(item: ElementTree.Element, hidden: set[str]) -> bool:
    """Whether an item is a hidden instance, or attached to one."""
    attachment = wire.child(item, "attachment")
    for element in (item, attachment) if attachment is not None else (item,):
        for name in ("instanceId", "resourceId"):
            found = wire.child(element, name)
            if found is not None and found.text in hidden:
                return True
    return False


# --- records


def note_refused(params: dict[str, str], headers: dict, who: callers.Caller, reply: wire.Reply) -> None:
    """Record a call that never reached EC2, such as a throttled one."""
    action = params.get("Action", "")
    if not wire.is_read_only(action):
        _record(action, params, headers, who, reply, fresh=False)

def _record(
    action: str, params: dict[str, str], headers: dict, who: callers.Caller, reply: wire.Reply, fresh: bool
) -> None:
    status, _, content = reply
    error = None
    if status >= 400:
        code, message = wire.error_in(content)
        error = (f"{'Server' if status >= 500 else 'Client'}.{code}", message)
    shaped = None if error else trail_shapes.reply(action, content)
    request = trail_shapes.request(action, params)
    trail.record("ec2", action, who, request, shaped, headers=headers, source_ip=ministack.client_ip(), error=error)
    if fresh and not error and action in _AFTER:
        for instance_id in _instances_in(content):
            for state in _AFTER[action]:
                trail.state_change(instance_id, state)
