"""What collect tells of EKS clusters by their own API: with its own role's token, by the role that we ship, in pages; and
what it says of those that do not let it in or that it cannot reach."""

from __future__ import annotations

import json
from typing import Iterator

import pytest
from deployment import Deployment
from kubernetes_cluster import OWNER, Cluster, granted, used
from kubernetes_objects import careful, left_by_campaigns, something_mines
from test_report import report

MINES = "mining_workload_with_a_miners_marks"


def judge(picket) -> None:
    """Everything is judged, as the clock has it."""
    picket.invoke("collect", {"account": picket.account, "detail-type": "Scheduled Event", "detail": {}})


def findings(picket, cluster: Cluster) -> dict[str, set[str]]:
    """What is open inside a cluster: the assets of each rule."""
    found: dict[str, set[str]] = {}
    for item in picket.items(f"finding#{picket.account}"):
        body = json.loads(item["body"]["S"])
        kind, _, rest = body["asset"].partition("/")
        if body["resolved_at"] is None and kind.startswith("kubernetes.") and rest.split("/")[0] == cluster.name:
            found.setdefault(body["rule"], set()).add(rest.partition("/")[2])
    return found


def unseen(picket, cluster: Cluster) -> dict[str, str]:
    """What the last sweep could not see of a cluster, and why."""
    [item] = picket.items(f"benchmark#{picket.account}#unseen")
    rows = json.loads(item["body"]["S"])
    return {r["what"]: r["why"] for r in rows if f"/{cluster.name}/*" in r["what"]}


def without(cluster: Cluster, resource: str) -> None:
    """Takes one list away from the reader's role."""
    role = cluster.owner.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/picket-reader")
    for rule in role["rules"]:
        rule["resources"] = [r for r in rule["resources"] if r != resource]
    cluster.put(role)


@pytest.fixture(scope="module")
def picket(enforcing: Deployment) -> Deployment:
    return enforcing


@pytest.fixture(scope="module")
def clusters(picket: Deployment) -> Iterator[dict[str, Cluster]]:
    """One cluster of each sort, all judged at once."""
    place = picket.new_place()
    all_ = {name: Cluster(picket, place) for name in ("careless", "careful", "stranger", "private", "denied", "changing")}
    for name, cluster in all_.items():
        cluster.put(*(careful() if name == "careful" else something_mines()))
        cluster.put(*(left_by_campaigns() if name == "careless" else []))
        if name != "stranger":
            cluster.let_in("collect", "reader")
    all_["careless"].order(page=1)
    all_["changing"].order(page=1, lose_list=True)
    without(all_["denied"], "clusterrolebindings")
    all_["private"].close()
    judge(picket)
    yield all_
    for cluster in all_.values():
        cluster.eks.delete_cluster(name=cluster.name)


def test_a_careless_cluster_is_told_what_is_wrong_page_by_page(picket, clusters):
    found, lists = findings(picket, clusters["careless"]), clusters["careless"].asked("collect")
    assert found[MINES] == {"default/Pod/web"}
    assert found["mining_everybody_bound"] == found["kubernetes_anonymous_not_bound"] == {"ClusterRoleBinding/open"}
    assert {
        "kubernetes_cluster_admin_sparingly",
        "kubernetes_containers_not_privileged",
        "kubernetes_default_namespace_unused",
        "kubernetes_namespace_network_policies",
        "kubernetes_pods_without_host_pid",
    } <= set(found)
    assert any("continue" in r["query"] for r in lists), "pages are followed"
    assert {r["code"] for r in lists} <= {200, 404}


def test_what_campaigns_leave_is_found_and_known_agents_are_not(picket, clusters):
    found = findings(picket, clusters["careless"])
    left = {"kube-system/DaemonSet/kube-controller", "kube-system/DaemonSet/proxy-api"}
    assert found["mining_workload_of_a_campaign"] == found["mining_daemonset_unexpected_system"] == left
    assert found["mining_daemonset_unexpected_elsewhere"] == {"shop/DaemonSet/agent"}
    assert found["mining_binding_poses_as_platform"] == {"ClusterRoleBinding/system:controller:kube-controller"}
    assert found["mining_workload_privileged"] == {"default/Pod/web"}


def test_a_careful_cluster_is_left_in_peace(picket, clusters):
    assert findings(picket, clusters["careful"]) == {}
    assert unseen(picket, clusters["careful"]) == {}


def test_the_role_that_we_ship_is_enough_and_every_right_of_it_is_used(clusters):
    assert used(clusters["careless"].asked("collect")) == granted("reader")


def test_a_right_that_is_taken_away_is_unknown_with_what_grants_it_and_the_rest_is_judged(picket, clusters):
    found, said = findings(picket, clusters["denied"]), unseen(picket, clusters["denied"])
    assert found[MINES] and "mining_everybody_bound" not in found
    why = next(why for what, why in said.items() if what.startswith("kubernetes.binding/"))
    assert "clusterrolebindings" in why and "kubectl apply -f infra/kubernetes/reader.yaml" in why, why


def test_a_list_that_grows_too_old_on_its_way_is_begun_anew(picket, clusters):
    assert 410 in {r["code"] for r in clusters["changing"].asked("collect")}
    assert MINES in findings(picket, clusters["changing"])
    assert unseen(picket, clusters["changing"]) == {}


def test_a_cluster_that_did_not_let_us_in_is_unknown_with_what_to_do(picket, clusters):
    said = unseen(picket, clusters["stranger"])
    assert said and all("eks:CreateAccessEntry" in why for why in said.values()), said
    assert findings(picket, clusters["stranger"]) == {}


def test_a_private_endpoint_is_unknown_with_what_to_do(picket, clusters):
    said = unseen(picket, clusters["private"])
    assert said and all("endpoint may be private" in why for why in said.values()), said
    assert findings(picket, clusters["private"]) == {}


def test_nothing_passes_where_nothing_was_read(picket, clusters):
    said = json.loads(picket.cli("assess", "--evaluations", "--output", "json").stdout)["assessment"]["evaluations"]
    for name in ("stranger", "private"):
        inside = [e for e in said if e["asset"].startswith("kubernetes.") and f"/{clusters[name].name}/" in e["asset"]]
        assert {e["outcome"]["is"] for e in inside} == {"unknown"}


def test_live_signs_posture_and_exposure_make_one_score_of_the_cluster_wherever_it_is_shown(picket, clusters):
    picket.invoke("report", {"link": {"minutes": 5, "fresh": True}})
    reported = {a["asset"]: a for a in report(picket)["assets"]}
    said = {a["asset"]: a for a in json.loads(picket.cli("assess", "--output", "json", user=OWNER).stdout)["assets"]}
    asset = f"eks.cluster/{clusters['careless'].name}"
    parts = [a for a in {**said, **reported} if a.startswith("kubernetes.") and not a.startswith("kubernetes.cluster/")]
    assert not parts, "parts count for their cluster"
    for risk in (reported[asset], said[asset]):
        points = [r["weight"] for r in risk["reasons"]]
        assert risk["score"] == min(sum(points), 100) and points == sorted(points, reverse=True)
        signals = {r["signal"] for r in risk["reasons"]}
        assert {"live_critical", "live_high", "live_medium", "posture_critical", "exposed", "live_and_exposed"} <= signals
        [mine] = [r for r in risk["reasons"] if "Pod/web" in r["says"] and "miner" in r["says"]]
        assert "xmrig" in mine["evidence"]
    assert reported[asset]["score"] == said[asset]["score"]
    careful = reported[f"eks.cluster/{clusters['careful'].name}"]
    assert not [r for r in careful["reasons"] if r["signal"].startswith("live")]


def test_people_see_assets_by_score_and_how_each_came_to_be(picket, clusters):
    asset = f"eks.cluster/{clusters['careless'].name}"
    page = picket.cli("assess", "--all", user=OWNER).stdout
    assert page.index("highest risk") < page.index("SEVERITY")
    [line] = [line for line in page.splitlines() if asset in line][:1]
    score = line.split()[0]
    explained = picket.cli("explain", asset, user=OWNER).stdout
    assert f"risk {score} of 100: {asset}" in explained and "live_and_exposed" in explained
    finding = json.loads(picket.cli("explain", asset, "--output", "json", user=OWNER).stdout)["risk"][0]["reasons"][0]
    name = finding["evidence"].split(":")[0]
    assert f"risk {score} of 100: {asset}" in picket.cli("explain", name, user=OWNER).stdout
    table = picket.cli("explain", "risk").stdout
    assert all(f"{r['signal']} " in table for r in [finding])


def test_what_was_found_stays_open_while_the_cluster_cannot_be_reached(picket, clusters):
    clusters["careless"].close()
    judge(picket)
    assert MINES in findings(picket, clusters["careless"])
