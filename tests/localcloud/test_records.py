"""Records and events have the shapes of the real ones, name their caller, and can be looked up."""

from __future__ import annotations

import json
import time

from test_ec2 import default_vpc, groups, instance, refused, run, subnet

PERMISSION = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_a_launch_arrives_as_a_cloudtrail_event_and_state_changes(tenant, ec2):
    received = tenant.queue_of({"source": ["aws.ec2"]}, "launches")
    [name] = run(ec2)
    record, pending, running = received(3)
    assert set(record) == {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert (record["detail-type"], record["account"]) == ("AWS API Call via CloudTrail", tenant.account)
    assert record["detail"]["eventName"] == "RunInstances"
    for event, state in ((pending, "pending"), (running, "running")):
        assert event["detail-type"] == "EC2 Instance State-change Notification"
        assert event["detail"] == {"instance-id": name, "state": state}
        assert event["resources"] == [f"arn:aws:ec2:us-east-1:{tenant.account}:instance/{name}"]


def test_a_launch_has_the_shape_of_a_real_record(tenant, ec2):
    [one] = groups(ec2, "one")
    place = subnet(ec2)
    run(
        ec2,
        2,
        InstanceType="t3.nano",
        UserData="#!/bin/sh",
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": place, "Groups": [one]}],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "x"}]}],
    )
    record = tenant.record("RunInstances")
    asked = record["requestParameters"]
    assert asked["instancesSet"] == {"items": [{"imageId": "ami-12345678", "minCount": 2, "maxCount": 2}]}
    assert asked["networkInterfaceSet"]["items"] == [
        {"deviceIndex": 0, "subnetId": place, "groupSet": {"items": [{"groupId": one}]}}
    ]
    assert asked["tagSpecificationSet"]["items"] == [{"resourceType": "instance", "tags": [{"key": "Name", "value": "x"}]}]
    assert (asked["instanceType"], asked["userData"]) == ("t3.nano", "<sensitiveDataRemoved>")
    answered = record["responseElements"]
    assert answered["reservationId"].startswith("r-") and answered["groupSet"] == {}
    first, second = answered["instancesSet"]["items"]
    assert first["instanceState"] == {"code": 0, "name": "pending"}
    assert (first["subnetId"], first["vpcId"]) == (place, default_vpc(ec2))
    assert isinstance(first["launchTime"], int) and abs(first["launchTime"] / 1000 - time.time()) < 60
    interface = first["networkInterfaceSet"]["items"][0]
    assert interface["networkInterfaceId"].startswith("eni-")
    assert interface["groupSet"] == {"items": [{"groupId": one, "groupName": "one"}]}
    assert interface["tagSet"] == {} if "tagSet" in interface else True
    assert (first["amiLaunchIndex"], second["amiLaunchIndex"]) == (0, 1)


def test_rules_of_a_group_have_the_shape_of_a_real_record(tenant, ec2):
    [one] = groups(ec2, "one")
    ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[PERMISSION])
    record = tenant.record("AuthorizeSecurityGroupIngress")
    assert record["requestParameters"] == {
        "groupId": one,
        "ipPermissions": {
            "items": [
                {
                    "ipProtocol": "tcp",
                    "fromPort": 22,
                    "toPort": 22,
                    "groups": {},
                    "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
                    "ipv6Ranges": {},
                    "prefixListIds": {},
                }
            ]
        },
    }
    assert record["responseElements"]["_return"] is True
    rule = record["responseElements"]["securityGroupRuleSet"]["items"][0]
    assert (rule["groupId"], rule["isEgress"], rule["fromPort"], rule["cidrIpv4"]) == (one, False, 22, "0.0.0.0/0")
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[PERMISSION])
    assert tenant.record("RevokeSecurityGroupIngress")["responseElements"]["_return"] is True


def test_newer_calls_are_recorded_in_their_own_dialect(tenant, ec2):
    [one] = groups(ec2, "one")
    rule = ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[PERMISSION])["SecurityGroupRules"][0]
    name = rule["SecurityGroupRuleId"]
    new = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8"}
    ec2.modify_security_group_rules(
        GroupId=one, SecurityGroupRules=[{"SecurityGroupRuleId": name, "SecurityGroupRule": new}]
    )
    asked = tenant.record("ModifySecurityGroupRules")["requestParameters"]["ModifySecurityGroupRulesRequest"]
    assert asked == {"GroupId": one, "SecurityGroupRule": {"SecurityGroupRuleId": name, "SecurityGroupRule": new, "tag": 1}}
    data = {"ImageId": "ami-1", "InstanceType": "g5.xlarge", "UserData": "aGVsbG8=", "SecurityGroupIds": [one]}
    ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)
    asked = tenant.record("CreateLaunchTemplate")["requestParameters"]["CreateLaunchTemplateRequest"]
    assert asked["LaunchTemplateName"] == "nodes"
    shown = asked["LaunchTemplateData"]
    assert (shown["InstanceType"], shown["UserData"]) == ("g5.xlarge", "<sensitiveDataRemoved>")
    assert shown["SecurityGroupId"] == {"tag": 1, "content": one}


def test_changes_of_an_instance_are_recorded(tenant, ec2):
    [one] = groups(ec2, "one")
    [name] = run(ec2)
    ec2.modify_instance_attribute(InstanceId=name, DisableApiTermination={"Value": True})
    assert tenant.record("ModifyInstanceAttribute")["requestParameters"] == {
        "instanceId": name,
        "disableApiTermination": {"value": True},
    }
    ec2.modify_instance_attribute(InstanceId=name, Groups=[one])
    asked = {"instanceId": name, "groupSet": {"items": [{"groupId": one}]}}
    assert tenant.record("ModifyInstanceAttribute", requestParameters=asked)
    interface = instance(ec2, name)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[one])
    assert tenant.record("ModifyNetworkInterfaceAttribute")["requestParameters"] == {
        "networkInterfaceId": interface,
        "groupSet": {"items": [{"groupId": one}]},
    }
    ec2.create_tags(Resources=[name], Tags=[{"Key": "a", "Value": "b"}])
    assert tenant.record("CreateTags")["requestParameters"] == {
        "resourcesSet": {"items": [{"resourceId": name}]},
        "tagSet": {"items": [{"key": "a", "value": "b"}]},
    }
    refused("IncorrectInstanceState", ec2.modify_instance_attribute, InstanceId=name, UserData={"Value": b"secret"})
    ec2.stop_instances(InstanceIds=[name])
    ec2.modify_instance_attribute(InstanceId=name, UserData={"Value": b"secret"})
    asked = {"instanceId": name, "userData": "<sensitiveDataRemoved>"}
    assert tenant.record("ModifyInstanceAttribute", requestParameters=asked)


def test_stopping_starting_and_ending_are_state_changes(tenant, ec2):
    [name] = run(ec2)
    received = tenant.queue_of({"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}, "states")
    ec2.stop_instances(InstanceIds=[name])
    ec2.start_instances(InstanceIds=[name])
    ec2.terminate_instances(InstanceIds=[name])
    states = [event["detail"]["state"] for event in received(6)]
    assert states == ["stopping", "stopped", "pending", "running", "shutting-down", "terminated"]


def test_the_record_names_the_user_who_called(tenant, ec2):
    key = tenant.user("mallory", EVERYTHING)
    run(tenant.client("ec2", key, user_agent="evil/1.0"))
    record = tenant.record("RunInstances")
    identity = record["userIdentity"]
    assert (identity["type"], identity["userName"], identity["accessKeyId"]) == ("IAMUser", "mallory", key[0])
    assert identity["arn"] == f"arn:aws:iam::{tenant.account}:user/mallory"
    assert record["sourceIPAddress"] == "127.0.0.1" and "evil/1.0" in record["userAgent"]
    run(ec2)
    assert tenant.record("RunInstances")["userIdentity"]["type"] == "Root"


def test_the_record_names_the_role_of_a_session(tenant):
    iam, trust = tenant.client("iam"), {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust_document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust_document)["Role"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    iam.put_role_policy(RoleName="deployer", PolicyName="all", PolicyDocument=policy)
    given = tenant.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="alice")["Credentials"]
    key = given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    run(tenant.client("ec2", key))
    identity = tenant.record("RunInstances")["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == f"arn:aws:sts::{tenant.account}:assumed-role/deployer/alice"
    assert identity["principalId"] == f"{role['RoleId']}:alice"
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert (issuer["type"], issuer["userName"], issuer["arn"]) == ("Role", "deployer", role["Arn"])


def test_a_failed_call_is_recorded_with_its_error(tenant, ec2):
    refused("InvalidInstanceID.NotFound", ec2.stop_instances, InstanceIds=["i-0123456789abcdef0"])
    record = tenant.record("StopInstances")
    assert record["errorCode"] == "Client.InvalidInstanceID.NotFound" and "i-0123456789abcdef0" in record["errorMessage"]
    assert record["responseElements"] is None
    refused("DryRunOperation", ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1, DryRun=True)
    record = tenant.record("RunInstances")
    assert record["errorCode"] == "Client.DryRunOperation"
    assert record["errorMessage"] == "Request would have succeeded, but DryRun flag is set."
    client = tenant.client("ec2", tenant.user("nobody", {"Effect": "Deny", "Action": "*", "Resource": "*"}))
    refused("UnauthorizedOperation", client.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1)
    assert tenant.record("RunInstances")["errorCode"] == "Client.UnauthorizedOperation"


def test_reading_leaves_no_record(tenant, ec2):
    ec2.describe_instances()
    assert tenant.client("cloudtrail").lookup_events()["Events"] == []


def test_an_element_that_is_too_large_is_omitted(tenant, ec2):
    run(ec2, 70)
    omitted = tenant.record("RunInstances")["responseElements"]
    assert set(omitted) == {"omitted", "reason", "originalSize"}
    assert omitted["omitted"] == "true" and int(omitted["originalSize"]) > 100 * 1024


def test_records_can_be_looked_up_by_resource_name_and_id(tenant, ec2):
    [name], [other] = run(ec2), run(ec2)
    ec2.stop_instances(InstanceIds=[name])
    lookup = tenant.client("cloudtrail").lookup_events

    def names(key, value):
        found = lookup(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]
        return [event["EventName"] for event in found]

    assert names("ResourceName", name) == ["StopInstances", "RunInstances"]
    assert names("ResourceName", other) == ["RunInstances"]
    event = lookup(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "StopInstances"}])["Events"][0]
    assert {"ResourceType": "AWS::EC2::Instance", "ResourceName": name} in event["Resources"]
    assert json.loads(event["CloudTrailEvent"])["eventID"] == event["EventId"]
    assert event["Username"] == "root"
    assert names("EventId", event["EventId"]) == ["StopInstances"]


def test_an_auto_scaling_launch_is_reported_three_times(tenant, ec2):
    received = tenant.queue_of({"source": ["aws.ec2", "aws.autoscaling"]}, "scaling")
    scaling = tenant.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId="ami-1", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="nodes", LaunchConfigurationName="lc", MinSize=1, MaxSize=200, VPCZoneIdentifier=subnet(ec2)
    )
    events = received(6)
    launched = next(event for event in events if event["detail-type"] == "EC2 Instance Launch Successful")
    name = launched["detail"]["EC2InstanceId"]
    assert launched["detail"]["AutoScalingGroupName"] == "nodes"
    calls = {event["detail"]["eventName"]: event["detail"] for event in events if "eventName" in event["detail"]}
    identity = calls["RunInstances"]["userIdentity"]
    assert identity["invokedBy"] == "autoscaling.amazonaws.com" and "accessKeyId" not in identity
    assert calls["RunInstances"]["responseElements"]["instancesSet"]["items"][0]["instanceId"] == name
    asked = calls["CreateAutoScalingGroup"]["requestParameters"]
    assert (asked["autoScalingGroupName"], asked["maxSize"], asked["minSize"]) == ("nodes", 200, 1)
    states = [event["detail"]["state"] for event in events if event["detail"].get("instance-id") == name]
    assert states == ["pending", "running"]


def test_auto_scaling_replaces_a_terminated_member_and_says_so(tenant, ec2):
    scaling = tenant.client("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="lc", ImageId="ami-1", InstanceType="t3.micro")
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="nodes", LaunchConfigurationName="lc", MinSize=1, MaxSize=2, VPCZoneIdentifier=subnet(ec2)
    )
    [member] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    received = tenant.queue_of({"detail-type": ["EC2 Instance Launch Successful"]}, "replacements")
    ec2.terminate_instances(InstanceIds=[member["InstanceId"]])
    [event] = received(1)
    assert event["detail"]["EC2InstanceId"] != member["InstanceId"]


def test_a_throttled_change_is_recorded(tenant, ec2):
    tenant.control("POST", "faults", {"action": "RunInstances", "count": 1, "code": "RequestLimitExceeded"})
    refused("RequestLimitExceeded", ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1)
    assert tenant.record("RunInstances")["errorCode"].endswith(".RequestLimitExceeded")


def test_changes_of_iam_are_recorded(tenant):
    tenant.user("eve", EVERYTHING)
    record = tenant.record("CreateUser")
    assert (record["eventSource"], record["requestParameters"]["userName"]) == ("iam.amazonaws.com", "eve")
    key = tenant.record("CreateAccessKey")["responseElements"]["accessKey"]
    assert key["userName"] == "eve" and "secretAccessKey" not in key
