"""One local cloud for all tests of this folder, and clients for it. Each test takes an account of its own."""

from __future__ import annotations

import itertools
import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable

import boto3
import pytest
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).parent))

import environment  # noqa: E402
import run  # noqa: E402

_accounts = itertools.count(100000000001)


def _policy(service: str, queue: str, source: str) -> str:
    """A queue policy that lets a service send for one of its resources."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Tenant:
    """An account in the local cloud: clients of its root, or of a key."""

    def __init__(self, endpoint: str, account: str):
        self.endpoint, self.account = endpoint, account

    def client(self, service: str, key: tuple | None = None, **config: Any) -> Any:
        access, secret, token = (*(key or (self.account, "test")), None)[:3]
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=environment.REGION,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(**{"retries": {"max_attempts": 0}, "proxies": {}, **config}),
        )

    def user(self, name: str, *statements: dict) -> tuple[str, str]:
        """A new IAM user with these policy statements; returns its access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def queue_of(self, pattern: dict, name: str) -> Callable[..., list[dict]]:
        """A queue behind an EventBridge rule; returns a function that waits for `count` events."""
        sqs, events = self.client("sqs"), self.client("events")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = f"arn:aws:sqs:{environment.REGION}:{self.account}:{name}"
        rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy("events.amazonaws.com", arn, rule)})
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

        def received(count: int = 1, seconds: float = 5) -> list[dict]:
            found: list[dict] = []
            deadline = time.monotonic() + seconds
            while len(found) < count and time.monotonic() < deadline:
                for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                    found.append(json.loads(message["Body"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                time.sleep(0.01)
            return found

        return received

    def record(self, event_name: str, seconds: float = 3, **match: Any) -> dict:
        """The newest CloudTrail record of this name."""
        trail = self.client("cloudtrail")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            wanted = [{"AttributeKey": "EventName", "AttributeValue": event_name}]
            for event in trail.lookup_events(LookupAttributes=wanted)["Events"]:
                entry = json.loads(event["CloudTrailEvent"])
                if all(entry.get(key) == value for key, value in match.items()):
                    return entry
        raise AssertionError(f"no record of {event_name} {match or ''}")

    def control(self, method: str, path: str, data: Any = None) -> Any:
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(f"{self.endpoint}/_picket/{path}", data=body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="session")
def cloud() -> Any:
    with run.Cloud() as started:
        yield started


@pytest.fixture
def tenant(cloud: run.Cloud) -> Any:
    account = Tenant(cloud.endpoint, str(next(_accounts)))
    yield account
    account.control("POST", "reset?what=counts")


@pytest.fixture
def tenants(cloud: run.Cloud) -> Callable[[], Tenant]:
    """Accounts, as many as a test asks for."""
    return lambda: Tenant(cloud.endpoint, str(next(_accounts)))


@pytest.fixture
def ec2(tenant: Tenant) -> Any:
    return tenant.client("ec2")
