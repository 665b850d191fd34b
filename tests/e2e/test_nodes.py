"""Nodes of self-managed clusters: what the deployed functions find on them through Systems Manager or their user data, what
they fix there, and that no other document can be sent."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from botocore.exceptions import ClientError
from deployment import Deployment, eventually
from made_nodes import Node, Nodes, wordy
from test_fix import FIXING, order
from trees import eks, kops, kubeadm, put

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to root and etcd")

# What kube-bench reports as FAIL of a master as kops 1.10 made it, by the benchmark of that time (CIS Kubernetes 1.3), as our
# rules name it.
API_SERVER = {
    "kubernetes_api_server_anonymous_off",  # 1.1.1
    "kubernetes_legacy_flags_absent_basic_auth_file",  # 1.1.2
    "kubernetes_legacy_flags_absent_insecure_bind_address",  # 1.1.5
    "kubernetes_legacy_insecure_port_off",  # 1.1.6
    "kubernetes_component_profiling_off_api_server",  # 1.1.8
    "kubernetes_api_server_plugin_on_always_pull_images",  # 1.1.11
    "kubernetes_legacy_pod_policies_security_context_deny",  # 1.1.13
    "kubernetes_component_flag_set_api_server_audit_log_path",  # 1.1.15
    "kubernetes_api_server_audit_kept_days",  # 1.1.16
    "kubernetes_api_server_audit_kept_files",  # 1.1.17
    "kubernetes_api_server_audit_kept_megabytes",  # 1.1.18
    "kubernetes_api_server_authorization_checks",  # 1.1.19
    "kubernetes_api_server_no_token_file",  # 1.1.20
    "kubernetes_legacy_flags_absent_token_auth_file",  # 1.1.20
    "kubernetes_component_flag_set_api_server_kubelet_ca",  # 1.1.21
    "kubernetes_component_pair_set_api_server_kubelet",  # 1.1.22
    "kubernetes_legacy_pod_policies_pod_security_policy",  # 1.1.24
    "kubernetes_component_flag_set_api_server_service_account_key",  # 1.1.25
    "kubernetes_component_pair_set_api_server_etcd",  # 1.1.26
    "kubernetes_component_pair_set_api_server_tls",  # 1.1.28
    "kubernetes_component_flag_set_api_server_client_ca",  # 1.1.29
    "kubernetes_api_server_strong_ciphers",  # 1.1.30
    "kubernetes_component_flag_set_api_server_etcd_ca",  # 1.1.31
    "kubernetes_api_server_authorization_has_node",  # 1.1.32
    "kubernetes_api_server_plugin_on_node_restriction",  # 1.1.33
    "kubernetes_api_server_encrypts",  # 1.1.34
    "kubernetes_api_server_strong_encryption",  # 1.1.35
    "kubernetes_api_server_plugin_on_event_rate_limit",  # 1.1.36
    "kubernetes_component_flag_set_api_server_audit_policy",  # 1.1.37
    "kubernetes_api_server_authorization_has_rbac",  # 1.1.39
}
ETCD = {
    "kubernetes_component_pair_set_etcd_tls",
    "kubernetes_etcd_client_certificates_clients",
    "kubernetes_component_pair_set_etcd_peers",
    "kubernetes_etcd_client_certificates_peers",
    "kubernetes_etcd_own_authority",
}
KUBELET = {
    "kubernetes_kubelet_anonymous_off",
    "kubernetes_kubelet_authorization_checks",
    "kubernetes_kubelet_client_ca",
    "kubernetes_kubelet_read_only_port_off",
    "kubernetes_kubelet_protects_kernel_defaults",
    "kubernetes_kubelet_serving_certificate",
    "kubernetes_kubelet_rotates_serving",
    "kubernetes_kubelet_strong_ciphers",
}
# What benchmarks of later years ask besides: files that only their owner reads, too.
LATER = {
    "kubernetes_file_modes_api_server_manifest",
    "kubernetes_file_modes_kubelet_kubeconfig",
    "kubernetes_api_server_plugin_on_deny_external_ips",
    "kubernetes_api_server_tokens_expire",
    "kubernetes_audit_policy_sensitive",
    "kubernetes_kubelet_pid_limit",
    "kubernetes_kubelet_seccomp_default",
    "kubernetes_legacy_pods_refused",
}
KNOWN_REPORT = API_SERVER | ETCD | KUBELET | LATER


@pytest.fixture(scope="module")
def swept(enforcing: Deployment, tmp_path_factory: Any) -> Iterator[dict[str, Any]]:
    """One sweep by the deployed function over nodes of each kind; who is who, what was found and what was not seen."""
    nodes = Nodes(enforcing, enforcing.new_place(), tmp_path_factory.mktemp("swept"))
    who = {
        "insecure": nodes.make(kops).instance,
        "hardened": nodes.make(kubeadm).instance,
        "wordy": nodes.make(wordy(kops)).instance,
        "silent": nodes.make(eks, answers=False).instance,
        "offline": nodes.make(eks, **{"ping-status": "ConnectionLost"}).instance,
        "unknown": nodes.launch(),
        "by user data": nodes.launch("node", BOOTSTRAP),
        "auto mode": nodes.launch("node", **{"eks:kubernetes-node-pool-name": "general-purpose"}),
    }
    sweep = {"account": enforcing.account, "detail-type": "Scheduled Event", "detail": {}}
    name = f"{enforcing.stack}-collect"
    enforcing.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(sweep).encode())
    # What could not be seen is kept last.
    eventually(lambda: any(who["silent"] in what for what in unseen_by(enforcing)), "the sweep has ended", 300)
    ssm = enforcing.client("ssm")
    sent = {name: len(ssm.list_commands(InstanceId=instance)["Commands"]) for name, instance in who.items()}
    yield {"who": who, "found": found_by(enforcing), "unseen": unseen_by(enforcing), "sent": sent}


BOOTSTRAP = "#!/bin/bash\n/etc/eks/bootstrap.sh prod --kubelet-extra-args '--read-only-port=10255 --anonymous-auth=false'\n"


def found_by(picket: Deployment) -> dict[str, set[str]]:
    """The rules that fail, by the id of the asset."""
    pages = picket.client("dynamodb").get_paginator("query").paginate(
        TableName=f"{picket.stack}-state",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"finding#{picket.account}"}},
    )
    found: dict[str, set[str]] = {}
    for finding in (json.loads(row["body"]["S"]) for page in pages for row in page["Items"]):
        if finding["resolved_at"] is None:
            kind, _, name = finding["asset"].partition("/")
            if kind == "node" or kind.startswith("kubernetes."):
                found.setdefault(name, set()).add(finding["rule"])
    return found


def unseen_by(picket: Deployment) -> dict[str, str]:
    """Why what could not be seen was not, by what it is."""
    rows = picket.items(f"benchmark#{picket.account}#unseen")
    return {one["what"]: one["why"] for row in rows for one in json.loads(row["body"]["S"])}


def kubernetes(rules: set[str]) -> set[str]:
    return {rule for rule in rules if rule.startswith("kubernetes")}


# --- what is found


def test_an_insecure_kops_master_gives_the_failures_that_its_known_report_gives(swept):
    found = kubernetes(swept["found"][swept["who"]["insecure"]])
    assert found == KNOWN_REPORT, (sorted(found - KNOWN_REPORT), sorted(KNOWN_REPORT - found))


def test_a_hardened_master_gives_none_of_them(swept):
    found = kubernetes(swept["found"].get(swept["who"]["hardened"], set()))
    # What versions of today no longer have is asked of old ones alone.
    gone = {"kubernetes_legacy_pod_policies_pod_security_policy", "kubernetes_legacy_pod_policies_security_context_deny", "kubernetes_legacy_pods_refused"}
    assert found - gone == set()


def test_a_miner_on_a_master_is_seen_and_a_hardened_one_has_none(swept):
    mining = lambda name: {r for r in swept["found"].get(swept["who"][name], set()) if r.startswith("mining")}  # noqa: E731
    assert mining("insecure") == {"mining_node_does_not_mine", "mining_node_hides_nothing"}
    assert mining("hardened") == set()


def test_a_report_that_does_not_fit_comes_in_portions_and_is_judged_as_a_whole(swept):
    assert swept["sent"]["insecure"] == 1
    assert swept["sent"]["wordy"] == 9, "at once, and then in eight portions"
    assert kubernetes(swept["found"][swept["who"]["wordy"]]) >= kubernetes(swept["found"][swept["who"]["insecure"]])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("silent", "is online and took no command"),
        ("offline", "agent is not online"),
        ("unknown", "Systems Manager does not know it"),
    ],
)
def test_a_node_that_does_not_answer_is_unknown_with_its_reason(swept, name, why):
    instance = swept["who"][name]
    assert instance not in swept["found"]
    told = [text for what, text in swept["unseen"].items() if instance in what]
    assert told and all(why in text for text in told), swept["unseen"]


def test_a_node_without_systems_manager_is_judged_by_what_its_user_data_says_and_no_more(swept):
    found = swept["found"].get(swept["who"]["by user data"], set())
    assert found == {"kubernetes_kubelet_read_only_port_off"}


def test_a_node_that_aws_manages_has_no_findings_and_is_not_missed(swept):
    instance = swept["who"]["auto mode"]
    assert instance not in swept["found"]
    assert not [what for what in swept["unseen"] if instance in what]
    assert swept["sent"]["auto mode"] == 0


# --- who may send what


@pytest.mark.parametrize(("function", "own", "other"), [("collect", "read-node", "fix-node"), ("fix", "fix-node", "read-node")])
def test_a_function_sends_its_own_document_and_no_other(picket, place, tmp_path, function, own, other):
    node = Nodes(picket, place, tmp_path).make(eks)
    client = picket.client("ssm", picket.session_of(function))
    mode = {"Verb": ["read"], "Kind": ["file_mode"], "Path": ["/etc/passwd"]}
    parameters = {"read-node": {}, "fix-node": mode, "AWS-RunShellScript": {"commands": ["id"]}}

    def send(name: str) -> Any:
        document = name if name.startswith("AWS-") else f"{picket.stack}-{name}"
        return client.send_command(DocumentName=document, InstanceIds=[node.instance], Parameters=parameters[name])

    assert send(own)["Command"]["CommandId"]
    for name in (other, "AWS-RunShellScript"):
        with pytest.raises(ClientError, match="AccessDenied"):
            send(name)


# --- fixes


@pytest.fixture
def fixing(picket: Deployment) -> Deployment:
    picket.apply_policy(FIXING)
    return picket


@pytest.fixture
def nodes(fixing, place, tmp_path) -> Nodes:
    return Nodes(fixing, place, tmp_path)


def ended(picket: Deployment, work: dict, seconds: float = 90) -> dict:
    """The answer of the function, once it is no longer `later`."""

    def answer() -> dict | None:
        said = picket.invoke("fix", work)
        return None if said["is"] == "later" else said

    return eventually(answer, f"an end of {work}", seconds)


def fix(picket: Deployment, action: str, node: Node, **with_: Any) -> dict:
    return ended(picket, {"order": order(picket, action, node.instance, **with_)})


def scoped(picket: Deployment, said: dict, **more: Any) -> dict:
    return {"scope": {"account": picket.account, "region": picket.region}, "id": said["fix"]["id"], **more}


def yes(picket: Deployment, said: dict) -> dict:
    return ended(picket, {"say": scoped(picket, said, approve=True, by="carol")})


def undo(picket: Deployment, said: dict) -> dict:
    return ended(picket, {"undo": scoped(picket, said, by="bob", reason="a drill")})


def state_of(picket: Deployment, said: dict) -> str:
    [row] = [r for r in picket.items(f"fix#{picket.account}#{picket.region}") if r["sk"]["S"] == said["fix"]["id"]]
    return json.loads(row["body"]["S"])["state"]


def open_kubelet(root: Path) -> None:
    eks(root)
    put(root, "/etc/kubernetes/kubelet/config.json", json.dumps({"authentication": {"anonymous": {"enabled": True}}}))


def anonymous(node: Node) -> Any:
    file = node.root / "etc/kubernetes/kubelet/config.json"
    return json.loads(file.read_text())["authentication"]["anonymous"]["enabled"]


ANONYMOUS = {"field": "authentication.anonymous.enabled", "value": "false"}


def test_a_mode_is_tightened_with_a_backup_and_put_back_by_undo(fixing, nodes):
    node, path = nodes.make(kops), "/var/lib/kubelet/kubeconfig"
    made = fix(fixing, "node_set_file_mode", node, path=path, mode="600")
    assert made["is"] == "fixed", made
    assert node.mode(path) == "600" and len(node.backups()) == 1
    assert fix(fixing, "node_set_file_mode", node, path=path, mode="600")["is"] == "already"
    assert undo(fixing, made)["is"] == "undone"
    assert node.mode(path) == "644"


def test_only_files_of_kubernetes_are_touched(fixing, nodes):
    node = nodes.make(kops)
    said = fix(fixing, "node_set_file_mode", node, path="/etc/passwd", mode="600")
    assert said["is"] == "refused" and "only files below" in said["why"], said
    assert node.mode("/etc/passwd") == "644"


def test_a_kubelet_is_set_after_a_yes_read_back_and_put_back_by_undo(fixing, nodes):
    node = nodes.make(open_kubelet)
    before = (node.root / "etc/kubernetes/kubelet/config.json").read_text()
    asked = fix(fixing, "node_set_kubelet", node, **ANONYMOUS)
    assert asked["is"] == "asked" and anonymous(node) is True, asked
    made = yes(fixing, asked)
    assert made["is"] == "fixed", made
    assert anonymous(node) is False and node.restarts() == ["again"]
    assert [b.read_text() for b in node.backups()] == [before]
    fixing.alert_about(made["fix"]["id"], "FIXED")
    assert undo(fixing, made)["is"] == "undone"
    assert anonymous(node) is True and len(node.restarts()) == 2


def test_a_kubelet_that_does_not_get_healthy_is_put_back_by_itself_and_told(fixing, nodes):
    node = nodes.make(open_kubelet, health="! grep -q again ROOT/restarts 2>/dev/null")
    before = (node.root / "etc/kubernetes/kubelet/config.json").read_text()
    said = yes(fixing, fix(fixing, "node_set_kubelet", node, **ANONYMOUS))
    assert said["is"] == "failed" and "of before is back" in said["why"], said
    assert (node.root / "etc/kubernetes/kubelet/config.json").read_text() == before
    assert len(node.restarts()) == 2
    alert = fixing.alert_about(said["fix"]["id"], "NOT FIXED")
    assert "of before is back" in alert["Message"], alert["Message"]


def test_a_node_that_is_sick_already_is_not_changed(fixing, nodes):
    node = nodes.make(open_kubelet, health="false")
    said = fix(fixing, "node_set_kubelet", node, **ANONYMOUS)
    assert said["is"] == "refused" and "not healthy" in said["why"], said
    assert anonymous(node) is True and node.restarts() == []


def test_of_two_control_plane_nodes_one_is_done_at_a_time(fixing, nodes, tmp_path):
    log = tmp_path / "log"
    slowly = f"echo begins ROOT >> {log}; sleep 3; echo ends ROOT >> {log}"
    pair = [nodes.make(open_kubelet, restart=slowly) for _ in range(2)]
    asked = [fix(fixing, "node_set_kubelet", node, **ANONYMOUS) for node in pair]
    first = threading.Thread(target=yes, args=(fixing, asked[0]))
    first.start()
    eventually(lambda: log.exists(), "the first kubelet restarts", 30)
    said = fixing.invoke("fix", {"say": scoped(fixing, asked[1], approve=True, by="carol")})
    assert said["is"] == "later" and "one after another" in said["why"], said
    assert anonymous(pair[1]) is True
    first.join()
    # Nobody asks again: it goes on by its queue when it is its turn.
    eventually(lambda: all(state_of(fixing, a) == "fixed" for a in asked), "both are fixed", 90)
    assert [anonymous(node) for node in pair] == [False, False]
    words = [line.split() for line in log.read_text().splitlines()]
    assert [word for word, _ in words] == ["begins", "ends"] * 2
    assert words[0][1] == words[1][1] != words[2][1] == words[3][1]
