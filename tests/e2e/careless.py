"""An account that somebody set up in a hurry, through AWS's own calls: every layer has what miners look for.

`make` answers the names of what it made, so that a test can write down what must be found by name and not by id.
"""

from __future__ import annotations

import json
from typing import Any, Callable

OWNER = [{"Key": "owner", "Value": "nobody"}]
WORLD = [{"CidrIp": "0.0.0.0/0"}]
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip
NODE = [*OWNER, {"Key": "kubernetes.io/cluster/self-made", "Value": "owned"}]
LONG_AGO = 200 * 86_400
# Ports that the world may reach, by the name of the group.
OPEN = {"api": 6443, "kubelet": 10250, "etcd": 2379, "docker": 2375, "ssh": 22, "dashboard": 30000}


class Careless:
    """What was made, id by name."""

    def __init__(self, client: Callable[[str], Any], account: str, region: str, shift_clock: Callable[[int], Any]):
        self.client, self.account, self.region, self.shift_clock = client, account, region, shift_clock
        self.names: dict[str, str] = {}

    def make(self) -> dict[str, str]:
        self._network()
        self._groups()
        self._machines()
        self._storage()
        self._cluster()
        self._data()
        self._account()
        return self.names

    def tags(self, kind: str, tags: list[dict] = OWNER) -> list[dict]:
        return [{"ResourceType": kind, "Tags": tags}]

    def _network(self) -> None:
        """A VPC without flow logs beside the one that came with the account, whose subnets are thrown away."""
        ec2 = self.client("ec2")
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        self._parts("first ", ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=self.tags("vpc"))["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=f"{self.region}a", TagSpecifications=self.tags("subnet"))["Subnet"]["SubnetId"]  # fmt: skip
        other = ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{self.region}b", TagSpecifications=self.tags("subnet"))["Subnet"]["SubnetId"]  # fmt: skip
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self._parts("", vpc)
        self.names |= {"subnet": subnet, "other subnet": other}

    def _parts(self, which: str, vpc: str) -> None:
        """What every VPC has."""
        ec2, mine = self.client("ec2"), [{"Name": "vpc-id", "Values": [vpc]}]
        acl = ec2.describe_network_acls(Filters=mine)["NetworkAcls"][0]["NetworkAclId"]
        table = ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]
        group = ec2.describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]
        ec2.create_tags(Resources=[vpc, acl, table, group], Tags=OWNER)
        self.names |= {f"{which}vpc": vpc, f"{which}acl": acl, f"{which}table": table, f"{which}default group": group}

    def _groups(self) -> None:
        ec2 = self.client("ec2")
        for name, port in OPEN.items():
            group = ec2.create_security_group(
                GroupName=name, Description=name, VpcId=self.names["vpc"], TagSpecifications=self.tags("security-group"))["GroupId"]  # fmt: skip
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": WORLD}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
            self.names[f"{name} group"] = group
        group = ec2.create_security_group(
            GroupName="pool", Description="pool", VpcId=self.names["vpc"], TagSpecifications=self.tags("security-group"))["GroupId"]  # fmt: skip
        everything = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
        pool = {"IpProtocol": "tcp", "FromPort": 3333, "ToPort": 3333, "IpRanges": WORLD}
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[pool])
        self.names["pool group"] = group

    def _machines(self) -> None:
        ec2 = self.client("ec2")
        node = ec2.run_instances(
            ImageId="ami-12345678", InstanceType="m5.large", MinCount=1, MaxCount=1, SubnetId=self.names["subnet"],
            SecurityGroupIds=[self.names["kubelet group"], self.names["pool group"]], TagSpecifications=[*self.tags("instance", NODE), *self.tags("volume")],
            MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 2})["Instances"][0]  # fmt: skip
        self.names["node"] = node["InstanceId"]
        shown = ec2.describe_instances(InstanceIds=[node["InstanceId"]])["Reservations"][0]["Instances"][0]
        self.names["node volume"] = shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        self.names["node interface"] = shown["NetworkInterfaces"][0]["NetworkInterfaceId"]
        data = {"ImageId": "ami-12345678", "InstanceType": "m5.large", "MetadataOptions": {"HttpTokens": "optional"}}
        template = ec2.create_launch_template(
            LaunchTemplateName="nodes", LaunchTemplateData=data, TagSpecifications=self.tags("launch-template"))  # fmt: skip
        self.names["template"] = template["LaunchTemplate"]["LaunchTemplateId"]
        image = ec2.create_image(InstanceId=node["InstanceId"], Name="golden-2026-01-01")["ImageId"]
        mappings = ec2.describe_images(ImageIds=[image])["Images"][0].get("BlockDeviceMappings", [])
        copies = [m["Ebs"]["SnapshotId"] for m in mappings if m.get("Ebs", {}).get("SnapshotId")]
        ec2.create_tags(Resources=[image, *copies], Tags=OWNER)
        self.names |= {f"image snapshot {n}": copy for n, copy in enumerate(copies)}
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
        self.names["image"] = image

    def _storage(self) -> None:
        ec2 = self.client("ec2")
        volume = ec2.create_volume(AvailabilityZone=f"{self.region}a", Size=8, Encrypted=False, TagSpecifications=self.tags("volume"))["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume, TagSpecifications=self.tags("snapshot"))["SnapshotId"]
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"])
        self.names |= {"volume": volume, "snapshot": snapshot}

    def _cluster(self) -> None:
        role = self.client("iam").create_role(RoleName="shadow-eks", AssumeRolePolicyDocument=TRUST, Tags=OWNER)["Role"]["Arn"]
        access = {"subnetIds": [self.names["subnet"], self.names["other subnet"]], "endpointPublicAccess": True, "endpointPrivateAccess": True}
        self.client("eks").create_cluster(name="shadow", version="1.33", roleArn=role, resourcesVpcConfig=access, tags={"owner": "nobody"})
        access = self.client("eks").describe_cluster(name="shadow")["cluster"]["resourcesVpcConfig"]
        self.names |= {"cluster": "shadow", "cluster group": access["clusterSecurityGroupId"]}

    def _data(self) -> None:
        s3 = self.client("s3")
        s3.create_bucket(Bucket="open-data")
        s3.delete_public_access_block(Bucket="open-data")
        # It asks for TLS, and lets everybody in by it.
        everything = ["arn:aws:s3:::open-data", "arn:aws:s3:::open-data/*"]
        statements = [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open-data/*"},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ]  # fmt: skip
        s3.put_bucket_policy(Bucket="open-data", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
        s3.create_bucket(Bucket="trail-logs")
        self.client("ecr").create_repository(repositoryName="app", imageTagMutability="MUTABLE", tags=OWNER)
        key = self.client("kms").create_key(Tags=[{"TagKey": "owner", "TagValue": "nobody"}])["KeyMetadata"]["KeyId"]
        self.client("rds").create_db_instance(
            DBInstanceIdentifier="orders", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="admin1", MasterUserPassword="correct-horse",
            AllocatedStorage=20, PubliclyAccessible=True, AutoMinorVersionUpgrade=False, Tags=OWNER)  # fmt: skip
        logs = self.client("logs")
        logs.create_log_group(logGroupName="/app/web", tags={"owner": "nobody", "tier": "web"})
        self.names |= {"bucket": "open-data", "trail bucket": "trail-logs", "repository": "app", "key": key, "database": "orders", "log group": "/app/web"}

    def _account(self) -> None:
        trail = self.client("cloudtrail")
        trail.create_trail(Name="management", S3BucketName="trail-logs", IsMultiRegionTrail=True, EnableLogFileValidation=False, TagsList=OWNER)
        trail.start_logging(Name="management")
        iam = self.client("iam")
        iam.create_user(UserName="old-admin", Tags=OWNER)
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="old-admin", PolicyName="everything", PolicyDocument=json.dumps(everything))
        self.shift_clock(-LONG_AGO)
        key = iam.create_access_key(UserName="old-admin")["AccessKey"]["AccessKeyId"]
        self.shift_clock(0)
        self.names |= {"trail": "management", "user": "old-admin", "access key": key}
