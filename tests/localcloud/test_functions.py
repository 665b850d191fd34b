"""A SAM template with a nested stack is deployed as it is, and its function works from its queue."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import boto3
import pytest

import deploy
import environment
import run
from conftest import Tenant

# A function in the Lambda runtime API's terms. It fails a message whose text is "fail", and otherwise says what it is.
BOOTSTRAP = f"""\
#!{sys.executable}
import json, os, sys, urllib.request
sys.path.insert(0, {json.dumps(str(Path(boto3.__file__).parents[1]))})
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))

def work(record):
    import boto3
    if record["body"] == "fail":
        return False
    if record["body"] == "describe":
        boto3.client("ec2").describe_vpcs()
    if record["body"] == "terminate":
        try:
            boto3.client("ec2").terminate_instances(InstanceIds=["i-0123456789abcdef0"])
        except Exception as error:
            print("REFUSED", error, flush=True)
    print("HANDLED", json.dumps({{"body": record["body"], "handler": os.environ["_HANDLER"], "pid": os.getpid(),
          "stage": os.environ.get("STAGE"), "endpoint": os.environ.get("AWS_ENDPOINT_URL"),
          "key": os.environ.get("AWS_ACCESS_KEY_ID", "")[:4]}}), flush=True)
    return True

while True:
    with OPENER.open(API + "next") as event:
        name, body = event.headers["Lambda-Runtime-Aws-Request-Id"], json.load(event)
    failed = [{{"itemIdentifier": record["messageId"]}} for record in body.get("Records", []) if not work(record)]
    answer = json.dumps({{"batchItemFailures": failed}}).encode()
    OPENER.open(urllib.request.Request(API + name + "/response", data=answer)).read()
"""

TEMPLATE = """\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Architecture: {Type: String, Default: none}
  Stage: {Type: String, Default: dev}
Globals: {Function: {Runtime: provided.al2023, Timeout: 10, Architectures: [!Ref Architecture], CodeUri: .}}
Resources:
  Queues: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: infra/queues.yaml}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Handler: assess
      Environment: {Variables: {STAGE: !Ref Stage}}
      Policies:
        - Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: 'ec2:Describe*', Resource: '*'}]
      Events:
        Work:
          Type: SQS
          Properties:
            Queue: !GetAtt Queues.Outputs.Arn
            BatchSize: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: alerts}}
Outputs:
  Work: {Value: !GetAtt Queues.Outputs.Url}
  Dead: {Value: !GetAtt Queues.Outputs.DeadUrl}
  Topic: {Value: !Ref Topic}
"""

QUEUES = """\
Resources:
  Dead: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 1
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
Outputs:
  Arn: {Value: !GetAtt Work.Arn}
  Url: {Value: !Ref Work}
  DeadUrl: {Value: !Ref Dead}
"""


@pytest.fixture(scope="module")
def stack(cloud: run.Cloud, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tenant, dict]:
    """The template, deployed; the account's root and the stack's outputs."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "infra").mkdir()
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "infra" / "queues.yaml").write_text(QUEUES)
    (folder / "program").write_text(BOOTSTRAP)
    binaries = {"": folder / "program"}
    deploy.deploy(cloud.endpoint, folder / "template.yaml", binaries, {"Stage": "first"}, "tiny")
    line = deploy.deploy(cloud.endpoint, folder / "template.yaml", binaries, {"Stage": "second"}, "tiny")
    assert line.startswith("updated stack tiny")
    tenant = Tenant(cloud.endpoint, environment.ACCOUNT)
    found = tenant.client("cloudformation").describe_stacks(StackName="tiny")["Stacks"][0]["Outputs"]
    return tenant, {output["OutputKey"]: output["OutputValue"] for output in found}


def handled(tenant: Tenant, body: str, seconds: float = 5) -> dict:
    """What the function said about the message with this text."""
    logs = tenant.client("logs")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/worker")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        for line in "\n".join(event["message"] for event in events).splitlines():
            if "HANDLED" in line and json.loads(line.split("HANDLED ")[1])["body"] == body:
                return json.loads(line.split("HANDLED ")[1])
        time.sleep(0.02)
    raise AssertionError(f"the function did not handle {body!r}")


def test_a_function_works_from_its_queue(stack):
    tenant, outputs = stack
    tenant.client("sqs").send_message(QueueUrl=outputs["Work"], MessageBody="hello")
    said = handled(tenant, "hello")
    assert (said["handler"], said["stage"], said["endpoint"]) == ("assess", "second", tenant.endpoint)
    assert said["key"] == "ASIA"


def test_a_function_stays_warm(stack):
    tenant, outputs = stack
    sqs = tenant.client("sqs")
    pids = set()
    for number in range(3):
        sqs.send_message(QueueUrl=outputs["Work"], MessageBody=f"warm {number}")
        pids.add(handled(tenant, f"warm {number}")["pid"])
    assert len(pids) == 1


def test_a_function_acts_as_its_role_and_no_more(stack):
    tenant, outputs = stack
    sqs = tenant.client("sqs")
    for body in ("describe", "terminate"):
        sqs.send_message(QueueUrl=outputs["Work"], MessageBody=body)
        handled(tenant, body)
    calls = [call for call in tenant.control("GET", "calls")["calls"] if "Worker" in call["caller"]]
    assert [(call["action"], call["error"]) for call in calls if call["service"] == "ec2"] == [
        ("DescribeVpcs", ""),
        ("TerminateInstances", "UnauthorizedOperation"),
    ]
    identity = tenant.record("TerminateInstances")["userIdentity"]
    assert identity["type"] == "AssumedRole" and identity["arn"].endswith("/worker")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == calls[0]["caller"]


def test_a_failed_message_of_a_batch_is_retried_and_then_dead(stack):
    tenant, outputs = stack
    sqs = tenant.client("sqs")
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(("fail", "good"))]
    sqs.send_message_batch(QueueUrl=outputs["Work"], Entries=entries)
    handled(tenant, "good")
    dead = sqs.receive_message(QueueUrl=outputs["Dead"], WaitTimeSeconds=8).get("Messages", [])
    assert [message["Body"] for message in dead] == ["fail"]
    left = sqs.get_queue_attributes(QueueUrl=outputs["Work"], AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_the_visibility_of_a_message_can_be_changed(stack):
    sqs = stack[0].client("sqs")
    url = sqs.create_queue(QueueName="visibility", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    first = sqs.receive_message(QueueUrl=url)["Messages"][0]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_topic_delivers_to_a_queue(stack):
    tenant, outputs = stack
    sqs, sns = tenant.client("sqs"), tenant.client("sns")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    permission = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    document = {"Version": "2012-10-17", "Statement": [{**permission, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    sns.subscribe(TopicArn=outputs["Topic"], Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=outputs["Topic"], Subject="CUT", Message="i-1 is cut off")
    got = json.loads(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3)["Messages"][0]["Body"])
    assert (got["Subject"], got["Message"]) == ("CUT", "i-1 is cut off")


def test_a_failed_deployment_says_which_resource_and_why(cloud, tmp_path):
    template = tmp_path / "template.yaml"
    nested = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://s3.amazonaws.com/none/none.yaml'}}"
    template.write_text(f"Resources:\n  Broken: {nested}\n")
    with pytest.raises(deploy.Failed) as error:
        deploy.deploy(cloud.endpoint, template, {}, {}, "broken")
    assert "Broken" in str(error.value)


def test_a_function_without_a_program_is_named(cloud, tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "queues.yaml").write_text(QUEUES)
    with pytest.raises(deploy.Failed) as error:
        deploy.deploy(cloud.endpoint, tmp_path / "template.yaml", {}, {}, "none")
    assert "Worker" in str(error.value)


def test_an_unknown_parameter_is_named(cloud, tmp_path):
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(deploy.Failed) as error:
        deploy.deploy(cloud.endpoint, tmp_path / "template.yaml", {}, {"Mood": "x"}, "none")
    assert "Mood" in str(error.value)
