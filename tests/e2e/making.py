"""Makes clusters through the API of AWS, each in a VPC of its own. Only what AWS sees is made: nothing runs on the machines.

`Made` says what is made and what must be said of it; the rows are in `made_clusters.py`, `made_bare.py` and `made_decoys.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SELF = "self"
WORLD = "0.0.0.0/0"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip


@dataclass
class Tier:
    """Machines that are made alike. `role` is an IAM role with the names of AWS's policies, `programs` what inventory has."""

    count: int = 1
    tags: dict = field(default_factory=dict)
    groups: tuple = ()
    user_data: str | bytes = ""
    image: str = ""
    template: bool = False
    scaling: str = ""
    address: str = ""
    key: str = ""
    role: tuple = ()
    programs: dict = field(default_factory=dict)


@dataclass
class Place:
    """Where a cluster was made, for what stands around it."""

    client: Callable[[str], Any]
    vpc: str
    subnet: str
    groups: dict
    ids: list


@dataclass
class Made:
    """A cluster to make. `name` is what it must be called, or None where nothing tells; `tool` is what else left marks;
    `roles` how many nodes do what; `open` which doors the world may come to; `around` makes what stands around it."""

    distribution: str
    tiers: tuple
    name: str | None = None
    groups: dict = field(default_factory=dict)
    tool: str = ""
    version: str | None = None
    roles: dict = field(default_factory=dict)
    plane: str = "nodes"
    open: tuple = ()
    around: tuple = ()
    marks: tuple = ()


def group(name: str = "", description: str = "made", tags: dict | None = None, rules: tuple = ()) -> dict:
    return {"name": name, "description": description, "tags": tags or {}, "rules": rules}


def owned(name: str) -> dict:
    return {f"kubernetes.io/cluster/{name}": "owned"}


def tcp(first: int, last: int | None = None, source: str = SELF, says: str = "") -> tuple:
    return ("tcp", first, last or first, source, says)


def udp(first: int, last: int | None = None, source: str = SELF, says: str = "") -> tuple:
    return ("udp", first, last or first, source, says)


def make(client: Callable[[str], Any], made: Made) -> list[str]:
    """Makes it in a VPC of its own; answers the ids of its instances."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
    groups = _groups(ec2, vpc, made.groups)
    plain = ec2.create_security_group(GroupName=f"app-{vpc}", Description="an application", VpcId=vpc)["GroupId"]
    ids: list[str] = []
    for number, tier in enumerate(made.tiers):
        wanted = [groups[key] for key in tier.groups] or [plain]
        ids += _tier(client, f"{vpc}-{number}", tier, subnet, wanted)
    for around in made.around:
        around(Place(client, vpc, subnet, groups, ids))
    return ids


def _tags(kind: str, tags: dict) -> list[dict]:
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}] if tags else []


def _groups(ec2: Any, vpc: str, wanted: dict) -> dict[str, str]:
    ids = {}
    for key, row in wanted.items():
        request = {"GroupName": row["name"], "Description": row["description"], "VpcId": vpc}
        ids[key] = ec2.create_security_group(**request, TagSpecifications=_tags("security-group", row["tags"]))["GroupId"]
    for key, row in wanted.items():
        for protocol, first, last, source, says in row["rules"]:
            rule: dict = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
            if source[0].isdigit():
                rule["IpRanges"] = [{"CidrIp": source, "Description": says}]
            else:
                rule["UserIdGroupPairs"] = [{"GroupId": ids[key if source == SELF else source], "Description": says}]
            ec2.authorize_security_group_ingress(GroupId=ids[key], IpPermissions=[rule])
    return ids


def _image(ec2: Any, name: str) -> str:
    if not name:
        return "ami-12345678"
    known = ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]
    return known[0]["ImageId"] if known else ec2.register_image(Name=name, RootDeviceName="/dev/sda1")["ImageId"]


def _profile(iam: Any, role: tuple) -> dict:
    """An instance profile of the role's name, with AWS's own policies attached to the role."""
    name, *policies = role
    if name not in {r["RoleName"] for r in iam.list_roles()["Roles"]}:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return {"Name": name}


def _tier(client: Callable[[str], Any], name: str, tier: Tier, subnet: str, groups: list[str]) -> list[str]:
    ec2 = client("ec2")
    raw = tier.user_data if isinstance(tier.user_data, bytes) else tier.user_data.encode()
    launch: dict = {"ImageId": _image(ec2, tier.image), "InstanceType": "m6i.large", "SecurityGroupIds": groups}
    launch["TagSpecifications"] = _tags("instance", tier.tags)
    if tier.key:
        launch["KeyName"] = tier.key
    if tier.role:
        launch["IamInstanceProfile"] = _profile(client("iam"), tier.role)
    if tier.template or tier.scaling:
        ids = _from_template(client, name, tier, {**launch, "UserData": base64.b64encode(raw).decode()}, subnet)
    else:
        where = {"SubnetId": subnet} | ({"PrivateIpAddress": tier.address} if tier.address else {})
        # moto gives the profile to the first instance of a call alone.
        calls, each = (tier.count, 1) if tier.role else (1, tier.count)
        answers = [ec2.run_instances(MinCount=each, MaxCount=each, UserData=raw, **where, **launch) for _ in range(calls)]
        ids = [i["InstanceId"] for answer in answers for i in answer["Instances"]]
    for instance in ids if tier.programs else ():
        _inventory(client("ssm"), instance, tier.programs)
    return ids


def _from_template(client: Callable[[str], Any], name: str, tier: Tier, data: dict, subnet: str) -> list[str]:
    ec2, scaling = client("ec2"), client("autoscaling")
    answer = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    template = answer["LaunchTemplate"]["LaunchTemplateId"]
    if not tier.scaling:
        answer = ec2.run_instances(MinCount=tier.count, MaxCount=tier.count, SubnetId=subnet, LaunchTemplate={"LaunchTemplateId": template})
        return [i["InstanceId"] for i in answer["Instances"]]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=tier.scaling, MinSize=0, MaxSize=10, DesiredCapacity=tier.count, VPCZoneIdentifier=subnet,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        Tags=[{"Key": k, "Value": v, "PropagateAtLaunch": True} for k, v in tier.tags.items()])  # fmt: skip
    found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[tier.scaling])["AutoScalingGroups"][0]
    return [i["InstanceId"] for i in found["Instances"]]


def _inventory(ssm: Any, instance: str, programs: dict) -> None:
    content = [{"Name": name, "Version": version} for name, version in programs.items()]
    item = {"TypeName": "AWS:Application", "SchemaVersion": "1.1", "CaptureTime": "2026-11-01T00:00:00Z", "Content": content}
    ssm.put_inventory(InstanceId=instance, Items=[item])


# --- what stands around a cluster


def eks(name: str, **request: Any) -> Callable[[Place], None]:
    """A cluster that EKS lists."""

    def around(place: Place) -> None:
        iam = place.client("iam")
        role = f"eks-{name}"
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        profiles = request.pop("fargate", ())
        vpc = {"subnetIds": [place.subnet]}
        place.client("eks").create_cluster(name=name, roleArn=arn, resourcesVpcConfig=vpc, **request)
        for profile in profiles:
            selectors = [{"namespace": "default"}]
            place.client("eks").create_fargate_profile(
                fargateProfileName=profile, clusterName=name, podExecutionRoleArn=arn, subnets=[place.subnet], selectors=selectors)  # fmt: skip

    return around


def classic_balancer(name: str, listen: tuple = (6443, 6443), tags: dict | None = None, behind: slice = slice(0, 1), internet: bool = False) -> Callable[[Place], None]:  # fmt: skip
    """A load balancer of the first generation, with these of the cluster's instances behind it."""

    def around(place: Place) -> None:
        elb = place.client("elb")
        listeners = [{"Protocol": "TCP", "LoadBalancerPort": listen[0], "InstanceProtocol": "TCP", "InstancePort": listen[1]}]
        given = [{"Key": k, "Value": v} for k, v in (tags or {"Name": name}).items()]
        request = {"LoadBalancerName": name, "Listeners": listeners, "Subnets": [place.subnet], "Tags": given}
        elb.create_load_balancer(**request, SecurityGroups=list(place.groups.values())[:1], Scheme="internet-facing" if internet else "internal")
        instances = [{"InstanceId": i} for i in place.ids[behind]]
        if instances:
            elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=instances)

    return around


def record(zone: str, name: str, value: str, kind: str = "A") -> Callable[[Place], None]:
    """A record of a private zone; `value` may be `classic NAME`, for the name of that load balancer."""

    def around(place: Place) -> None:
        dns = place.client("route53")
        zones = {z["Name"].rstrip("."): z["Id"] for z in dns.list_hosted_zones()["HostedZones"]}
        made = zones.get(zone) or dns.create_hosted_zone(Name=zone, CallerReference=f"made-{zone}")["HostedZone"]["Id"]
        leads = value
        if value.startswith("classic "):
            found = place.client("elb").describe_load_balancers(LoadBalancerNames=[value.split()[1]])
            leads = found["LoadBalancerDescriptions"][0]["DNSName"]
        rows = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": leads}]}
        dns.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": rows}]})

    return around


def bucket(name: str, tags: dict | None = None) -> Callable[[Place], None]:
    def around(place: Place) -> None:
        s3 = place.client("s3")
        s3.create_bucket(Bucket=name)
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]})

    return around


def secret(name: str, tags: dict | None = None) -> Callable[[Place], None]:
    def around(place: Place) -> None:
        given = [{"Key": k, "Value": v} for k, v in (tags or {}).items()]
        place.client("secretsmanager").create_secret(Name=name, SecretString="not to be read", Tags=given)

    return around


def parameter(name: str) -> Callable[[Place], None]:
    def around(place: Place) -> None:
        place.client("ssm").put_parameter(Name=name, Value="not to be read", Type="SecureString")

    return around


def shared_subnet(name: str) -> Callable[[Place], None]:
    """The subnet bears the tags by which load balancers find it; many share it."""

    def around(place: Place) -> None:
        tags = {f"kubernetes.io/cluster/{name}": "shared", "kubernetes.io/role/elb": "1"}
        place.client("ec2").create_tags(Resources=[place.subnet, place.vpc], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    return around


def control_plane_interface(cluster: str) -> Callable[[Place], str]:
    """The interface that EKS puts into a subnet for a control plane; answers its id."""

    def around(place: Place) -> str:
        request = {"SubnetId": place.subnet, "Description": f"Amazon EKS {cluster}"}
        return place.client("ec2").create_network_interface(**request)["NetworkInterface"]["NetworkInterfaceId"]

    return around
