"""The document that fix may send to nodes, run by a shell against a folder that stands for a node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import deploy
import pytest
import yaml

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "fix-node.yaml"
CONFIG = "/etc/kubernetes/kubelet/config.json"

pytestmark = pytest.mark.skipif(not shutil.which("python3"), reason="the document needs python3 on the node")


def script() -> str:
    document = deploy.read(TEMPLATE)["Resources"]["Document"]["Properties"]["Content"]
    return document["mainSteps"][0]["inputs"]["runCommand"][0]


class Node:
    """A folder with files, a kubelet that is healthy or not, and a count of its restarts."""

    def __init__(self, root: Path):
        self.root = root
        (root / "restarts").write_text("")

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def run(self, health: str = "true", **parameters: str) -> subprocess.CompletedProcess:
        text = script()
        for name in ("Verb", "Kind", "Path", "Field", "Value"):
            text = text.replace("{{ %s }}" % name, parameters.get(name, "-"))
        settings = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "PICKET_ROOT": str(self.root),
            "PICKET_HEALTH": health,
            "PICKET_RESTART": f"echo again >> {self.root}/restarts",
            "PICKET_PAUSE": "0",
        }
        return subprocess.run(["sh", "-c", text], env=settings, capture_output=True, text=True, timeout=30)

    def says(self, **parameters: str) -> dict:
        done = self.run(**parameters)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def restarts(self) -> int:
        return len((self.root / "restarts").read_text().splitlines())

    def backups(self) -> list[Path]:
        return sorted(f for f in (self.root / "var/lib/picket/backups").glob("*") if f.is_file())


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_mode_is_read_tightened_with_a_backup_and_put_back(node):
    file = node.put("/etc/kubernetes/admin.conf", "secret", 0o644)
    of = {"Kind": "file_mode", "Path": "/etc/kubernetes/admin.conf"}
    assert node.says(Verb="read", **of)["mode"] == "644"
    assert not node.backups()
    for _ in range(2):
        assert node.says(Verb="write", Value="600", **of)["mode"] == "600"
    assert node.backups()[0].read_text() == "secret"
    assert node.says(Verb="write", Value="644", **of)["mode"] == "644"
    assert file.read_text() == "secret"


def test_a_link_and_what_leads_elsewhere_are_left(node):
    target = node.put("/etc/shadow", "x", 0o640)
    link = node.root / "etc/kubernetes/link"
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    for path in ("/etc/kubernetes/link", "/etc/kubernetes/../shadow", "/etc/kubernetes/none"):
        assert node.run(Verb="write", Kind="file_mode", Path=path, Value="600").returncode != 0
    assert target.stat().st_mode & 0o777 == 0o640


KUBELET = {"Kind": "kubelet", "Field": "authentication.anonymous.enabled"}


def test_a_setting_goes_there_and_back_with_a_restart_each(node):
    whole = {"kind": "KubeletConfiguration", "authentication": {"webhook": {"enabled": True}}}
    file = node.put(CONFIG, json.dumps(whole))
    assert node.says(Verb="read", **KUBELET) == {"value": None, "healthy": True}
    for _ in range(2):
        assert node.says(Verb="write", Value="false", **KUBELET)["value"] is False
    assert node.restarts() == 1, "what is so already restarts nothing"
    assert json.loads(file.read_text())["authentication"]["webhook"] == {"enabled": True}
    assert json.loads(node.backups()[0].read_text()) == whole
    assert node.says(Verb="write", Value="null", **KUBELET)["value"] is None
    assert json.loads(file.read_text()) == whole


def test_a_kubelet_that_does_not_recover_gets_its_file_of_before(node):
    text = json.dumps({"readOnlyPort": 10255})
    file = node.put(CONFIG, text)
    sick = f"! grep -q again {node.root}/restarts"  # healthy until it is restarted
    done = node.run(health=sick, Verb="write", Value="0", Kind="kubelet", Field="readOnlyPort")
    assert done.returncode != 0 and "of before is back" in done.stderr, done
    assert file.read_text() == text
    assert node.restarts() == 2


def test_a_sick_kubelet_and_one_without_a_known_file_are_not_changed(node):
    file = node.put(CONFIG, "{}")
    assert node.run(health="false", Verb="write", Value="false", **KUBELET).returncode != 0
    assert file.read_text() == "{}" and node.restarts() == 0
    file.unlink()
    done = node.run(Verb="write", Value="false", **KUBELET)
    assert done.returncode != 0 and "known here" in done.stderr


YAML = "/var/lib/kubelet/config.yaml"
KUBEADM = """apiVersion: kubelet.config.k8s.io/v1beta1
authentication:
  anonymous:
    enabled: true   # for the old monitoring
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
authorization:
  mode: AlwaysAllow
clusterDNS:
- 10.96.0.10
kind: KubeletConfiguration
"""


@pytest.mark.parametrize(
    ("field", "before", "value", "line"),
    [
        ("authentication.anonymous.enabled", True, "false", "    enabled: false"),
        ("authorization.mode", "AlwaysAllow", '"Webhook"', "  mode: Webhook"),
        ("readOnlyPort", None, "0", "readOnlyPort: 0"),
        ("streamingConnectionIdleTimeout", None, '"4h0m0s"', "streamingConnectionIdleTimeout: 4h0m0s"),
        ("authentication.webhook.enabled", None, "true", "    enabled: true"),
    ],
)
def test_a_file_of_yaml_is_changed_in_its_one_line_and_comes_back(node, field, before, value, line):
    file = node.put(YAML, KUBEADM)
    of = {"Kind": "kubelet", "Field": field}
    assert node.says(Verb="read", **of)["value"] == before
    assert node.says(Verb="write", Value=value, **of)["value"] == json.loads(value)
    assert line in file.read_text().splitlines()
    was = yaml.safe_load(KUBEADM)
    now = yaml.safe_load(file.read_text())
    at = now
    for key in field.split("."):
        at = at[key]
    assert at == json.loads(value)
    assert node.says(Verb="write", Value=json.dumps(before), **of)["value"] == before
    assert yaml.safe_load(file.read_text()) == was


def test_yaml_that_is_laid_out_otherwise_is_left(node):
    for text in ("authentication: {anonymous: {enabled: true}}\n", "authentication:\n\tanonymous:\n", "a: 1\n---\nb: 2\n---\n"):
        file = node.put(YAML, text)
        done = node.run(Verb="write", Value="false", **KUBELET)
        assert done.returncode != 0 and "laid out" in done.stderr, done
        assert file.read_text() == text and node.restarts() == 0


@pytest.mark.parametrize(
    ("field", "flag"),
    [("authentication.anonymous.enabled", "--anonymous-auth"), ("readOnlyPort", "--read-only-port"), ("eventRecordQPS", "--event-qps"), ("authorization.mode", "--authorization-mode")],
)
def test_what_the_command_line_sets_is_not_changed_in_a_file(node, field, flag):
    node.put(YAML, KUBEADM)
    node.put("/proc/7/cmdline", f"/usr/bin/kubelet\0{flag}=x\0")
    done = node.run(Verb="write", Value="0", Kind="kubelet", Field=field)
    assert done.returncode != 0 and flag in done.stderr
    node.put("/proc/7/cmdline", f"/usr/bin/other\0{flag}=x\0")
    assert node.run(Verb="read", Kind="kubelet", Field=field).returncode == 0


def test_a_mode_that_makes_the_node_sick_is_put_back(node):
    file = node.put("/etc/kubernetes/admin.conf", "x", 0o644)
    sick = f"[ $(stat -c %a {file}) = 644 ]"
    done = node.run(health=sick, Verb="write", Kind="file_mode", Path="/etc/kubernetes/admin.conf", Value="600")
    assert done.returncode != 0 and "mode of before is back" in done.stderr
    assert file.stat().st_mode & 0o777 == 0o644


def test_while_a_change_is_under_way_nothing_else_is_read_or_changed(node):
    file = node.put("/etc/kubernetes/admin.conf", "x", 0o644)
    of = {"Kind": "file_mode", "Path": "/etc/kubernetes/admin.conf"}
    lock = node.root / "var/lib/picket/backups/lock"
    lock.mkdir(parents=True)
    for verb in ("read", "write"):
        assert node.run(Verb=verb, Value="600", **of).returncode == 75
    assert lock.is_dir() and file.stat().st_mode & 0o777 == 0o644
    old = time.time() - 600
    os.utime(lock, (old, old))
    assert node.says(Verb="write", Value="600", **of)["mode"] == "600"
    assert not lock.exists()
