"""Corrections of moto's EC2 where it differs from AWS. With `moto_scaling.py`, the only place that touches moto's private names.

In AWS security groups live on network interfaces; what an instance shows is the view of its primary interface. moto
keeps two lists. Here the interface's list is the truth. Also: interfaces die with their instance, groups in use cannot
be deleted, unknown groups are an error. Leaves paging, DryRun, permissions and visibility to `ec2.py`.
"""

from __future__ import annotations

import base64
from typing import Any

from moto.ec2 import exceptions as ec2_exceptions
from moto.ec2 import utils as ec2_utils
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend
from moto.ec2.responses import instances as instance_responses
from moto.iam.models import iam_backends


def Refused(code: str, message: str) -> ec2_exceptions.EC2ClientError:  # noqa: N802 - raised like a class
    """An EC2 error with a code that moto has no class for; moto finds the wire format by the class's module."""
    return ec2_exceptions.EC2ClientError(code, message)


def backend(account: str, region: str) -> Any:
    """moto's EC2 of one account and region."""
    return ec2_backends[account][region]


# --- groups live on interfaces


def _primary(instance: Instance) -> NetworkInterface | None:
    return getattr(instance, "nics", {}).get(0)


def _instance_groups(instance: Instance) -> list[SecurityGroup]:
    if instance.state_code == 48:
        return []
    primary = _primary(instance)
    return list(primary._group_set) if primary else list(getattr(instance, "_launch_groups", []))


def _set_instance_groups(instance: Instance, groups: list[SecurityGroup]) -> None:
    primary = _primary(instance)
    if primary:
        primary._group_set = list(groups)
    else:
        instance._launch_groups = list(groups)


def _known_groups(self: Any, group_ids: list[str]) -> list[SecurityGroup]:
    groups = []
    for group_id in group_ids:
        group = self.get_security_group_from_id(group_id)
        if group is None:
            raise Refused("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        groups.append(group)
    return groups


def _modify_instance_groups(self: Any, instance_id: str, group_ids: list[str]) -> Instance:
    instance = self.get_instance(instance_id)
    groups = _known_groups(self, group_ids)
    if len(instance.nics) > 1:
        raise Refused(
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance_id}'. "
            "Please specify an interface ID for the operation instead.",
        )
    _same_vpc(groups, instance.vpc_id, instance_id)
    _set_instance_groups(instance, groups)
    return instance


def _same_vpc(groups: list[SecurityGroup], vpc_id: str | None, target: str) -> None:
    for group in groups:
        if vpc_id and group.vpc_id != vpc_id:
            raise Refused(
                "InvalidGroup.NotFound" if target.startswith("eni-") else "InvalidParameterValue",
                f"The security group '{group.id}' does not exist in VPC '{vpc_id}'",
            )


def _modify_interface(
    self: Any, eni_id: str, group_ids: list[str], source_dest_check: Any = None, description: Any = None
) -> None:
    interface = self.get_network_interface(eni_id)
    if group_ids:
        groups = _known_groups(self, group_ids)
        _same_vpc(groups, interface.vpc_id, eni_id)
        interface._group_set = groups
    if source_dest_check in (True, False):
        interface.source_dest_check = source_dest_check
    if description:
        interface.description = description


# --- interfaces of a launch


_create_interface = NetworkInterfaceBackend.create_network_interface
_prepare_interfaces = Instance.prep_nics
_terminate = Instance.terminate


def _create_known_interface(self: Any, *args: Any, **kwargs: Any) -> NetworkInterface:
    group_ids = kwargs.get("group_ids") or (args[3] if len(args) > 3 else None)
    _known_groups(self, [group for group in group_ids or [] if isinstance(group, str)])
    return _create_interface(self, *args, **kwargs)


def _prepare_like_aws(self: Instance, nic_spec: list[dict], *args: Any, **kwargs: Any) -> None:
    kept = {int(nic.get("DeviceIndex", 0)): nic.get("DeleteOnTermination") for nic in nic_spec}
    own = {int(nic.get("DeviceIndex", 0)) for nic in nic_spec if nic.get("NetworkInterfaceId")}
    if len(nic_spec) > 1 and any(nic.get("AssociatePublicIpAddress") for nic in nic_spec):
        raise Refused(
            "InvalidParameterCombination",
            "The associatePublicIpAddress parameter cannot be specified when launching with multiple network interfaces.",
        )
    _prepare_interfaces(self, nic_spec, *args, **kwargs)
    self.virtualization_type = "hvm"
    for index, interface in self.nics.items():
        interface.delete_on_termination = kept.get(index) in (None, True, "true") and index not in own
    if own & {0}:
        self._subnet_id = self.nics[0].subnet.id


def _terminate_like_aws(self: Instance) -> Any:
    if self.disable_api_termination in (True, "true"):
        raise Refused(
            "OperationNotPermitted",
            f"The instance '{self.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute "
            "and try again.",
        )
    if self.state_code == 48:
        return self._state
    previous = _terminate(self)
    for interface in [nic for nic in self.nics.values() if not nic.delete_on_termination]:
        interface.instance = None
        interface.attachment_id = None
        interface.status = "available"
    return previous


def _shown_interfaces(self: Instance) -> list[NetworkInterface]:
    return [] if self.state_code == 48 else [self.nics[index] for index in sorted(self.nics)]


def _delete_interface(self: Any, eni_id: str) -> None:
    interface = self.enis.get(eni_id)
    if interface is None:
        raise Refused("InvalidNetworkInterfaceID.NotFound", f"The networkInterface ID '{eni_id}' does not exist")
    if interface.attachment_id and interface.instance and interface.instance.state_code != 48:
        raise Refused("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    del self.enis[eni_id]


def _delete_with_instance(self: NetworkInterface) -> None:
    self.ec2_backend.enis.pop(self.id, None)
    for address in self.private_ip_addresses:
        self.subnet.del_subnet_ip(address["PrivateIpAddress"])


_attach_interface = NetworkInterfaceBackend.attach_network_interface


def _attach_free_interface(self: Any, eni_id: str, instance_id: str, device_index: int) -> Any:
    interface = self.get_network_interface(eni_id)
    instance = self.get_instance(instance_id)
    if interface.attachment_id:
        raise Refused("InvalidParameterValue", f"Network interface '{eni_id}' is currently in use.")
    if int(device_index) in instance.nics:
        raise Refused(
            "InvalidParameterValue",
            f"Instance '{instance_id}' already has an interface attached at device index '{device_index}'.",
        )
    return _attach_interface(self, eni_id, instance_id, device_index)


_association = NetworkInterface.association


def _association_or_none(self: NetworkInterface) -> dict | None:
    return _association.fget(self) or None


_modify_metadata = InstanceBackend.modify_instance_metadata_options
_METADATA = {
    "http_tokens": "http_tokens",
    "hop_limit": "http_put_response_hop_limit",
    "http_endpoint": "http_endpoint",
    "http_protocol": "http_protocol_ipv6",
    "metadata_tags": "instance_metadata_tags",
}


def _modify_only_given_metadata(self: Any, instance_id: str, **given: Any) -> Any:
    options = self.get_instance(instance_id).metadata_options
    kept = {name: getattr(options, attribute) for name, attribute in _METADATA.items()}
    return _modify_metadata(self, instance_id, **{**kept, **{key: value for key, value in given.items() if value}})


_modify_attribute = InstanceBackend.modify_instance_attribute


def _modify_stopped(self: Any, instance_id: str, key: str, value: Any) -> Instance:
    if key != "iam_instance_profile":  # moto itself takes that from what it terminates
        _alive(self.get_instance(instance_id))
    if key in ("user_data", "instance_type") and self.get_instance(instance_id).state_code != 80:
        message = f"The instance '{instance_id}' is not in the 'stopped' state."
        raise Refused("IncorrectInstanceState", message)
    return _modify_attribute(self, instance_id, key, value)


def _alive(instance: Instance) -> None:
    if instance.state_code == 48:
        message = f"The instance '{instance.id}' is terminated; its attributes cannot be changed."
        raise Refused("IncorrectInstanceState", message)


_dot_value = instance_responses.InstanceResponse._dot_value_instance_attribute_handler
_SHUTDOWN = ("stop", "terminate")


def _dot_value_or_shutdown(self: Any) -> bool:
    """moto does not know the shutdown behaviour, and would take the call for one that sets no groups at all."""
    behaviour = self._get_param("InstanceInitiatedShutdownBehavior.Value")
    if behaviour is None:
        return _dot_value(self)
    if behaviour not in _SHUTDOWN:
        message = f"Value ({behaviour}) for parameter instanceInitiatedShutdownBehavior is invalid."
        raise Refused("InvalidParameterValue", message)
    self.error_on_dryrun()
    name = self._get_param("InstanceId")
    self.ec2_backend.modify_instance_attribute(name, "instance_initiated_shutdown_behavior", behaviour)
    return True


_block_devices = instance_responses.InstanceResponse._block_device_mapping_handler


def _known_block_devices(self: Any) -> bool:
    for mapping in self._get_param("BlockDeviceMappings", []):
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        _alive(instance)
        device = mapping.get("DeviceName")
        if device not in instance.block_device_mapping:
            raise Refused("InvalidInstanceAttributeValue", f"No device is currently mapped at {device}")
    return _block_devices(self)


_group_attribute = instance_responses.InstanceResponse._security_grp_instance_attribute_handler


def _groups_that_are_named(self: Any) -> bool:
    if not self._get_param("Groups", []):
        raise Refused("InvalidParameterCombination", "No attributes specified.")
    return _group_attribute(self)


_parse_user_data = instance_responses.parse_user_data


def _parse_decoded_user_data(value: Any) -> Any:
    """moto has already decoded what ModifyInstanceAttribute sends, and would decode it again."""
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    return _parse_user_data(value)


# --- security groups


_delete_group = SecurityGroupBackend.delete_security_group


def _delete_free_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
    group = self.get_security_group_from_id(group_id) if group_id else self.get_security_group_by_name_or_id(name)
    if group is not None:
        if group.name == "default":
            raise Refused("CannotDelete", f"the specified group: \"{group.id}\" name: \"default\" cannot be deleted by a user")
        if _uses(self, group):
            raise Refused("DependencyViolation", f"resource {group.id} has a dependent object")
    _delete_group(self, name, group_id)


def _uses(self: Any, group: SecurityGroup) -> bool:
    if any(group in interface._group_set for interface in self.enis.values()):
        return True
    others = [other for groups in self.groups.values() for other in groups.values() if other is not group]
    rules = [rule for other in others for rule in (*other.ingress_rules, *other.egress_rules)]
    return any(rule.source_group.get("GroupId") == group.id for rule in rules)


_describe_groups = SecurityGroupBackend.describe_security_groups


def _describe_known_groups(self: Any, group_ids: Any = None, groupnames: Any = None, filters: Any = None) -> Any:
    _known_groups(self, group_ids or [])
    return _describe_groups(self, group_ids, groupnames, filters)


_revoke_egress = SecurityGroupBackend.revoke_security_group_egress


class _Kept(list):
    """Ranges from which moto takes none: it would drop IPv6 where the VPC has no such block, and keep the rule."""

    def remove(self, _: Any) -> None:
        pass


def _revoke_egress_of_ipv6_too(self: Any, *args: Any, **kwargs: Any) -> None:
    args = tuple(_Kept(arg) if position == 4 else arg for position, arg in enumerate(args))
    _revoke_egress(self, *args, **{key: _Kept(arg) if key == "ip_ranges" else arg for key, arg in kwargs.items()})


_modify_rules = SecurityGroupBackend.modify_security_group_rules
_SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def _modify_rules_of_all_sources(self: Any, group_id: str, rules: dict[str, dict]) -> None:
    for new in rules.values():
        if str(new.get("IpProtocol")) == "-1":
            new.setdefault("FromPort", -1)
            new.setdefault("ToPort", -1)
    _modify_rules(self, group_id, rules)
    group = self.get_security_group_by_name_or_id(group_id)
    for rule_id, new in rules.items():
        _set_source(group.get_rule(rule_id), new)


def _set_source(rule: Any, new: dict) -> None:
    text = {"Description": new["Description"]} if new.get("Description") else {}
    if new.get("CidrIpv6"):
        rule.ip_range = {"CidrIpv6": new["CidrIpv6"], **text}
    elif new.get("ReferencedGroupId"):
        rule.source_group = {**rule.source_group, "GroupId": new["ReferencedGroupId"], **text}
    elif new.get("PrefixListId"):
        rule.prefix_list_id = new["PrefixListId"]


# --- filters moto does not know


_interface_filter = NetworkInterface.get_filter_value


def _interface_filter_value(self: NetworkInterface, filter_name: str, method_name: str | None = None) -> Any:
    known = {
        "attachment.device-index": str(self.device_index),
        "attachment.status": "attached" if self.attachment_id else "detached",
        "group-name": [group.name for group in self._group_set],
        "interface-type": self.interface_type,
        "mac-address": self.mac_address,
        "network-interface-id": self.id,
        "owner-id": self.owner_id,
        "requester-id": self.requester_id,
        "status": self.status,
    }
    return known[filter_name] if filter_name in known else _interface_filter(self, filter_name, method_name)


def _reservation_of(self: Instance) -> str:
    reservations = self.ec2_backend.reservations.values()
    return next((found.id for found in reservations if self in found.instances), "")


def _add_instance_filters() -> None:
    Instance.filter_interface_ids = property(lambda self: [nic.id for nic in _shown_interfaces(self)])
    Instance.filter_interface_groups = property(
        lambda self: [group.id for nic in _shown_interfaces(self) for group in nic._group_set]
    )
    Instance.filter_group_ids = property(lambda self: [group.id for group in _instance_groups(self)])
    Instance.filter_group_names = property(lambda self: [group.name for group in _instance_groups(self)])
    Instance.filter_reservation_id = property(_reservation_of)
    Instance.filter_http_tokens = property(lambda self: self.metadata_options.http_tokens)
    Instance.filter_state_code = property(lambda self: str(self.state_code))
    ec2_utils.filter_dict_attribute_mapping.update(
        {
            "client-token": "client_token",
            "reservation-id": "filter_reservation_id",
            "group-id": "filter_group_ids",
            "group-name": "filter_group_names",
            "instance.group-id": "filter_group_ids",
            "instance.group-name": "filter_group_names",
            "instance-state-code": "filter_state_code",
            "metadata-options.http-tokens": "filter_http_tokens",
            "network-interface.group-id": "filter_interface_groups",
            "network-interface.network-interface-id": "filter_interface_ids",
        }
    )


def reset() -> None:
    """moto's reset of every service and account."""
    from moto.moto_api._internal.models import moto_api_backend

    moto_api_backend.reset()


def install() -> None:
    """Put every correction in place; once a process."""
    NetworkInterface.group_set = property(lambda self: list(self._group_set))
    Instance.security_groups = property(_instance_groups, _set_instance_groups)
    Instance.network_interfaces = property(_shown_interfaces)
    Instance.prep_nics = _prepare_like_aws
    Instance.terminate = _terminate_like_aws
    InstanceBackend.modify_instance_security_groups = _modify_instance_groups
    InstanceBackend.modify_instance_attribute = _modify_stopped
    instance_responses.parse_user_data = _parse_decoded_user_data
    instance_responses.InstanceResponse._dot_value_instance_attribute_handler = _dot_value_or_shutdown
    instance_responses.InstanceResponse._block_device_mapping_handler = _known_block_devices
    instance_responses.InstanceResponse._security_grp_instance_attribute_handler = _groups_that_are_named
    InstanceBackend.modify_instance_metadata_options = _modify_only_given_metadata
    NetworkInterface.association = property(_association_or_none)
    NetworkInterface.delete = _delete_with_instance
    NetworkInterface.get_filter_value = _interface_filter_value
    NetworkInterfaceBackend.modify_network_interface_attribute = _modify_interface
    NetworkInterfaceBackend.create_network_interface = _create_known_interface
    NetworkInterfaceBackend.attach_network_interface = _attach_free_interface
    NetworkInterfaceBackend.delete_network_interface = _delete_interface
    SecurityGroupBackend.delete_security_group = _delete_free_group
    SecurityGroupBackend.describe_security_groups = _describe_known_groups
    SecurityGroupBackend.revoke_security_group_egress = _revoke_egress_of_ipv6_too
    SecurityGroupBackend.modify_security_group_rules = _modify_rules_of_all_sources
    _add_instance_filters()


# --- reading moto's state, for permissions and records


def tags_of(account: str, region: str, resource_id: str) -> dict[str, str]:
    store = backend(account, region).tags.get(resource_id, {})
    return {str(key): str(value) for key, value in store.items()}


def interface(account: str, region: str, eni_id: str) -> Any | None:
    return backend(account, region).enis.get(eni_id)


def interface_of_attachment(account: str, region: str, attachment_id: str) -> Any | None:
    found = backend(account, region).enis.values()
    return next((eni for eni in found if eni.attachment_id == attachment_id), None)


def instance(account: str, region: str, instance_id: str) -> Any | None:
    reservations = backend(account, region).reservations.values()
    return next((one for found in reservations for one in found.instances if one.id == instance_id), None)


def instance_ids(account: str, region: str) -> set[str]:
    reservations = backend(account, region).reservations.values()
    return {one.id for found in reservations for one in found.instances if one.state_code != 48}


def protect(account: str, region: str, instance_ids: list[str]) -> None:
    """A launch with termination protection, which moto drops."""
    for instance_id in instance_ids:
        found = instance(account, region, instance_id)
        if found is not None:
            found.disable_api_termination = True


def volumes_of(account: str, region: str, instance_id: str) -> list[str]:
    found = instance(account, region, instance_id)
    return [device.volume_id for device in found.block_device_mapping.values()] if found is not None else []


def group(account: str, region: str, group_id: str) -> Any | None:
    return backend(account, region).get_security_group_from_id(group_id)


def subnet_vpc(account: str, region: str, subnet_id: str) -> str:
    """The VPC of a subnet, or the empty string when there is no such subnet."""
    for subnets in backend(account, region).subnets.values():
        if subnet_id in subnets:
            return subnets[subnet_id].vpc_id
    return ""


def default_vpc(account: str, region: str) -> str:
    found = backend(account, region).default_vpc
    return found.id if found else ""


def group_named(account: str, region: str, name: str) -> Any | None:
    return backend(account, region).get_security_group_by_name_or_id(name)




def default_subnet(account: str, region: str, zone: str) -> str:
    """The default subnet of a zone, or of the first one."""
    found = backend(account, region).get_default_subnets()
    subnet = found.get(zone) or next((found[name] for name in sorted(found)), None)
    return subnet.id if subnet else ""


def know_instance_profile(account: str, name: str, path: str, roles: list[str]) -> None:
    """Make an instance profile and its roles known to moto's own IAM."""
    iam = iam_backends[account]["aws"]
    if any(profile.name == name for profile in iam.instance_profiles.values()):
        return
    for role in roles:
        if not any(known.name == role for known in iam.roles.values()):
            iam.create_role(role, "{}", "/", None, "", [], None)
    iam.create_instance_profile(name, path, roles)
