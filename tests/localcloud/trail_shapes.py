"""Requests and replies in the shapes CloudTrail gives them, after real records.

EC2 has two dialects: the older calls in lowerCamel with `xxxSet.items[]`, the newer in PascalCase under
`<Action>Request` with `tag` numbers. Both are here, with what CloudTrail leaves out or redacts. Pure functions over
plain data; `trail.py` makes records of them.
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Any
from xml.etree import ElementTree

import wire

SECRET = "<sensitiveDataRemoved>"

PASCAL_CASE = {
    "CreateFleet",
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "CreateSnapshots",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "ModifyInstanceMetadataOptions",
    "ModifyLaunchTemplate",
    "ModifySecurityGroupRules",
}
_REDACTED = {"userdata"}
_LEFT_OUT = {"secretAccessKey", "sessionToken"}
_NUMBERS = {
    "amilaunchindex", "code", "corecount", "deviceindex", "fromport", "httpputresponsehoplimit", "iops", "maxcount",
    "mincount", "networkcardindex", "throughput", "threadspercore", "toport", "volumesize", "versionnumber",
    "desiredcapacity", "maxsize", "minsize", "defaultcooldown", "healthcheckgraceperiod", "defaultversionnumber",
    "latestversionnumber",
}  # fmt: skip
# A request's numbered list under its older name, and the key its scalar items get.
_LISTS = {
    "InstanceId": ("instancesSet", "instanceId"),
    "SecurityGroupId": ("groupSet", "groupId"),
    "GroupId": ("groupSet", "groupId"),
    "SecurityGroup": ("groupSet", "groupName"),
    "SecurityGroupRuleId": ("securityGroupRuleIds", "securityGroupRuleId"),
    "ResourceId": ("resourcesSet", "resourceId"),
    "Tag": ("tagSet", "tag"),
    "TagSpecification": ("tagSpecificationSet", ""),
    "NetworkInterface": ("networkInterfaceSet", ""),
    "BlockDeviceMapping": ("blockDeviceMapping", ""),
    "IpPermissions": ("ipPermissions", ""),
    "IpRanges": ("ipRanges", "cidrIp"),
    "Ipv6Ranges": ("ipv6Ranges", "cidrIpv6"),
    "PrefixListIds": ("prefixListIds", "prefixListId"),
    "Groups": ("groups", "groupId"),
    "PrivateIpAddresses": ("privateIpAddressesSet", "privateIpAddress"),
    "VolumeId": ("volumeSet", "volumeId"),
    "SnapshotId": ("snapshotSet", "snapshotId"),
}
_EMPTY_LISTS = {
    "productCodes", "blockDeviceMapping", "groups", "ipRanges", "ipv6Ranges", "prefixListIds", "ipPermissions",
    "ipPermissionsEgress",
}  # fmt: skip
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?$")


def lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def scalar(name: str, text: str) -> Any:
    """A value as JSON types it; ids and other digits stay text."""
    if text in ("true", "false"):
        return text == "true"
    if name.lower() in _NUMBERS and re.fullmatch(r"-?\d+", text):
        return int(text)
    return text


# --- replies


def reply(action: str, body: bytes) -> dict | None:
    """`responseElements` of an EC2 call."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None
    data = _element(root)
    if not isinstance(data, dict):
        return None
    if "return" in data and action not in PASCAL_CASE:
        data["_return"] = data.pop("return")
    if action in PASCAL_CASE:
        return {f"{action}Response": {"xmlns": wire.EC2_NAMESPACE, **data}}
    return data


def _element(element: ElementTree.Element) -> Any:
    name, kids = wire.local_name(element), list(element)
    if not kids:
        return _leaf(name, (element.text or "").strip())
    if all(wire.local_name(kid) in ("item", "member") for kid in kids):
        key = "item" if name in ("privateIpAddressesSet", "ipv6AddressesSet") else "items"
        return {key: [_element(kid) for kid in kids]}
    pairs = [(wire.local_name(kid), _element(kid)) for kid in kids]
    return {key: value for key, value in pairs if value is not None}


def _leaf(name: str, text: str) -> Any:
    if text:
        if name.lower() in _REDACTED:
            return SECRET
        return _milliseconds(text) if _TIME.match(text) else scalar(name, text)
    return {} if name.endswith("Set") or name in _EMPTY_LISTS else None


def _milliseconds(text: str) -> int:
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000


# --- EC2 requests


def request(action: str, params: dict[str, str]) -> dict:
    """`requestParameters` of an EC2 call."""
    tree = wire.nested({key: value for key, value in params.items() if key not in ("Action", "Version", "DryRun")})
    if action in PASCAL_CASE:
        return {f"{action}Request": _pascal(tree)}
    shaped = _camel(tree)
    shape = _SPECIAL.get(action)
    return shape(shaped) if shape else shaped


def _camel(tree: Any, name: str = "") -> Any:
    if isinstance(tree, dict):
        shaped = {}
        for key, value in tree.items():
            shaped.update(_camel_member(key, value))
        return shaped
    return SECRET if name.lower() in _REDACTED else scalar(name, str(tree))


def _camel_member(key: str, value: Any) -> dict:
    if key.lower() in _REDACTED:
        return {"userData": SECRET}
    if not isinstance(value, list):
        return {lower_camel(key): _camel(value, key)}
    name, item_key = _LISTS.get(key, (f"{lower_camel(key)}Set", lower_camel(key)))
    items = [_camel(item) if isinstance(item, dict) else {item_key: item} for item in value]
    if key == "TagSpecification":
        items = [_tag_specification(item) for item in items]
    return {name: {"items": items}}


def _tag_specification(item: dict) -> dict:
    return {"resourceType": item.get("resourceType"), "tags": item.get("tagSet", {}).get("items", [])}


def _run_instances(data: dict) -> dict:
    image = {key: data.pop(key) for key in ("imageId", "minCount", "maxCount", "keyName") if key in data}
    shaped = {"instancesSet": {"items": [image]}, **data}
    for name, default in (("blockDeviceMapping", {}), ("disableApiTermination", False), ("disableApiStop", False)):
        shaped.setdefault(name, default)
    shaped.setdefault("monitoring", {"enabled": False})
    placement = shaped.pop("placement", None)
    if isinstance(placement, dict):
        shaped.update(placement)
    return shaped


def _permissions(data: dict) -> dict:
    for permission in data.get("ipPermissions", {}).get("items", []):
        for name in ("groups", "ipRanges", "ipv6Ranges", "prefixListIds"):
            permission.setdefault(name, {})
    data.setdefault("ipPermissions", {})
    return data


def _modify_instance(data: dict) -> dict:
    if "attribute" in data and "value" in data:
        data["value"] = SECRET
    return data


_SPECIAL = {
    "RunInstances": _run_instances,
    "ModifyInstanceAttribute": _modify_instance,
    "AuthorizeSecurityGroupIngress": _permissions,
    "AuthorizeSecurityGroupEgress": _permissions,
    "RevokeSecurityGroupIngress": _permissions,
    "RevokeSecurityGroupEgress": _permissions,
}


def _pascal(tree: Any, name: str = "") -> Any:
    if isinstance(tree, dict):
        return {key: _pascal(value, key) for key, value in tree.items()}
    if isinstance(tree, list):
        items = [_numbered(item, number, name) for number, item in enumerate(tree, 1)]
        return items[0] if len(items) == 1 else items
    return SECRET if name.lower() in _REDACTED else scalar(name, str(tree))


def _numbered(item: Any, number: int, name: str) -> dict:
    content = _pascal(item, name)
    return {**content, "tag": number} if isinstance(content, dict) else {"tag": number, "content": content}


# --- other query services (Auto Scaling, ELB, IAM)


def plain_request(params: dict[str, str]) -> dict:
    """lowerCamel with plain lists, as Auto Scaling, ELB and IAM appear."""
    tree = wire.nested({key: value for key, value in params.items() if key not in ("Action", "Version")})
    return _plain(tree)


def _plain(tree: Any, name: str = "") -> Any:
    if isinstance(tree, dict):
        return {_plain_name(key): _plain(value, key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_plain(item, name) for item in tree]
    return scalar(name, str(tree))


def _plain_name(key: str) -> str:
    return "vPCZoneIdentifier" if key == "VPCZoneIdentifier" else lower_camel(key)


def plain_reply(action: str, body: bytes) -> dict | None:
    """The `<Action>Result` of a query service, in lowerCamel; None when it has none, as CloudTrail writes it."""
    try:
        result = wire.child(ElementTree.fromstring(body), f"{action}Result")
    except ElementTree.ParseError:
        return None
    if result is None or len(result) == 0:
        return None
    return _plain_element(result)


def _plain_element(element: ElementTree.Element) -> Any:
    kids = list(element)
    if not kids:
        return scalar(wire.local_name(element), (element.text or "").strip())
    if all(wire.local_name(kid) == "member" for kid in kids):
        return [_plain_element(kid) for kid in kids]
    pairs = [(lower_camel(wire.local_name(kid)), _plain_element(kid)) for kid in kids]
    return {key: value for key, value in pairs if key not in _LEFT_OUT}
