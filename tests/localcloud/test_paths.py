"""What ends connections, freezes owners and keeps evidence behaves in the local cloud as in AWS."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from test_ec2 import default_vpc, instance, refused, run, subnet


def interface_of(ec2, name):
    return instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]


def shown(ec2, name):
    return ec2.describe_network_interfaces(NetworkInterfaceIds=[name])["NetworkInterfaces"][0]


# --- addresses


def test_an_address_that_aws_chose_is_taken_away_and_another_is_given(ec2):
    [name] = run(ec2)
    interface = interface_of(ec2, name)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, AssociatePublicIpAddress=True)
    first = shown(ec2, interface)["Association"]["PublicIp"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, AssociatePublicIpAddress=False)
    assert "Association" not in shown(ec2, interface)
    assert shown(ec2, interface)["Groups"], "the groups stay"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, AssociatePublicIpAddress=True)
    assert shown(ec2, interface)["Association"]["PublicIp"] != first


def test_an_elastic_ip_is_told_by_its_allocation_and_comes_back(ec2):
    [name] = run(ec2)
    interface, address = interface_of(ec2, name), ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface)
    association = shown(ec2, interface)["Association"]
    assert association["AllocationId"] == address["AllocationId"] and association["PublicIp"] == address["PublicIp"]
    ec2.disassociate_address(AssociationId=association["AssociationId"])
    refused("InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=association["AssociationId"])
    ec2.associate_address(
        AllocationId=address["AllocationId"], NetworkInterfaceId=interface, AllowReassociation=False
    )
    assert shown(ec2, interface)["Association"]["PublicIp"] == address["PublicIp"]


def test_an_elastic_ip_that_is_used_elsewhere_is_not_taken_from_there(ec2):
    first, second = (interface_of(ec2, name) for name in run(ec2, 2))
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=first)
    again = {"AllocationId": address, "NetworkInterfaceId": second, "AllowReassociation": False}
    refused("Resource.AlreadyAssociated", ec2.associate_address, **again)


# --- network ACLs


def deny(number, egress, acl):
    return {
        "NetworkAclId": acl,
        "RuleNumber": number,
        "Protocol": "-1",
        "RuleAction": "deny",
        "Egress": egress,
        "CidrBlock": "10.9.8.7/32",
    }


def test_an_entry_has_a_number_of_its_own_in_each_direction(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(**deny(99, False, acl))
    ec2.create_network_acl_entry(**deny(99, True, acl))
    refused("NetworkAclEntryAlreadyExists", ec2.create_network_acl_entry, **deny(99, True, acl))
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=99, Egress=True)
    entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    assert [(e["RuleNumber"], e["Egress"], e["RuleAction"]) for e in entries if e["RuleNumber"] == 99] == [(99, False, "deny")]
    gone = {"NetworkAclId": acl, "RuleNumber": 99, "Egress": True}
    refused("InvalidNetworkAclEntry.NotFound", ec2.delete_network_acl_entry, **gone)


# --- fleets and Spot


def test_a_fleet_that_keeps_its_capacity_is_changed_and_another_is_not(ec2):
    ec2.create_launch_template(LaunchTemplateName="miners", LaunchTemplateData={"ImageId": "ami-12345678", "InstanceType": "m5.large"})
    configs = [{"LaunchTemplateSpecification": {"LaunchTemplateName": "miners", "Version": "$Latest"}}]
    wanted = {"TotalTargetCapacity": 1, "OnDemandTargetCapacity": 1, "DefaultTargetCapacityType": "on-demand"}

    def fleet(kind):
        return ec2.create_fleet(Type=kind, LaunchTemplateConfigs=configs, TargetCapacitySpecification=wanted)["FleetId"]

    kept, once = fleet("maintain"), fleet("request")
    [member] = [i["InstanceId"] for i in ec2.describe_fleet_instances(FleetId=kept)["ActiveInstances"]]
    zero = {"TotalTargetCapacity": 0, "OnDemandTargetCapacity": 0}
    ec2.modify_fleet(FleetId=kept, ExcessCapacityTerminationPolicy="no-termination", TargetCapacitySpecification=zero)
    found = ec2.describe_fleets(FleetIds=[kept])["Fleets"][0]
    assert found["ExcessCapacityTerminationPolicy"] == "no-termination"
    assert found["TargetCapacitySpecification"]["TotalTargetCapacity"] == 0
    assert instance(ec2, member)["State"]["Name"] == "running"
    refused("InvalidParameterValue", ec2.modify_fleet, FleetId=once, TargetCapacitySpecification=zero)


# --- evidence


def test_a_locked_snapshot_is_not_deleted(ec2):
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=7)
    refused("SnapshotLocked", ec2.delete_snapshot, SnapshotId=snapshot)


def test_an_object_is_written_once_where_that_is_asked_for(tenant):
    s3 = tenant.client("s3")
    s3.create_bucket(Bucket=f"evidence-{tenant.account}")
    put = {"Bucket": f"evidence-{tenant.account}", "Key": "a/b.json", "IfNoneMatch": "*"}
    s3.put_object(Body=b"first", **put)
    try:
        s3.put_object(Body=b"second", **put)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.get_object(Bucket=put["Bucket"], Key=put["Key"])["Body"].read() == b"first"


# --- permissions


def test_an_association_is_ended_by_whoever_may_use_its_address_and_interface(tenant, ec2):
    [name] = run(ec2)
    interface, address = interface_of(ec2, name), ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, NetworkInterfaceId=interface)
    association = shown(ec2, interface)["Association"]["AssociationId"]
    base = f"arn:aws:ec2:*:{tenant.account}"

    def of(user, *kinds):
        allow = {"Effect": "Allow", "Action": "ec2:DisassociateAddress", "Resource": [f"{base}:{k}/*" for k in kinds]}
        return tenant.client("ec2", tenant.user(user, allow))

    refused("UnauthorizedOperation", of("half", "elastic-ip").disassociate_address, AssociationId=association)
    of("whole", "elastic-ip", "network-interface").disassociate_address(AssociationId=association)


def test_the_routes_and_gateways_of_a_vpc_are_read_by_its_id(ec2):
    vpc = default_vpc(ec2)
    within = [{"Name": "vpc-id", "Values": [vpc]}]
    gateway = ec2.create_nat_gateway(SubnetId=subnet(ec2), AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"])
    name = gateway["NatGateway"]["NatGatewayId"]
    found = ec2.describe_nat_gateways(Filters=within)["NatGateways"]
    assert [g["SubnetId"] for g in found if g["NatGatewayId"] == name] == [subnet(ec2)]
    assert ec2.describe_route_tables(Filters=within)["RouteTables"]
    assert json.dumps(ec2.describe_network_acls(Filters=within)["NetworkAcls"], default=str) != "[]"
