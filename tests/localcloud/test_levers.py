"""What Picket changes beside groups behaves in the local cloud as in AWS, and so do the permissions of `roles.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError

import environment
from test_ec2 import default_vpc, instance, refused, run, subnet

ROLES = Path(__file__).parents[2] / "infra" / "roles.yaml"
CASE, QUARANTINE = "picket:case", "picket:quarantine"
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}


def attribute(ec2, name, which):
    answer = ec2.describe_instance_attribute(InstanceId=name, Attribute=which)
    return answer[which[0].upper() + which[1:]]["Value"]


def tags(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


# --- attributes


def test_termination_protection_stops_a_termination_until_it_is_off(ec2):
    [name] = run(ec2)
    assert attribute(ec2, name, "disableApiTermination") is False
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    assert attribute(ec2, name, "disableApiTermination") is True
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[name])
    assert instance(ec2, name)["State"]["Name"] == "running"
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[name])


def test_an_instance_can_be_launched_protected(ec2):
    [name] = run(ec2, DisableApiTermination=True)
    assert attribute(ec2, name, "disableApiTermination") is True
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[name])


def test_the_shutdown_behaviour_is_changed_and_nothing_else(ec2):
    [name] = run(ec2, InstanceInitiatedShutdownBehavior="terminate")
    groups = instance(ec2, name)["SecurityGroups"]
    assert attribute(ec2, name, "instanceInitiatedShutdownBehavior") == "terminate"
    ec2.modify_instance_attribute(InstanceId=name, InstanceInitiatedShutdownBehavior={"Value": "stop"})
    assert attribute(ec2, name, "instanceInitiatedShutdownBehavior") == "stop"
    assert instance(ec2, name)["SecurityGroups"] == groups
    refused(
        "InvalidParameterValue",
        ec2.modify_instance_attribute,
        InstanceId=name,
        InstanceInitiatedShutdownBehavior={"Value": "explode"},
    )


def volume(ec2, name, device):
    return next(m["Ebs"] for m in instance(ec2, name)["BlockDeviceMappings"] if m["DeviceName"] == device)


def keep(ec2, name, device, kept=True):
    mapping = {"DeviceName": device, "Ebs": {"DeleteOnTermination": not kept}}
    ec2.modify_instance_attribute(InstanceId=name, BlockDeviceMappings=[mapping])


def test_a_volume_that_is_kept_outlives_its_instance(ec2):
    [name] = run(ec2)
    device = instance(ec2, name)["BlockDeviceMappings"][0]["DeviceName"]
    assert volume(ec2, name, device)["DeleteOnTermination"] is True
    keep(ec2, name, device)
    kept = volume(ec2, name, device)
    assert kept["DeleteOnTermination"] is False
    message = refused(
        "InvalidInstanceAttributeValue",
        ec2.modify_instance_attribute,
        InstanceId=name,
        BlockDeviceMappings=[{"DeviceName": "/dev/none", "Ebs": {"DeleteOnTermination": False}}],
    )
    assert "No device is currently mapped at /dev/none" in message
    ec2.terminate_instances(InstanceIds=[name])
    assert ec2.describe_volumes(VolumeIds=[kept["VolumeId"]])["Volumes"][0]["State"] == "available"


def test_a_volume_that_is_not_kept_goes_with_its_instance(ec2):
    [name] = run(ec2)
    device = instance(ec2, name)["BlockDeviceMappings"][0]["DeviceName"]
    keep(ec2, name, device)
    keep(ec2, name, device, kept=False)
    gone = volume(ec2, name, device)["VolumeId"]
    ec2.terminate_instances(InstanceIds=[name])
    refused("InvalidVolume.NotFound", ec2.describe_volumes, VolumeIds=[gone])


def test_a_terminated_instance_takes_no_attributes_and_a_call_without_any_is_refused(ec2):
    [name, other] = run(ec2, 2)
    ec2.terminate_instances(InstanceIds=[name])
    refused(
        "IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=name, DisableApiTermination={"Value": False}
    )
    refused("InvalidParameterCombination", ec2.modify_instance_attribute, InstanceId=other)


def test_an_instance_with_a_profile_can_be_terminated(tenant, ec2):
    iam = tenant.client("iam")
    role(iam, "node")
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    [name] = run(ec2, IamInstanceProfile={"Name": "node"})
    ec2.terminate_instances(InstanceIds=[name])


def test_the_metadata_service_is_switched_and_its_other_options_stay(ec2):
    [name] = run(ec2, MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2})
    for state in ("disabled", "enabled"):
        ec2.modify_instance_metadata_options(InstanceId=name, HttpEndpoint=state)
        options = instance(ec2, name)["MetadataOptions"]
        assert (options["HttpEndpoint"], options["HttpTokens"], options["HttpPutResponseHopLimit"]) == (state, "required", 2)


def test_a_spot_instance_says_so(ec2):
    [name] = run(ec2, InstanceMarketOptions={"MarketType": "spot"})
    assert instance(ec2, name)["InstanceLifecycle"] == "spot"
    assert "InstanceLifecycle" not in instance(ec2, run(ec2)[0])


# --- snapshots


def evidence(name, case):
    return {
        "InstanceSpecification": {"InstanceId": name, "ExcludeBootVolume": False},
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": tags((CASE, case), ("picket:instance", name))}],
    }


def test_snapshots_of_all_volumes_are_found_by_their_tags(ec2):
    [name, other] = run(ec2, 2)
    zone = instance(ec2, name)["Placement"]["AvailabilityZone"]
    extra = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.attach_volume(VolumeId=extra, InstanceId=name, Device="/dev/sdf")
    volumes = {m["Ebs"]["VolumeId"] for m in instance(ec2, name)["BlockDeviceMappings"]}
    made = ec2.create_snapshots(**evidence(name, "c-1"))["Snapshots"]
    ec2.create_snapshots(**evidence(other, "c-1"))
    assert {s["VolumeId"] for s in made} == volumes and len(volumes) == 2
    filters = [{"Name": f"tag:{CASE}", "Values": ["c-1"]}, {"Name": "tag:picket:instance", "Values": [name]}]
    found = ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
    assert {s["VolumeId"] for s in found} == volumes
    assert all({t["Key"] for t in s["Tags"]} == {CASE, "picket:instance"} for s in found)
    filters[0]["Values"] = ["c-2"]
    assert ec2.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"] == []


def test_one_tag_is_taken_away_and_taking_it_away_again_is_no_error(ec2):
    [name] = run(ec2)
    ec2.create_tags(Resources=[name], Tags=tags((CASE, "c-1"), ("Name", "web")))
    for _ in range(2):
        ec2.delete_tags(Resources=[name], Tags=[{"Key": CASE}])
    assert instance(ec2, name)["Tags"] == tags(("Name", "web"))


# --- Auto Scaling


@pytest.fixture
def scaling(tenant, ec2):
    client = tenant.client("autoscaling")
    client.create_launch_configuration(LaunchConfigurationName="web", ImageId="ami-12345678", InstanceType="t3.micro")
    client.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchConfigurationName="web",
        MinSize=0,
        MaxSize=5,
        DesiredCapacity=2,
        VPCZoneIdentifier=subnet(ec2),
    )
    return client


def group(scaling):
    return scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]


def members(scaling):
    return {i["InstanceId"] for i in group(scaling)["Instances"]}


def processes(*names):
    return {"AutoScalingGroupName": "web", "ScalingProcesses": list(names)}


def suspended(scaling):
    return [p["ProcessName"] for p in group(scaling)["SuspendedProcesses"]]


def test_suspended_processes_are_seen_and_suspending_or_resuming_twice_is_once(scaling):
    for _ in range(2):
        scaling.suspend_processes(**processes("Terminate", "ReplaceUnhealthy"))
    scaling.suspend_processes(**processes("AZRebalance"))
    assert sorted(suspended(scaling)) == ["AZRebalance", "ReplaceUnhealthy", "Terminate"]
    for _ in range(2):
        scaling.resume_processes(**processes("Terminate", "ReplaceUnhealthy"))
    assert suspended(scaling) == ["AZRebalance"]


def test_a_suspended_launch_does_not_happen_until_it_is_resumed(scaling):
    scaling.suspend_processes(**processes("Launch"))
    before = members(scaling)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    assert members(scaling) == before and group(scaling)["DesiredCapacity"] == 4
    scaling.resume_processes(**processes("Launch"))
    assert len(members(scaling)) == 4 and before < members(scaling)


def test_a_suspended_termination_does_not_happen_until_it_is_resumed(scaling):
    scaling.suspend_processes(**processes("Terminate"))
    before = members(scaling)
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    assert members(scaling) == before
    scaling.resume_processes(**processes("Terminate"))
    assert members(scaling) == set()


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "Launch"])
def test_a_member_that_was_ended_is_not_replaced_while_that_is_suspended(ec2, scaling, process):
    scaling.suspend_processes(**processes(process))
    ended, left = sorted(members(scaling))
    ec2.terminate_instances(InstanceIds=[ended])
    assert members(scaling) == {left}
    scaling.resume_processes(**processes(process))
    assert len(members(scaling)) == 2


def test_termination_protection_does_not_bind_auto_scaling(ec2, scaling):
    for name in members(scaling):
        ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    scaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    assert members(scaling) == set()


def test_a_group_that_is_not_there_and_a_process_that_is_none(scaling):
    message = refused("ValidationError", scaling.suspend_processes, AutoScalingGroupName="no", ScalingProcesses=["Launch"])
    assert "not found" in message
    refused("ValidationError", scaling.suspend_processes, **processes("Nothing"))
    assert scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["no"])["AutoScalingGroups"] == []


# --- load balancers


@pytest.fixture
def balancing(tenant):
    return tenant.client("elbv2")


def target_group(balancing, ec2, name="web"):
    made = balancing.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=default_vpc(ec2), TargetType="instance")
    return made["TargetGroups"][0]["TargetGroupArn"]


def targets(balancing, arn):
    found = balancing.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return sorted((t["Target"]["Id"], t["Target"]["Port"]) for t in found)


def test_a_target_is_an_instance_with_a_port(ec2, balancing):
    [name] = run(ec2)
    arn = target_group(balancing, ec2)
    balancing.register_targets(TargetGroupArn=arn, Targets=[{"Id": name}, {"Id": name, "Port": 8080}])
    assert targets(balancing, arn) == [(name, 80), (name, 8080)]
    for _ in range(2):  # what is not registered is out
        balancing.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": name, "Port": 8080}])
        assert targets(balancing, arn) == [(name, 80)]
    balancing.register_targets(TargetGroupArn=arn, Targets=[{"Id": name, "Port": 8080}])
    assert targets(balancing, arn) == [(name, 80), (name, 8080)]
    [one] = balancing.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert (one["TargetType"], one["VpcId"]) == ("instance", default_vpc(ec2))


def test_health_tells_a_stopped_target_from_one_that_is_not_registered(ec2, balancing):
    [name, other] = run(ec2, 2)
    arn = target_group(balancing, ec2)
    balancing.register_targets(TargetGroupArn=arn, Targets=[{"Id": name}])
    ec2.stop_instances(InstanceIds=[name])
    asked = [{"Id": name, "Port": 80}, {"Id": other, "Port": 80}]
    found = balancing.describe_target_health(TargetGroupArn=arn, Targets=asked)["TargetHealthDescriptions"]
    assert [t["TargetHealth"]["Reason"] for t in found] == ["Target.InvalidState", "Target.NotRegistered"]
    balancing.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": name}])
    refused("InvalidTarget", balancing.register_targets, TargetGroupArn=arn, Targets=[{"Id": name}])


def test_a_target_group_that_is_gone(ec2, balancing):
    [name] = run(ec2)
    arn = target_group(balancing, ec2)
    balancing.delete_target_group(TargetGroupArn=arn)
    for call in (balancing.register_targets, balancing.deregister_targets):
        refused("TargetGroupNotFound", call, TargetGroupArn=arn, Targets=[{"Id": name}])


# --- sessions


def role(iam, name, path="/"):
    return iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]


def deny(iam, made, name, effect="Deny"):
    statement = {"Effect": effect, "Action": "*", "Resource": "*"}
    statement["Condition"] = {"StringEquals": {"aws:userid": f"{made['RoleId']}:{name}"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return iam.create_policy(Path="/picket/picket/", PolicyName=f"deny-{name}", PolicyDocument=document)["Policy"]["Arn"]


def session(tenant, made, name, service="ec2"):
    key = tenant.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName=name)["Credentials"]
    return tenant.client(service, (key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]))


def test_a_deny_cuts_the_sessions_of_one_instance_and_no_other(tenant, ec2):
    iam = tenant.client("iam")
    made = role(iam, "node")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="node", PolicyName="all", PolicyDocument=json.dumps(everything))
    held, free = (session(tenant, made, name) for name in ("i-00000001", "i-00000002"))
    held.describe_instances()
    arn = deny(iam, made, "i-00000001")
    assert arn == f"arn:aws:iam::{tenant.account}:policy/picket/picket/deny-i-00000001"
    for _ in range(2):
        iam.attach_role_policy(RoleName="node", PolicyArn=arn)
    refused("UnauthorizedOperation", held.describe_instances)
    free.describe_instances()
    iam.detach_role_policy(RoleName="node", PolicyArn=arn)
    held.describe_instances()


def test_a_policy_is_made_once_attached_if_it_is_there_and_deleted_when_it_is_free(tenant):
    iam = tenant.client("iam")
    made = role(iam, "node")
    arn = deny(iam, made, "i-00000001")
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        deny(iam, made, "i-00000001")
    message = refused("NoSuchEntity", iam.attach_role_policy, RoleName="node", PolicyArn=f"{arn}0")
    assert f"{arn}0" in message
    iam.attach_role_policy(RoleName="node", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.detach_role_policy(RoleName="node", PolicyArn=arn)
    refused("NoSuchEntity", iam.detach_role_policy, RoleName="node", PolicyArn=arn)
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(TRUST | {"Statement": [
        {"Effect": "Deny", "Action": "*", "Resource": "*"}]}))["PolicyVersion"]["VersionId"]
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)
    refused("NoSuchEntity", iam.delete_policy, PolicyArn=arn)


def test_an_instance_profile_tells_its_role_and_its_unique_id(tenant):
    iam = tenant.client("iam")
    made = role(iam, "node", "/nodes/")
    iam.create_instance_profile(InstanceProfileName="node", Path="/nodes/")
    assert iam.get_instance_profile(InstanceProfileName="node")["InstanceProfile"]["Roles"] == []
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    [found] = iam.get_instance_profile(InstanceProfileName="node")["InstanceProfile"]["Roles"]
    assert (found["RoleName"], found["RoleId"]) == ("node", made["RoleId"])
    refused("NoSuchEntity", iam.get_instance_profile, InstanceProfileName="no")


# --- the permissions of roles.yaml, statement by statement as they are deployed


def _plain(value, account):
    """A value of the template for a stack called picket that enforces."""
    if isinstance(value, list):
        return [made for made in (_plain(v, account) for v in value) if made is not None]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::If"}:
        return _plain(value["Fn::If"][1], account)
    if set(value) == {"Ref"}:
        return "picket"
    if set(value) == {"Fn::Sub"}:
        names = {"AWS::Partition": "aws", "AWS::AccountId": account, "AWS::Region": environment.REGION, "Stack": "picket", "EvidenceBucketArn": "arn:aws:s3:::evidence"}
        text = value["Fn::Sub"]
        for name, plain in names.items():
            text = text.replace(f"${{{name}}}", plain)
        return text
    return {key: _plain(kid, account) for key, kid in value.items()}


class _Short(yaml.SafeLoader):
    """CloudFormation's short forms as its long ones."""


def _long(loader, suffix, node):
    name = suffix if suffix == "Ref" else f"Fn::{suffix}"
    value = loader.construct_sequence(node, True) if isinstance(node, yaml.SequenceNode) else loader.construct_scalar(node)
    return {name: value}


_Short.add_multi_constructor("!", _long)


@pytest.fixture
def picket(tenant):
    """Clients of the roles as roles.yaml makes them: `picket("Respond", "ec2")`."""
    template = yaml.load(ROLES.read_text(), _Short)  # noqa: S506 - a SafeLoader
    iam, made = tenant.client("iam"), {}

    def client(name, service):
        if name not in made:
            [policy] = template["Resources"][f"{name}Role"]["Properties"]["Policies"]
            made[name] = role(iam, f"{name}Role", "/picket/picket/")
            document = json.dumps(_plain(policy["PolicyDocument"], tenant.account))
            iam.put_role_policy(RoleName=f"{name}Role", PolicyName=name, PolicyDocument=document)
            for more, resource in template["Resources"].items():
                if resource["Type"] == "AWS::IAM::ManagedPolicy" and resource["Properties"]["Roles"] == [{"Ref": f"{name}Role"}]:
                    document = json.dumps(_plain(resource["Properties"]["PolicyDocument"], tenant.account))
                    iam.put_role_policy(RoleName=f"{name}Role", PolicyName=more, PolicyDocument=document)
        return session(tenant, made[name], name, service)

    return client


def allowed(call, **parameters):
    """Whether the permission is there, whatever else becomes of the call."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
    return True


ONE_WAY = [
    ({"DisableApiTermination": {"Value": True}}, {"DisableApiTermination": {"Value": False}}),
    ({"InstanceInitiatedShutdownBehavior": {"Value": "stop"}}, {"InstanceInitiatedShutdownBehavior": {"Value": "terminate"}}),
]


@pytest.mark.parametrize(("does", "undoes"), ONE_WAY)
def test_each_attribute_is_granted_one_way(ec2, picket, does, undoes):
    [name] = run(ec2)
    for role_name, mine, other in (("Respond", does, undoes), ("Release", undoes, does)):
        client = picket(role_name, "ec2")
        client.modify_instance_attribute(InstanceId=name, **mine)
        refused("UnauthorizedOperation", client.modify_instance_attribute, InstanceId=name, **other)


@pytest.mark.parametrize("role_name", ["Respond", "Release"])
def test_no_other_attribute_may_be_set(ec2, picket, role_name):
    [name] = run(ec2)
    client = picket(role_name, "ec2")
    keep(client, name, instance(ec2, name)["BlockDeviceMappings"][0]["DeviceName"])
    others = [
        {"UserData": {"Value": b"#!/bin/sh"}},
        {"InstanceType": {"Value": "t3.large"}},
        {"SourceDestCheck": {"Value": False}},
        {"Groups": [instance(ec2, name)["SecurityGroups"][0]["GroupId"]]},
    ]
    for other in others:
        refused("UnauthorizedOperation", client.modify_instance_attribute, InstanceId=name, **other)


def test_the_metadata_service_is_granted_one_way_and_no_other_option(ec2, picket):
    [name] = run(ec2)
    for role_name, mine, other in (("Respond", "disabled", "enabled"), ("Release", "enabled", "disabled")):
        client = picket(role_name, "ec2")
        call = client.modify_instance_metadata_options
        call(InstanceId=name, HttpEndpoint=mine)
        refused("UnauthorizedOperation", call, InstanceId=name, HttpEndpoint=other)
        refused("UnauthorizedOperation", call, InstanceId=name, HttpTokens="optional")
        refused("UnauthorizedOperation", call, InstanceId=name, HttpEndpoint=mine, HttpTokens="optional")


def test_snapshots_may_only_be_made_with_their_case(ec2, picket):
    [name] = run(ec2)
    client = picket("Respond", "ec2")
    client.create_snapshots(**evidence(name, "c-1"))
    whole = {"InstanceSpecification": {"InstanceId": name}}
    refused("UnauthorizedOperation", client.create_snapshots, **whole)

    def with_tags(*pairs):
        return [{"ResourceType": "snapshot", "Tags": tags(*pairs)}]

    for pairs in ([("Name", "x")], [(CASE, "c"), (QUARANTINE, "picket")]):
        refused("UnauthorizedOperation", client.create_snapshots, **whole, TagSpecifications=with_tags(*pairs))
    [made] = ec2.describe_snapshots(Filters=[{"Name": f"tag:{CASE}", "Values": ["c-1"]}])["Snapshots"]
    refused("UnauthorizedOperation", client.delete_snapshot, SnapshotId=made["SnapshotId"])
    refused("UnauthorizedOperation", client.create_tags, Resources=[made["SnapshotId"]], Tags=tags((CASE, "c-2")))
    refused("UnauthorizedOperation", picket("Release", "ec2").create_snapshots, **evidence(name, "c-1"))


def test_only_the_case_may_be_tagged_and_only_a_release_takes_it_away(ec2, picket):
    [name] = run(ec2)
    respond, release = picket("Respond", "ec2"), picket("Release", "ec2")
    respond.create_tags(Resources=[name], Tags=tags((CASE, "c-1")))
    for pairs in (
        [("Name", "x")],
        [(CASE, "c-1"), ("Name", "x")],
        [(QUARANTINE, "picket")],
        [("Picket:Quarantine", "picket")],
        [("Picket:Case", "c-1")],
    ):
        refused("UnauthorizedOperation", respond.create_tags, Resources=[name], Tags=tags(*pairs))
    group_id = ec2.create_security_group(GroupName="g", Description="g", VpcId=default_vpc(ec2))["GroupId"]
    for pairs in ([(CASE, "c-1")], [(QUARANTINE, "picket")]):
        refused("UnauthorizedOperation", respond.create_tags, Resources=[group_id], Tags=tags(*pairs))
    refused("UnauthorizedOperation", respond.delete_tags, Resources=[name], Tags=[{"Key": CASE}])
    refused("UnauthorizedOperation", release.delete_tags, Resources=[name])
    refused("UnauthorizedOperation", release.delete_tags, Resources=[name], Tags=[{"Key": "Name"}])
    refused("UnauthorizedOperation", release.create_tags, Resources=[name], Tags=tags((CASE, "c-1")))
    release.delete_tags(Resources=[name], Tags=[{"Key": CASE}])
    assert not instance(ec2, name).get("Tags")


def test_a_quarantine_group_is_still_made_with_its_mark(ec2, picket):
    marked = [{"ResourceType": "security-group", "Tags": tags((QUARANTINE, "picket"), ("Name", "picket quarantine"))}]
    picket("Respond", "ec2").create_security_group(
        GroupName="q", Description="q", VpcId=default_vpc(ec2), TagSpecifications=marked
    )


def test_processes_and_targets_are_granted_one_way(ec2, scaling, balancing, picket):
    [name] = run(ec2)
    arn = target_group(balancing, ec2)
    registration = {"TargetGroupArn": arn, "Targets": [{"Id": name}]}
    for role_name, does in (("Respond", True), ("Release", False)):
        autoscaling, elb = picket(role_name, "autoscaling"), picket(role_name, "elbv2")
        assert allowed(autoscaling.suspend_processes, **processes("Launch")) is does
        assert allowed(autoscaling.resume_processes, **processes("Launch")) is not does
        assert allowed(elb.deregister_targets, **registration) is does
        assert allowed(elb.register_targets, **registration) is not does
        assert not allowed(autoscaling.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=0)


def test_only_our_denies_may_be_made_attached_detached_and_deleted_and_only_by_deny(tenant, picket):
    iam, made = tenant.client("iam"), role(tenant.client("iam"), "node", "/nodes/")
    writer = picket("Deny", "iam")
    arn = deny(writer, made, "i-00000001")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    other = iam.create_policy(PolicyName="deny-i-00000001", PolicyDocument=document)["Policy"]["Arn"]
    for path, name in (("/", "deny-i-00000002"), ("/picket/other/", "deny-i-00000002"), ("/picket/picket/", "x")):
        assert not allowed(writer.create_policy, Path=path, PolicyName=name, PolicyDocument=document)
    assert allowed(writer.get_policy_version, PolicyArn=arn, VersionId="v1")
    assert not allowed(writer.create_policy_version, PolicyArn=arn, PolicyDocument=document)
    for wrong in (other, "arn:aws:iam::aws:policy/AdministratorAccess"):
        assert not allowed(writer.attach_role_policy, RoleName="node", PolicyArn=wrong)
    role(iam, "RespondRole", "/picket/picket/")
    assert not allowed(writer.attach_role_policy, RoleName="RespondRole", PolicyArn=arn)
    writer.attach_role_policy(RoleName="node", PolicyArn=arn)
    iam.attach_role_policy(RoleName="node", PolicyArn=other)
    assert not allowed(writer.detach_role_policy, RoleName="node", PolicyArn=other)
    assert not allowed(writer.delete_policy, PolicyArn=other)
    writer.detach_role_policy(RoleName="node", PolicyArn=arn)
    writer.delete_policy(PolicyArn=arn)


@pytest.mark.parametrize("who", ["Respond", "Release"])
def test_nobody_else_may_write_a_policy(tenant, picket, who):
    iam = tenant.client("iam")
    made = role(iam, "node", "/nodes/")
    arn = deny(iam, made, "i-00000001")
    other = picket(who, "iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    name = {"Path": "/picket/picket/", "PolicyName": "deny-i-00000002", "PolicyDocument": document}
    assert not allowed(other.create_policy, **name)
    assert not allowed(other.attach_role_policy, RoleName="node", PolicyArn=arn)
    assert not allowed(other.detach_role_policy, RoleName="node", PolicyArn=arn)
    assert not allowed(other.delete_policy, PolicyArn=arn)


def test_respond_may_read_what_its_measures_need(tenant, ec2, balancing, picket):
    [name] = run(ec2)
    iam, arn = tenant.client("iam"), target_group(balancing, ec2)
    role(iam, "node")
    iam.create_instance_profile(InstanceProfileName="node", Path="/nodes/")
    assert allowed(picket("Respond", "iam").get_instance_profile, InstanceProfileName="node")
    assert allowed(picket("Respond", "ec2").describe_snapshots, OwnerIds=["self"])
    for which in ("disableApiTermination", "instanceInitiatedShutdownBehavior"):
        assert allowed(picket("Respond", "ec2").describe_instance_attribute, InstanceId=name, Attribute=which)
    assert allowed(picket("Respond", "elbv2").describe_target_groups)
    assert allowed(picket("Respond", "elbv2").describe_target_health, TargetGroupArn=arn)
    assert allowed(picket("Respond", "autoscaling").describe_auto_scaling_groups, AutoScalingGroupNames=["web"])


def test_addresses_acls_and_power_are_granted_one_way(ec2, picket):
    [name] = run(ec2)
    acl = ec2.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 7, "Egress": True}
    denial = {**entry, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "10.0.0.9/32"}
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    given = {"AllocationId": address, "NetworkInterfaceId": interface}
    association = ec2.associate_address(**given)["AssociationId"]
    for role_name, does in (("Release", False), ("Respond", True)):
        granted = picket(role_name, "ec2")
        assert allowed(granted.create_network_acl_entry, **denial) is does
        assert allowed(granted.disassociate_address, AssociationId=association) is does
        assert allowed(granted.stop_instances, InstanceIds=[name]) is does
        assert allowed(granted.modify_instance_attribute, InstanceId=name, DisableApiStop={"Value": False}) is does
    for role_name, does in (("Respond", False), ("Release", True)):
        granted = picket(role_name, "ec2")
        assert allowed(granted.delete_network_acl_entry, **entry) is does
        assert allowed(granted.associate_address, **given) is does
        assert allowed(granted.start_instances, InstanceIds=[name]) is does
        assert allowed(granted.modify_instance_attribute, InstanceId=name, DisableApiStop={"Value": True}) is does


def test_what_may_be_opened_is_never_a_quarantine_group(ec2, picket):
    vpc, respond = default_vpc(ec2), picket("Respond", "ec2")

    def made(key):
        tagged = [{"ResourceType": "security-group", "Tags": tags((key, "picket"))}]
        return respond.create_security_group(GroupName=key, Description=key, VpcId=vpc, TagSpecifications=tagged)["GroupId"]

    shut, opened = made(QUARANTINE), made("picket:open")
    world = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    assert not allowed(respond.authorize_security_group_ingress, GroupId=shut, IpPermissions=world)
    assert not allowed(respond.delete_security_group, GroupId=shut)
    assert allowed(respond.authorize_security_group_ingress, GroupId=opened, IpPermissions=world)
    assert allowed(respond.delete_security_group, GroupId=opened)
