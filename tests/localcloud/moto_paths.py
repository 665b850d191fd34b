"""Calls about connections, owners and evidence that moto does not answer, or not as AWS does.

Public addresses of an interface (`AssociatePublicIpAddress`), `ModifyFleet`, `LockSnapshot`, branch interfaces of trunks,
and interfaces that another account made in a shared subnet.
Answers `None` for everything else, so that moto is asked. Corrections of moto's model as such are in `moto_fixes.py`.
"""

from __future__ import annotations

import uuid
from typing import Any
from xml.sax.saxutils import escape

from moto.ec2.models.elastic_network_interfaces import NetworkInterface

import ministack_internals as ministack
import moto_fixes
import wire

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def answer(action: str, params: dict[str, str]) -> wire.Reply | None:
    """The reply to a call that moto lacks."""
    if action == "ModifyNetworkInterfaceAttribute" and "AssociatePublicIpAddress" in params:
        return _public_address(params)
    if action == "ModifyFleet":
        return _modify_fleet(params)
    if action == "LockSnapshot":
        return _lock(params)
    if action == "DeleteNetworkAclEntry":
        return _missing_entry(params)
    return None


def _backend() -> Any:
    return moto_fixes.backend(ministack.account(), ministack.region())


def _done(action: str, **values: Any) -> wire.Reply:
    fields = "".join(f"<{key}>{escape(str(value))}</{key}>" for key, value in values.items())
    body = f'<{action}Response xmlns="{_NAMESPACE}"><requestId>{uuid.uuid4()}</requestId>{fields}</{action}Response>'
    return 200, {"content-type": "text/xml"}, body.encode()


def _public_address(params: dict[str, str]) -> wire.Reply:
    """AWS takes the address that it chose away, or chooses one; it refuses while an Elastic IP is there."""
    interface = moto_fixes.interface(ministack.account(), ministack.region(), params.get("NetworkInterfaceId", ""))
    if interface is None:
        return wire.ec2_error("InvalidNetworkInterfaceID.NotFound", "The network interface does not exist.")
    on = params["AssociatePublicIpAddress"].lower() == "true"
    if any(address.eni is interface for address in _backend().addresses):
        return wire.ec2_error("InvalidParameterCombination", "The network interface has an Elastic IP address.")
    interface.public_ip_auto_assign = on
    interface.public_ip = None
    interface.check_auto_public_ip()
    return _done("ModifyNetworkInterfaceAttribute", **{"return": "true"})


def _missing_entry(params: dict[str, str]) -> wire.Reply | None:
    """moto breaks over an entry that is not there."""
    acl = _backend().network_acls.get(params.get("NetworkAclId", ""))
    wanted = (params.get("RuleNumber"), params.get("Egress", "").lower())
    there = acl is None or any((str(e.rule_number), str(e.egress).lower()) == wanted for e in acl.network_acl_entries)
    return None if there else wire.ec2_error("InvalidNetworkAclEntry.NotFound", "The network ACL entry does not exist.")


def _modify_fleet(params: dict[str, str]) -> wire.Reply:
    fleet = _backend().get_fleet(params.get("FleetId", ""))
    if fleet is None:
        return wire.ec2_error("InvalidFleetId.NotFound", f"The fleet ID '{params.get('FleetId')}' does not exist.")
    if fleet.fleet_type != "maintain":
        return wire.ec2_error("InvalidParameterValue", "Only a fleet of type maintain can be modified.")
    wanted = dict(fleet.target_capacity_specification)
    for name in ("TotalTargetCapacity", "OnDemandTargetCapacity", "SpotTargetCapacity"):
        given = params.get(f"TargetCapacitySpecification.{name}")
        if given is not None:
            wanted[name] = int(given)
    fleet.target_capacity_specification = wanted
    fleet.excess_capacity_termination_policy = params.get(
        "ExcessCapacityTerminationPolicy", fleet.excess_capacity_termination_policy
    )
    return _done("ModifyFleet", **{"return": "true"})


def _lock(params: dict[str, str]) -> wire.Reply:
    name = params.get("SnapshotId", "")
    snapshot = _backend().snapshots.get(name)
    if snapshot is None:
        return wire.ec2_error("InvalidSnapshot.NotFound", f"The snapshot '{name}' does not exist.")
    days = int(params.get("LockDuration", "0"))
    if days < 1:
        return wire.ec2_error("InvalidParameterValue", "A lock lasts for one day at least.")
    snapshot.picket_lock = (params.get("LockMode", ""), days)
    return _done("LockSnapshot", snapshotId=name, lockState=params.get("LockMode", ""), lockDuration=days)


def lock_of(account: str, region: str, snapshot: str) -> tuple[str, int] | None:
    """How a snapshot is locked, for whoever tries to delete it."""
    return getattr(moto_fixes.backend(account, region).snapshots.get(snapshot), "picket_lock", None)


def association(account: str, region: str, name: str) -> list[str]:
    """The Elastic IP and the interface that an association binds, which are what AWS asks permission for."""
    found = [a for a in moto_fixes.backend(account, region).addresses if a.association_id == name]
    return [part for a in found for part in (a.allocation_id, a.eni.id if a.eni else "") if part]


# An interface's owner is the account that made it, which may be another than the subnet's.
NetworkInterface.owner_id = property(lambda self: getattr(self, "picket_owner", self.ec2_backend.account_id))
