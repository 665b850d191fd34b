"""What outlives a change of groups is cut, owners are frozen, evidence is kept; a release puts back what can be."""

from __future__ import annotations

import pytest
import base64
import json

from deployment import MINER, eventually, unique
from test_securing import secured


def running(picket, place, **more):
    """An instance that has booted: its connections are tracked, since its group lets only SSH in."""
    [instance] = picket.launch("platform", place, [picket.new_group(place, 22)], **more)
    up = lambda: state_of(picket, instance) == "running"  # noqa: E731
    eventually(up, f"{instance} runs")
    return instance


def described(picket, instance):
    return picket.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]


def state_of(picket, instance):
    return described(picket, instance)["State"]["Name"]


def word_of(picket, instance):
    """How the alert calls the instance's interfaces."""
    alert = picket.alert_about(instance, "QUARANTINED")
    return [line for line in alert["Message"].splitlines() if "eni-" in line][0]


# --- connections


def test_an_elastic_ip_is_taken_away_and_given_back(picket, place):
    instance = running(picket, place)
    [interface] = picket.interfaces_of(instance)
    address = picket.ec2.allocate_address(Domain="vpc")
    picket.ec2.associate_address(
        AllocationId=address["AllocationId"], NetworkInterfaceId=interface["NetworkInterfaceId"]
    )
    internet(picket, place)
    picket.invoke_quarantine(instance)
    assert "Association" not in picket.interfaces_of(instance)[0]
    assert "PENDING" in word_of(picket, instance) and "its ways out are cut" in word_of(picket, instance)
    secured(picket, instance)
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    assert picket.interfaces_of(instance)[0]["Association"]["PublicIp"] == address["PublicIp"]


def test_an_address_that_aws_chose_goes_and_the_release_says_that_another_came(picket, place):
    instance = running(picket, place)
    name = picket.interfaces_of(instance)[0]["NetworkInterfaceId"]
    picket.ec2.modify_network_interface_attribute(NetworkInterfaceId=name, AssociatePublicIpAddress=True)
    first = picket.interfaces_of(instance)[0]["Association"]["PublicIp"]
    internet(picket, place)
    picket.invoke_quarantine(instance)
    assert "Association" not in picket.interfaces_of(instance)[0]
    secured(picket, instance)
    released = picket.invoke_release(instances=[instance])
    assert any(first in line and "cannot come back" in line for line in released["undone"]), released["undone"]
    assert picket.interfaces_of(instance)[0]["Association"]["PublicIp"] != first


def test_an_address_that_the_policy_protects_stays_and_the_alert_says_why(picket, place):
    picket.apply_policy("version: 1\nmode: enforce\nflows: {drop_address: never}\n")
    instance = running(picket, place)
    name = picket.interfaces_of(instance)[0]["NetworkInterfaceId"]
    picket.ec2.modify_network_interface_attribute(NetworkInterfaceId=name, AssociatePublicIpAddress=True)
    internet(picket, place)
    picket.invoke_quarantine(instance)
    assert "Association" in picket.interfaces_of(instance)[0]
    assert "flows.drop_address" in word_of(picket, instance)


def test_behind_a_nat_gateway_an_instance_is_denied_in_the_gateway_s_network_acl(picket, place):
    acl = behind_a_gateway(picket, place)
    instance = running(picket, place)
    address = picket.interfaces_of(instance)[0]["PrivateIpAddress"]
    before = entries_of(picket, acl)
    picket.invoke_quarantine(instance)
    denied = [e for e in entries_of(picket, acl) if e["CidrBlock"] == f"{address}/32"]
    assert sorted(e["Egress"] for e in denied) == [False, True], denied
    assert {(e["RuleAction"], e["Protocol"], e["RuleNumber"]) for e in denied} == {("deny", "-1", 99)}
    assert "its ways out are cut" in word_of(picket, instance)
    secured(picket, instance)
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    assert entries_of(picket, acl) == before


def test_two_instances_behind_one_gateway_get_numbers_of_their_own_and_go_one_by_one(picket, place):
    acl = behind_a_gateway(picket, place)
    first, second = running(picket, place), running(picket, place)
    before = entries_of(picket, acl)
    picket.invoke_quarantine(first, second)
    assert len(entries_of(picket, acl)) == len(before) + 4
    for instance in (first, second):
        secured(picket, instance)
    picket.invoke_release(instances=[first])
    other = picket.interfaces_of(second)[0]["PrivateIpAddress"]
    left = [e for e in entries_of(picket, acl) if e not in before]
    assert {e["CidrBlock"] for e in left} == {f"{other}/32"} and len(left) == 2
    picket.invoke_release(instances=[second])
    assert entries_of(picket, acl) == before


def test_what_nothing_else_ends_is_stopped_where_the_policy_says_so_and_started_by_the_release(picket, place):
    picket.apply_policy("version: 1\nmode: enforce\nflows: {deny_at_gateway: false, stop: true}\n")
    behind_a_gateway(picket, place)
    instance = running(picket, place)
    picket.ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
    picket.invoke_quarantine(instance)
    secured(picket, instance)
    eventually(lambda: state_of(picket, instance) == "stopped", f"{instance} is stopped")
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    eventually(lambda: state_of(picket, instance) == "running", f"{instance} runs again")


def internet(picket, place):
    """An internet gateway, and the way to it."""
    gateway = picket.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    picket.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=place.vpc)
    route(picket, place, GatewayId=gateway)


def route(picket, place, **target):
    table = picket.ec2.create_route_table(VpcId=place.vpc)["RouteTable"]["RouteTableId"]
    picket.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
    picket.ec2.associate_route_table(RouteTableId=table, SubnetId=place.subnet)


def behind_a_gateway(picket, place):
    """A NAT gateway in a subnet of its own with an ACL of its own, which is returned."""
    outside = picket.ec2.create_subnet(VpcId=place.vpc, CidrBlock="10.0.16.0/20")["Subnet"]["SubnetId"]
    address = picket.ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = picket.ec2.create_nat_gateway(SubnetId=outside, AllocationId=address)["NatGateway"]["NatGatewayId"]
    route(picket, place, NatGatewayId=gateway)
    acl = picket.ec2.create_network_acl(VpcId=place.vpc)["NetworkAcl"]["NetworkAclId"]
    within = [{"Name": "association.subnet-id", "Values": [outside]}]
    found = picket.ec2.describe_network_acls(Filters=within)["NetworkAcls"][0]["Associations"]
    [association] = [a["NetworkAclAssociationId"] for a in found if a["SubnetId"] == outside]
    picket.ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    for egress in (False, True):
        allow = {"Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
        picket.ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=egress, **allow)
    return acl


def entries_of(picket, acl):
    found = picket.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    return sorted(found, key=lambda e: (e["Egress"], e["RuleNumber"]))


# --- interfaces


def test_the_open_window_is_not_opened_where_only_the_policy_allows_it(picket, place):
    picket.apply_policy("version: 1\nmode: enforce\nflows: {open_window: true}\n")
    instance = running(picket, place)
    picket.invoke_quarantine(instance)
    assert picket.contained(place, instance), "the stack does not allow it, and containment goes on without it"
    marked = [{"Name": "tag-key", "Values": ["picket:open"]}]
    assert picket.ec2.describe_security_groups(Filters=marked)["SecurityGroups"] == []


# --- owners


def members_of(picket, place, name, *tags):
    """Members of an Auto Scaling group that an attacker made, with tags that reach them."""
    scaling, template = picket.client("autoscaling"), unique("miners")
    data = {
        "ImageId": "ami-12345678",
        "InstanceType": "g5.48xlarge",
        "SecurityGroupIds": [picket.new_group(place, -1, user="ci-bot")],
        "UserData": base64.b64encode(MINER.encode()).decode(),
    }
    picket.ec2_of("ci-bot").create_launch_template(LaunchTemplateName=template, LaunchTemplateData=data)
    tagged = [
        {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": k, "Value": v, "PropagateAtLaunch": True}
        for k, v in tags
    ]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": template, "Version": "$Latest"},
        MinSize=1,
        MaxSize=2,
        DesiredCapacity=1,
        VPCZoneIdentifier=place.subnet,
        Tags=tagged,
    )
    group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    return group["AutoScalingGroupARN"], [i["InstanceId"] for i in group["Instances"]]


def test_the_ecs_capacity_provider_of_what_is_wholly_held_scales_no_more_until_the_release(picket, place):
    ecs, name = picket.client("ecs"), unique("ecs")
    arn, members = members_of(picket, place, name, ("AmazonECSManaged", ""))
    ecs.create_capacity_provider(
        name=name,
        autoScalingGroupProvider={
            "autoScalingGroupArn": arn,
            "managedScaling": {"status": "ENABLED", "targetCapacity": 80, "maximumScalingStepSize": 7},
        },
    )

    def scaling():
        [found] = ecs.describe_capacity_providers(capacityProviders=[name])["capacityProviders"]
        return found["autoScalingGroupProvider"]["managedScaling"]

    before = scaling()
    picket.invoke_quarantine(*members)
    off = {**before, "status": "DISABLED"}
    eventually(lambda: scaling() == off, "the provider scales no more, by the order or by what events woke")
    for member in members:
        secured(picket, member)
    picket.invoke_release(instances=members)
    assert scaling() == before


def test_the_batch_compute_environment_of_what_is_wholly_held_is_disabled_until_the_release(picket, place):
    batch, name = picket.client("batch"), unique("jobs")
    batch.create_compute_environment(computeEnvironmentName=name, type="UNMANAGED", state="ENABLED")
    _, members = members_of(picket, place, f"{name}-asg-0e1f", ("AWSBatchServiceTag", "batch"))

    def state():
        return batch.describe_compute_environments(computeEnvironments=[name])["computeEnvironments"][0]["state"]

    picket.invoke_quarantine(*members)
    eventually(lambda: state() == "DISABLED", "the environment is disabled, by the order or by what events woke")
    for member in members:
        secured(picket, member)
    picket.invoke_release(instances=members)
    assert state() == "ENABLED"


def test_a_karpenter_node_that_no_credential_reaches_is_held_and_the_alert_says_what_a_person_has_to_do(picket, place):
    instance = running(picket, place)
    tags = {"karpenter.sh/nodepool": "general", "eks:eks-cluster-name": "prod"}
    picket.ec2.create_tags(Resources=[instance], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    picket.invoke_quarantine(instance)
    alert = picket.alert_about(instance, "QUARANTINED")
    assert "do-not-disrupt" in alert["Message"], alert["Message"]


# --- evidence


def test_what_is_known_of_an_instance_is_kept_once_and_outlives_the_release(picket, place):
    [instance] = picket.launch_miner(place)
    case = secured(picket, instance)["case"]
    s3 = picket.client("s3")
    [bucket] = [b["Name"] for b in s3.list_buckets()["Buckets"] if "evidence" in b["Name"].lower()]
    key = f"{picket.account}/{picket.region}/{case}/{instance}/evidence.json"
    kept = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert base64.b64decode(kept["user_data_base64"]).decode() == MINER
    assert kept["instance"]["id"] == instance and kept["interfaces"][0]["groups"]
    picket.invoke_release(instances=[instance])
    assert len(s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]) == 1
    volumes = [d["Ebs"]["VolumeId"] for d in described(picket, instance)["BlockDeviceMappings"]]
    tags = [t["Key"] for v in picket.ec2.describe_volumes(VolumeIds=volumes)["Volumes"] for t in v.get("Tags", [])]
    assert "picket:case" not in tags
