"""Many: 2,000 instances in one Region, 400 of them nodes of 40 clusters, 10 of those EKS. Used by the test of scale and by the numbers."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections import Counter
from typing import Any, Callable

INSTANCES, CLUSTERS, OF_EKS, NODES = 2_000, 40, 10, 10
BATCH = 400
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip


def make(client: Callable[[str], Any]) -> None:
    """Launches them: each cluster's nodes by one call, the rest in large ones."""
    ec2, eks = client("ec2"), client("eks")
    role = client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    subnets = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]][:2]
    for number in range(CLUSTERS):
        name = f"c{number}.example.com"
        if number < OF_EKS:
            eks.create_cluster(name=f"eks-{number}", version="1.33", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
            tags = {"eks:cluster-name": f"eks-{number}", f"kubernetes.io/cluster/eks-{number}": "owned"}
        else:
            tags = {"k8s.io/role/node": "1", "KubernetesCluster": name, f"kubernetes.io/cluster/{name}": "owned"}
        launch(ec2, NODES, subnets[0], tags)
    rest = INSTANCES - CLUSTERS * NODES
    for _ in range(rest // BATCH):
        launch(ec2, BATCH, subnets[0], {"Name": "web"})


def launch(ec2: Any, count: int, subnet: str, tags: dict[str, str]) -> None:
    specification = [{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]
    ec2.run_instances(
        ImageId="ami-12345678", InstanceType="m5.large", MinCount=count, MaxCount=count, SubnetId=subnet, TagSpecifications=specification)


def counted(report: dict, caller: str = "") -> Counter:
    """How often each operation was called, by whoever has this in their name."""
    calls: Counter = Counter()
    for row in report["counts"]:
        if caller in row["caller"]:
            calls[f"{row['service']}:{row['action'] or '(by path)'}"] += row["count"]
    return calls


def peak_kb(pid: int) -> int:
    """The most memory that a process had so far."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def watched(process: subprocess.Popen) -> tuple[str, int]:
    """What a process prints, and the most memory it had. What the kernel tells after its end holds the parent's, too."""
    peaks = [0]

    def watch() -> None:
        while process.poll() is None:
            with contextlib.suppress(OSError, StopIteration):
                peaks.append(peak_kb(process.pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    text = process.communicate()[0]
    watcher.join()
    return text, max(peaks)


def process_of(function: str, pids: list[int]) -> int | None:
    """The process of a function, by the handler in its environment."""
    for pid in pids:
        try:
            with open(f"/proc/{pid}/environ", "rb") as environ:
                if f"_HANDLER={function}".encode() in environ.read().split(b"\0"):
                    return pid
        except OSError:
            continue
    return None
