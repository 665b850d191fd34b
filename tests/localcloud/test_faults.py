"""Faults ordered at the control endpoint hit whom they should, and calls are counted."""

from __future__ import annotations

import time
import urllib.error

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from test_ec2 import groups, instance, listed, refused, run

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(autouse=True)
def _no_faults_left(tenant):
    yield
    tenant.control("DELETE", "faults")


def test_a_fault_hits_as_often_as_it_was_ordered(tenant, ec2):
    order = {"service": "ec2", "action": "DescribeInstances", "count": 2, "code": "RequestLimitExceeded", "status": 503}
    tenant.control("POST", "faults", [order])
    refused("RequestLimitExceeded", ec2.describe_instances)
    refused("RequestLimitExceeded", ec2.describe_instances)
    ec2.describe_instances()
    assert tenant.control("GET", "faults")["faults"][0]["hits"] == 2


def test_a_fault_hits_only_the_named_caller(tenant, ec2):
    other = tenant.client("ec2", tenant.user("victim", EVERYTHING))
    tenant.control("POST", "faults", {"action": "DescribeVpcs", "role": "victim", "code": "InternalError", "status": 500})
    ec2.describe_vpcs()
    refused("InternalError", other.describe_vpcs)


def test_a_fault_hits_only_the_matching_request(tenant, ec2):
    one, two = groups(ec2, "one", "two")
    tenant.control("POST", "faults", {"service": "ec2", "match": two, "code": "Unavailable"})
    ec2.describe_security_groups(GroupIds=[one])
    refused("Unavailable", ec2.describe_security_groups, GroupIds=[two])


def test_a_fault_speaks_the_language_of_its_service(tenant):
    order = {"service": "dynamodb", "action": "ListTables", "code": "ThrottlingException", "status": 400}
    tenant.control("POST", "faults", [order, {"service": "sns", "code": "Throttling", "status": 400}])
    for client, call in (("dynamodb", "list_tables"), ("sns", "list_topics")):
        with pytest.raises(ClientError) as error:
            getattr(tenant.client(client), call)()
        assert "Throttling" in error.value.response["Error"]["Code"]


@pytest.mark.parametrize("how", ["lost-reply", "closed"])
def test_a_call_whose_reply_is_lost_took_effect(tenant, ec2, how):
    one, two = groups(ec2, "one", "two")
    [name] = run(ec2, SecurityGroupIds=[one])
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    order = {"action": "ModifyNetworkInterfaceAttribute", "count": 1, "after": how, "code": "InternalError", "status": 500}
    tenant.control("POST", "faults", order)
    with pytest.raises((ClientError, ConnectionClosedError, HTTPClientError)):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[two])
    assert [group["GroupId"] for group in instance(ec2, name)["SecurityGroups"]] == [two]


def test_a_retry_of_a_lost_launch_is_the_same_launch(tenant, ec2):
    tenant.control("POST", "faults", {"action": "RunInstances", "count": 1, "after": "lost-reply", "status": 500})
    retrying = tenant.client("ec2", retries={"max_attempts": 2})
    name = run(retrying)
    assert listed(ec2, "instance-state-name", "running") == name


def test_a_call_can_be_delayed(tenant, ec2):
    tenant.control("POST", "faults", {"action": "DescribeVpcs", "delay_ms": 300, "count": 1})
    started = time.monotonic()
    ec2.describe_vpcs()
    assert 0.3 <= time.monotonic() - started < 1


def test_new_instances_can_be_invisible_for_a_while(tenant, ec2):
    tenant.control("POST", "faults", {"kind": "invisible", "last": 2, "seconds": 0.6})
    seen, *hidden = run(ec2, 3)
    assert listed(ec2, "vpc-id", ec2.describe_vpcs()["Vpcs"][0]["VpcId"]) == [seen]
    assert listed(ec2, "instance-id", seen, *hidden) == [seen]
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=[seen, hidden[0]])
    refused("InvalidInstanceID.NotFound", ec2.describe_instance_attribute, InstanceId=hidden[1], Attribute="userData")
    attached = [{"Name": "attachment.instance-id", "Values": hidden}]
    assert ec2.describe_network_interfaces(Filters=attached)["NetworkInterfaces"] == []
    assert tenant.control("GET", "faults")["invisible"] == sorted(hidden)
    time.sleep(0.7)
    assert sorted(listed(ec2, "instance-id", seen, *hidden)) == sorted([seen, *hidden])


def test_calls_are_counted_by_caller(tenant, ec2):
    tenant.control("POST", "reset?what=counts")
    [name] = run(ec2)
    other = tenant.client("ec2", tenant.user("reader", EVERYTHING))
    other.describe_instances(InstanceIds=[name])
    refused("DryRunOperation", other.terminate_instances, InstanceIds=[name], DryRun=True)
    report = tenant.control("GET", "calls")
    counted = {(row["action"], row["caller"], row["mutating"]): row["count"] for row in report["counts"]}
    assert counted[("RunInstances", "root", True)] == 1
    assert counted[("DescribeInstances", "reader", False)] == 1
    assert counted[("TerminateInstances", "reader", False)] == 1  # a dry run changes nothing
    last = report["calls"][-1]
    assert (last["action"], last["resources"], last["status"], last["error"]) == (
        "TerminateInstances",
        [name],
        412,
        "DryRunOperation",
    )


def test_any_event_can_be_put_on_the_bus(tenant):
    received = tenant.queue_of({"source": ["aws.guardduty"]}, "findings")
    event = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"severity": 8}}
    tenant.control("POST", "events", {**event, "account": tenant.account, "resources": ["arn:x"]})
    [found] = received(1)
    assert (found["detail-type"], found["detail"], found["account"]) == ("GuardDuty Finding", {"severity": 8}, tenant.account)


def test_a_client_cannot_put_events_of_aws_itself(tenant):
    entry = {"Source": "aws.ec2", "DetailType": "x", "Detail": "{}"}
    answer = tenant.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_a_rule_reaches_a_queue_only_when_its_policy_says_so(tenant, ec2):
    received = tenant.queue_of({"source": ["aws.ec2"]}, "closed")
    sqs = tenant.client("sqs")
    url = sqs.get_queue_url(QueueName="closed")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    run(ec2)
    assert received(1, 0.5) == []


def test_events_can_be_held_back(tenant, ec2):
    received = tenant.queue_of({"source": ["aws.ec2"]}, "held")
    tenant.control("POST", "clock", {"paused": True, "offset_seconds": -3600})
    run(ec2)
    assert received(1, 0.3) == []
    assert tenant.control("GET", "events")["waiting"] == 3
    tenant.control("POST", "clock", {"paused": False, "offset_seconds": 0})
    assert len(received(3)) == 3


def test_a_wrong_order_is_refused_with_a_sentence(tenant):
    for path, order in (("faults", {"servise": "ec2"}), ("events", {}), ("nothing", {})):
        with pytest.raises(urllib.error.HTTPError) as error:
            tenant.control("POST", path, order)
        assert error.value.code == 400 and b"error" in error.value.read()
