"""What the collector says of a node is judged: an insecure master fails what it is known for, a hardened one does not."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import ROOT
from trees import amazon, kops, kubeadm

PICKET = ROOT / "target/debug/picket"


@pytest.fixture
def judged(script, tmp_path):
    """The rules that are open for a tree, read by the collector and judged by `picket assess --node`."""

    def go(kind, how: str = "plain") -> set[str]:
        tree = tmp_path / how / kind.__name__
        tree.mkdir(parents=True)
        kind(tree)
        environment = {"PATH": os.environ["PATH"], "PICKET_ROOT": str(tree)}
        report = subprocess.run(["sh", script, how], env=environment, capture_output=True, check=True).stdout
        file = pathlib.Path(tmp_path / "master.json")
        file.write_bytes(report)
        done = subprocess.run([PICKET, "assess", "--node", file, "--output", "json"], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return {f["rule"] for f in json.loads(done.stdout)["assessment"]["findings"]}

    return go


def test_a_kops_1_10_master_fails_what_it_is_known_for(judged):
    open_doors = judged(kops)
    expected = {
        "kubernetes_api_server_anonymous_off",
        "kubernetes_api_server_authorization_has_rbac",
        "kubernetes_api_server_no_token_file",
        "kubernetes_component_pair_set_etcd_tls",
        "kubernetes_file_modes_kubelet_kubeconfig",
        "kubernetes_kubelet_anonymous_off",
        "kubernetes_kubelet_authorization_checks",
        "kubernetes_kubelet_read_only_port_off",
        "kubernetes_legacy_flags_absent_basic_auth_file",
        "kubernetes_legacy_insecure_port_off",
        "mining_node_does_not_mine",
        "mining_node_hides_nothing",
    }
    assert expected <= open_doors, sorted(open_doors)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives etcd's folder to etcd")
def test_a_hardened_master_passes_all_that_is_asked_of_its_node(judged):
    # The legacy pack asks for admission plugins that newer versions no longer have; the system below is another pack's.
    assert {rule for rule in judged(kubeadm) if "legacy" not in rule and not rule.startswith("amazon_linux")} == set()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to root")
def test_a_hardened_host_of_amazon_linux_fails_nothing_that_files_show(judged):
    # Packages, units and rules in force are asked of a running system.
    failed = {rule for rule in judged(amazon) if rule.startswith("amazon_linux")}
    assert {rule for rule in failed if "firewall" not in rule} == set(), sorted(failed)


def test_a_packed_report_is_judged_as_a_plain_one(judged):
    assert judged(kubeadm, "packed") == judged(kubeadm, "plain")
