"""Regions that are on, and events that go to a bus in another account: only with the leave of the role and of the bus."""

from __future__ import annotations

import json
import time

PATTERN = json.dumps({"source": ["aws.ec2"]})


def received(queue: str, sqs, seconds: float = 3) -> list[dict]:
    deadline, got = time.monotonic() + seconds, []
    while time.monotonic() < deadline and not got:
        got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
    return [json.loads(message["Body"]) for message in got]


def role(tenant, allowed: str) -> str:
    """A role of EventBridge that may put events on this bus."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": allowed}]}
    iam = tenant.client("iam")
    arn = iam.create_role(RoleName="forward", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="forward", PolicyName="forward", PolicyDocument=json.dumps(policy))
    return arn


def bus_of(home, member: str) -> tuple[str, str]:
    """A bus that a member may put events on, and the queue where they arrive."""
    events, sqs = home.client("events"), home.client("sqs")
    bus = events.create_event_bus(Name="members")["EventBusArn"]
    events.put_permission(EventBusName="members", StatementId="members", Action="events:PutEvents", Principal=member)
    rule = events.put_rule(Name="all", EventBusName="members", EventPattern=PATTERN)["RuleArn"]
    queue = sqs.create_queue(QueueName="arrived")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{home.account}:arrived"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
               "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})})
    events.put_targets(Rule="all", EventBusName="members", Targets=[{"Id": "queue", "Arn": arn}])
    return bus, queue


def forward(tenant, bus: str, allowed: str) -> None:
    events = tenant.client("events")
    events.put_rule(Name="forward", EventPattern=PATTERN)
    events.put_targets(Rule="forward", Targets=[{"Id": "home", "Arn": bus, "RoleArn": role(tenant, allowed)}])


def test_an_event_reaches_the_bus_of_another_account_and_keeps_its_own(tenants):
    home, member = tenants(), tenants()
    bus, queue = bus_of(home, member.account)
    forward(member, bus, bus)
    member.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    [event, *_] = received(queue, home.client("sqs"))
    assert (event["account"], event["detail"]["eventName"]) == (member.account, "CreateVpc")


def test_neither_a_role_without_leave_nor_an_account_that_the_bus_does_not_know_reaches_it(tenants):
    home, member, stranger = tenants(), tenants(), tenants()
    bus, queue = bus_of(home, member.account)
    forward(member, bus, bus.replace("members", "another"))
    forward(stranger, bus, bus)
    for tenant in (member, stranger):
        tenant.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    assert received(queue, home.client("sqs"), 2) == []


def test_only_the_regions_that_are_on_are_shown(tenant):
    names = lambda: {r["RegionName"] for r in tenant.client("ec2").describe_regions()["Regions"]}  # noqa: E731
    everywhere = names()
    try:
        tenant.control("POST", "regions", ["us-east-1", "eu-west-1"])
        assert names() == {"us-east-1", "eu-west-1"}
    finally:
        tenant.control("POST", "regions", [])
    assert names() == everywhere and len(everywhere) > 10
