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
sys.path.append(str(ROOT / "tests" / "e2e"))


def measure(picket: Path, say: Callable[[str], None]) -> tuple[list, dict]:
    """Both, as rows and as plain numbers."""
    from rows import Row

    found = {"local": local(picket, say), "made": made(say)}
    rows = []
    for title, key in (("2,000 instances in 40 clusters, in the local cloud", "local"), ("10,000 instances, 500 clusters, 17 Regions, made", "made")):
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
    """One Region of the local cloud, a fifth of it nodes of 40 clusters."""
    import boto3
    import environment
    import many
    import run
    from botocore.config import Config

    with run.Cloud() as cloud, tempfile.TemporaryDirectory() as state:
        keys = {"aws_access_key_id": environment.ACCOUNT, "aws_secret_access_key": "test"}
        config = Config(retries={"max_attempts": 0}, proxies={}, read_timeout=300)
        say(f"launching {many.INSTANCES} instances in the local cloud")
        many.make(lambda service: boto3.client(service, endpoint_url=cloud.endpoint, region_name=environment.REGION, config=config, **keys))
        env = environment.without_real_credentials(dict(os.environ)) | environment.for_clients(cloud.port) | {"XDG_STATE_HOME": state}
        say("scanning them")
        began = time.monotonic()
        command = [picket, "scan", "--regions", environment.REGION, "--output", "json"]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        text, peak = many.watched(process)
        found = json.loads(text)
        return {
            "instances": found["summary"]["instances"], "clusters": len(found["clusters"]), "calls": found["summary"]["calls"],
            "seconds": round(time.monotonic() - began, 1), "peak_kb": peak, "exit": process.returncode,
        }  # fmt: skip


def main() -> None:
    picket = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target" / "release" / "picket"
    sys.path.insert(0, str(ROOT / "tests" / "localcloud"))
    print(json.dumps(measure(picket, lambda line: print(line, file=sys.stderr, flush=True))[1], indent=1))


if __name__ == "__main__":
    main()
