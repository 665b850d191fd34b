"""The runner starts a cloud of its own, passes on what the command says, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import environment

RUN = str(Path(__file__).parent / "run.py")
PRINT = "import os; print(*(f'{k}={v}' for k, v in sorted(os.environ.items()) if k.startswith(('AWS_', 'PICKET_'))), sep='\\n')"


def runner(*arguments, **more):
    command = [sys.executable, RUN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def alive(pid):
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(pid, seconds=5):
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def test_the_exit_code_of_the_command_is_passed_on():
    assert runner("--", sys.executable, "-c", "raise SystemExit(7)").returncode == 7


def test_the_command_gets_the_local_cloud_and_no_real_credentials():
    real = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "real", "AWS_ACCESS_KEY_ID": "AKIAREAL"}
    done = runner("--", sys.executable, "-c", PRINT, env={**os.environ, **real})
    given = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert given["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert (given["AWS_ACCESS_KEY_ID"], given["AWS_REGION"]) == (environment.ACCOUNT, "us-east-1")
    assert (given["PICKET_LOCAL"], given["AWS_CONFIG_FILE"]) == ("1", os.devnull)
    assert "AWS_PROFILE" not in given and "AWS_SESSION_TOKEN" not in given


def test_a_port_that_is_taken_is_one_clear_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = runner("--port", str(port), "--", "true")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and str(port) in done.stderr


def test_a_command_that_does_not_exist_is_one_clear_sentence():
    done = runner("--", "no-such-command")
    assert done.returncode == 127 and len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind_when_the_runner_is_ended(number):
    command = [sys.executable, RUN, "--", sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert started.stdout.readline() == "up\n"
    processes = children(started.pid)
    assert len(processes) == 2
    started.send_signal(number)
    started.wait(10)
    assert all(gone(pid) for pid in processes)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_loopback_is_listened_on(cloud):
    inodes = set()
    for handle in Path(f"/proc/{cloud.pid}/fd").iterdir():
        target = os.readlink(handle)
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                assert fields[1].startswith("0100007F:"), f"{table}: {fields[1]}"


def test_the_cloud_is_ready_soon():
    import run

    started = time.monotonic()
    with run.Cloud():
        took = time.monotonic() - started
    assert took < 10, f"{took:.1f} s"  # 1.3 s on an idle machine


def test_reset_empties_everything():
    import run
    from conftest import Tenant

    with run.Cloud() as cloud:
        tenant = Tenant(cloud.endpoint, environment.ACCOUNT)
        ec2, sqs = tenant.client("ec2"), tenant.client("sqs")
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)
        sqs.create_queue(QueueName="q")
        tenant.control("POST", "reset")
        assert ec2.describe_instances()["Reservations"] == []
        assert sqs.list_queues().get("QueueUrls", []) == []
        assert tenant.client("cloudtrail").lookup_events()["Events"] == []
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)
