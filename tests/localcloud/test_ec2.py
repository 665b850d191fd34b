"""EC2 in the local cloud does what Picket relies on in AWS."""

from __future__ import annotations

import base64

import pytest
from botocore.exceptions import ClientError


def run(ec2, count=1, **more):
    launched = ec2.run_instances(ImageId="ami-12345678", MinCount=count, MaxCount=count, **more)
    return [instance["InstanceId"] for instance in launched["Instances"]]


def groups(ec2, *names):
    vpc = default_vpc(ec2)
    return [ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in names]


def default_vpc(ec2):
    return ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]


def subnet(ec2):
    return ec2.describe_subnets()["Subnets"][0]["SubnetId"]


def instance(ec2, name):
    return ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]


def ids(found):
    return [group["GroupId"] for group in found]


def refused(code, call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code
    return error.value.response["Error"]["Message"]


def test_a_launch_answers_pending_and_is_running_at_the_next_look(ec2):
    launched = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]
    assert launched["State"]["Name"] == "pending"
    assert instance(ec2, launched["InstanceId"])["State"]["Name"] == "running"


@pytest.mark.parametrize("kind", ["g5.48xlarge", "p4d.24xlarge", "g4dn.12xlarge", "p5.48xlarge", "t3.nano"])
def test_accelerated_instance_types_can_be_launched(ec2, kind):
    [name] = run(ec2, InstanceType=kind)
    assert instance(ec2, name)["InstanceType"] == kind


def test_an_interface_keeps_the_groups_it_was_given_in_order(ec2):
    one, two, three = groups(ec2, "one", "two", "three")
    [name] = run(ec2, SecurityGroupIds=[three, one])
    assert ids(instance(ec2, name)["SecurityGroups"]) == [three, one]
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[two, one, three])
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    assert ids(found["Groups"]) == [two, one, three]


def test_an_instance_shows_the_groups_of_its_primary_interface(ec2):
    one, quarantine = groups(ec2, "one", "quarantine")
    [name] = run(ec2, SecurityGroupIds=[one])
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[quarantine])
    assert ids(instance(ec2, name)["SecurityGroups"]) == [quarantine]
    assert ids(instance(ec2, name)["NetworkInterfaces"][0]["Groups"]) == [quarantine]


def test_groups_of_an_instance_with_one_interface_can_be_set_on_the_instance(ec2):
    one, two = groups(ec2, "one", "two")
    [name] = run(ec2, SecurityGroupIds=[one])
    ec2.modify_instance_attribute(InstanceId=name, Groups=[two])
    assert ids(instance(ec2, name)["NetworkInterfaces"][0]["Groups"]) == [two]
    assert ids(instance(ec2, name)["SecurityGroups"]) == [two]


def two_interfaces(ec2):
    one, two, three = groups(ec2, "one", "two", "three")
    place = subnet(ec2)
    interfaces = [
        {"DeviceIndex": 0, "SubnetId": place, "Groups": [one]},
        {"DeviceIndex": 1, "SubnetId": place, "Groups": [three, two]},
    ]
    [name] = run(ec2, NetworkInterfaces=interfaces)
    return name, one, two, three


def test_a_launch_with_several_interfaces_makes_each_with_its_own_groups(ec2):
    name, one, two, three = two_interfaces(ec2)
    shown = instance(ec2, name)
    assert [ids(interface["Groups"]) for interface in shown["NetworkInterfaces"]] == [[one], [three, two]]
    assert ids(shown["SecurityGroups"]) == [one]
    attached = [{"Name": "attachment.instance-id", "Values": [name]}]
    assert len(ec2.describe_network_interfaces(Filters=attached)["NetworkInterfaces"]) == 2


def test_groups_of_an_instance_with_several_interfaces_cannot_be_set_on_the_instance(ec2):
    name, one, *_ = two_interfaces(ec2)
    message = refused("InvalidInstanceID", ec2.modify_instance_attribute, InstanceId=name, Groups=[one])
    assert message.startswith(f"There are multiple interfaces attached to instance '{name}'")


def test_an_interface_can_be_made_and_attached_later(ec2):
    one, two = groups(ec2, "one", "two")
    [name] = run(ec2, SecurityGroupIds=[one], SubnetId=subnet(ec2))
    made = ec2.create_network_interface(SubnetId=subnet(ec2), Groups=[two])["NetworkInterface"]["NetworkInterfaceId"]
    attachment = ec2.attach_network_interface(NetworkInterfaceId=made, InstanceId=name, DeviceIndex=1)["AttachmentId"]
    assert [ids(nic["Groups"]) for nic in instance(ec2, name)["NetworkInterfaces"]] == [[one], [two]]
    refused("InvalidParameterValue", ec2.delete_network_interface, NetworkInterfaceId=made)
    ec2.detach_network_interface(AttachmentId=attachment)
    ec2.delete_network_interface(NetworkInterfaceId=made)
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=[made])


def test_an_unknown_group_is_an_error_and_changes_nothing(ec2):
    [one] = groups(ec2, "one")
    [name] = run(ec2, SecurityGroupIds=[one])
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    unknown = "sg-00000000000000000"
    refused("InvalidGroup.NotFound", ec2.modify_network_interface_attribute, NetworkInterfaceId=interface, Groups=[unknown])
    refused("InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=[unknown])
    refused("InvalidGroup.NotFound", ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1, SecurityGroupIds=[unknown])
    assert ids(instance(ec2, name)["SecurityGroups"]) == [one]


def test_interfaces_can_be_filtered(ec2):
    one, two = groups(ec2, "one", "two")
    [first] = run(ec2, SecurityGroupIds=[one])
    run(ec2, SecurityGroupIds=[two])
    interface = instance(ec2, first)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.create_tags(Resources=[interface], Tags=[{"Key": "picket", "Value": "yes"}])
    for name, value in (
        ("attachment.instance-id", first),
        ("group-id", one),
        ("tag:picket", "yes"),
        ("tag-key", "picket"),
        ("network-interface-id", interface),
    ):
        found = ec2.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])["NetworkInterfaces"]
        assert [nic["NetworkInterfaceId"] for nic in found] == [interface], name
    everywhere = [{"Name": "vpc-id", "Values": [default_vpc(ec2)]}]
    assert len(ec2.describe_network_interfaces(Filters=everywhere)["NetworkInterfaces"]) == 2


def listed(ec2, name, *values):
    found = ec2.describe_instances(Filters=[{"Name": name, "Values": list(values)}])["Reservations"]
    return [one["InstanceId"] for reservation in found for one in reservation["Instances"]]


def test_instances_can_be_filtered(ec2):
    one, two = groups(ec2, "one", "two")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "red"}]}]
    launched = ec2.run_instances(
        ImageId="ami-1", MinCount=1, MaxCount=1, SecurityGroupIds=[one], TagSpecifications=tags, ClientToken="token-1"
    )
    name = launched["Instances"][0]["InstanceId"]
    [other] = run(ec2, SecurityGroupIds=[two])
    ec2.stop_instances(InstanceIds=[other])
    for filter_name, value in (
        ("instance-id", name),
        ("reservation-id", launched["ReservationId"]),
        ("instance.group-id", one),
        ("network-interface.group-id", one),
        ("tag:team", "red"),
        ("tag-key", "team"),
        ("instance-state-name", "running"),
        ("client-token", "token-1"),
    ):
        assert listed(ec2, filter_name, value) == [name], filter_name
    assert sorted(listed(ec2, "vpc-id", default_vpc(ec2))) == sorted([name, other])
    assert listed(ec2, "vpc-id", "vpc-00000000") == []


def test_an_absent_instance_is_absent_under_a_filter_and_an_error_by_id(ec2):
    [name] = run(ec2)
    absent = "i-0123456789abcdef0"
    assert listed(ec2, "instance-id", name, absent) == [name]
    message = refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=[name, absent])
    assert absent in message


def test_instances_come_in_pages_of_instances(ec2):
    names = run(ec2, 7)
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    found = [[one["InstanceId"] for each in page["Reservations"] for one in each["Instances"]] for page in pages]
    assert [len(page) for page in found] == [5, 2]
    assert sorted(sum(found, [])) == sorted(names)
    refused("InvalidParameterValue", ec2.describe_instances, MaxResults=5, NextToken="nonsense")


def test_interfaces_and_groups_come_in_pages(ec2):
    groups(ec2, *(f"group-{number}" for number in range(6)))
    run(ec2, 6)
    for call, key in (("describe_network_interfaces", "NetworkInterfaces"), ("describe_security_groups", "SecurityGroups")):
        pages = list(ec2.get_paginator(call).paginate(PaginationConfig={"PageSize": 5}))
        assert [len(page[key]) for page in pages] == [5, len(pages[1][key])], call


def test_user_data_comes_back_as_it_was_given(ec2):
    text = "#!/bin/bash\ncurl -sfL https://get.k3s.io | sh -\n"
    [name] = run(ec2, UserData=text)
    found = ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(found).decode() == text
    [other] = run(ec2)
    assert ec2.describe_instance_attribute(InstanceId=other, Attribute="userData").get("UserData", {}) in ({}, {"Value": ""})


def test_metadata_options_are_kept(ec2):
    [name] = run(ec2, MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2})
    options = instance(ec2, name)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 2)
    ec2.modify_instance_metadata_options(InstanceId=name, HttpTokens="optional")
    options = instance(ec2, name)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("optional", 2)


def test_termination_protection_is_kept_and_holds(ec2):
    [name] = run(ec2)
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    found = ec2.describe_instance_attribute(InstanceId=name, Attribute="disableApiTermination")
    assert found["DisableApiTermination"]["Value"] is True
    refused("OperationNotPermitted", ec2.terminate_instances, InstanceIds=[name])
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": False})
    ec2.terminate_instances(InstanceIds=[name])


def test_a_launch_with_the_same_client_token_is_one_launch(ec2):
    first = run(ec2, ClientToken="same", InstanceType="t3.micro")
    assert run(ec2, ClientToken="same", InstanceType="t3.micro") == first
    more = {"ImageId": "ami-12345678", "MinCount": 1, "MaxCount": 1, "ClientToken": "same", "InstanceType": "g5.xlarge"}
    refused("IdempotentParameterMismatch", ec2.run_instances, **more)
    assert listed(ec2, "instance-state-name", "running") == first


def test_a_dry_run_changes_nothing(ec2):
    one, two = groups(ec2, "one", "two")
    [name] = run(ec2, SecurityGroupIds=[one])
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    permission = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    for call, parameters in (
        (ec2.terminate_instances, {"InstanceIds": [name]}),
        (ec2.modify_network_interface_attribute, {"NetworkInterfaceId": interface, "Groups": [two]}),
        (ec2.revoke_security_group_egress, {"GroupId": one, "IpPermissions": permission}),
        (ec2.run_instances, {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}),
    ):
        refused("DryRunOperation", call, DryRun=True, **parameters)
    assert ids(instance(ec2, name)["SecurityGroups"]) == [one]
    assert listed(ec2, "instance-state-name", "running") == [name]


def test_a_group_in_use_cannot_be_deleted(ec2):
    one, two, three = groups(ec2, "one", "two", "three")
    [name] = run(ec2, SecurityGroupIds=[one])
    pair = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": two}]}]
    ec2.authorize_security_group_ingress(GroupId=three, IpPermissions=pair)
    refused("DependencyViolation", ec2.delete_security_group, GroupId=one)
    refused("DependencyViolation", ec2.delete_security_group, GroupId=two)
    ec2.terminate_instances(InstanceIds=[name])
    ec2.delete_security_group(GroupId=one)
    ec2.delete_security_group(GroupId=three)
    ec2.delete_security_group(GroupId=two)


def test_a_terminated_instance_has_no_interface_and_no_group(ec2):
    [one] = groups(ec2, "one")
    [name] = run(ec2, SecurityGroupIds=[one])
    ec2.terminate_instances(InstanceIds=[name])
    shown = instance(ec2, name)
    assert shown["State"]["Name"] == "terminated"
    assert shown.get("NetworkInterfaces", []) == [] and shown.get("SecurityGroups", []) == []
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_group_name_is_unique_in_its_vpc(ec2):
    groups(ec2, "quarantine")
    refused(
        "InvalidGroup.Duplicate",
        ec2.create_security_group,
        GroupName="quarantine",
        Description="again",
        VpcId=default_vpc(ec2),
    )
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName="quarantine", Description="elsewhere", VpcId=other)


def test_a_group_can_be_made_with_tags(ec2):
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "picket:quarantine", "Value": "stack"}]}]
    made = ec2.create_security_group(
        GroupName="tagged", Description="d", VpcId=default_vpc(ec2), TagSpecifications=tags
    )["GroupId"]
    found = ec2.describe_security_groups(Filters=[{"Name": "tag:picket:quarantine", "Values": ["stack"]}])
    assert ids(found["SecurityGroups"]) == [made]


def test_a_new_group_lets_everything_out_until_that_is_revoked(ec2):
    [one] = groups(ec2, "one")
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [one]}])["SecurityGroupRules"]
    assert [(rule["IsEgress"], rule["IpProtocol"], rule["CidrIpv4"]) for rule in rules] == [(True, "-1", "0.0.0.0/0")]
    ec2.revoke_security_group_egress(GroupId=one, SecurityGroupRuleIds=[rules[0]["SecurityGroupRuleId"]])
    shown = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"][0]
    assert shown["IpPermissions"] == [] and shown["IpPermissionsEgress"] == []


def test_one_address_range_of_several_can_be_revoked(ec2):
    [one] = groups(ec2, "one")
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    both = {**world, "IpRanges": [{"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[both])
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[world])
    left = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"][0]["IpPermissions"]
    assert [item["CidrIp"] for item in left[0]["IpRanges"]] == ["10.0.0.0/8"]
    assert [item["CidrIpv6"] for item in left[0]["Ipv6Ranges"]] == ["::/0"]


def test_rules_can_be_modified_by_id_also_to_ipv6(ec2):
    [one] = groups(ec2, "one")
    rule = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443}
    made = ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[{**rule, "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]}])
    name = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    change = {"SecurityGroupRuleId": name, "SecurityGroupRule": {**rule, "CidrIpv6": "::/0"}}
    ec2.modify_security_group_rules(GroupId=one, SecurityGroupRules=[change])
    found = ec2.describe_security_group_rules(SecurityGroupRuleIds=[name])["SecurityGroupRules"][0]
    assert (found["CidrIpv6"], found["FromPort"]) == ("::/0", 6443)


def test_a_public_address_is_given_only_when_asked_for(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    place = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    [hidden] = run(ec2, SubnetId=place)
    [asked] = run(ec2, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": place, "AssociatePublicIpAddress": True}])
    ec2.modify_subnet_attribute(SubnetId=place, MapPublicIpOnLaunch={"Value": True})
    [mapped] = run(ec2, SubnetId=place)
    [declined] = run(ec2, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": place, "AssociatePublicIpAddress": False}])
    public = {name: "PublicIpAddress" in instance(ec2, name) for name in (hidden, asked, mapped, declined)}
    assert public == {hidden: False, asked: True, mapped: True, declined: False}
    interface = instance(ec2, asked)["NetworkInterfaces"][0]
    assert interface["Association"]["PublicIp"] == instance(ec2, asked)["PublicIpAddress"]
    shown = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface["NetworkInterfaceId"]])["NetworkInterfaces"][0]
    assert shown["Association"]["PublicIp"] == interface["Association"]["PublicIp"]
    assert "Association" not in instance(ec2, hidden)["NetworkInterfaces"][0]


def test_an_instance_profile_of_iam_can_be_launched_with(tenant, ec2):
    iam = tenant.client("iam")
    iam.create_role(RoleName="node", AssumeRolePolicyDocument="{}")
    iam.create_instance_profile(InstanceProfileName="node-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="node-profile", RoleName="node")
    [name] = run(ec2, IamInstanceProfile={"Name": "node-profile"})
    assert instance(ec2, name)["IamInstanceProfile"]["Arn"].endswith(":instance-profile/node-profile")


def test_a_call_that_is_not_implemented_says_so_at_once(ec2):
    message = refused("UnsupportedOperation", ec2.reset_network_interface_attribute, NetworkInterfaceId="eni-0")
    assert "ResetNetworkInterfaceAttribute" in message


def test_launch_templates_carry_user_data_and_groups(ec2):
    [one] = groups(ec2, "one")
    data = {"ImageId": "ami-1", "InstanceType": "g5.xlarge", "SecurityGroupIds": [one], "UserData": "aGVsbG8="}
    ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)
    made = ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "nodes"})["Instances"][0]
    shown = instance(ec2, made["InstanceId"])
    assert (shown["InstanceType"], ids(shown["SecurityGroups"])) == ("g5.xlarge", [one])
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="nodes")["LaunchTemplateVersions"]
    assert versions[0]["LaunchTemplateData"]["UserData"] == "aGVsbG8="


def test_ipv6_egress_rules_are_revoked_in_a_vpc_without_ipv6(ec2):
    group = ec2.create_security_group(GroupName="six", Description="six", VpcId=default_vpc(ec2))["GroupId"]
    six = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=six)
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=found)
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"] == []


def test_characters_that_no_reply_could_show_are_refused(ec2):
    [name] = run(ec2)
    refused("InvalidParameterValue", ec2.create_tags, Resources=[name], Tags=[{"Key": "Name", "Value": "a\x07b"}])
    assert instance(ec2, name).get("Tags", []) == []
