"""Fixes of what is no instance: made by the function under its own role, read back, and put back exactly."""

from __future__ import annotations

import json
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.exceptions import ClientError
from deployment import ENFORCING, Deployment, eventually, unique

FIXING = ENFORCING + "fixes: {default: fix, per_hour: 500, principals: true}\n"


@pytest.fixture
def fixing(picket: Deployment) -> Deployment:
    picket.apply_policy(FIXING)
    return picket


def order(picket: Deployment, action: str, target: str, **with_: Any) -> dict:
    """What a person orders, as `picket fix apply` sends it."""
    return {
        "scope": {"account": picket.account, "region": picket.region},
        "aims": [{"action": action, "target": target, "with": with_}],
        "cause": {"is": "order", "by": "alice", "reason": "an audit"},
    }


def ended(picket: Deployment, work: dict) -> dict:
    """The answer of the function, once it is no longer `later`."""

    def answer() -> dict | None:
        said = picket.invoke("fix", work)
        return None if said["is"] == "later" else said

    return eventually(answer, f"an end of {work}")


def fix(picket: Deployment, action: str, target: str, **with_: Any) -> dict:
    return ended(picket, {"order": order(picket, action, target, **with_)})


def undo(picket: Deployment, said: dict, **more: Any) -> dict:
    scope = {"account": picket.account, "region": picket.region}
    return ended(picket, {"undo": {"scope": scope, "id": said["fix"]["id"], "by": "bob", "reason": "a drill", **more}})


def say(picket: Deployment, said: dict, approve: bool = True) -> dict:
    scope = {"account": picket.account, "region": picket.region}
    return ended(picket, {"say": {"scope": scope, "id": said["fix"]["id"], "approve": approve, "by": "carol"}})


def there_and_back(
    picket: Deployment, look: Callable[[], Any], wanted: Callable[[Any], bool], action: str, target: str, **with_: Any
) -> dict:
    """Makes a fix, twice, and undoes it, twice; what `look` sees must be wanted then, and exactly as before at the end."""
    before = look()
    assert not wanted(before), f"{action} has nothing to do: {before}"
    made = fix(picket, action, target, **with_)
    if made["is"] == "asked":
        assert look() == before, f"{action} did not wait for a yes"
        made = say(picket, made)
    assert made["is"] == "fixed", f"{action}: {made}"
    assert wanted(look()), f"{action}: {look()}"
    assert fix(picket, action, target, **with_)["is"] == "already"
    assert undo(picket, made)["is"] == "undone"
    assert look() == before
    assert undo(picket, made)["is"] == "already"
    return made


# --- EKS


def role_of(picket: Deployment, service: str) -> str:
    """A role of its own that a service may take."""
    trusted = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    made = picket.client("iam").create_role(RoleName=unique(service), AssumeRolePolicyDocument=document)
    return made["Role"]["Arn"]


@pytest.fixture
def cluster(fixing, place) -> str:
    name = unique("cluster")
    fixing.ec2.modify_vpc_attribute(VpcId=place.vpc, EnableDnsHostnames={"Value": True})
    access = {"subnetIds": [place.subnet], "endpointPublicAccess": True, "endpointPrivateAccess": True}
    role = role_of(fixing, "eks")
    fixing.client("eks").create_cluster(name=name, version="1.33", roleArn=role, resourcesVpcConfig=access)
    eventually(lambda: described(fixing, name)["status"] == "ACTIVE", f"{name} is active")
    return name


def described(picket: Deployment, cluster: str) -> dict:
    return picket.client("eks").describe_cluster(name=cluster)["cluster"]


def logged(picket: Deployment, cluster: str) -> set[str]:
    setups = described(picket, cluster).get("logging", {}).get("clusterLogging", [])
    return {kind for setup in setups if setup["enabled"] for kind in setup["types"]}


def test_control_plane_logs_go_on_and_off_again(fixing, cluster):
    made = there_and_back(fixing, lambda: logged(fixing, cluster), lambda l: len(l) == 5, "eks_set_logging", cluster)
    events = [entry["event"] for entry in fixing.journal_of(made["fix"]["id"])]
    assert events == ["measure_intended", "measure_done", "verified", "undo_intended", "undo_done"]
    alert = fixing.alert_about(made["fix"]["id"], "FIXED")
    assert f"picket fix undo {made['fix']['id']}" in alert["Message"], alert["Message"]
    fixing.alert_about(made["fix"]["id"], "PUT BACK")


def test_a_finding_in_the_queue_is_fixed_and_told(fixing, cluster):
    finding = {"is": "finding", "id": "finding-1", "rule": "eks_audit_logs_on", "asset": f"eks.cluster/{cluster}"}
    work = {"order": {**order(fixing, "eks_set_logging", cluster, types=["audit"]), "cause": finding}}
    fixing.sqs.send_message(QueueUrl=fixing.queue_url("fix"), MessageBody=json.dumps(work))
    eventually(lambda: logged(fixing, cluster) == {"audit"}, "audit logs are on")
    assert "rule eks_audit_logs_on" in fixing.alert_about(cluster, "FIXED")["Message"]


def test_a_public_endpoint_is_closed_where_a_private_one_is_there(fixing, cluster):
    public = lambda: described(fixing, cluster)["resourcesVpcConfig"]["endpointPublicAccess"]  # noqa: E731
    there_and_back(fixing, public, lambda on: not on, "eks_close_public_endpoint", cluster)


def test_a_public_endpoint_without_a_private_one_is_left(fixing, cluster):
    fixing.client("eks").update_cluster_config(
        name=cluster, resourcesVpcConfig={"endpointPublicAccess": True, "endpointPrivateAccess": False}
    )
    said = fix(fixing, "eks_close_public_endpoint", cluster)
    assert said["is"] == "refused" and "private endpoint is off" in said["why"], said
    assert described(fixing, cluster)["resourcesVpcConfig"]["endpointPublicAccess"]


def test_a_public_endpoint_is_narrowed(fixing, cluster):
    cidrs = lambda: described(fixing, cluster)["resourcesVpcConfig"]["publicAccessCidrs"]  # noqa: E731
    narrow = ["203.0.113.0/24"]
    there_and_back(fixing, cidrs, lambda c: c == narrow, "eks_narrow_public_endpoint", cluster, cidrs=narrow)


def test_deletion_protection_and_tags_of_a_cluster(fixing, cluster):
    protected = lambda: described(fixing, cluster).get("deletionProtection", False)  # noqa: E731
    there_and_back(fixing, protected, bool, "eks_protect_deletion", cluster)
    tags = lambda: described(fixing, cluster).get("tags", {})  # noqa: E731
    there_and_back(fixing, tags, lambda t: t.get("team") == "blue", "eks_tag_cluster", cluster, tags={"team": "blue"})


def test_secrets_are_encrypted_after_a_yes_only_and_never_back(fixing, cluster):
    key = fixing.client("kms").create_key()["KeyMetadata"]["Arn"]
    asked = fix(fixing, "eks_encrypt_secrets", cluster, key=key)
    assert asked["is"] == "asked", asked
    assert not described(fixing, cluster).get("encryptionConfig")
    alert = fixing.alert_about(asked["fix"]["id"], "APPROVE A FIX")
    assert f"picket approve {asked['fix']['id']}" in alert["Message"], alert["Message"]
    assert say(fixing, asked)["is"] == "fixed"
    assert described(fixing, cluster)["encryptionConfig"][0]["provider"]["keyArn"] == key
    undone = undo(fixing, asked)
    assert "cannot be undone" in undone["stays"][0], undone
    assert described(fixing, cluster)["encryptionConfig"][0]["provider"]["keyArn"] == key


def test_what_is_denied_is_not_made(fixing, cluster):
    key = fixing.client("kms").create_key()["KeyMetadata"]["Arn"]
    asked = fix(fixing, "eks_encrypt_secrets", cluster, key=key)
    assert asked["is"] == "asked", asked
    assert say(fixing, asked, approve=False)["is"] == "denied"
    assert say(fixing, asked)["is"] == "refused"
    assert not described(fixing, cluster).get("encryptionConfig")


def test_an_access_entry_is_revoked_whole_and_comes_back_whole(fixing, cluster):
    eks, iam = fixing.client("eks"), fixing.client("iam")
    arns = []
    for word in ("mallory", "keeper"):
        arns.append(iam.create_user(UserName=unique(word))["User"]["Arn"])
        eks.create_access_entry(
            clusterName=cluster, principalArn=arns[-1], kubernetesGroups=["viewers"], username="eve", tags={"team": "red"}
        )
    admin = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    for policy, scope in ((admin, {"type": "cluster"}), (admin.replace("ClusterAdmin", "View"), {"type": "namespace", "namespaces": ["web"]})):
        eks.associate_access_policy(clusterName=cluster, principalArn=arns[0], policyArn=policy, accessScope=scope)

    def look() -> Any:
        try:
            entry = eks.describe_access_entry(clusterName=cluster, principalArn=arns[0])["accessEntry"]
        except ClientError:
            return None
        found = eks.list_associated_access_policies(clusterName=cluster, principalArn=arns[0])["associatedAccessPolicies"]
        policies = sorted((p["policyArn"], json.dumps(p["accessScope"], sort_keys=True)) for p in found)
        return {k: entry.get(k) for k in ("kubernetesGroups", "username", "type", "tags")}, policies

    there_and_back(fixing, look, lambda e: e is None, "eks_revoke_access_entry", f"{cluster}/{arns[0]}")
    keep = lambda found: all(arn != admin for arn, _ in found[1])  # noqa: E731
    there_and_back(fixing, look, keep, "eks_revoke_access_policy", f"{cluster}/{arns[0]}", policy=admin)


def test_a_node_group_grows_no_more(fixing, cluster, place):
    eks, name = fixing.client("eks"), unique("miners")
    sizes = {"minSize": 1, "maxSize": 50, "desiredSize": 3}
    role = role_of(fixing, "ec2")
    eks.create_nodegroup(clusterName=cluster, nodegroupName=name, subnets=[place.subnet], nodeRole=role, scalingConfig=sizes)
    look = lambda: eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]  # noqa: E731
    eventually(lambda: look()["status"] == "ACTIVE", f"{name} is active")
    there_and_back(
        fixing, lambda: look()["scalingConfig"], lambda s: s["maxSize"] == 3, "eks_freeze_node_group", f"{cluster}/{name}"
    )
    tags = lambda: look().get("tags", {})  # noqa: E731
    there_and_back(fixing, tags, lambda t: "team" in t, "eks_tag_node_group", f"{cluster}/{name}", tags={"team": "red"})


# --- security groups


def rules(picket: Deployment, group: str) -> list:
    """Every rule with its words and tags, but for its id, which AWS gives anew."""
    pages = picket.ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    found = [rule for page in pages for rule in page["SecurityGroupRules"]]
    strip = lambda r: {k: v for k, v in r.items() if k not in ("SecurityGroupRuleId", "SecurityGroupRuleArn")}  # noqa: E731
    return sorted(json.dumps(strip(rule), sort_keys=True) for rule in found)


def test_only_the_offending_part_of_a_rule_is_revoked(fixing, place):
    group = fixing.new_group(place)
    world = {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "team blue"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    office = {"IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "office"}]}
    for ports, peers in (((2000, 11000), world), ((22, 22), office), ((443, 443), world)):
        permission = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1], **peers}
        fixing.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    looked = lambda: rules(fixing, group)  # noqa: E731
    opens = lambda found, port: [r for r in map(json.loads, found) if r.get("FromPort", 0) <= port <= r.get("ToPort", 0) and not r["IsEgress"]]  # noqa: E731
    closed = lambda found: not opens(found, 6443) and not opens(found, 10250) and opens(found, 8080) and opens(found, 443)  # noqa: E731
    there_and_back(fixing, looked, closed, "ec2_revoke_ingress", group, ports=["6443", "10250"])


def test_an_undo_leaves_rules_that_others_made_meanwhile(fixing, place):
    group = fixing.new_group(place, 22)
    made = fix(fixing, "ec2_revoke_ingress", group, ports=["22"])
    assert made["is"] == "fixed", made
    other = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    fixing.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[other])
    assert undo(fixing, made)["is"] == "undone"
    ports = {rule.get("FromPort") for rule in map(json.loads, rules(fixing, group)) if not rule["IsEgress"]}
    assert ports == {22, 80}


def test_a_default_group_is_emptied_where_nobody_uses_it(fixing, place):
    named = [{"Name": "vpc-id", "Values": [place.vpc]}, {"Name": "group-name", "Values": ["default"]}]
    group = fixing.ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]["GroupId"]
    there_and_back(fixing, lambda: rules(fixing, group), lambda r: not r, "ec2_empty_default_group", group)
    fixing.launch("platform", place, [group])
    said = fix(fixing, "ec2_empty_default_group", group)
    assert said["is"] == "refused" and "would be cut off" in said["why"], said


# --- EC2


def test_settings_of_the_region(fixing):
    look = lambda: fixing.ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]  # noqa: E731
    there_and_back(fixing, look, bool, "ec2_encrypt_volumes_by_default", fixing.region)


def test_metadata_of_an_instance_and_a_launch_template(fixing, place):
    # Tokens are not required here: whoever asks without one is counted by CloudWatch, in a protocol not spoken here.
    [instance] = fixing.launch("platform", place, [fixing.new_group(place)])
    options = lambda: fixing.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["MetadataOptions"]  # noqa: E731
    fixing.ec2.modify_instance_metadata_options(InstanceId=instance, HttpPutResponseHopLimit=3)
    there_and_back(fixing, lambda: options()["HttpPutResponseHopLimit"], lambda n: n == 1, "ec2_set_hop_limit", instance)
    made = fixing.ec2.create_launch_template(LaunchTemplateName=unique("lt"), LaunchTemplateData={"InstanceType": "m5.large"})
    template = made["LaunchTemplate"]["LaunchTemplateId"]

    def default() -> int:
        return fixing.ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"][0]["DefaultVersionNumber"]

    there_and_back(fixing, default, lambda n: n > 1, "ec2_launch_template_imds_v2", template)


def test_subnets_images_and_snapshots(fixing, place):
    fixing.ec2.modify_subnet_attribute(SubnetId=place.subnet, MapPublicIpOnLaunch={"Value": True})
    public = lambda: fixing.ec2.describe_subnets(SubnetIds=[place.subnet])["Subnets"][0]["MapPublicIpOnLaunch"]  # noqa: E731
    there_and_back(fixing, public, lambda on: not on, "ec2_subnet_no_public_address", place.subnet)
    volume = fixing.ec2.create_volume(Size=1, AvailabilityZone=f"{fixing.region}a")["VolumeId"]
    snapshot = fixing.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    fixing.ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )

    def shared() -> list:
        found = fixing.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        return found["CreateVolumePermissions"]

    there_and_back(fixing, shared, lambda s: not s, "ec2_make_snapshot_private", snapshot)
    [instance] = fixing.launch("platform", place, [fixing.new_group(place)])
    image = fixing.ec2.create_image(InstanceId=instance, Name=unique("image"))["ImageId"]
    fixing.ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
    usable = lambda: fixing.ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]  # noqa: E731
    there_and_back(fixing, usable, lambda s: not s, "ec2_make_image_private", image)


# --- IAM


@pytest.fixture
def rogue(fixing) -> tuple[str, str]:
    iam, name = fixing.client("iam"), unique("rogue")
    iam.create_user(UserName=name)
    return name, iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]


def test_a_key_is_switched_off_and_a_user_is_denied_everything(fixing, rogue):
    iam, (user, key) = fixing.client("iam"), rogue
    status = lambda: {k["AccessKeyId"]: k["Status"] for k in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}[key]  # noqa: E731
    there_and_back(fixing, status, lambda s: s == "Inactive", "iam_deactivate_key", f"{user}/{key}")
    attached = lambda: [p["PolicyName"] for p in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]]  # noqa: E731
    there_and_back(fixing, attached, lambda p: p == ["AWSDenyAll"], "iam_deny_principal", f"user/{user}")


def test_sessions_of_a_role_that_exist_are_denied_and_instances_keep_their_role(fixing):
    iam, name = fixing.client("iam"), unique("role")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    attached = lambda: [p["PolicyName"].rsplit("-", 1)[0] for p in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]  # noqa: E731
    there_and_back(fixing, attached, lambda p: p == [f"deny-sessions-{name}"], "iam_deny_sessions", f"role/{name}")
    profile = unique("profile")
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=name)
    said = fix(fixing, "iam_deny_principal", f"role/{name}")
    assert said["is"] == "refused" and profile in said["why"], said


def test_principals_are_stopped_only_under_their_own_switch(picket, rogue):
    picket.apply_policy(ENFORCING + "fixes: {default: fix}\n")
    said = fix(picket, "iam_deactivate_key", f"{rogue[0]}/{rogue[1]}")
    assert said["is"] == "refused" and "principals" in said["why"], said


def test_picket_s_own_roles_are_not_stopped(fixing):
    name = next(role["RoleName"] for role in fixing.roles() if "Respond" in role["RoleName"])
    said = fix(fixing, "iam_deny_principal", f"role/{name}")
    assert said["is"] == "refused" and "Picket's own" in said["why"], said


def test_the_password_policy(fixing):
    iam = fixing.client("iam")

    def look() -> dict | None:
        try:
            return iam.get_account_password_policy()["PasswordPolicy"]
        except ClientError:
            return None

    there_and_back(fixing, look, lambda p: bool(p) and p["MinimumPasswordLength"] == 14, "iam_set_password_policy", fixing.account)


# --- data and services


def test_buckets(fixing):
    # TLS is not required here: nothing speaks it in the local cloud, so that the bucket would refuse us, too.
    s3, bucket = fixing.client("s3"), unique("bucket")
    s3.create_bucket(Bucket=bucket)

    def of(call: str, key: str) -> Any:
        try:
            return getattr(s3, call)(Bucket=bucket)[key]
        except ClientError:
            return None

    block = lambda: of("get_public_access_block", "PublicAccessBlockConfiguration")  # noqa: E731
    s3.delete_public_access_block(Bucket=bucket)
    there_and_back(fixing, block, lambda b: bool(b) and all(b.values()), "s3_block_bucket_public_access", bucket)


def test_keys_logs_trails_repositories_and_documents(fixing):
    kms, logs, trail, ecr, ssm = (fixing.client(s) for s in ("kms", "logs", "cloudtrail", "ecr", "ssm"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    there_and_back(fixing, lambda: kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"], bool, "kms_enable_rotation", key)
    group = f"/app/{unique('logs')}"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    days = lambda: logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"]  # noqa: E731
    there_and_back(fixing, days, lambda n: n == 365, "logs_set_retention", group)
    name, bucket = unique("trail"), unique("trails")
    fixing.client("s3").create_bucket(Bucket=bucket)
    trail.create_trail(Name=name, S3BucketName=bucket)
    signed = lambda: trail.describe_trails(trailNameList=[name])["trailList"][0]["LogFileValidationEnabled"]  # noqa: E731
    there_and_back(fixing, signed, bool, "cloudtrail_validate_logs", name)
    repository = unique("images")
    ecr.create_repository(repositoryName=repository)
    look = lambda: ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]  # noqa: E731
    scanned = lambda: look()["imageScanningConfiguration"].get("scanOnPush", False)  # noqa: E731
    there_and_back(fixing, scanned, bool, "ecr_scan_on_push", repository)
    there_and_back(fixing, lambda: look()["imageTagMutability"], lambda m: m == "IMMUTABLE", "ecr_immutable_tags", repository)
    setting = "/ssm/documents/console/public-sharing-permission"
    sharing = lambda: ssm.get_service_setting(SettingId=setting)["ServiceSetting"]["SettingValue"]  # noqa: E731
    there_and_back(fixing, sharing, lambda v: v == "Disable", "ssm_block_public_documents", fixing.region)


# --- rails


def test_nothing_is_changed_in_observe_mode_and_the_plan_is_told(watch):
    watch.apply_policy(FIXING)
    kms = watch.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    said = fix(watch, "kms_enable_rotation", key)
    assert said["is"] == "planned", said
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert "on" in watch.alert_about(key, "WOULD FIX")["Message"]
    # Even if the code wanted to, the role could not.
    with pytest.raises(ClientError):
        watch.client("kms", watch.session_of("fix")).enable_key_rotation(KeyId=key)


def test_no_more_than_the_hour_s_budget_is_fixed(picket):
    # Other tests of this hour count, too: the budget is the account's.
    picket.apply_policy(ENFORCING + "fixes: {default: fix, per_hour: 0}\n")
    kms = picket.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    said = fix(picket, "kms_enable_rotation", key)
    assert said["is"] == "refused" and "per_hour" in said["why"], said
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_an_undo_is_refused_where_somebody_changed_it_since(fixing):
    logs, group = fixing.client("logs"), f"/app/{unique('logs')}"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    made = fix(fixing, "logs_set_retention", group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=731)
    said = undo(fixing, made)
    assert said["is"] == "changed" and "731" in said["differences"][0], said
    assert undo(fixing, made, force=True)["is"] == "undone"
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 30


def test_an_update_that_is_under_way_is_waited_for(fixing, cluster):
    rule = {"service": "eks", "action": "UpdateClusterConfig", "code": "ResourceInUseException", "status": 409, "count": 2}
    fixing.control("POST", "faults", rule)
    # The function goes on by its queue, and may have ended it before it is asked again.
    assert fix(fixing, "eks_set_logging", cluster)["is"] in ("fixed", "already")
    assert len(logged(fixing, cluster)) == 5
    fixing.alert_about(cluster, "FIXED")


# --- approval by a link


def link_of(picket: Deployment, said: dict) -> dict[str, str]:
    """The parts of the link in the alert."""
    message = picket.alert_about(said["fix"]["id"], "APPROVE A FIX")["Message"]
    url = next(word for word in message.split() if word.startswith("http"))
    return dict(parse_qsl(urlsplit(url).query))


def request(method: str, query: dict[str, str], arn: str = "") -> dict:
    """What a function's address hands to it; AWS proves the caller before that."""
    iam = {"authorizer": {"iam": {"userArn": arn}}} if arn else {}
    raw = "&".join(f"{k}={v}" for k, v in query.items())
    return {"version": "2.0", "rawQueryString": raw, "queryStringParameters": query, "requestContext": {"http": {"method": method}, **iam}}


def test_a_link_shows_the_plan_changes_nothing_and_is_good_for_one_answer(fixing, cluster):
    key = fixing.client("kms").create_key()["KeyMetadata"]["Arn"]
    asked = fix(fixing, "eks_encrypt_secrets", cluster, key=key)
    query = link_of(fixing, asked)
    for _ in range(3):
        shown = fixing.invoke("ask", request("GET", query))
        assert shown["statusCode"] == 200 and cluster in shown["body"] and "changes nothing" in shown["body"]
    assert not described(fixing, cluster).get("encryptionConfig")
    forged = fixing.invoke("ask", request("GET", {**query, "fix": "case-000000000000"}))
    assert forged["statusCode"] == 403
    # An answer needs IAM's word for who asks, a link of ours, and a POST.
    yes = {**query, "answer": "approve"}
    alice = f"arn:aws:iam::{fixing.account}:user/alice"
    assert fixing.invoke("fix", request("POST", yes))["statusCode"] == 403
    assert fixing.invoke("fix", request("GET", yes, alice))["statusCode"] == 405
    assert fixing.invoke("fix", request("POST", {**yes, "question": "q"}, alice))["statusCode"] == 403
    assert not described(fixing, cluster).get("encryptionConfig")
    answered = fixing.invoke("fix", request("POST", yes, alice))
    assert answered["statusCode"] == 200 and json.loads(answered["body"])["is"] in ("fixed", "later"), answered
    eventually(lambda: described(fixing, cluster).get("encryptionConfig"), "secrets are encrypted")
    again = fixing.invoke("fix", request("POST", yes, alice))
    assert json.loads(again["body"])["is"] == "refused", again
    approved = [e["by"] for e in fixing.journal_of(asked["fix"]["id"]) if e["event"] == "approved"]
    assert approved == [alice]
    shown = fixing.invoke("ask", request("GET", query))
    assert "yes, by" in shown["body"]


def test_nobody_s_answer_in_time_is_what_the_policy_says(picket):
    logs, group = picket.client("logs"), f"/app/{unique('logs')}"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    picket.apply_policy(ENFORCING + "fixes: {default: propose, per_hour: 500, approval: {within: 5m}}\n")
    finding = {"is": "finding", "id": "finding-2", "rule": "logs_kept", "asset": f"logs.log_group/{group}"}
    asked = ended(picket, {"order": {**order(picket, "logs_set_retention", group), "cause": finding}})
    assert asked["is"] == "asked" and asked["fix"]["approval"]["at_expiry"] == "leave", asked
    assert say(picket, asked)["is"] == "fixed"
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 365
