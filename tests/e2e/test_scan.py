"""`picket scan` against the local cloud: every distribution found and named rightly, no decoy taken for one, under the
very policy that it prints; other accounts, other formats, and what it says when something is hidden from it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import boto3
import environment
import pytest
import run
from botocore.config import Config
from deployment import ROOT
from made_bare import BARE
from made_clusters import MADE as WITH_TAGS
from made_decoys import DECOYS
from making import TRUST, classic_balancer, make, parameter, record, secret

PICKET = Path(os.environ.get("PICKET", ROOT / "target" / "debug" / "picket"))
MADE = WITH_TAGS | BARE


class Account:
    """An account in a local cloud, and `picket` with its keys."""

    def __init__(self, cloud: run.Cloud, home: Path):
        self.cloud, self.home = cloud, home
        self.ids: dict[str, list[str]] = {}

    def client(self, service: str, region: str = "us-east-1", account: str = environment.ACCOUNT) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.cloud.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=100),
        )

    def key_of_user(self, name: str, policy: dict) -> dict[str, str]:
        """The environment of a new user with this policy and nothing else."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def picket(self, *arguments: str, expected: int = 0, **variables: str) -> str:
        """What `picket` prints."""
        env = environment.without_real_credentials(dict(os.environ))
        env |= environment.for_clients(self.cloud.port) | {"XDG_STATE_HOME": str(self.home)} | variables
        done = subprocess.run([PICKET, *arguments], env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == expected, f"picket {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}{done.stdout}"
        return done.stdout

    def control(self, path: str, order: dict | None = None) -> Any:
        """What the local cloud itself tells, or is told."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        body = json.dumps(order).encode() if order else None
        with opener.open(urllib.request.Request(f"{self.cloud.endpoint}/_picket/{path}", body), timeout=30) as answer:
            return json.loads(answer.read())

    def scan(self, *arguments: str, **variables: str) -> dict:
        return json.loads(self.picket("scan", "--output", "json", *arguments, **variables))


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One Region with every distribution, every decoy, an EKS cluster and a web server in it."""
    with run.Cloud() as cloud:
        made = Account(cloud, tmp_path_factory.mktemp("state"))
        for title, row in {**MADE, **DECOYS}.items():
            made.ids[title] = make(made.client, row)
        _eks(made)
        _of_another_account(made)
        _around(made)
        yield made


def _eks(made: Account) -> None:
    """An EKS cluster that anybody may reach, with the instance of its node group."""
    role = made.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    ec2 = made.client("ec2")
    subnets = [s["SubnetId"] for s in ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]][:2]
    made.client("eks").create_cluster(name="prod", version="1.31", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    tags = {"eks:cluster-name": "prod", "eks:nodegroup-name": "ng", "kubernetes.io/cluster/prod": "owned"}
    specification = [{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
    answer = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnets[0], TagSpecifications=specification)
    made.ids["EKS"] = [i["InstanceId"] for i in answer["Instances"]]


def _of_another_account(made: Account) -> None:
    """What EKS puts into a shared subnet for a cluster of another account; the owner of the VPC sees it."""
    ec2 = made.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/20")["Subnet"]["SubnetId"]
    answer = ec2.create_network_interface(SubnetId=subnet, Description="Amazon EKS theirs")
    made.control("interface-owner", {"interface": answer["NetworkInterface"]["NetworkInterfaceId"], "owner": "210987654321"})


def _around(made: Account) -> None:
    """Another Region with one OpenShift cluster, and all that may stand around one."""
    client = lambda service: made.client(service, "eu-west-1")  # noqa: E731
    row = dataclasses.replace(MADE["OpenShift 4"], around=(
        classic_balancer("ext", (6443, 6443), {"kubernetes.io/service-name": "web/site"}),
        record("alone.example.com", "site.alone.example.com", '"heritage=external-dns,external-dns/owner=x,external-dns/resource=ingress/web/site"', "TXT"),
        parameter("/alone/kubeconfig"), secret("rosa-private-key-alone", {})))  # fmt: skip
    made.ids["around"] = make(client, row)
    client("s3").create_bucket(Bucket="alone-state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client("s3").put_bucket_tagging(Bucket="alone-state", Tagging={"TagSet": [{"Key": "kubernetes.io/cluster/shift-x7k2p", "Value": "owned"}]})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


@pytest.fixture(scope="module")
def found(account: Account, saved: Path) -> dict:
    return account.scan("--regions", "us-east-1", "--save", str(saved))


def cluster_of(found: dict, instances: list[str]) -> list[dict]:
    """The clusters that any of these instances is a member of."""
    wanted = set(instances)
    return [c for c in found["clusters"] if wanted & {n["id"] for n in c["nodes"]}]


def clusters_made_as(account: Account, found: dict, title: str) -> list[dict]:
    """The clusters that hold a machine of this row, or, where it has none, bear its name."""
    if account.ids[title]:
        return cluster_of(found, account.ids[title])
    return [c for c in found["clusters"] if c["name"] == MADE[title].name]


@pytest.mark.parametrize("title", MADE)
def test_each_distribution_is_found_and_named_rightly(account, found, title):
    made = MADE[title]
    clusters = clusters_made_as(account, found, title)
    assert clusters, f"no cluster holds any of the machines of {title}"
    seen = [(c["distribution"], [e["mark"] for e in c["evidence"]][:6]) for c in clusters]
    assert {c["distribution"] for c in clusters} == {made.distribution}, f"{title} was taken for {seen}"
    assert len(clusters) == 1, f"{title} fell apart into {[c['id'] for c in clusters]}"
    assert {n["id"] for n in clusters[0]["nodes"]} == set(account.ids[title]), "exactly its machines are its nodes"
    assert made.tool in ("", *clusters[0]["also"]), "the tool that made it is named too"
    assert made.name in (None, clusters[0]["name"])


@pytest.mark.parametrize("title", MADE)
def test_each_verdict_has_version_roles_control_plane_open_doors_and_owner(account, found, title):
    made = MADE[title]
    [cluster] = clusters_made_as(account, found, title)
    roles = Counter(n["role"] for n in cluster["nodes"])
    doors = {r["door"] for r in cluster["exposure"] if r["from"]["who"] == "world"}
    marks = {e["mark"] for e in cluster["evidence"]}
    said = (cluster["version"], cluster["control_plane"], dict(roles), doors)
    wanted = (made.version, made.plane or "unknown", made.roles or dict(roles), set(made.open))
    assert said == wanted, f"{title}: {[e['mark'] for e in cluster['evidence']]}"
    assert set(made.marks) <= marks, f"{title}: {marks}"
    assert cluster["owner"], "CloudTrail tells who made it"
    assert "service-role" not in cluster["owner"] and "AWSServiceRole" not in cluster["owner"], "a person or role of the account's, not a service"


def test_one_command_prints_precision_and_recall_of_all_that_was_made(account, found, saved):
    [file] = [f.name for f in saved.iterdir() if f.suffix == ".json"]
    rows = [{"file": file, "tool": MADE[title].distribution, "distribution": MADE[title].distribution, "is_kubernetes": True,
             "instances": account.ids[title], "cluster": MADE[title].name} for title in MADE]  # fmt: skip
    rows += [{"file": file, "tool": f"NEG-{title}", "is_kubernetes": False, "instances": account.ids[title]} for title in DECOYS]
    (saved / "MANIFEST.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(account.picket("fingerprint", "evaluate", str(saved)))
    table = json.loads(account.picket("fingerprint", "evaluate", str(saved), "--output", "json"))
    assert table["wrong"] == table["misnamed"] == []
    measured = {row["tool"]: (row["precision"], row["recall"]) for row in table["rows"]}
    assert {made.distribution for made in MADE.values()} <= set(measured)
    assert all(both == (1.0, 1.0) for tool, both in measured.items() if not tool.startswith("NEG-")), measured


def test_a_saved_landscape_is_read_by_nobody_else_and_holds_no_value_of_a_secret(found, saved):
    for file in saved.glob("*.json"):
        assert file.stat().st_mode & 0o077 == 0
        assert "not to be read" not in file.read_text()


def test_another_accounts_cluster_is_seen_by_its_control_planes_interfaces(found):
    [cluster] = [c for c in found["clusters"] if c["name"] == "theirs"]
    assert (cluster["distribution"], cluster["control_plane"], cluster["nodes"]) == ("eks", "elsewhere", [])


def test_what_stands_around_a_cluster_is_evidence_of_it_in_its_own_region(account):
    [cluster] = account.scan("--regions", "eu-west-1")["clusters"]
    evidence = {e["mark"]: e for e in cluster["evidence"]}
    for mark, at in {
        "kubernetes/tag kubernetes.io/service-name": "load balancer ext", "kubernetes/external-dns-record": "DNS record site.alone.example.com.",
        "kubernetes/kubeconfig-parameter": "parameter /alone/kubeconfig", "kubernetes/target-of-api-balancer": "load balancer ext",
    }.items():  # fmt: skip
        assert mark in evidence and evidence[mark]["at"] == at, (mark, evidence.get(mark), sorted(evidence))
    assert {n["id"] for n in cluster["nodes"]} == set(account.ids["around"]), "and what is elsewhere is not told here"


def test_a_shared_subnet_makes_nobody_a_node(account, found):
    shared = [c for c in found["clusters"] if c["name"] == "tenant"]
    assert [len(c["nodes"]) for c in shared] == [1], "the node alone, and not who else is in the subnet"
    assert not [c for c in found["clusters"] if c["name"] == "somebody"], "and the subnet's tag alone is no cluster"


@pytest.mark.parametrize("title", DECOYS)
def test_a_decoy_is_no_cluster(account, found, title):
    clusters = cluster_of(found, account.ids[title])
    assert not clusters, f"{title} was taken for {[(c['id'], c['evidence'][:4]) for c in clusters]}"


def test_an_eks_cluster_has_its_version_its_node_its_open_door_and_its_owner(account, found):
    [cluster] = [c for c in found["clusters"] if c["id"] == "eks/prod"]
    assert (cluster["distribution"], cluster["version"], cluster["control_plane"]) == ("eks", "1.31", "managed")
    assert [n["id"] for n in cluster["nodes"]] == account.ids["EKS"]
    assert any(r["door"] == "api_server" and r["from"]["who"] == "world" and r["public"] for r in cluster["exposure"])
    assert cluster["owner"], "CloudTrail tells who made it"


def test_every_piece_of_evidence_says_where_it_was_read(found):
    for cluster in found["clusters"]:
        assert cluster["evidence"], cluster["id"]
        assert all(e["at"] and e["mark"] for e in cluster["evidence"]), cluster["id"]


def test_the_first_page_says_what_is_there_what_nobody_listed_and_what_to_do_next(account):
    text = account.picket("scan", "--regions", "us-east-1")
    first = text.splitlines()
    assert "Kubernetes clusters" in first[0] and "instances in account 123456789012, 1 Region" in first[0]
    assert "on no list of AWS" in text and "how we know" in text and "nothing was hidden from this scan" in text
    assert "k.example.com" in text and "next: picket show" in text


def test_it_sees_everything_under_the_very_policy_that_it_prints(account):
    policy = json.loads(account.picket("scan", "--print-policy"))
    key = account.key_of_user("scanner", policy)
    found = account.scan("--regions", "us-east-1", **key)
    assert found["summary"]["unseen"] == [], "the printed policy should let it see everything"
    assert any(c["id"] == "eks/prod" for c in found["clusters"])


def test_what_is_denied_is_named_with_the_permission_that_is_missing_and_costs_nothing_else(account):
    policy = json.loads(account.picket("scan", "--print-policy"))
    policy["Statement"][0]["Action"] = [a for a in policy["Statement"][0]["Action"] if a != "ec2:DescribeVolumes"]
    policy["Statement"].append({"Effect": "Deny", "Action": "eks:ListClusters", "Resource": "*"})
    found = account.scan("--regions", "us-east-1", **account.key_of_user("half-blind", policy))
    reasons = {reason["reason"]: reason["what"] for reason in found["summary"]["unseen"]}
    assert any(r.startswith("ec2:DescribeVolumes was denied") for r in reasons), reasons
    assert any(r.startswith("eks:ListClusters was denied") for r in reasons), reasons
    assert any(c["name"] == "k.example.com" for c in found["clusters"]), "the rest is found all the same"


AROUND = ("route53:ListHostedZones", "route53:ListResourceRecordSets", "s3:ListAllMyBuckets", "tag:GetResources", "secretsmanager:ListSecrets",
          "ssm:DescribeParameters", "elasticloadbalancing:DescribeLoadBalancers", "events:ListRules", "sqs:ListQueues")  # fmt: skip


@pytest.mark.parametrize("action", AROUND)
def test_each_read_of_what_stands_around_is_missed_by_its_own_permission(account, action):
    policy = json.loads(account.picket("scan", "--print-policy"))
    policy["Statement"][0]["Action"].remove(action)
    key = account.key_of_user(f"without-{action.replace(':', '-')}", policy)
    unseen = account.scan("--regions", "eu-west-1", **key)["summary"]["unseen"]
    missed = {u["reason"].split(" was denied")[0] for u in unseen}
    assert missed == {action}, unseen


def test_nothing_is_changed_by_a_scan(account):
    before = account.control("calls")
    account.scan("--regions", "us-east-1")
    after = account.control("calls")
    count = lambda report: sum(c["count"] for c in report["counts"] if c["mutating"])  # noqa: E731
    assert count(after) == count(before)


def test_rows_for_a_spreadsheet_hold_every_cluster_and_every_instance(account, found):
    rows = list(csv.DictReader(io.StringIO(account.picket("scan", "--regions", "us-east-1", "--output", "csv"))))
    assert len([r for r in rows if r["kind"] == "cluster"]) == len(found["clusters"])
    assert len([r for r in rows if r["kind"] == "instance"]) == found["summary"]["instances"]


def test_the_page_for_a_browser_loads_nothing_and_escapes_what_others_wrote(account):
    ec2 = account.client("ec2", "eu-north-1")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "<script>alert(1)</script>"}]}]
    ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=tags)
    page = account.picket("scan", "--regions", "eu-north-1", "--output", "html")
    assert "&#60;script&#62;alert(1)" in page and "<script" not in page
    assert "http://" not in page and "https://" not in page and "default-src 'none'" in page


def test_a_scan_that_was_cut_off_goes_on_and_looks_at_no_region_twice(account, tmp_path):
    file = tmp_path / "scan.jsonl"
    regions = ["--regions", "us-east-1,eu-north-1", "--file", str(file)]
    account.scan(*regions)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    kept = [line for line in lines if line["line"] != "done" and (line["line"] != "place" or line["survey"]["scope"]["region"] == "us-east-1")]
    file.write_text("".join(json.dumps(line) + "\n" for line in kept) + '{"line": "pla')
    account.control("calls")
    before = {c["time"] for c in account.control("calls")["calls"]}
    found = account.scan(*regions, "--resume")
    new = [c for c in account.control("calls")["calls"] if c["time"] not in before and c["service"] == "ec2"]
    assert {c["region"] for c in new} == {"eu-north-1"}
    assert found["summary"]["regions"] == 2 and any(c["id"] == "eks/prod" for c in found["clusters"])


def test_one_cluster_and_one_instance_are_shown_with_their_evidence_without_any_deployment(account):
    account.scan("--regions", "us-east-1")
    text = account.picket("show", "k.example.com")
    assert "kops" in text and "because" in text and "control plane" in text
    [node, *_] = account.ids["k3s"]
    shown = json.loads(account.picket("show", node, "--output", "json"))
    assert shown["clusters"][0]["found"]["distribution"] == "k3s" and shown["instance"]["evidence"]
    account.picket("show", "nothing-of-that-name", expected=1)
    assert len(json.loads(account.picket("clusters", "--output", "json"))["clusters"]) >= len(MADE)


def test_other_accounts_are_entered_by_a_role_with_an_external_id_and_one_that_fails_costs_no_other(account):
    member, locked = "210987654321", "310987654321"
    organizations = account.client("organizations")
    listed = {a["Id"] for a in organizations.list_accounts()["Accounts"]}
    ids = [organizations.create_account(Email=f"{n}@example.com", AccountName=n)["CreateAccountStatus"]["AccountId"] for n in ("member", "locked")]
    assert len(set(ids) - listed) == 2
    member, locked = ids
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{environment.ACCOUNT}:root"},
             "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "a-long-external-id"}}}]}  # fmt: skip
    iam = account.client("iam", account=member)
    iam.create_role(RoleName="PicketScan", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="PicketScan", PolicyName="scan", PolicyDocument=account.picket("scan", "--print-policy"))
    there = make(lambda service: account.client(service, account=member), MADE["MicroK8s"])
    found = account.scan("--org", "--external-id", "a-long-external-id", "--regions", "us-east-1")
    [cluster] = cluster_of(found, there)
    assert cluster["scope"]["account"] == member
    blind = [b for b in found["summary"]["unseen"] if any(locked in place for place in b["places"])]
    assert blind, "the account without the role is reported"
    assert any(c["id"] == "eks/prod" for c in found["clusters"]), "the own account is seen all the same"
