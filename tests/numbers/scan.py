"""The scan: 2,000 instances in the local cloud by the real command, and 10,000 with 500 clusters in 17 Regions in the
simulation. Calls are counted, memory is the most that the process ever had.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
INSTANCES, BATCH = 2_000, 500


def measure(picket: Path, say: Callable[[str], None]) -> tuple[list, dict]:
    """Both, as rows and as plain numbers."""
    from rows import Row

    found = {"local": local(picket, say), "made": made(say)}
    rows = []
    for title, key in (("2,000 instances in the local cloud", "local"), ("10,000 instances, 500 clusters, 17 Regions, made", "made")):
        one, group = found[key], f"The scan: {title}"
        rows += [
            Row("clusters found", one["clusters"], group=group),
            Row("calls of AWS", one["calls"], group=group),
            Row("peak memory", one["peak_kb"] / 1024, "MB", group=group),
            Row("time", one["seconds"], "s", group=group),
        ]
    return rows, found


def made(say: Callable[[str], None]) -> dict:
    """The simulation's own words, as numbers."""
    say("scanning 10,000 made instances")
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "run", "--quiet", "--locked", "--config", "tests/soak/profile.toml", "--profile", "soak", "-p", "picket-soak", "--", "scan"]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {key: float(value) for key, value in re.findall(r"(\w+): ([0-9.]+)", text)}


def local(picket: Path, say: Callable[[str], None]) -> dict:
    """One Region of the local cloud, a tenth of it nodes of a kops cluster."""
    import boto3
    import environment
    import run
    from botocore.config import Config

    with run.Cloud() as cloud, tempfile.TemporaryDirectory() as state:
        keys = {"aws_access_key_id": environment.ACCOUNT, "aws_secret_access_key": "test"}
        config = Config(retries={"max_attempts": 0}, proxies={}, read_timeout=300)
        ec2 = boto3.client("ec2", endpoint_url=cloud.endpoint, region_name=environment.REGION, config=config, **keys)
        tags = [{"Key": "k8s.io/role/node", "Value": "1"}, {"Key": "KubernetesCluster", "Value": "k.example.com"}]
        say(f"launching {INSTANCES} instances in the local cloud")
        for start in range(0, INSTANCES, BATCH):
            node = [{"ResourceType": "instance", "Tags": tags}] if start == 0 else []
            ec2.run_instances(ImageId="ami-12345678", MinCount=BATCH, MaxCount=BATCH, TagSpecifications=node)
        env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(cloud.port) | {"XDG_STATE_HOME": state}
        say("scanning them")
        began = time.monotonic()
        process = subprocess.Popen([picket, "scan", "--regions", environment.REGION, "--output", "json"], env=env, stdout=subprocess.PIPE)
        found = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        summary = found["summary"]
        return {
            "instances": summary["instances"], "clusters": len(found["clusters"]), "calls": summary["calls"],
            "seconds": round(time.monotonic() - began, 1), "peak_kb": usage.ru_maxrss, "exit": os.waitstatus_to_exitcode(status),
        }  # fmt: skip


def main() -> None:
    picket = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "release" / "picket"
    sys.path.insert(0, str(ROOT / "tests" / "localcloud"))
    print(json.dumps(measure(picket, lambda line: print(line, file=sys.stderr, flush=True))[1], indent=1))


if __name__ == "__main__":
    main()
