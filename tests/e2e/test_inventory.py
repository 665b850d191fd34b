"""What is remembered: since when a thing is there, how it was found, what changed, and that it is gone. And what an account
never had before, which the alert names.
"""

from __future__ import annotations

import json
from typing import Any

import deploy
import pytest
from dateutil.parser import isoparse
from deployment import MINER, ROOT, eventually, unique
from made_clusters import careless_kops
from making import make

ELSEWHERE = "eu-west-1"


def answer(picket, *arguments: str, expected: tuple[int, ...] = (0,)) -> dict:
    """What a command says, as JSON."""
    done = picket.cli(*arguments, "--output", "json")
    assert done.returncode in expected, f"picket {' '.join(arguments)}: {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


def table(picket, *arguments: str, expected: tuple[int, ...] = (0,)) -> str:
    done = picket.cli(*arguments)
    assert done.returncode in expected, done.stderr
    return done.stdout


def cluster(picket, key: str) -> dict | None:
    found = answer(picket, "clusters", "--all")["clusters"]
    return next((c for c in found if c["found"]["id"] == key), None)


def swept(picket, check: Any, what: str) -> Any:
    """What `check` gives once a sweep has gone through."""
    picket.invoke("sweep", {})
    return eventually(check, what, 60)


@pytest.fixture
def name() -> str:
    return f"{unique('kops')}.example.com"


def test_a_cluster_is_remembered_with_what_changed_and_is_marked_not_dropped_when_it_is_gone(picket, name):
    begun = answer(picket, "clusters")["at"]
    ec2, key = picket.ec2_of("platform"), f"kops/{name}"
    nodes = make(picket.made_by("platform"), careless_kops(name))
    found = swept(picket, lambda: cluster(picket, key), f"{key} is known")
    assert isoparse(begun) <= isoparse(found["first_seen"]) <= isoparse(found["last_seen"]) and found["gone_at"] is None and found["found_by"]
    assert {n["id"] for n in found["found"]["nodes"]} == set(nodes)
    row = next(line for line in table(picket, "clusters").splitlines() if key in line)
    assert "kops" in row and "3" in row.split() and picket.account in row
    # A node more, and the world may reach the API no more.
    subnet = ec2.describe_instances(InstanceIds=nodes[:1])["Reservations"][0]["Instances"][0]["SubnetId"]
    tags = [{"Key": k, "Value": v} for k, v in careless_kops(name).tiers[1].tags.items()]
    more = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet,
                             TagSpecifications=[{"ResourceType": "instance", "Tags": tags}])["Instances"][0]["InstanceId"]  # fmt: skip
    changed = swept(picket, lambda: (cluster(picket, key) or {}).get("history"), "the change is remembered")
    assert [c for c in changed if c["what"] == "nodes" and c["to"] == more], changed
    shown = table(picket, "show", key)
    assert "nodes: nothing ->" in shown and more in shown and "because" in shown
    # It vanishes.
    ec2.terminate_instances(InstanceIds=[*nodes, more])
    gone = swept(picket, lambda: (cluster(picket, key) or {}).get("gone_at"), f"{key} is marked as gone")
    assert key not in table(picket, "clusters") and "more are gone" in table(picket, "clusters")
    assert "gone" in next(line for line in table(picket, "clusters", "--all").splitlines() if key in line)
    assert answer(picket, "show", key)["clusters"][0]["gone_at"] == gone
    about = [d for d in answer(picket, "diff", "--since", begun, expected=(1,))["differences"] if d["thing"] == key]
    assert [d["what"] for d in about] == ["new", "changed", "gone"], about
    text = table(picket, "diff", "--since", begun, expected=(1,))
    assert [line.split()[2] for line in text.splitlines() if f" {key} " in line] == ["new", "changed", "gone"]
    later = answer(picket, "diff", "--since", gone, expected=(0, 1))["differences"]
    assert "new" not in [d["what"] for d in later if d["thing"] == key], "what came before the date is left out"


def test_an_instance_is_remembered_with_how_it_was_found_and_what_changed_since(picket, place):
    [instance] = picket.launch("platform", place, [picket.new_group(place)])
    known = lambda: json.loads(picket.cli("show", instance, "--output", "json").stdout or "{}").get("instance")  # noqa: E731
    first = eventually(known, f"{instance} is in the inventory", 30)
    assert first["found_by"] == "run_instances" and first["gone_at"] is None, first
    other = picket.new_group(place)
    picket.ec2_of("platform").modify_instance_attribute(InstanceId=instance, Groups=[other])
    picket.settle()
    now = swept(picket, lambda: (seen := known()) and seen["history"] and seen, "the change is remembered")
    assert any(other in c["to"] for c in now["history"]), now["history"]
    assert now["first_seen"] == first["first_seen"] and now["last_seen"] > first["last_seen"]
    picket.ec2.terminate_instances(InstanceIds=[instance])
    swept(picket, lambda: known()["gone_at"], f"{instance} is marked as gone")
    text = table(picket, "show", instance)
    assert f"instance {instance}" in text and "found by run_instances" in text and "gone" in text


def test_what_was_made_while_the_rules_were_off_is_found_by_the_sweep(picket, place):
    events = picket.client("events")
    rules = [f"{picket.stack}-{name}" for name in ("ec2-calls", "instance-states", "tag-calls")]
    for rule in rules:
        events.disable_rule(Name=rule)
    try:
        [instance] = picket.launch("platform", place, [picket.new_group(place)])
        picket.settle()
        assert picket.cli("show", instance).returncode == 1, "no event told of it"
        found = swept(
            picket, lambda: json.loads(picket.cli("show", instance, "--output", "json").stdout or "{}").get("instance"), "it is found")
        assert found["found_by"] == "schedule", found
    finally:
        for rule in rules:
            events.enable_rule(Name=rule)


def test_the_alert_names_what_this_account_never_had_before(picket, place):
    image = picket.ec2.register_image(Name=unique("image"), RootDeviceName="/dev/sda1")["ImageId"]
    user, groups = unique("stranger"), [picket.new_group(place, -1)]
    picket.settle()
    [instance] = picket.launch_miner(place, user=user, groups=groups, ImageId=image, InstanceType="p4de.24xlarge")
    said = picket.alert_about(instance, "QUARANTINED")["Message"]
    for what in (f"IAM user {user}", f"image {image}", "p4de.24xlarge"):
        assert any(what in line and "first seen in this account" in line for line in said.splitlines()), (what, said)


def test_a_launch_in_a_region_that_was_never_used_is_forwarded_judged_and_named(picket):
    given = {"Stack": picket.stack, "Home": picket.region}
    deploy.deploy(picket.cloud.endpoint, ROOT / "infra/forward.yaml", {}, given, "forward", region=ELSEWHERE)
    ec2 = picket.cloud_client("ec2", ELSEWHERE)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group_id = ec2.create_security_group(GroupName="open", Description="open", VpcId=vpc)["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[everything])
    made = ec2.run_instances(ImageId="ami-12345678", InstanceType="g5.48xlarge", MinCount=1, MaxCount=1, SubnetId=subnet,
                             SecurityGroupIds=[group_id], UserData=MINER)["Instances"][0]["InstanceId"]  # fmt: skip
    said = picket.alert_about(made, "QUARANTINED", 60)["Message"]
    assert any(ELSEWHERE in line and "first seen in this account" in line for line in said.splitlines()), said
    groups = ec2.describe_instances(InstanceIds=[made])["Reservations"][0]["Instances"][0]["SecurityGroups"]
    assert group_id not in [g["GroupId"] for g in groups], "it is cut off where it is"
