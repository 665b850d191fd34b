"""Permissions of EC2 calls, evaluated as AWS does: every resource a call touches, with that resource's own context.

ministack evaluates the policies; this module says which resources and condition keys a call has. The resources' tags,
VPCs and attachments come from moto. Leaves all other services to ministack.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import ministack_internals as ministack
import moto_fixes as moto
import moto_paths
import wire

_KINDS = {
    "i": "instance",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "eni": "network-interface",
    "subnet": "subnet",
    "vpc": "vpc",
    "vol": "volume",
    "snap": "snapshot",
    "lt": "launch-template",
    "ami": "image",
    "rtb": "route-table",
    "igw": "internet-gateway",
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
    "fleet": "fleet",
    "sfr": "spot-fleet-request",
    "sir": "spot-instances-request",
}
_ID = re.compile(r"^([a-z]+)-[0-9a-f-]+$")
_ID_KEYS = {"instance": "InstanceID", "security-group": "SecurityGroupID", "network-interface": "NetworkInterfaceID"}
# What a creating call makes, and so needs permission on under a wildcard ARN.
_CREATED = {
    "CreateLaunchTemplate": ["launch-template"],
    "CreateNetworkInterface": ["network-interface"],
    "CreateSecurityGroup": ["security-group"],
    "CreateSnapshot": ["snapshot"],
    "CreateSnapshots": ["snapshot"],
    "CreateSubnet": ["subnet"],
    "CreateVolume": ["volume"],
    "CreateVpc": ["vpc"],
    "RunInstances": ["instance", "network-interface", "volume"],
}
# Read calls that AWS evaluates on the resource; all others are evaluated on "*".
_READS_ON_RESOURCE = {"DescribeInstanceAttribute", "DescribeNetworkInterfaceAttribute", "GetConsoleOutput"}


@dataclass
class Check:
    action: str
    resource: str
    context: dict = field(default_factory=dict)


def refusal(key: str, action: str, params: dict[str, str]) -> wire.Reply | None:
    """The reply that refuses the call, or None when the caller may make it."""
    for check in checks(action, params):
        refused = ministack.check(key, check.action, check.resource, check.context)
        if refused is None:
            continue
        if ministack.is_authentication_failure(refused):
            return wire.ec2_error("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
        return wire.ec2_error("UnauthorizedOperation", _sentence(refused, check), 403)
    return None


def _sentence(refused: object, check: Check) -> str:
    why = (
        "with an explicit deny in an identity-based policy"
        if getattr(refused, "decision", "") == "Deny"
        else f"because no identity-based policy allows the ec2:{check.action} action"
    )
    return (
        f"You are not authorized to perform this operation. User: {getattr(refused, 'principal_arn', '')} is not "
        f"authorized to perform: ec2:{check.action} on resource: {check.resource} {why}."
    )


def checks(action: str, params: dict[str, str]) -> list[Check]:
    """Every (action, resource) AWS evaluates for this call."""
    if wire.is_read_only(action) and action not in _READS_ON_RESOURCE:
        return [Check(action, "*", _common())]
    shared = {**_common(), **_attribute(action, params), **_request_tags(action, params)}
    found = [Check(action, arn(kind, name), {**shared, **_of_resource(kind, name)}) for kind, name in _named(action, params)]
    found += [Check(action, arn(kind, "*"), {**shared, **_of_creation(action, params)}) for kind in _CREATED.get(action, [])]
    if not found:
        found = [Check(action, "*", shared)]
    return found + _tagging_on_create(action, params)


def arn(kind: str, name: str) -> str:
    account = "" if kind in ("image", "snapshot") else ministack.account()
    return f"arn:aws:ec2:{ministack.region()}:{account}:{kind}/{name}"


def _named(action: str, params: dict[str, str]) -> list[tuple[str, str]]:
    """The resources a request names, and those that come with them."""
    names: dict[str, str] = {}
    for key, value in params.items():
        match = _ID.match(value)
        prefix = match.group(1) if match else ""
        if prefix not in _KINDS or "Tag." in key:
            continue
        if "IpPermissions" in key or ("SecurityGroupRule." in key and prefix != "sgr"):
            continue  # a group named as a source is not the resource of the call
        if prefix == "sgr" and action.startswith("Revoke"):
            continue  # evaluated on the group alone
        names[value] = _KINDS[prefix]
    for extra in _implied(action, params):
        names.setdefault(extra, _KINDS[extra.split("-")[0]])
    return [(kind, name) for name, kind in names.items()]


def _implied(action: str, params: dict[str, str]) -> list[str]:
    account, region = ministack.account(), ministack.region()
    if action == "ModifyNetworkInterfaceAttribute":
        interface = moto.interface(account, region, params.get("NetworkInterfaceId", ""))
        return [interface.instance.id] if interface is not None and interface.instance else []
    if action == "DisassociateAddress":
        return moto_paths.association(account, region, params.get("AssociationId", ""))
    if action == "CreateSnapshots":
        return moto.volumes_of(account, region, params.get("InstanceSpecification.InstanceId", ""))
    if action == "DetachNetworkInterface":
        interface = moto.interface_of_attachment(account, region, params.get("AttachmentId", ""))
        return [interface.id, interface.instance.id] if interface is not None and interface.instance else []
    if action == "CreateSecurityGroup" and "VpcId" not in params:
        return [moto.default_vpc(account, region)]
    if "GroupName" in params and "GroupId" not in params and "SecurityGroup" in action:
        group = moto.group_named(account, region, params["GroupName"])
        return [group.id] if group else []
    return []


# --- condition keys


def _common() -> dict:
    return {"ec2:Region": ministack.region()}


def _attribute(action: str, params: dict[str, str]) -> dict:
    """ec2:Attribute and ec2:Attribute/<Name> of the calls that modify attributes: what is asked for, not what is.

    What AWS says for block devices is not documented; they are complex, so that they have no ec2:Attribute/<Name>.
    """
    if action == "ModifyInstanceMetadataOptions":
        given = {key: value for key, value in params.items() if key.startswith(("Http", "InstanceMetadata"))}
        return {"ec2:Attribute": list(given), **{f"ec2:Attribute/{key}": value for key, value in given.items()}}
    if action not in ("ModifyNetworkInterfaceAttribute", "ModifyInstanceAttribute"):
        return {}
    groups = wire.values_of(params, "SecurityGroupId") or wire.values_of(params, "GroupId")
    if groups:
        return {"ec2:Attribute": "Groups", "ec2:Attribute/Groups": json.dumps(groups)}
    if any(key.startswith("BlockDeviceMapping.") for key in params):
        return {"ec2:Attribute": "BlockDeviceMapping"}
    named = params.get("Attribute")
    if named:
        return {"ec2:Attribute": named[0].upper() + named[1:]}
    if "AssociatePublicIpAddress" in params:
        return {"ec2:Attribute": "AssociatePublicIpAddress"}
    for key, value in params.items():
        name, _, rest = key.partition(".")
        if rest == "Value":
            return {"ec2:Attribute": name, f"ec2:Attribute/{name}": value}
    return {}


def _request_tags(action: str, params: dict[str, str]) -> dict:
    """aws:RequestTag/<key> and aws:TagKeys."""
    tags = _tags_under(params, "Tag.") if action in ("CreateTags", "DeleteTags") else _specified(params, None)
    context: dict = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = list(tags)
    return context


def _tags_under(params: dict[str, str], prefix: str) -> dict[str, str]:
    keys = {key[: -len(".Key")]: value for key, value in params.items() if key.startswith(prefix) and key.endswith(".Key")}
    return {name: params.get(f"{start}.Value", "") for start, name in keys.items()}


def _specified(params: dict[str, str], kind: str | None) -> dict[str, str]:
    """The tags of the request's TagSpecifications, of one resource type or of all."""
    tags: dict[str, str] = {}
    for key, value in params.items():
        if key.startswith("TagSpecification.") and key.endswith(".ResourceType") and kind in (None, value):
            tags.update(_tags_under(params, key[: -len("ResourceType")] + "Tag."))
    return tags


def _of_resource(kind: str, name: str) -> dict:
    account, region = ministack.account(), ministack.region()
    context: dict = {}
    for key, value in moto.tags_of(account, region, name).items():
        context[f"aws:ResourceTag/{key}"] = value
        context[f"ec2:ResourceTag/{key}"] = value
    if kind in _ID_KEYS:
        context[f"ec2:{_ID_KEYS[kind]}"] = name
    vpc = _vpc_of(kind, name)
    if vpc:
        context["ec2:Vpc"] = arn("vpc", vpc)
    if kind == "instance":
        found = moto.instance(account, region, name)
        if found is not None:
            context["ec2:InstanceType"] = found.instance_type
            context["ec2:MetadataHttpTokens"] = found.metadata_options.http_tokens
            context["ec2:MetadataHttpEndpoint"] = found.metadata_options.http_endpoint
    return context


def _vpc_of(kind: str, name: str) -> str:
    account, region = ministack.account(), ministack.region()
    if kind == "vpc":
        return name
    if kind == "subnet":
        return moto.subnet_vpc(account, region, name)
    found = {"network-interface": moto.interface, "security-group": moto.group, "instance": moto.instance}.get(kind)
    resource = found(account, region, name) if found else None
    return (resource.vpc_id or "") if resource is not None else ""


def _of_creation(action: str, params: dict[str, str]) -> dict:
    account, region = ministack.account(), ministack.region()
    subnet = params.get("SubnetId") or params.get("NetworkInterface.1.SubnetId")
    vpc = params.get("VpcId") or (moto.subnet_vpc(account, region, subnet) if subnet else "")
    vpc = vpc or moto.default_vpc(account, region)
    context = {"ec2:Vpc": arn("vpc", vpc)}
    if action == "RunInstances":
        context["ec2:InstanceType"] = params.get("InstanceType", "m1.small")
        context["ec2:MetadataHttpTokens"] = params.get("MetadataOptions.HttpTokens", "optional")
    return context


def _tagging_on_create(action: str, params: dict[str, str]) -> list[Check]:
    """Creating with tags also needs ec2:CreateTags, which sees the creating call as ec2:CreateAction."""
    kinds = {value for key, value in params.items() if key.startswith("TagSpecification.") and key.endswith(".ResourceType")}
    found = []
    for kind in sorted(kinds):
        tags = _specified(params, kind)
        context: dict = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
        context.update({"aws:TagKeys": list(tags), "ec2:CreateAction": action, **_common()})
        found.append(Check("CreateTags", arn(kind, "*"), context))
    return found
