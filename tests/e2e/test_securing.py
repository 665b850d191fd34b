"""Around containment: the owner is frozen before, the evidence secured after, and a release puts all of it back."""

from __future__ import annotations

import base64
import json

from deployment import MINER, eventually, unique


def secured(picket, instance):
    """Waits until nothing is left to be done about an instance, and returns its hold."""
    return eventually(lambda: (hold := picket.hold_of(instance)) and hold["secured"] and hold, f"{instance} secured")


def looks(picket, instance):
    """What a quarantine changes beside the groups, as AWS shows it."""
    found = picket.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    protected = picket.ec2.describe_instance_attribute(InstanceId=instance, Attribute="disableApiTermination")
    return {
        "protected": protected["DisableApiTermination"]["Value"],
        "volumes go with it": [d["Ebs"]["DeleteOnTermination"] for d in found["BlockDeviceMappings"]],
        "metadata": found["MetadataOptions"]["HttpEndpoint"],
        "case": [t["Value"] for t in found.get("Tags", []) if t["Key"] == "picket:case"],
    }


def test_what_is_contained_is_secured_and_a_release_puts_it_back_but_keeps_the_copies(picket, place):
    [instance] = picket.launch_miner(place)
    before = looks(picket, instance)
    picket.contain(place, instance)
    case = secured(picket, instance)["case"]
    assert looks(picket, instance) == {
        "protected": True,
        "volumes go with it": [False] * len(before["volumes go with it"]),
        "metadata": "disabled",
        "case": [case],
    }
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    assert looks(picket, instance) == before
    mine = [{"Name": "tag:picket:case", "Values": [case]}]
    assert len(picket.ec2.describe_snapshots(Filters=mine)["Snapshots"]) == len(before["volumes go with it"])


def test_only_the_sessions_of_the_held_instance_are_denied(picket, place):
    iam, name = picket.client("iam"), unique("worker")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    [instance] = picket.launch_miner(place, IamInstanceProfile={"Name": name})
    secured(picket, instance)
    [attached] = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"]
    [statement] = document["Statement"]
    assert statement["Effect"] == "Deny", statement
    assert statement["Condition"] == {"StringEquals": {"aws:userid": f"{role['RoleId']}:{instance}"}}, statement
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []


def test_an_auto_scaling_group_neither_replaces_nor_ends_what_is_held(picket, place):
    scaling, name = picket.client("autoscaling"), unique("miners")
    group = picket.new_group(place, -1, user="ci-bot")
    data = {
        "ImageId": "ami-12345678",
        "InstanceType": "g5.48xlarge",
        "SecurityGroupIds": [group],
        "UserData": base64.b64encode(MINER.encode()).decode(),
    }
    picket.ec2_of("ci-bot").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        MinSize=2,
        MaxSize=2,
        VPCZoneIdentifier=place.subnet,
    )

    def described():
        return scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def suspended():
        return {p["ProcessName"] for p in described()["SuspendedProcesses"]}

    members = sorted(i["InstanceId"] for i in described()["Instances"])
    picket.contain(place, *members)
    for member in members:
        secured(picket, member)
    assert {"Terminate", "ReplaceUnhealthy"} <= suspended(), suspended()
    assert sorted(i["InstanceId"] for i in described()["Instances"]) == members
    picket.invoke_release(instances=members[:1])
    assert {"Terminate", "ReplaceUnhealthy"} <= suspended(), "the group goes on only after the last release"
    picket.invoke_release(instances=members[1:])
    assert suspended() == set()
