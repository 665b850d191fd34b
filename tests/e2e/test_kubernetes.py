"""`picket assess --kubeconfig` against an API server that speaks TLS and pages: what a careless cluster is told, what a
careful one is not, and what is said where the API refuses or is not there."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICKET = Path(os.environ.get("PICKET_CLI", ROOT / "target" / "debug" / "picket"))
PAGE = 2
TOKEN = "let-me-in"

Objects = dict[str, list[dict[str, Any]]]


def bound(name: str, role: str, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def pod(name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def careless() -> Objects:
    """A kops master of 2018 with a miner on it."""
    server = "kube-apiserver --anonymous-auth=true --basic-auth-file=/x --insecure-port=8080 --authorization-mode=AlwaysAllow"
    master = pod("kube-apiserver-m", "kube-system", {"nodeName": "m", "containers": [{"name": "a", "command": server.split()}]})
    miner = pod("web", "default", {"hostPID": True, "containers": [
        {"name": "web", "image": "attacker/xmrig:latest", "securityContext": {"privileged": True}},
    ]})
    return {
        "/api/v1/namespaces": [{"metadata": {"name": n}} for n in ("default", "kube-system", "shop")],
        "/api/v1/pods": [master, miner, pod("other", "shop", {"containers": [{"name": "o", "image": "nginx"}]})],
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings": [
            bound("open", "cluster-admin", {"kind": "User", "name": "system:anonymous"}),
        ],
    }


def careful() -> Objects:
    """Nothing but a workload that keeps to everything."""
    context = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]},
               "seccompProfile": {"type": "RuntimeDefault"}}
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "/api/v1/namespaces": [{"metadata": {"name": "shop", "labels": label}}],
        "/api/v1/pods": [pod("web", "shop", {"automountServiceAccountToken": False, "serviceAccountName": "web", "containers": [
            {"name": "web", "image": "registry.k8s.io/e2e/web@sha256:00", "securityContext": context},
        ]})],
        "/apis/networking.k8s.io/v1/networkpolicies": [
            {"metadata": {"name": "deny", "namespace": "shop"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
        ],
        "/apis/apps/v1/daemonsets": [
            {"metadata": {"name": "calico-node", "namespace": "kube-system"},
             "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "docker.io/calico/node:v3.30"}]}}}},
        ],
    }


class Api:
    """The API server: HTTPS, a token, pages of two, and paths that are denied."""

    def __init__(self, folder: Path, objects: Objects, denied: frozenset[str] = frozenset()) -> None:
        self.folder, self.objects, self.denied = folder, objects, denied
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kubernetes",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
            cwd=folder, check=True, capture_output=True,
        )
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                code, body = api.answer(self.path, self.headers.get("authorization", ""))
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        def status(code: int, reason: str) -> tuple[int, dict[str, Any]]:
            return code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason, "metadata": {}}

        if authorization != f"Bearer {TOKEN}":
            return status(401, "Unauthorized")
        parts = urlsplit(path)
        if parts.path == "/version":
            return 200, {"gitVersion": "v1.34.1"}
        if parts.path in self.denied:
            return status(403, "Forbidden")
        if "cilium" in parts.path:
            return status(404, "NotFound")
        start = int(parse_qs(parts.query).get("continue", ["0"])[0])
        found = self.objects.get(parts.path, [])
        more = str(start + PAGE) if start + PAGE < len(found) else ""
        return 200, {"kind": "List", "metadata": {"continue": more}, "items": found[start : start + PAGE]}

    def kubeconfig(self, token: str = TOKEN) -> Path:
        authority = base64.b64encode((self.folder / "cert.pem").read_bytes()).decode()
        file = self.folder / f"kubeconfig-{token}"
        file.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "prod",
            "clusters": [{"name": "c", "cluster": {
                "server": f"https://127.0.0.1:{self.server.server_port}", "certificate-authority-data": authority}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        }))
        return file


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    servers: list[Api] = []

    def start(objects: Objects, denied: frozenset[str] = frozenset()) -> Api:
        servers.append(Api(tmp_path, objects, denied))
        return servers[-1]

    yield start
    for server in servers:
        server.server.shutdown()


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
    roles = "/apis/rbac.authorization.k8s.io/v1/roles"
    _, answer = assess(serve(careless(), frozenset({roles})).kubeconfig())
    text = json.dumps(answer)
    assert "infra/kubernetes/reader.yaml" in text
    assert "kubernetes_cluster_admin_sparingly" not in found(answer)
    assert "mining_workload_with_a_miners_marks" in found(answer)


def test_a_token_that_the_cluster_does_not_know_is_said_and_nothing_passes(serve: Any) -> None:
    _, answer = assess(serve(careless()).kubeconfig(token="stranger"))
    assert "access entry" in json.dumps(answer)
    assert found(answer) == set()
