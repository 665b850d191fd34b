"""What Picket remembers: every place looked at, clusters with their past, what is new in the account; and the self-test."""

from __future__ import annotations

import json
import os
import subprocess

import environment
import pytest
from deployment import ROOT, eventually
from made_clusters import MADE, make

PICKET = os.environ.get("PICKET", ROOT / "target" / "debug" / "picket")


def picket(deployment, *arguments: str, expected: int | None = 0) -> str:
    """What the command line prints, as the account's administrator."""
    env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(deployment.cloud.port)
    command = [PICKET, "--stack", deployment.stack, *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert expected is None or done.returncode == expected, f"{arguments} ended with {done.returncode}:\n{done.stderr}{done.stdout}"
    return done.stdout


def clusters(deployment, *more: str) -> dict[str, dict]:
    """The clusters that the inventory knows, by id."""
    listed = json.loads(picket(deployment, "clusters", "--output", "json", *more, expected=None) or '{"clusters": []}')
    return {c["found"]["id"]: c for c in listed["clusters"]}


def kops_of(deployment, **more: str):
    found = [c for c in clusters(deployment, **more).values() if c["found"]["distribution"] == "kops"]
    return found[0] if found else None


@pytest.fixture
def kops(picket_):
    """A kops cluster in the account."""
    ids = make(picket_.ec2, picket_.client("autoscaling"), "kops", MADE["kops"])
    picket_._launched += ids
    return ids


@pytest.fixture
def picket_(watch):
    """Picket in observe mode, which touches nothing that a test makes."""
    return watch


def test_a_cluster_is_found_remembered_marked_when_it_goes_and_never_dropped(picket_, kops):
    picket_.invoke("sweep", {})
    found = eventually(lambda: kops_of(picket_), "the kops cluster in the inventory", 60)
    assert found["first_seen"] and found["gone_at"] is None
    assert {n["id"] for n in found["found"]["nodes"]} == set(kops)
    text = picket(picket_, "show", found["found"]["id"])
    assert "because" in text and kops[0] in text
    assert found["found"]["id"] in picket(picket_, "diff", "--since", "1h", expected=1)

    scaling = picket_.client("autoscaling")
    scaling.delete_auto_scaling_group(AutoScalingGroupName=MADE["kops"].tiers[1].scaling, ForceDelete=True)
    picket_.ec2.terminate_instances(InstanceIds=kops)
    for group in picket_.ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"].endswith("k.example.com"):
            picket_.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"]) if group["IpPermissions"] else None
    for group in picket_.ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"].endswith("k.example.com"):
            picket_.ec2.delete_security_group(GroupId=group["GroupId"])
    for template in picket_.ec2.describe_launch_templates()["LaunchTemplates"]:
        picket_.ec2.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
    picket_.invoke("sweep", {})
    same = lambda: clusters(picket_, "--all").get(found["found"]["id"])  # noqa: E731
    eventually(lambda: same()["gone_at"] or not same()["found"]["nodes"], "the cluster marked as gone, or without nodes", 60)
    assert same()["first_seen"] == found["first_seen"], "it is the same cluster, not a new one"


def test_what_changes_of_an_instance_is_remembered_with_what_it_was(picket_):
    place = picket_.new_place()
    [instance] = picket_.launch("platform", place, [picket_.new_group(place)])
    shown = lambda: json.loads(picket(picket_, "show", instance, "--output", "json", expected=None) or "{}").get("instance")  # noqa: E731
    picket_.invoke("sweep", {})
    eventually(shown, f"{instance} in the inventory", 60)
    picket_.ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "renamed"}])
    picket_.invoke("sweep", {})
    changed = lambda: [c for c in shown()["history"] if c["what"] == "name" and c["to"] == "renamed"]  # noqa: E731
    eventually(changed, "the change of its name in its history", 60)
    picket_.ec2.terminate_instances(InstanceIds=[instance])
    picket_.invoke("sweep", {})
    eventually(lambda: shown()["gone_at"], f"{instance} marked as gone", 60)


def test_a_cluster_that_is_being_made_is_found_by_its_events_alone(picket_):
    name = "events.example.com"
    place = picket_.new_place()
    ec2 = picket_.ec2_of("kops-user")
    before = len(clusters(picket_))
    group = ec2.create_security_group(GroupName=f"masters.{name}", Description="Security group for masters", VpcId=place.vpc)["GroupId"]
    tags = [{"Key": "k8s.io/role/control-plane", "Value": "1"}, {"Key": "KubernetesCluster", "Value": name}]
    picket_.launch("kops-user", place, [group], TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])
    seen = lambda: [c for c in clusters(picket_).values() if c["found"]["name"] == name]  # noqa: E731
    [found] = eventually(seen, "the cluster in the inventory, with no sweep asked for", 90)
    assert "masters." in found["found_by"] or "kops" in found["found_by"], found["found_by"]
    assert len(clusters(picket_)) > before


def test_the_self_test_is_well_while_events_arrive_and_ill_when_a_rule_is_off(picket_):
    trail = picket_.client("cloudtrail")
    trail.create_trail(Name="management", S3BucketName="logs", IsMultiRegionTrail=True)
    region = ["--regions", picket_.region]
    assert "no trail logs" in picket(picket_, "doctor", "--no-canary", *region, expected=1)
    trail.start_logging(Name="management")
    picket_.invoke("sweep", {})
    eventually(lambda: clusters(picket_) is not None, "the sweep", 30)
    text = picket(picket_, "doctor", *region, expected=None)
    assert "it went from the bus through queue and function" in text, text
    events = picket_.client("events")
    rule = f"{picket_.stack}-ec2-calls"
    events.disable_rule(Name=rule)
    try:
        text = picket(picket_, "doctor", "--no-canary", *region, expected=1)
        assert f"{rule} is switched off" in text
    finally:
        events.enable_rule(Name=rule)
