"""IAM is enforced on EC2 as AWS does it: on every resource of a call, with that resource's tags."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from test_ec2 import default_vpc, ids, instance, refused, run, subnet

DESCRIBE = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}


def allow(action, resource, **condition):
    statement = {"Effect": "Allow", "Action": f"ec2:{action}", "Resource": f"arn:aws:ec2:*:*:{resource}/*"}
    return {**statement, "Condition": condition} if condition else statement


def tagged_group(ec2, name, stack=None):
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "picket:quarantine", "Value": stack}]}] if stack else []
    return ec2.create_security_group(
        GroupName=name, Description=name, VpcId=default_vpc(ec2), TagSpecifications=tags
    )["GroupId"]


def interface_of(ec2, name):
    return instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]


@pytest.fixture
def responder(tenant):
    """A user with the least privilege of a quarantine: any interface, but only this stack's quarantine groups."""
    own = {"StringEquals": {"aws:ResourceTag/picket:quarantine": "picket"}}
    key = tenant.user(
        "responder",
        DESCRIBE,
        allow("ModifyNetworkInterfaceAttribute", "network-interface"),
        allow("ModifyNetworkInterfaceAttribute", "instance"),
        allow("ModifyNetworkInterfaceAttribute", "security-group", **own),
    )
    return tenant.client("ec2", key)


def test_a_quarantine_group_may_be_set_and_no_other(ec2, responder):
    [name] = run(ec2)
    own, other, plain = tagged_group(ec2, "q", "picket"), tagged_group(ec2, "o", "other"), tagged_group(ec2, "p")
    interface = interface_of(ec2, name)
    responder.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[own])
    assert ids(instance(ec2, name)["SecurityGroups"]) == [own]
    for group in (other, plain):
        message = refused(
            "UnauthorizedOperation",
            responder.modify_network_interface_attribute,
            NetworkInterfaceId=interface,
            Groups=[group],
        )
        assert f"security-group/{group}" in message and "user/responder" in message
    refused(
        "UnauthorizedOperation",
        responder.modify_network_interface_attribute,
        NetworkInterfaceId=interface,
        Groups=[own, plain],
    )
    assert ids(instance(ec2, name)["SecurityGroups"]) == [own]


def test_the_attached_instance_needs_permission_too(tenant, ec2):
    key = tenant.user(
        "half",
        allow("ModifyNetworkInterfaceAttribute", "network-interface"),
        allow("ModifyNetworkInterfaceAttribute", "security-group"),
    )
    [name] = run(ec2)
    own = tagged_group(ec2, "q", "picket")
    client = tenant.client("ec2", key)
    message = refused(
        "UnauthorizedOperation",
        client.modify_network_interface_attribute,
        NetworkInterfaceId=interface_of(ec2, name),
        Groups=[own],
    )
    assert f"instance/{name}" in message
    free = ec2.create_network_interface(SubnetId=subnet(ec2))["NetworkInterface"]["NetworkInterfaceId"]
    client.modify_network_interface_attribute(NetworkInterfaceId=free, Groups=[own])


def test_a_protected_instance_can_be_denied_by_its_tag(tenant, ec2):
    never = {
        "Effect": "Deny",
        "Action": "ec2:ModifyNetworkInterfaceAttribute",
        "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {"StringEquals": {"ec2:ResourceTag/picket:never": "true"}},
    }
    key = tenant.user("careful", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}, never)
    [name, protected] = run(ec2, 2)
    ec2.create_tags(Resources=[protected], Tags=[{"Key": "picket:never", "Value": "true"}])
    own = tagged_group(ec2, "q")
    client = tenant.client("ec2", key)
    client.modify_network_interface_attribute(NetworkInterfaceId=interface_of(ec2, name), Groups=[own])
    message = refused(
        "UnauthorizedOperation",
        client.modify_network_interface_attribute,
        NetworkInterfaceId=interface_of(ec2, protected),
        Groups=[own],
    )
    assert "explicit deny" in message


def test_the_attribute_and_the_vpc_are_condition_keys(tenant, ec2):
    [name] = run(ec2)
    own = tagged_group(ec2, "q")
    interface = interface_of(ec2, name)
    vpc = f"arn:aws:ec2:us-east-1:{tenant.account}:vpc/{default_vpc(ec2)}"
    condition = {
        "StringEquals": {"ec2:Attribute": "Groups", "ec2:Attribute/Groups": json.dumps([own])},
        "ArnEquals": {"ec2:Vpc": vpc},
    }
    resources = [allow("ModifyNetworkInterfaceAttribute", kind, **condition) for kind in ("network-interface", "security-group")]
    key = tenant.user("narrow", *resources, allow("ModifyNetworkInterfaceAttribute", "instance"))
    client = tenant.client("ec2", key)
    client.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[own])
    refused(
        "UnauthorizedOperation",
        client.modify_network_interface_attribute,
        NetworkInterfaceId=interface,
        SourceDestCheck={"Value": False},
    )


def test_a_group_may_only_be_made_with_the_tag_of_the_stack(tenant, ec2):
    tag = {"StringEquals": {"aws:RequestTag/picket:quarantine": "picket"}}
    creating = {
        "StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["picket:quarantine"]},
    }
    key = tenant.user(
        "maker",
        allow("CreateSecurityGroup", "vpc"),
        allow("CreateSecurityGroup", "security-group", **tag),
        allow("CreateTags", "security-group", **creating),
    )
    client = tenant.client("ec2", key)
    request = {"GroupName": "q", "Description": "q", "VpcId": default_vpc(ec2)}

    def tags(**pairs):
        return [{"ResourceType": "security-group", "Tags": [{"Key": k.replace("_", ":"), "Value": v} for k, v in pairs.items()]}]

    refused("UnauthorizedOperation", client.create_security_group, **request)
    refused("UnauthorizedOperation", client.create_security_group, **request, TagSpecifications=tags(picket_quarantine="no"))
    more = tags(picket_quarantine="picket", other="x")
    refused("UnauthorizedOperation", client.create_security_group, **request, TagSpecifications=more)
    made = client.create_security_group(**request, TagSpecifications=tags(picket_quarantine="picket"))["GroupId"]
    refused("UnauthorizedOperation", client.create_tags, Resources=[made], Tags=[{"Key": "picket:quarantine", "Value": "x"}])


def test_rules_may_only_be_revoked_from_the_tagged_group(tenant, ec2):
    own = {"StringEquals": {"aws:ResourceTag/picket:quarantine": "picket"}}
    key = tenant.user("revoker", allow("RevokeSecurityGroupEgress", "security-group", **own))
    client = tenant.client("ec2", key)
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    client.revoke_security_group_egress(GroupId=tagged_group(ec2, "q", "picket"), IpPermissions=everything)
    by_id = tagged_group(ec2, "q2", "picket")
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [by_id]}])["SecurityGroupRules"]
    client.revoke_security_group_egress(GroupId=by_id, SecurityGroupRuleIds=[rules[0]["SecurityGroupRuleId"]])
    other = tagged_group(ec2, "o")
    refused("UnauthorizedOperation", client.revoke_security_group_egress, GroupId=other, IpPermissions=everything)


def test_permission_is_checked_before_dry_run(tenant, ec2, responder):
    [name] = run(ec2)
    refused("UnauthorizedOperation", responder.terminate_instances, InstanceIds=[name], DryRun=True)
    own = tagged_group(ec2, "q", "picket")
    refused(
        "DryRunOperation",
        responder.modify_network_interface_attribute,
        NetworkInterfaceId=interface_of(ec2, name),
        Groups=[own],
        DryRun=True,
    )


def test_an_unknown_key_is_refused(tenant):
    stranger = tenant.client("ec2", ("AKIAXXXXXXXXXXXXXXXX", "secret"))
    with pytest.raises(ClientError) as error:
        stranger.describe_instances()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (401, 403)


def test_other_services_enforce_policies_too(tenant):
    client = tenant.client("sqs", tenant.user("nobody", DESCRIBE))
    with pytest.raises(ClientError) as error:
        client.create_queue(QueueName="mine")
    assert "AccessDenied" in str(error.value)
