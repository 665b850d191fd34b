"""Run Command of Systems Manager: what is sent is checked, permitted and run for real on the node that a folder stands for.

SendCommand, GetCommandInvocation, ListCommands, ListCommandInvocations and CancelCommand, as AWS answers them: an
invocation is not there yet right after sending, then Pending, InProgress and one of the ends; output is cut at 24,000
characters. Also DescribeInstanceInformation and the calls of `systems_documents.py`. All other calls stay ministack's.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import managed_nodes
import ministack_internals as ministack
import moto_fixes
import systems_documents
import wire
from systems_documents import Document, Refused, Step

# How long an invocation is not there yet, and then not begun.
_APPEARS_AFTER = 0.2
_BEGINS_AFTER = 0.4
_OUTPUT, _ERRORS, _LISTED_OUTPUT = 24_000, 8_000, 2_500
_CUT = "--output truncated--"
_ENDED = ("Success", "Failed", "TimedOut", "Cancelled")
_NO_NOTICES = {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""}
_NO_LOG = {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False}


@dataclass
class Invocation:
    """A command on one node."""

    instance: str
    status: str = "Pending"
    details: str = "Pending"
    code: int = -1
    began: float = 0
    ended: float = 0
    output: str = ""
    errors: str = ""
    running: managed_nodes.Running = field(default_factory=managed_nodes.Running)

    def end(self, status: str, details: str, code: int = -1, output: str = "", errors: str = "") -> None:
        """The end of it, unless it has ended before."""
        if self.status not in _ENDED:
            self.code, self.output, self.errors, self.ended = code, output, errors, time.time()
            # Last, so that whoever sees the end sees the rest.
            self.details, self.status = details, status


@dataclass
class Command:
    id: str
    document: Document
    parameters: dict
    comment: str
    timeout_seconds: int
    sent_at: float
    steps: list[Step]
    invocations: dict[str, Invocation]


_lock = threading.Lock()
_commands: dict[tuple[str, str], dict[str, Command]] = {}  # by account and region


def wrapper(original: Any) -> Any:
    """ministack's handler with these calls before it."""

    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action not in _CALLS:
            return await original(method, path, headers, body, query_params)
        data = json.loads(body or b"{}")
        if action == "SendCommand":
            data["_key"] = ministack.access_key(headers, query_params)
        try:
            found = _CALLS[action](data)
        except Refused as error:
            return systems_documents.refusal(error)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    return handle


def reset() -> None:
    with _lock:
        commands = [command for here in _commands.values() for command in here.values()]
        _commands.clear()
    for command in commands:
        for invocation in command.invocations.values():
            invocation.running.end()


# --- sending


def _send(data: dict) -> dict:
    name = data.get("DocumentName") or ""
    instances = _addressed(data)
    _permit(data["_key"], name, instances)
    document = systems_documents.document(name, data.get("DocumentVersion") or "$DEFAULT")
    parameters = data.get("Parameters") or {}
    steps = systems_documents.steps(document, systems_documents.checked(document, parameters))
    lost = [one for one in instances if managed_nodes.online(one) is None]
    if lost or not instances:
        message = f"Instances [[{', '.join(lost)}]] not in a valid state for account {ministack.account()}"
        raise Refused("InvalidInstanceId", message)
    timeout = int(data.get("TimeoutSeconds") or 3600)
    if timeout < 30:
        raise Refused("ValidationException", "Value at 'timeoutSeconds' must have value greater than or equal to 30")
    invocations = {one: Invocation(one) for one in instances}
    command = Command(
        str(uuid.uuid4()), document, parameters, data.get("Comment") or "", timeout, time.time(), steps, invocations
    )
    with _lock:
        _commands.setdefault((ministack.account(), ministack.region()), {})[command.id] = command
    for one in instances:
        node = managed_nodes.online(one)
        threading.Thread(target=_deliver, args=(command, invocations[one], node), daemon=True).start()
    return {"Command": _shown(command, status="Pending", completed=0, errors=0)}


def _addressed(data: dict) -> list[str]:
    """The instances by their ids, and by targets that name ids or tags."""
    found = list(data.get("InstanceIds") or [])
    for target in data.get("Targets") or []:
        key, values = target["Key"], target["Values"]
        if key == "InstanceIds":
            found += values
        for node in managed_nodes.known() if key.startswith("tag:") else []:
            tags = moto_fixes.tags_of(ministack.account(), ministack.region(), node.instance)
            found += [node.instance] if tags.get(key[4:]) in values else []
    return list(dict.fromkeys(found))


def _permit(key: str, name: str, instances: list[str]) -> None:
    """ssm:SendCommand is asked for on the document and on each instance with its tags, before anything else is said."""
    account, region = ministack.account(), ministack.region()
    owner = "" if name.startswith("AWS-") else account
    arn = name if name.startswith("arn:") else f"arn:aws:ssm:{region}:{owner}:document/{name}"
    checks = [(arn, {})]
    for one in instances:
        tags = moto_fixes.tags_of(account, region, one)
        context = {f"{prefix}/{k}": v for k, v in tags.items() for prefix in ("aws:ResourceTag", "ssm:resourceTag")}
        checks.append((f"arn:aws:ec2:{region}:{account}:instance/{one}", context))
    for resource, context in checks:
        refused = ministack.check(key, "SendCommand", resource, context, service="ssm")
        if refused is not None:
            who = getattr(refused, "principal_arn", "")
            why = "because no identity-based policy allows the ssm:SendCommand action"
            message = f"User: {who} is not authorized to perform: ssm:SendCommand on resource: {resource} {why}"
            raise Refused("AccessDeniedException", message)


def _deliver(command: Command, invocation: Invocation, node: managed_nodes.Node) -> None:
    """On a thread of its own: hands the command to the node's agent, and keeps what came of it."""
    time.sleep(_BEGINS_AFTER)
    if not node.answers:
        time.sleep(max(0, command.sent_at + command.timeout_seconds - time.time()))
        invocation.end("TimedOut", "DeliveryTimedOut")
        return
    if invocation.status in _ENDED:
        return
    invocation.began = time.time()
    invocation.status, invocation.details = "InProgress", "InProgress"
    output = errors = ""
    for step in command.steps:
        ran = invocation.running.run(node, step.script, step.timeout_seconds)
        output, errors = output + ran.output, errors + ran.errors
        if ran.timed_out:
            invocation.end("TimedOut", "ExecutionTimedOut", ran.code, output, errors)
        elif ran.code != 0:
            invocation.end("Failed", "Failed", ran.code, output, errors + f"\nfailed to run commands: exit status {ran.code}")
    invocation.end("Success", "Success", 0, output, errors)


# --- looking


def _of(data: dict) -> list[Command]:
    """The commands here, newest first, of an id or an instance if the request names one."""
    with _lock:
        here = list(_commands.get((ministack.account(), ministack.region()), {}).values())
    wanted, instance = data.get("CommandId"), data.get("InstanceId")
    kept = [c for c in here if wanted in (None, c.id) and (not instance or instance in c.invocations)]
    return sorted(kept, key=lambda c: c.sent_at, reverse=True)


def _get_invocation(data: dict) -> dict:
    found = _of({"CommandId": data["CommandId"], "InstanceId": data["InstanceId"]})
    if not found or time.time() - found[0].sent_at < _APPEARS_AFTER:
        raise Refused("InvocationDoesNotExist", "")
    command = found[0]
    invocation, plugin = command.invocations[data["InstanceId"]], data.get("PluginName")
    if plugin and plugin not in [step.name for step in command.steps]:
        raise Refused("InvalidPluginName", f"The plugin {plugin} is none of the document's.")
    ended = invocation.status in _ENDED
    return {
        **_common(command, invocation),
        "PluginName": command.steps[0].name,
        "ResponseCode": invocation.code,
        "ExecutionStartDateTime": _iso(invocation.began),
        "ExecutionElapsedTime": f"PT{invocation.ended - invocation.began:.3f}S" if ended and invocation.began else "",
        "ExecutionEndDateTime": _iso(invocation.ended),
        "StandardOutputContent": cut(invocation.output, _OUTPUT),
        "StandardErrorContent": cut(invocation.errors, _ERRORS),
    }


def _common(command: Command, invocation: Invocation) -> dict:
    return {
        "CommandId": command.id,
        "InstanceId": invocation.instance,
        "Comment": command.comment,
        "DocumentName": command.document.name,
        "DocumentVersion": str(command.document.version),
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": _NO_LOG,
    }


def cut(text: str, most: int) -> str:
    """The first characters, with a mark at their end where more was said."""
    return text if len(text) <= most else text[: most - len(_CUT)] + _CUT


def _iso(moment: float) -> str:
    if not moment:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"


def _list_commands(data: dict) -> dict:
    return _page(data, "Commands", [_summed(command) for command in _of(data)])


def _summed(command: Command) -> dict:
    """A command with what its invocations come to."""
    all_ = list(command.invocations.values())
    ended = [i for i in all_ if i.status in _ENDED]
    errors = [i for i in ended if i.status in ("Failed", "TimedOut")]
    status = "InProgress" if len(ended) < len(all_) else next((i.status for i in ended if i.status != "Success"), "Success")
    if all(i.status == "Pending" for i in all_):
        status = "Pending"
    return _shown(command, status, len(ended), len(errors))


def _shown(command: Command, status: str, completed: int, errors: int) -> dict:
    return {
        "CommandId": command.id,
        "DocumentName": command.document.name,
        "DocumentVersion": "$DEFAULT",
        "Comment": command.comment,
        "ExpiresAfter": command.sent_at + command.timeout_seconds + command.steps[0].timeout_seconds,
        "Parameters": command.parameters,
        "InstanceIds": list(command.invocations),
        "Targets": [],
        "RequestedDateTime": command.sent_at,
        "Status": status,
        "StatusDetails": status,
        "OutputS3Region": ministack.region(),
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": len(command.invocations),
        "CompletedCount": completed,
        "ErrorCount": errors,
        "DeliveryTimedOutCount": sum(i.details == "DeliveryTimedOut" for i in command.invocations.values()),
        "ServiceRole": "",
        "NotificationConfig": _NO_NOTICES,
        "CloudWatchOutputConfig": _NO_LOG,
        "TimeoutSeconds": command.timeout_seconds,
    }


def _list_invocations(data: dict) -> dict:
    rows = []
    for command in _of(data):
        for invocation in command.invocations.values():
            if data.get("InstanceId") in (None, invocation.instance):
                more = {"InstanceName": "", "RequestedDateTime": command.sent_at, "ServiceRole": "", "NotificationConfig": _NO_NOTICES}
                plugins = [_plugin(command, invocation)] if data.get("Details") else []
                rows.append({**_common(command, invocation), **more, "CommandPlugins": plugins})
    return _page(data, "CommandInvocations", rows)


def _plugin(command: Command, invocation: Invocation) -> dict:
    times = {"ResponseStartDateTime": invocation.began, "ResponseFinishDateTime": invocation.ended}
    return {
        "Name": command.steps[0].name,
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        "ResponseCode": invocation.code,
        **{name: moment for name, moment in times.items() if moment},
        "Output": cut(invocation.output + invocation.errors, _LISTED_OUTPUT),
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
    }


def _page(data: dict, name: str, rows: list[dict]) -> dict:
    start, size = int(data.get("NextToken") or 0), int(data.get("MaxResults") or 50)
    more = {"NextToken": str(start + size)} if start + size < len(rows) else {}
    return {name: rows[start : start + size], **more}


def _cancel(data: dict) -> dict:
    found = _of({"CommandId": data["CommandId"]})
    if not found:
        raise Refused("InvalidCommandId", "")
    for name, invocation in found[0].invocations.items():
        if name in (data.get("InstanceIds") or [name]):
            invocation.end("Cancelled", "Cancelled")
            invocation.running.end()
    return {}


_CALLS = {
    **systems_documents.CALLS,
    "CancelCommand": _cancel,
    "DescribeInstanceInformation": managed_nodes.describe,
    "GetCommandInvocation": _get_invocation,
    "ListCommandInvocations": _list_invocations,
    "ListCommands": _list_commands,
    "SendCommand": _send,
}
