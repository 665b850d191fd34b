"""The names the local cloud takes from ministack and moto without their promise, and what breaks without them.

A failure here after raising a version says which behaviour to mend in `ministack_internals.py` or `moto_fixes.py`.
"""

from __future__ import annotations

import importlib
import inspect

import pytest

MINISTACK = {
    "app:_dispatch_service_request": "faults, call counts and the records of IAM, EKS and Auto Scaling",
    "app:_routing_params": "the names of calls in counts and faults",
    "app:_loaded_modules": "EC2, Auto Scaling and load balancing by moto",
    "app:_handle_admin_reset": "POST /_picket/reset",
    "app:detect_service": "Security Hub by moto",
    "app:SERVICE_HANDLERS": "Security Hub by moto",
    "core.iam_actions:_QUERY_XML_NS": "refusals of Route 53 that an SDK can read",
    "core.iam_actions:_SERVICE_PROTOCOL": "refusals of Route 53 that an SDK can read",
    "core.iam_actions:SERVICE_TO_IAM_NAMESPACE": "permissions of Security Hub",
    "app:AUTH": "enforcement of IAM policies",
    "core.iam_actions:extract_iam_action": "EC2 permissions with moto's tags",
    "core.iam_actions:extract_resource_arn": "permissions of IAM calls on roles, profiles and policies with a path",
    "core.iam_actions:request_tag_context": "the conditions iam:PolicyARN and events:source",
    "core.iam_evaluator:enforce": "EC2 permissions",
    "core.iam_evaluator:EvalContext": "aws:SecureTransport",
    "core.iam_evaluator:_gather_role_policies": "events that are forwarded to another account or Region",
    "core.iam_evaluator:_principal_org_id": "aws:PrincipalOrgID of members",
    "core.iam_evaluator:resource_policy_allows": "events that are forwarded to another account or Region",
    "core.iam_evaluator:parse_policy_document": "statements of policies that are read once",
    "core.iam_evaluator:resolve_credential": "userIdentity in records",
    "core.lambda_runtime:_workers": "ending function processes",
    "core.lambda_runtime:_lock": "ending function processes",
    "core.lambda_runtime:kill_workers": "ending function processes",
    "core.lambda_runtime:_PROVIDED_POLL": "functions that start quickly",
    "core.responses:request_scope": "events in the right account and region",
    "services.cloudformation.provisioners:_RESOURCE_HANDLERS": "documents of Systems Manager in templates",
    "services.dynamodb:_condition_syntax_error": "conditions that are parsed once",
    "services.dynamodb:_tokenize": "conditions that are parsed once",
    "services.eks:_clusters": "UpdateClusterConfig and the cluster security group",
    "services.eks:_access_entry_for_principal": "callers of Kubernetes API servers",
    "services.eks:_access_policy_associations": "access policies at Kubernetes API servers",
    "services.eks:_access_policy_name": "access policies at Kubernetes API servers",
    "services.eks:_ACCESS_POLICY_RULES": "access policies at Kubernetes API servers",
    "services.eks:_nodegroups": "UpdateNodegroupConfig",
    "services.eventbridge:_put_events": "every event of AWS itself",
    "services.eventbridge:_dispatch_event": "events that are forwarded to another account or Region",
    "services.eventbridge:_event_bus_policies": "who may put events on a bus",
    "services.eventbridge:_event_buses": "events that are forwarded to another account or Region",
    "services.eventbridge:_invoke_target": "queue policies of EventBridge targets",
    "services.organizations:_accounts": "aws:PrincipalOrgID of members",
    "services.organizations:_orgs": "aws:PrincipalOrgID of members",
    "services.rds:_resolve_instance": "automatic minor upgrades of databases",
    "services.sqs:queue_policy_allows": "queue policies of EventBridge targets",
    "services.iam:_IAM_HANDLERS": "policies attached and deleted as in AWS",
    "services.iam:_instance_profiles": "launches with an instance profile",
    "services.iam:_now": "access keys that are old",
    "services.iam:_roles": "sessionIssuer in records",
    "services.lambda_svc:_esm_wake": "queues polled within 20 ms",
    "services.lambda_svc:_ESM_BACKOFF_SECONDS": "a failing function retried soon",
    "services.lambda_svc:_ESM_IDLE_WAKE_GAP_SECONDS": "queues polled within 20 ms",
    "services.sts:_sessions": "the start of a session in records",
}
MOTO = {
    "autoscaling.models:AutoScalingBackend.notify_terminate_instances": "members replaced unless that is suspended",
    "autoscaling.models:AutoScalingBackend.suspend_processes": "suspended processes",
    "autoscaling.models:FakeAutoScalingGroup.set_desired_capacity": "suspended processes that do not run",
    "backends:list_of_moto_modules": "folders that are listed once",
    "core.responses:method_names_from_class": "methods that are listed once",
    "ec2.models.elastic_network_interfaces:NetworkInterface.group_set": "groups of interfaces",
    "ec2.models.elastic_network_interfaces:NetworkInterface.get_filter_value": "filters of interfaces",
    "ec2.models.elastic_network_interfaces:NetworkInterface.association": "public addresses",
    "ec2.models.elastic_network_interfaces:NetworkInterfaceBackend.create_network_interface": "unknown groups refused",
    "ec2.models.elastic_network_interfaces:NetworkInterfaceBackend.modify_network_interface_attribute": "quarantine",
    "ec2.models.instances:Instance.prep_nics": "several interfaces in a launch",
    "ec2.models.instances:Instance.terminate": "interfaces that end with their instance",
    "ec2.models.instances:InstanceBackend.modify_instance_security_groups": "groups set on an instance",
    "ec2.models.instances:InstanceBackend.modify_instance_metadata_options": "metadata options that keep the rest",
    "ec2.models.security_groups:SecurityGroupBackend.delete_security_group": "DependencyViolation",
    "ec2.models.security_groups:SecurityGroupBackend.modify_security_group_rules": "rules modified to IPv6",
    "ec2.utils:filter_dict_attribute_mapping": "filters of instances",
    "ec2.responses.instances:InstanceResponse._block_device_mapping_handler": "what becomes of a volume",
    "ec2.responses.instances:InstanceResponse._dot_value_instance_attribute_handler": "the shutdown behaviour",
    "ec2.responses.instances:InstanceResponse._security_grp_instance_attribute_handler": "a call without attributes",
    "ec2.responses.instances:parse_user_data": "user data of ModifyInstanceAttribute",
    "ec2.models.elastic_network_interfaces:NetworkInterface.owner_id": "interfaces of other accounts",
    "elbv2.models:FakeTargetGroup.deregister": "targets that are not registered taken out",
    "elbv2.models:FakeTargetGroup.health_for": "targets with several ports",
    "elbv2.models:FakeTargetGroup.register": "targets with several ports",
}


def found(package, name):
    module, _, path = name.partition(":")
    place = importlib.import_module(f"{package}.{module}")
    for part in path.split("."):
        if not hasattr(place, part):
            return False
        place = getattr(place, part)
    return True


@pytest.mark.parametrize("name", MINISTACK)
def test_ministack_still_has(name):
    assert found("ministack", name), f"without ministack's {name} there is no longer: {MINISTACK[name]}"


@pytest.mark.parametrize("name", MOTO)
def test_moto_still_has(name):
    assert found("moto", name), f"without moto's {name} there is no longer: {MOTO[name]}"


def test_ministack_is_called_with_the_arguments_it_takes():
    from ministack import app
    from ministack.core import iam_evaluator
    from ministack.services import eventbridge

    def names(function):
        return list(inspect.signature(function).parameters)

    dispatch = getattr(app._dispatch_service_request, "__wrapped__", app._dispatch_service_request)
    assert names(dispatch) == ["method", "path", "headers", "body", "query_params", "request_id"]
    wanted = ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"]
    assert names(iam_evaluator.enforce) == wanted
    assert "allow_aws_source" in names(eventbridge._put_events)
