"""Corrections of moto's Auto Scaling and load balancing where they differ from AWS.

Suspended processes really do not run, and what they held up happens when they are resumed. A target is an instance with
a port, and taking one out that is not in changes nothing. Leaves EC2 to `moto_fixes.py`, events to `autoscaling.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.elbv2.exceptions import InvalidTargetError, TargetNotRunning
from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

PROCESSES = {
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
}


# --- suspended processes


def _suspended(group: FakeAutoScalingGroup) -> set[str]:
    return set(getattr(group, "_suspended_processes", []))


def _known(self: AutoScalingBackend, name: str, processes: list[str]) -> FakeAutoScalingGroup:
    group = self.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    strange = sorted(set(processes or []) - PROCESSES)
    if strange:
        raise ValidationError(f"Scaling process {strange[0]} is not a valid process.")
    return group


def _suspend(self: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
    group = _known(self, group_name, scaling_processes)
    group.suspended_processes = sorted(_suspended(group) | set(scaling_processes or PROCESSES))


def _resume(self: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
    group = _known(self, group_name, scaling_processes)
    group.suspended_processes = sorted(_suspended(group) - set(scaling_processes or PROCESSES))
    group.set_desired_capacity(group.desired_capacity)


@contextlib.contextmanager
def _protection_does_not_bind(group: FakeAutoScalingGroup) -> Iterator[None]:
    """Termination protection stops people, not Auto Scaling."""
    instances = [state.instance for state in group.instance_states]
    kept = [instance.disable_api_termination for instance in instances]
    for instance in instances:
        instance.disable_api_termination = False
    try:
        yield
    finally:
        for instance, value in zip(instances, kept):
            instance.disable_api_termination = value


_set_desired_capacity = FakeAutoScalingGroup.set_desired_capacity


def _set_capacity_unless_suspended(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    wanted, found = self.min_size if new_capacity is None else new_capacity, len(self.active_instances())
    held_up = "Launch" if (wanted or 0) > found else "Terminate" if (wanted or 0) < found else ""
    if held_up in _suspended(self):
        self.desired_capacity = wanted
        return
    with _protection_does_not_bind(self):
        _set_desired_capacity(self, new_capacity)


def _replace_unless_suspended(self: AutoScalingBackend, instance_ids: list[str]) -> None:
    for group in self.autoscaling_groups.values():
        lost = [state for state in group.instance_states if state.instance.id in instance_ids]
        replaces = not _suspended(group) & {"HealthCheck", "Launch", "ReplaceUnhealthy"}
        missing = len([state for state in lost if state.lifecycle_state == "InService"])
        group.instance_states = [state for state in group.instance_states if state not in lost]
        if missing and replaces:
            group.replace_autoscaling_group_instances(missing, group.get_propagated_tags())
            self.update_attached_elbs(group.name)


_delete_group = AutoScalingBackend.delete_auto_scaling_group


def _delete_suspended_too(self: AutoScalingBackend, group_name: str) -> None:
    if group_name in self.autoscaling_groups:
        self.autoscaling_groups[group_name].suspended_processes = []
    _delete_group(self, group_name)


# --- targets


def _key(group: FakeTargetGroup, target: dict[str, Any]) -> tuple[str, int]:
    return target["Id"], int(target.get("Port") or group.port or 0)


def _register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        if self.target_type == "instance":
            instance = self.ec2_backend.get_instance_by_id(target["Id"])
            if instance is None:
                raise InvalidTargetError()
            if instance.state != "running":
                raise TargetNotRunning(instance_id=target["Id"])
        name, port = _key(self, target)
        self.targets[name, port] = {"Id": name, "Port": port}
        self.terminated_targets.pop((name, port), None)


def _deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        self.targets.pop(_key(self, target), None)


def _deregister_terminated(self: FakeTargetGroup, instance_ids: list[str]) -> None:
    for key in [key for key in self.targets if key[0] in instance_ids]:
        self.terminated_targets[key] = self.targets.pop(key)


def _health(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: Any) -> FakeHealthStatus:
    name, port = key = _key(self, target)
    if key in self.terminated_targets:
        why = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    elif key not in self.targets:
        why = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
    elif getattr(ec2_backend.get_instance_by_id(name), "state", "") == "stopped":
        why = ("unused", "Target.InvalidState", "Target is in the stopped state")
    else:
        why = ("healthy", None, None)
    return FakeHealthStatus(name, port, self.health_check_port, *why)


def install() -> None:
    """Put every correction in place; once a process."""
    AutoScalingBackend.suspend_processes = _suspend
    AutoScalingBackend.resume_processes = _resume
    AutoScalingBackend.notify_terminate_instances = _replace_unless_suspended
    AutoScalingBackend.delete_auto_scaling_group = _delete_suspended_too
    FakeAutoScalingGroup.set_desired_capacity = _set_capacity_unless_suspended
    FakeTargetGroup.register = _register
    FakeTargetGroup.deregister = _deregister
    FakeTargetGroup.deregister_terminated_instances = _deregister_terminated
    FakeTargetGroup.health_for = _health
