"""EKS in the local cloud does what Picket relies on in AWS, and is recorded."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def cluster(tenant, ec2):
    """A cluster named `prod` of an EKS client."""
    eks, iam = tenant.client("eks"), tenant.client("iam")
    role = iam.create_role(RoleName="eks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    eks.create_cluster(name="prod", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    while eks.describe_cluster(name="prod")["cluster"]["status"] != "ACTIVE":
        time.sleep(0.02)
    return eks


def test_a_cluster_has_a_vpc_and_a_security_group_that_exist(tenant, ec2, cluster):
    shown = cluster.describe_cluster(name="prod")["cluster"]["resourcesVpcConfig"]
    assert ec2.describe_vpcs(VpcIds=[shown["vpcId"]])["Vpcs"]
    group = ec2.describe_security_groups(GroupIds=[shown["clusterSecurityGroupId"]])["SecurityGroups"][0]
    assert {"Key": "aws:eks:cluster-name", "Value": "prod"} in group["Tags"]


def test_a_new_cluster_is_recorded(tenant, cluster):
    record = tenant.record("CreateCluster")
    assert record["eventSource"] == "eks.amazonaws.com"
    assert record["requestParameters"]["name"] == "prod"
    made = record["responseElements"]["cluster"]
    assert (made["status"], made["resourcesVpcConfig"]["publicAccessCidrs"]) == ("CREATING", ["0.0.0.0/0"])
    assert made["arn"] == f"arn:aws:eks:us-east-1:{tenant.account}:cluster/prod"


def test_the_endpoint_of_a_cluster_can_be_closed(tenant, cluster):
    wanted = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    update = cluster.update_cluster_config(name="prod", resourcesVpcConfig=wanted)["update"]
    assert (update["status"], update["type"]) == ("InProgress", "EndpointAccessUpdate")
    assert cluster.describe_update(name="prod", updateId=update["id"])["update"]["status"] == "Successful"
    shown = cluster.describe_cluster(name="prod")["cluster"]["resourcesVpcConfig"]
    assert (shown["endpointPublicAccess"], shown["endpointPrivateAccess"]) == (False, True)
    assert len(shown["subnetIds"]) == 2
    asked = tenant.record("UpdateClusterConfig")["requestParameters"]
    assert asked["name"] == "prod" and asked["resourcesVpcConfig"] == wanted


def test_log_types_of_a_cluster_can_be_turned_on(cluster):
    wanted = {"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]}
    cluster.update_cluster_config(name="prod", logging=wanted)
    setups = cluster.describe_cluster(name="prod")["cluster"]["logging"]["clusterLogging"]
    assert [(setup["types"], setup["enabled"]) for setup in setups][0] == (["api", "audit"], True)


def test_access_entries_and_policies_are_kept_and_recorded(tenant, cluster):
    principal = f"arn:aws:iam::{tenant.account}:role/eks"
    cluster.create_access_entry(clusterName="prod", principalArn=principal)
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    cluster.associate_access_policy(
        clusterName="prod", principalArn=principal, policyArn=policy, accessScope={"type": "cluster"}
    )
    assert principal in cluster.list_access_entries(clusterName="prod")["accessEntries"]
    assert tenant.record("CreateAccessEntry")["requestParameters"]["principalArn"] == principal
    asked = tenant.record("AssociateAccessPolicy")["requestParameters"]
    assert asked["principalArn"] == f"arn%3Aaws%3Aiam%3A%3A{tenant.account}%3Arole%2Feks"
    assert (asked["name"], asked["policyArn"]) == ("prod", policy)


def test_a_node_group_is_kept_and_recorded(tenant, ec2, cluster):
    subnets = [ec2.describe_subnets()["Subnets"][0]["SubnetId"]]
    role = f"arn:aws:iam::{tenant.account}:role/eks"
    cluster.create_nodegroup(clusterName="prod", nodegroupName="gpu", subnets=subnets, nodeRole=role)
    assert cluster.list_nodegroups(clusterName="prod")["nodegroups"] == ["gpu"]
    record = tenant.record("CreateNodegroup")
    assert (record["requestParameters"]["name"], record["requestParameters"]["nodegroupName"]) == ("prod", "gpu")
    assert record["responseElements"]["nodegroup"]["clusterName"] == "prod"


def test_cluster_events_reach_a_rule(tenant, ec2):
    received = tenant.queue_of({"source": ["aws.eks"], "detail": {"eventName": ["CreateCluster"]}}, "clusters")
    role = tenant.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    tenant.client("eks").create_cluster(name="dev", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    [event] = received(1)
    json.dumps(event)
    assert event["detail"]["requestParameters"]["name"] == "dev"


def test_a_described_cluster_has_the_tags_that_it_was_given_since(cluster):
    arn = cluster.describe_cluster(name="prod")["cluster"]["arn"]
    cluster.tag_resource(resourceArn=arn, tags={"team": "blue", "tier": "front"})
    cluster.untag_resource(resourceArn=arn, tagKeys=["tier"])
    assert cluster.describe_cluster(name="prod")["cluster"]["tags"] == {"team": "blue"}


def test_an_unknown_cluster_is_an_error(tenant):
    with pytest.raises(ClientError) as error:
        tenant.client("eks").update_cluster_config(name="none", logging={"clusterLogging": []})
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
