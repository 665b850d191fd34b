"""The nodes that Systems Manager manages, and the agent on them: a folder of this machine stands for a node's root.

A test registers a folder for an instance by the control endpoint; DescribeInstanceInformation shows it from then on. The
agent runs a script with `sh` for real. It tells the script where the node's root is by the variable PICKET_ROOT, and
whatever the registration adds, since there is no second machine. What is sent, when and by whom is `run_command.py`'s.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import ministack_internals as ministack
import moto_fixes

RUNNING = 16


@dataclass
class Node:
    instance: str
    root: str
    variables: dict[str, str] = field(default_factory=dict)
    ping_status: str = "Online"
    answers: bool = True  # an agent that is online and takes no command


@dataclass
class Ran:
    """What came of a script."""

    code: int
    output: str
    errors: str
    timed_out: bool = False


_lock = threading.Lock()
_nodes: dict[tuple[str, str], dict[str, Node]] = {}  # by account and region


def register(order: dict) -> dict:
    """`{"instance-id", "root", "variables", "ping-status", "answers"}`: this folder is that instance's root from now on."""
    name, root = order["instance-id"], order["root"]
    if not Path(root).is_dir():
        raise ValueError(f"There is no folder {root}.")
    if moto_fixes.instance(ministack.account(), ministack.region(), name) is None:
        raise ValueError(f"There is no instance {name}.")
    node = Node(name, root, order.get("variables", {}), order.get("ping-status", "Online"), order.get("answers", True))
    with _lock:
        _nodes.setdefault((ministack.account(), ministack.region()), {})[name] = node
    return order


def reset() -> None:
    with _lock:
        _nodes.clear()


def known() -> list[Node]:
    """The nodes here, by instance id."""
    with _lock:
        found = dict(_nodes.get((ministack.account(), ministack.region()), {}))
    return [found[name] for name in sorted(found)]


def online(name: str) -> Node | None:
    """The node, if a command may be sent to it."""
    node = next((one for one in known() if one.instance == name), None)
    return node if node is not None and _ping_status(node) == "Online" else None


def _ping_status(node: Node) -> str:
    machine = moto_fixes.instance(ministack.account(), ministack.region(), node.instance)
    return node.ping_status if machine is not None and machine.state_code == RUNNING else "ConnectionLost"


def describe(data: dict) -> dict:
    """DescribeInstanceInformation, with the filters InstanceIds and PingStatus of both forms, and pages."""
    filters = [(f["Key"], f["Values"]) for f in data.get("Filters", [])]
    filters += [(f["key"], f["valueSet"]) for f in data.get("InstanceInformationFilterList", [])]
    shown = [_shown(node) for node in known()]
    of = {"InstanceIds": "InstanceId", "PingStatus": "PingStatus"}
    kept = [one for one in shown if all(one.get(of.get(key, key)) in values for key, values in filters)]
    start, size = int(data.get("NextToken") or 0), int(data.get("MaxResults") or 10)
    more = {"NextToken": str(start + size)} if start + size < len(kept) else {}
    return {"InstanceInformationList": kept[start : start + size], **more}


def _shown(node: Node) -> dict:
    machine = moto_fixes.instance(ministack.account(), ministack.region(), node.instance)
    return {
        "InstanceId": node.instance,
        "PingStatus": _ping_status(node),
        "LastPingDateTime": time.time(),
        "AgentVersion": "3.3.1611.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "IPAddress": getattr(machine, "private_ip", "") or "",
        "ComputerName": getattr(machine, "private_dns", "") or "",
        "SourceId": node.instance,
        "SourceType": "AWS::EC2::Instance",
    }


# --- the agent


class Running:
    """A script that runs on a node; it can be ended from another thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._ended = threading.Event()

    def run(self, node: Node, script: str, timeout_seconds: float) -> Ran:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "_script.sh"
            file.write_text(script, encoding="utf-8")
            environment = {"PATH": os.environ["PATH"], "PICKET_ROOT": node.root, **node.variables}
            self._process = subprocess.Popen(
                ["sh", str(file)], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
            )  # fmt: skip
            if self._ended.is_set():
                self.end()
            try:
                output, errors = self._process.communicate(timeout=timeout_seconds)
            except subprocess.TimeoutExpired:
                self.end()
                output, errors = self._process.communicate()
                return Ran(-1, _text(output), _text(errors), timed_out=True)
        return Ran(self._process.returncode, _text(output), _text(errors))

    def end(self) -> None:
        """Ends it with whatever it started."""
        self._ended.set()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
