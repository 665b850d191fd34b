"""What the functions' roles may not do, tried with their own sessions."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


def refused(call, *args, **kwargs):
    """The code with which AWS refuses the call."""
    with pytest.raises(ClientError) as error:
        call(*args, **kwargs)
    return error.value.response["Error"]["Code"]


def test_respond_may_set_no_other_group_than_a_quarantine_group(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    [interface], other = picket.groups_of(instance), picket.new_group(place, 443)
    before = picket.groups_of(instance)
    ec2 = picket.client("ec2", picket.session_of("respond"))
    groups = {"NetworkInterfaceId": interface, "Groups": [other]}
    assert refused(ec2.modify_network_interface_attribute, **groups) == "UnauthorizedOperation"
    decoy = picket.ec2.create_security_group(
        GroupName="decoy", Description="x", VpcId=place.vpc,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": "picket:quarantine", "Value": "other"}]}],
    )["GroupId"]  # fmt: skip
    groups = {"NetworkInterfaceId": interface, "Groups": [decoy]}
    assert refused(ec2.modify_network_interface_attribute, **groups) == "UnauthorizedOperation"
    assert picket.groups_of(instance) == before


def test_respond_may_neither_open_a_group_nor_tag_one_nor_end_an_instance(picket, place):
    [instance], group = picket.launch("platform", place, [picket.new_group(place)]), picket.new_group(place)
    ec2, mark = picket.client("ec2", picket.session_of("respond")), [{"Key": "picket:quarantine", "Value": "picket"}]
    ssh = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    codes = {
        refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=ssh),
        refused(ec2.create_tags, Resources=[group], Tags=mark),
        refused(ec2.terminate_instances, InstanceIds=[instance]),
        refused(ec2.create_security_group, GroupName="plain", Description="plain", VpcId=place.vpc),
        refused(ec2.delete_security_group, GroupId=group),
    }
    assert codes == {"UnauthorizedOperation"}


@pytest.mark.parametrize("function", ["discover", "sweep", "assess", "notify"])
def test_no_other_function_may_change_the_groups_of_an_interface(picket, place, function):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    [interface], group = picket.groups_of(instance), picket.new_group(place)
    ec2 = picket.client("ec2", picket.session_of(function))
    call = {"NetworkInterfaceId": interface, "Groups": [group]}
    assert refused(ec2.modify_network_interface_attribute, **call) == "UnauthorizedOperation"


@pytest.mark.parametrize("function", ["assess", "notify"])
def test_assess_and_notify_may_not_even_look_at_instances(picket, function):
    ec2 = picket.client("ec2", picket.session_of(function))
    assert refused(ec2.describe_instances) == "UnauthorizedOperation"


def test_notify_may_not_touch_holds_or_the_policy(picket):
    table = picket.client("dynamodb", picket.session_of("notify"))
    for pk in ("policy", f"hold#{picket.account}#{picket.region}"):
        item = {"pk": {"S": pk}, "sk": {"S": "current"}, "text": {"S": "version: 1\nmode: observe\n"}}
        assert refused(table.put_item, TableName=f"{picket.stack}-state", Item=item) == "AccessDeniedException"


def test_in_observe_mode_respond_is_granted_no_change_at_all(watch):
    place = watch.new_place()
    ec2 = watch.client("ec2", watch.session_of("respond"))
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "picket:quarantine", "Value": watch.stack}]}]
    request = {"GroupName": "q", "Description": "q", "VpcId": place.vpc, "TagSpecifications": tags}
    assert refused(ec2.create_security_group, **request) == "UnauthorizedOperation"
    group = watch.ec2.create_security_group(**request)["GroupId"]
    [instance] = watch.launch("platform", place, [watch.new_group(place)])
    [interface] = watch.groups_of(instance)
    call = {"NetworkInterfaceId": interface, "Groups": [group]}
    assert refused(ec2.modify_network_interface_attribute, **call) == "UnauthorizedOperation"
