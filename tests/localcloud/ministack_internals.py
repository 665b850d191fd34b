"""Everything the local cloud takes from ministack that is not part of its promise, in one place.

`test_private_names.py` says in a sentence which behaviour broke when one of these changes with a new version.
Must be imported after `environment.enter`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region, get_request_client_ip, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import cloudtrail, ecr, eks, eventbridge, iam, lambda_svc, organizations, rds, sqs, ssm, sts
from ministack.services.cloudformation import provisioners

POLL_SECONDS = 0.02
log = logging.getLogger("localcloud.events")

asgi = app.app
scope = request_scope  # act in one account and region, as a request of that account would
account = get_account_id
region = get_region
client_ip = get_request_client_ip
access_key = extract_access_key_id


def detect_service(method: str, path: str, headers: dict, body: bytes, query: dict) -> str:
    return app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))


def action_of(service: str, method: str, path: str, headers: dict, body: bytes, query: dict) -> str:
    """The name of the API operation, e.g. `RunInstances`."""
    params = app._routing_params(method, path, headers, body, query)
    found = _original_extract_action(service, method, path, headers, body, params)
    return found.split(":", 1)[1] if found else ""


_original_extract_action = iam_actions.extract_iam_action


def authorize_ourselves() -> None:
    """Keep ministack's own permission check off EC2 and SendCommand: it sees neither moto's tags nor more than one resource
    a call."""

    def extract(service: str, *args: Any, **kwargs: Any) -> str | None:
        action = None if service == "ec2" else _original_extract_action(service, *args, **kwargs)
        return None if action == "ssm:SendCommand" else action

    iam_actions.extract_iam_action = extract


def authorize_batches_as_single_calls() -> None:
    """`SendMessageBatch` and its like are no IAM actions: AWS asks for the permission of the single call."""
    original = iam_actions.extract_iam_action

    def extract(service: str, *args: Any, **kwargs: Any) -> str | None:
        action = original(service, *args, **kwargs)
        if service == "securityhub" and args[1] == "/findings/import":
            return "securityhub:BatchImportFindings"
        if service == "guardduty":
            return _guardduty_action(args[0], args[1])
        if service == "budgets" and action == "budgets:DescribeBudgets":
            return "budgets:ViewBudget"
        return action.removesuffix("Batch") if service == "sqs" and action else action

    iam_actions.extract_iam_action = extract


def _guardduty_action(method: str, path: str) -> str:
    """Of a detector, or of all."""
    verbs = {"GET": "Get", "POST": "Update", "DELETE": "Delete"}
    if path.rstrip("/").endswith("/detector"):
        return "guardduty:ListDetectors" if method == "GET" else "guardduty:CreateDetector"
    return f"guardduty:{verbs.get(method, method.title())}Detector"


def keep_ssm_documents(keep: Any, forget: Any) -> None:
    """`AWS::SSM::Document` in a template: handed to whoever keeps documents, by its name."""

    def create(logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        name = properties.get("Name") or f"{stack}-{logical_id}"
        keep(name, properties["Content"])
        return name, {}

    def update(physical_id: str, _before: dict, after: dict, _stack: str) -> tuple[str, dict]:
        keep(physical_id, after["Content"])
        return physical_id, {}

    def delete(physical_id: str, *_: Any) -> None:
        forget(physical_id)

    provisioners._RESOURCE_HANDLERS.setdefault(
        "AWS::SSM::Document", {"create": create, "update": update, "delete": delete}
    )


def know_leading_keys() -> None:
    """`dynamodb:LeadingKeys`: the partition keys, named `pk`, that a request touches."""
    original = iam_actions.dynamodb_service_context

    def context(body: bytes) -> dict:
        found = original(body)
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            keys = _leading_keys(json.loads(body or b"{}"))
            if keys:
                found["dynamodb:LeadingKeys"] = sorted(keys)
        return found

    iam_actions.dynamodb_service_context = context


def _leading_keys(request: dict) -> set[str]:
    """Of one request: its key or item, its key condition, or those of every member of its transaction or batch."""
    keys = set()
    for holder in ("Key", "Item"):
        value = (request.get(holder) or {}).get("pk", {}).get("S")
        keys |= {value} if value else set()
    condition = request.get("KeyConditionExpression") or ""
    if condition.startswith("pk = "):
        keys.add(request["ExpressionAttributeValues"][condition.split()[2]]["S"])
    for item in request.get("TransactItems") or []:
        for member in item.values():
            keys |= _leading_keys(member)
    for table in (request.get("RequestItems") or {}).values():
        for key in table.get("Keys", []) if isinstance(table, dict) else []:
            keys |= _leading_keys({"Key": key})
    return keys


def know_conditional_writes() -> None:
    """`s3:if-none-match`: whether a write says that it may not lie over another."""
    original = iam_actions._s3_object_context

    def context(action: str, query: dict, path: str, headers: dict) -> dict:
        found, once = original(action, query, path, headers), headers.get("if-none-match")
        return {**found, "s3:if-none-match": once} if once and action == "s3:PutObject" else found

    iam_actions._s3_object_context = context


def know_iam_resources() -> None:
    """The resources of IAM's own calls with their paths, and `iam:PolicyARN` of what is attached or detached; tags of
    EKS, the source of events, service settings, capacity providers and compute environments, which have ARNs, too.
    """
    arn_of, context_of = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    def resource(service: str, method: str, path: str, headers: dict, body: bytes, params: dict, *rest: str) -> str:
        known = _iam_resource(params) if service == "iam" else _named_resource(service, path, body)
        return known or arn_of(
            service, method, path, headers, body, params, *rest
        )

    def context(service: str, action: str, body: bytes, params: dict) -> dict:
        found = context_of(service, action, body, params)
        policy = _first(params, "PolicyArn") if action.startswith(("iam:Attach", "iam:Detach")) else ""
        if action == "events:PutEvents":
            # One source a call, as ours are.
            with contextlib.suppress(ValueError, IndexError, KeyError):
                found = {**found, "events:source": json.loads(body)["Entries"][0]["Source"]}
        return {**found, "iam:PolicyARN": policy} if policy else found

    iam_actions.extract_resource_arn, iam_actions.request_tag_context = resource, context


def errors_of_route_53_are_enveloped() -> None:
    """Route 53 answers in REST and XML as S3 does, but puts a refusal into an `ErrorResponse`, as the services of the query protocol do."""
    iam_actions._SERVICE_PROTOCOL["route53"] = "query-xml"
    iam_actions._QUERY_XML_NS["route53"] = "https://route53.amazonaws.com/doc/2013-04-01/"


def calls_count_as_tls() -> None:
    """`aws:SecureTransport`: loopback has no TLS, and a bucket whose policy asks for it would refuse every call."""
    iam_evaluator.EvalContext = functools.partial(iam_evaluator.EvalContext, secure_transport=True)


def _named_resource(service: str, path: str, body: bytes) -> str:
    if service == "securityhub":
        account = get_account_id()
        return f"arn:aws:securityhub:{get_region()}:{account}:product/{account}/default"
    if service == "guardduty" and "/detector/" in path:
        return f"arn:aws:guardduty:{get_region()}:{get_account_id()}:detector/{path.split('/detector/')[1].split('/')[0]}"
    if service == "eks" and path.startswith("/tags/"):
        return unquote(path.removeprefix("/tags/"))
    if service == "ssm" and b"SettingId" in body:
        with contextlib.suppress(ValueError):
            return f"arn:aws:ssm:{get_region()}:{get_account_id()}:servicesetting{json.loads(body)['SettingId']}"
    if service == "batch" and path == "/v1/updatecomputeenvironment":
        name = json.loads(body)["computeEnvironment"].rsplit("/", 1)[-1]
        return f"arn:aws:batch:{get_region()}:{get_account_id()}:compute-environment/{name}"
    if service == "ecs" and b"autoScalingGroupProvider" in body:
        name = json.loads(body).get("name", "").rsplit("/", 1)[-1]
        return f"arn:aws:ecs:{get_region()}:{get_account_id()}:capacity-provider/{name}"
    return ""


def _first(params: dict, name: str) -> str:
    value = params.get(name) or ""
    return value[0] if isinstance(value, list) else value


def _iam_resource(params: dict) -> str:
    """The ARN of a role, instance profile or policy-to-be, which has a path that the request may not say."""
    role = iam._roles.get(_first(params, "RoleName"))
    profile = iam._instance_profiles.get(_first(params, "InstanceProfileName"))
    if _first(params, "InstanceProfileName"):
        path = (profile or {}).get("Path", "/")
        return f"arn:aws:iam::{get_account_id()}:instance-profile{path}{_first(params, 'InstanceProfileName')}"
    if role:
        return role["Arn"]
    if _first(params, "Action") == "CreatePolicy":
        path = _first(params, "Path") or "/"
        return f"arn:aws:iam::{get_account_id()}:policy{path}{_first(params, 'PolicyName')}"
    return ""


def policies_are_attached_and_deleted_as_in_aws() -> None:
    """A policy that is not there cannot be attached; one with several versions cannot be deleted."""
    attach, delete = iam._attach_role_policy, iam._delete_policy

    def attach_known(params: dict) -> Any:
        arn = iam._p(params, "PolicyArn")
        if not iam._policy_exists(arn):
            return iam._error(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", ns="iam")
        return attach(params)

    def delete_single(params: dict) -> Any:
        found = iam._policies.get(iam._p(params, "PolicyArn")) or {}
        if len(found.get("Versions", {})) > 1:
            why = "This policy has more than one version. Before you delete a policy, you must delete its versions."
            return iam._error(409, "DeleteConflict", why, ns="iam")
        return delete(params)

    iam._IAM_HANDLERS.update({"AttachRolePolicy": attach_known, "DeletePolicy": delete_single})


def replace_service(module: str, handler: Any) -> None:
    """Answer a service with `handler`, an object with an async `handle_request` and a `reset`."""
    app._loaded_modules[module] = handler


def add_service(name: str, handler: Any) -> None:
    """Answer a service that ministack does not know, told by the scope of the caller's signature."""
    original = app.detect_service

    def detect(method: str, path: str, headers: dict, query: dict) -> str:
        signed = f"/{name}/aws4_request" in (headers.get("authorization") or "")
        return name if signed else original(method, path, headers, query)

    app.detect_service = detect
    app.SERVICE_HANDLERS[name] = handler.handle_request
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name


def wrap_handler(module: Any, wrapper: Any) -> None:
    """Put `wrapper(original)` in the place of a ministack service's request handler."""
    module.handle_request = wrapper(module.handle_request)


def wrap_dispatch(wrapper: Any) -> None:
    """Put `wrapper(original)` around the handling of every AWS call."""
    app._dispatch_service_request = wrapper(app._dispatch_service_request)


async def reset() -> None:
    """ministack's reset of all services, in every account."""
    await app._handle_admin_reset("/_ministack/reset", "POST", {})


# --- permissions and callers


def check(key: str, action: str, resource: str, context: dict, service: str = "ec2") -> Any | None:
    """None when the policies allow it, else ministack's description of the refusal."""
    return iam_evaluator.enforce(key, f"{service}:{action}", service, get_region(), resource, context)


def is_authentication_failure(refusal: Any) -> bool:
    return isinstance(refusal, iam_evaluator.AuthError)


def credential(key: str) -> Any | None:
    """Who an access key belongs to: `principal_arn`, `principal_type`, `principal_id`, `principal_name`."""
    found = iam_evaluator.resolve_credential(key, get_account_id())
    return None if isinstance(found, iam_evaluator.CredentialResolutionError) else found


def session_started(key: str) -> float | None:
    session = sts._sessions.get(key) or {}
    return session.get("IssuedAt")


def role(account_id: str, name: str) -> dict:
    return iam._roles.get_scoped(account_id, None, name) or {}


def instance_profile(name: str) -> tuple[str, str, list[str]] | None:
    """Name, path and role names of an instance profile of the current account."""
    found = iam._instance_profiles.get(name)
    return (name, found.get("Path", "/"), list(found.get("Roles", []))) if found else None


# --- events


def put_event(source: str, detail_type: str, detail: dict, resources: list[str]) -> dict:
    """Put one event on the default bus, `aws.*` sources included."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": resources}
    _, _, body = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    return json.loads(body)


def queues_need_a_policy_for_events() -> None:
    """A rule reaches a queue only when the queue's policy lets it, else its dead-letter queue, as in AWS."""
    original = eventbridge._invoke_target

    def invoke(target: dict, event: dict, rule: dict, view: Any = None) -> None:
        arn, source = target.get("Arn", ""), rule.get("Arn", "")
        refused = ":sqs:" in arn and not sqs.queue_policy_allows(arn, "events.amazonaws.com", source, get_account_id())
        if not refused:
            original(target, event, rule, view)
            return
        log.warning("the policy of %s does not let rule %s send to it; the event is not delivered", arn, source)
        dead = (target.get("DeadLetterConfig") or {}).get("Arn")
        if dead and dead != arn:
            original({"Id": target.get("Id"), "Arn": dead}, event, rule, view)

    eventbridge._invoke_target = invoke


def buses_reach_other_places() -> None:
    """A target that is a bus in another account or Region gets the event, if the target's role and that bus's policy let it.

    Account and Region of the event stay those of where it happened, as in AWS.
    """
    original = eventbridge._invoke_target

    def invoke(target: dict, event: dict, rule: dict, view: Any = None) -> None:
        parts = target.get("Arn", "").split(":", 5)
        is_bus = len(parts) == 6 and parts[2] == "events" and parts[5].startswith("event-bus/")
        if not is_bus or (parts[4], parts[3]) == (get_account_id(), get_region()):
            original(target, event, rule, view)
            return
        role = target.get("RoleArn", "").split(":role/")[-1].rsplit("/", 1)[-1]
        account, region, bus, sender = parts[4], parts[3], parts[5].removeprefix("event-bus/"), get_account_id()
        context = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{sender}:assumed-role/{role}/events", principal_type="AssumedRole",
            principal_account=sender, action="events:PutEvents", resource_arn=target["Arn"], region=get_region())  # fmt: skip
        granted = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(role, sender)).decision
        with request_scope(account, region):
            policy = _with_accounts_as_arns(eventbridge._event_bus_policies.get(bus))
            let_in = iam_evaluator.resource_policy_allows(policy, context, same_account=account == sender)
            if granted != "Allow" or not let_in or bus not in eventbridge._event_buses:
                log.warning("rule %s: role %s may not put events on %s", rule.get("Arn"), role, target["Arn"])
                return
            key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
            path = [*(event.get("_DispatchPath") or []), f"{sender}/{key}"]
            eventbridge._dispatch_event({**event, "EventBusName": bus, "_DispatchPath": path})

    eventbridge._invoke_target = invoke


def _with_accounts_as_arns(policy: dict | None) -> dict | None:
    """PutPermission takes an account by its number, and AWS writes it into the policy as the account's root."""
    if policy is None:
        return None
    named = lambda p: {"AWS": f"arn:aws:iam::{p}:root"} if isinstance(p, str) and p.isdigit() else p  # noqa: E731
    return {**policy, "Statement": [{**s, "Principal": named(s.get("Principal"))} for s in policy["Statement"]]}


def keep_bus_policies() -> None:
    """`AWS::Events::EventBusPolicy` in a template: who may put events on a bus."""

    def create(_logical_id: str, properties: dict, _stack: str) -> tuple[str, dict]:
        bus = properties.get("EventBusName") or "default"
        policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
        policy["Statement"].append({**properties["Statement"], "Sid": properties["StatementId"]})
        return f"{bus}|{properties['StatementId']}", {}

    def delete(physical_id: str, *_: Any) -> None:
        bus, _, statement = physical_id.partition("|")
        policy = eventbridge._event_bus_policies.get(bus)
        if policy:
            policy["Statement"] = [s for s in policy["Statement"] if s.get("Sid") != statement]

    provisioners._RESOURCE_HANDLERS.setdefault("AWS::Events::EventBusPolicy", {"create": create, "delete": delete})


def know_members_of_organizations() -> None:
    """`aws:PrincipalOrgID` of an account that was made in an organization; ministack knows it of the managing one alone."""
    original = iam_evaluator._principal_org_id

    def of(account_id: str) -> str | None:
        for manager, member in list(organizations._accounts._data):
            if member == account_id:
                return organizations._orgs.get_scoped(manager, None, "self")["Id"]
        return original(account_id)

    iam_evaluator._principal_org_id = of


# --- Lambda


class _QuickWake:
    """ministack's wake-up of the event source poller, waiting at most POLL_SECONDS where it waits a second."""

    def __init__(self, event: Any):
        self._event = event
        self.set = event.set
        self.clear = event.clear

    def wait(self, timeout: float) -> bool:
        return self._event.wait(min(timeout, POLL_SECONDS))


def poll_queues_quickly() -> None:
    lambda_svc._esm_wake = _QuickWake(lambda_svc._esm_wake)
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.002
    lambda_svc._ESM_BACKOFF_SECONDS = 0.2
    lambda_runtime._PROVIDED_POLL = 0.005


def stop_functions() -> None:
    """End every Lambda process."""
    with lambda_runtime._lock:
        workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
        lambda_runtime._workers.clear()
    lambda_runtime.kill_workers(workers)


def function_processes() -> list[int]:
    with lambda_runtime._lock:
        pools = list(lambda_runtime._workers.values())
    return [worker._proc.pid for pool in pools for worker in pool if worker._proc and worker._proc.poll() is None]


# --- EKS and CloudTrail


def cluster(name: str) -> dict | None:
    return eks._clusters.get(name)


def cluster_of(account_id: str, region_name: str, name: str) -> dict | None:
    return eks._clusters.get_scoped(account_id, region_name, name)


def access_entry(account_id: str, region_name: str, cluster_name: str, principal: str) -> dict | None:
    """The access entry of a principal, or of the role that he is a session of."""
    return eks._access_entry_for_principal(cluster_name, account_id, region_name, principal)


def access_policies(
    account_id: str, region_name: str, cluster_name: str, principal: str
) -> list[tuple[list[dict], list[str] | None]]:
    """The rules of each access policy of an entry, and the namespaces where they hold; None for the whole cluster."""
    found = []
    for owner, policy, association in eks._access_policy_associations(cluster_name, account_id, region_name):
        scope = association.get("accessScope") or {}
        if owner == principal:
            rules = eks._ACCESS_POLICY_RULES[eks._access_policy_name(policy)]
            found.append((rules, None if scope.get("type") == "cluster" else scope.get("namespaces") or []))
    return found


def resize_node_group(cluster_name: str, name: str, sizes: dict) -> None:
    eks._nodegroups[f"{cluster_name}/{name}"]["scalingConfig"] = sizes


def store_cluster(name: str, data: dict) -> None:
    eks._clusters[name] = data


def database(name: str) -> dict:
    return rds._resolve_instance(name) or {}


ecr_module = ecr
eks_module = eks
iam_module = iam
rds_module = rds
cloudtrail_module = cloudtrail
ssm_module = ssm
run_in_thread = asyncio.to_thread
