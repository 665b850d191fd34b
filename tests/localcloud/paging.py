"""MaxResults and NextToken for EC2's Describe calls, which moto ignores or counts wrongly.

Cuts the full answer into pages. DescribeInstances counts instances, not reservations, as AWS does.
"""

from __future__ import annotations

import base64
from xml.etree import ElementTree

from wire import child, local_name, to_xml

LISTS = {
    "DescribeInstances": "reservationSet",
    "DescribeInstanceStatus": "instanceStatusSet",
    "DescribeLaunchTemplates": "launchTemplates",
    "DescribeLaunchTemplateVersions": "launchTemplateVersionSet",
    "DescribeNetworkInterfaces": "networkInterfaceSet",
    "DescribeSecurityGroupRules": "securityGroupRuleSet",
    "DescribeSecurityGroups": "securityGroupInfo",
    "DescribeSnapshots": "snapshotSet",
    "DescribeSubnets": "subnetSet",
    "DescribeTags": "tagSet",
    "DescribeVolumes": "volumeSet",
    "DescribeVpcs": "vpcSet",
}

# moto gives 100 reservations, or 15 templates, where it is not asked for more.
CUT_BY_MOTO = {"DescribeInstances", "DescribeLaunchTemplates", "DescribeLaunchTemplateVersions"}
ALL = "1000000"


class BadToken(Exception):
    """The NextToken is not one of ours."""


def offset_of(token: str | None) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind != "page":
            raise ValueError(kind)
        return int(number)
    except ValueError as error:
        raise BadToken(token) from error


def token_for(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


def page(action: str, params: dict[str, str], body: bytes) -> bytes:
    """The page of `body` that `params` asks for, with the token of the next one."""
    name = LISTS.get(action)
    size = params.get("MaxResults")
    if not name or not (size or params.get("NextToken")):
        return body
    start = offset_of(params.get("NextToken"))
    stop = start + int(size or 1000)
    root = ElementTree.fromstring(body)
    items = child(root, name)
    if items is None:
        return body
    total = _cut_instances(items, start, stop) if action == "DescribeInstances" else _cut(items, start, stop)
    _set_token(root, token_for(stop) if stop < total else None)
    return to_xml(root)


def _cut(items: ElementTree.Element, start: int, stop: int) -> int:
    everything = list(items)
    for position, item in enumerate(everything):
        if not start <= position < stop:
            items.remove(item)
    return len(everything)


def _cut_instances(reservations: ElementTree.Element, start: int, stop: int) -> int:
    position = 0
    for reservation in list(reservations):
        instances = child(reservation, "instancesSet")
        if instances is None:
            continue
        for instance in list(instances):
            if not start <= position < stop:
                instances.remove(instance)
            position += 1
        if len(instances) == 0:
            reservations.remove(reservation)
    return position


def _set_token(root: ElementTree.Element, token: str | None) -> None:
    for old in [kid for kid in root if local_name(kid) == "nextToken"]:
        root.remove(old)
    if token:
        namespace = root.tag.split("}")[0] + "}" if "}" in root.tag else ""
        ElementTree.SubElement(root, f"{namespace}nextToken").text = token
