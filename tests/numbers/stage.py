"""Picket in a local cloud of its own, for measuring: the miners that are launched, and its stages run one at a time.

For a stage alone the event sources are switched off. Messages then rest in the real queues, and the program that was
deployed takes them under `runtime_api.py`, with the environment of its function and a session of its function's role.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "localcloud"), str(ROOT / "tests" / "e2e")]

import deploy  # noqa: E402
import run  # noqa: E402
from deployment import Deployment, Place, eventually  # noqa: E402
from runtime_api import Function  # noqa: E402

STACK = "picket"
POLICY = "version: 1\nmode: enforce\nblast_radius: {instances_per_hour: 1000}\n"
ATTACKER = "ci-bot"
# The stages in order, each with the queue that feeds it.
QUEUE_OF = {"discover": "triggers", "assess": "assess", "respond": "respond", "notify": "notices"}
INTERFACES = 2


class Stage(Deployment):
    """A deployment with one place where miners are launched, its quarantine group ready."""

    def __init__(self, cloud: run.Cloud, binary: Path, logs: Path):
        super().__init__(cloud, STACK)
        self._binary, self._logs = binary, logs
        self.apply_policy(POLICY)
        self.place: Place = self.new_place()
        self.open_group = self.new_group(self.place, -1, user=ATTACKER)
        self.settle()
        self.contain(self.place, *self.mine(), interfaces=INTERFACES)
        self.quarantine = self.quarantine_group_of(self.place)
        self.settle()

    def mine(self, count: int = 1) -> list[str]:
        """Launches large accelerated machines with two interfaces in a group open to the world, and a miner in them."""
        two = [
            {"DeviceIndex": n, "SubnetId": self.place.subnet, "Groups": [self.open_group]} for n in range(INTERFACES)
        ]
        return self.launch_miner(self.place, count, ATTACKER, groups=[self.open_group], NetworkInterfaces=two)

    def is_contained(self, instances: list[str]) -> bool:
        """Whether every interface of these instances is in the quarantine group and in no other."""
        groups = self.groups_of(*instances)
        return len(groups) == INTERFACES * len(instances) and all(g == [self.quarantine] for g in groups.values())

    # --- the stages one at a time

    def switch_off_event_sources(self) -> None:
        functions = self.client("lambda")
        sources = functions.list_event_source_mappings()["EventSourceMappings"]
        for source in sources:
            functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
        time.sleep(1)  # what was asked for before comes back empty

    def resume(self, function: str) -> None:
        """Its event source goes on."""
        functions = self.client("lambda")
        for source in functions.list_event_source_mappings(FunctionName=f"{self.stack}-{function}")["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)

    def start(self, function: str) -> Function:
        """The program as this function, with what Lambda would give it."""
        name = f"{self.stack}-{function}"
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        access, secret, token = self.session_of(function)
        environment = {
            **found["Environment"]["Variables"],
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        log = self._logs / f"{function}.log"
        return Function(self._binary, found["Handler"], found["FunctionArn"], environment, log)

    def take_launches(self, count: int) -> list[str]:
        """CloudTrail's records of `count` launches, from the first queue; other triggers are thrown away."""
        return self.take("triggers", count, lambda body: json.loads(body)["detail"].get("eventName") == "RunInstances")

    def take(self, queue: str, count: int, wanted: Callable[[str], bool] = bool) -> list[str]:
        """The bodies of the `count` messages of a queue that are wanted; others are thrown away."""
        taken: list[str] = []

        def enough() -> bool:
            got = self._receive(queue)
            taken.extend(body for body in got if wanted(body))
            return len(taken) >= count and not got

        eventually(enough, f"{count} messages in {queue}", 60)
        if len(taken) != count:
            raise SystemExit(f"{len(taken)} messages came through {queue} where {count} were expected")
        return taken

    def take_all(self, queue: str) -> list[str]:
        """The bodies of all messages that are in a queue now."""
        taken: list[str] = []
        while got := self._receive(queue):
            taken += got
        return taken

    def _receive(self, queue: str) -> list[str]:
        url = self.queue_url(queue)
        got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in got:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in got]

    def batch(self, function: str, bodies: list[str]) -> dict:
        """Messages as Lambda hands them over from a queue."""
        arn = f"arn:aws:sqs:{self.region}:{self.account}:{self.stack}-{QUEUE_OF[function]}"
        return {"Records": [self._record(arn, body) for body in bodies]}

    def _record(self, arn: str, body: str) -> dict:
        now = str(int(time.time() * 1000))
        return {
            "messageId": str(uuid.uuid4()),
            "receiptHandle": str(uuid.uuid4()),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": now,
                "SenderId": "AIDAEXAMPLE",
                "ApproximateFirstReceiveTimestamp": now,
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": self.region,
        }

    def complaints(self) -> list[str]:
        """What the functions that were run alone logged as warning or error."""
        lines = [line for log in sorted(self._logs.glob("*.log")) for line in log.read_text().splitlines()]
        return [line for line in lines if json_level(line) in ("WARN", "ERROR", None)]


def json_level(line: str) -> str | None:
    """The level of a log line; metrics count as INFO, and what is no JSON has none."""
    with contextlib.suppress(ValueError):
        return json.loads(line).get("level", "INFO")
    return None


@contextlib.contextmanager
def deployed(binary: Path, logs: Path) -> Iterator[Stage]:
    """The real template with this program, in enforce mode, in a local cloud of its own."""
    with run.Cloud(log_level="CRITICAL") as cloud:
        deploy.deploy(cloud.endpoint, ROOT / "template.yaml", {"": binary}, {"Mode": "enforce"}, STACK)
        yield Stage(cloud, binary, logs)
