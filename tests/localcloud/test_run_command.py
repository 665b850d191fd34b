"""Run Command as AWS answers it, with the document really run against a folder that stands for a node."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from test_ec2 import run

READ = {
    "schemaVersion": "2.2",
    "parameters": {
        "Path": {"type": "String", "allowedPattern": "^/[a-z./]{1,40}$"},
        "How": {"type": "String", "default": "cat", "allowedValues": ["cat", "wc -c"]},
    },
    "mainSteps": [
        {
            "name": "read",
            "action": "aws:runShellScript",
            "inputs": {"timeoutSeconds": "2", "runCommand": ["set -eu", "{{ How }} \"$PICKET_ROOT{{ Path }}\""]},
        }
    ],
}


class Ssm:
    """Systems Manager with one document and one node."""

    def __init__(self, tenant, root):
        self.tenant, self.root, self.ssm = tenant, root, tenant.client("ssm")
        [self.instance] = run(tenant.client("ec2"))
        self.ssm.create_document(Name="read", Content=json.dumps(READ), DocumentType="Command")

    def register(self, **more):
        order = {"instance-id": self.instance, "root": str(self.root), "account": self.tenant.account, **more}
        self.tenant.control("POST", "nodes", order)

    def send(self, client=None, document="read", **more):
        request = {"DocumentName": document, "InstanceIds": [self.instance], "Parameters": {"Path": ["/file"]}, **more}
        return (client or self.ssm).send_command(**request)["Command"]

    def look(self, command, **more):
        return self.ssm.get_command_invocation(CommandId=command["CommandId"], InstanceId=self.instance, **more)

    def ended(self, command, seconds=10):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(0.1)
            try:
                found = self.look(command)
            except self.ssm.exceptions.InvocationDoesNotExist:
                continue
            if found["Status"] not in ("Pending", "InProgress"):
                return found
        raise AssertionError(f"{command} has not ended")

    def refused(self, **more):
        with pytest.raises(ClientError) as error:
            self.send(**more)
        return error.value.response["Error"]["Code"]


@pytest.fixture
def ssm(tenant, tmp_path):
    (tmp_path / "file").write_text("what is there")
    return Ssm(tenant, tmp_path)


@pytest.fixture
def node(ssm):
    ssm.register()
    return ssm


def test_a_registered_instance_is_online_and_a_stopped_one_has_lost_its_connection(ssm):
    listed = lambda **f: ssm.ssm.describe_instance_information(**f)["InstanceInformationList"]  # noqa: E731
    assert listed() == []
    ssm.register()
    [shown] = listed(Filters=[{"Key": "InstanceIds", "Values": [ssm.instance]}])
    assert (shown["InstanceId"], shown["PingStatus"], shown["PlatformType"]) == (ssm.instance, "Online", "Linux")
    assert listed(Filters=[{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}]) == []
    ssm.tenant.client("ec2").stop_instances(InstanceIds=[ssm.instance])
    assert listed()[0]["PingStatus"] == "ConnectionLost"
    assert listed(Filters=[{"Key": "PingStatus", "Values": ["Online"]}]) == []
    assert ssm.refused() == "InvalidInstanceId"


def test_a_command_really_runs_with_its_parameters_filled_in(node):
    sent = node.send()
    assert (sent["Status"], sent["DocumentVersion"], sent["CompletedCount"]) == ("Pending", "$DEFAULT", 0)
    found = node.ended(sent)
    assert (found["Status"], found["ResponseCode"], found["StandardOutputContent"]) == ("Success", 0, "what is there")
    assert (found["PluginName"], found["DocumentVersion"]) == ("read", "1")
    counted = node.ended(node.send(Parameters={"Path": ["/file"], "How": ["wc -c"]}))
    assert counted["StandardOutputContent"].split()[0] == "13"


def test_an_invocation_is_not_there_yet_right_after_sending_and_then_pending(node):
    sent = node.send()
    with pytest.raises(node.ssm.exceptions.InvocationDoesNotExist):
        node.look(sent)
    seen = []
    while not seen or seen[-1] not in ("Success", "Failed"):
        time.sleep(0.02)
        try:
            seen.append(node.look(sent)["Status"])
        except ClientError:
            continue
    assert seen[0] == "Pending" and seen[-1] == "Success", seen
    with pytest.raises(node.ssm.exceptions.InvocationDoesNotExist):
        node.ssm.get_command_invocation(CommandId=sent["CommandId"], InstanceId="i-0123456789abcdef0")


def test_what_fails_says_so_with_its_code_and_errors(node):
    found = node.ended(node.send(Parameters={"Path": ["/none"]}))
    assert (found["Status"], found["StatusDetails"], found["ResponseCode"]) == ("Failed", "Failed", 1)
    assert "none" in found["StandardErrorContent"] and found["StandardOutputContent"] == ""


def test_output_is_cut_at_24000_characters_with_a_mark(node):
    (node.root / "file").write_text("x" * 24_000)
    assert node.ended(node.send())["StandardOutputContent"] == "x" * 24_000
    (node.root / "file").write_text("x" * 24_001)
    shown = node.ended(node.send())["StandardOutputContent"]
    assert len(shown) == 24_000 and shown.endswith("xx--output truncated--")


def test_only_documents_that_exist_are_sent(node):
    assert node.refused(document="none") == "InvalidDocument"
    shell = node.send(document="AWS-RunShellScript", Parameters={"commands": ["echo a", "cat $PICKET_ROOT/file"]})
    assert node.ended(shell)["StandardOutputContent"] == "a\nwhat is there"
    node.ssm.delete_document(Name="read")
    assert node.refused() == "InvalidDocument"


@pytest.mark.parametrize(
    "parameters",
    [{}, {"Path": ["/file; id"]}, {"Path": ["/a", "/b"]}, {"Path": ["/file"], "How": ["rm"]}, {"Path": ["/file"], "More": ["x"]}],
    ids=["missing", "not as its pattern", "two values", "none of its values", "unknown"],
)
def test_parameters_are_checked_before_anything_runs(node, parameters):
    assert node.refused(Parameters=parameters) == "InvalidParameters"
    assert node.ssm.list_commands()["Commands"] == []


def test_only_what_systems_manager_reaches_is_sent_to(ssm):
    assert ssm.refused() == "InvalidInstanceId"
    ssm.register(**{"ping-status": "ConnectionLost"})
    assert ssm.refused() == "InvalidInstanceId"


def test_a_script_that_takes_too_long_is_ended_with_what_it_started(node):
    loop = {**READ, "mainSteps": [{"name": "read", "action": "aws:runShellScript", "inputs": {"timeoutSeconds": "1", "runCommand": ["sleep 30 & echo {{ Path }}; wait"]}}]}
    node.ssm.create_document(Name="loop", Content=json.dumps(loop), DocumentType="Command")
    found = node.ended(node.send(document="loop"))
    assert (found["Status"], found["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")


def test_an_agent_that_takes_nothing_leaves_the_command_pending_until_it_is_cancelled(node):
    node.register(answers=False)
    sent = node.send()
    time.sleep(1)
    assert node.look(sent)["Status"] == "Pending"
    node.ssm.cancel_command(CommandId=sent["CommandId"])
    assert node.look(sent)["Status"] == "Cancelled"
    with pytest.raises(ClientError, match="InvalidCommandId"):
        node.ssm.cancel_command(CommandId="0" * 36)


def test_a_command_that_is_not_delivered_in_time_has_timed_out(node):
    node.register(answers=False)
    found = node.ended(node.send(TimeoutSeconds=30), seconds=35)
    assert (found["Status"], found["StatusDetails"], found["ResponseCode"]) == ("TimedOut", "DeliveryTimedOut", -1)


def test_commands_and_invocations_are_listed(node):
    sent = node.send(Comment="a look")
    node.ended(sent)
    [command] = node.ssm.list_commands(CommandId=sent["CommandId"])["Commands"]
    assert (command["Status"], command["Comment"], command["CompletedCount"], command["TargetCount"]) == ("Success", "a look", 1, 1)
    [invocation] = node.ssm.list_command_invocations(CommandId=sent["CommandId"], Details=True)["CommandInvocations"]
    assert invocation["CommandPlugins"][0]["Output"] == "what is there"
    assert node.ssm.list_command_invocations(InstanceId="i-0123456789abcdef0")["CommandInvocations"] == []


# --- permissions


def allowed(*resources, **condition):
    """A statement that allows sending to these."""
    statement = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


DOCUMENT, ANY_INSTANCE = "arn:aws:ssm:*:*:document/read", "arn:aws:ec2:*:*:instance/*"


def test_a_user_sends_the_one_document_and_no_other(node):
    client = node.tenant.client("ssm", node.tenant.user("reader", allowed(DOCUMENT, ANY_INSTANCE)))
    assert node.ended(node.send(client))["Status"] == "Success"
    shell = {"document": "AWS-RunShellScript", "Parameters": {"commands": ["id"]}}
    assert node.refused(client=client, **shell) == "AccessDeniedException"
    # What does not exist is denied too: who may not send learns nothing.
    assert node.refused(client=client, document="none") == "AccessDeniedException"


def test_the_document_and_the_instance_are_both_asked_for(node):
    for number, resource in enumerate((DOCUMENT, ANY_INSTANCE)):
        client = node.tenant.client("ssm", node.tenant.user(f"half-{number}", allowed(resource)))
        assert node.refused(client=client) == "AccessDeniedException"


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "ssm:resourceTag/team"])
def test_instances_may_be_chosen_by_their_tags(node, key):
    tagged = allowed(ANY_INSTANCE, StringEquals={key: "blue"})
    client = node.tenant.client("ssm", node.tenant.user("tagged", allowed(DOCUMENT), tagged))
    assert node.refused(client=client) == "AccessDeniedException"
    node.tenant.client("ec2").create_tags(Resources=[node.instance], Tags=[{"Key": "team", "Value": "blue"}])
    assert node.ended(node.send(client))["Status"] == "Success"
