"""What collect tells of EKS clusters by their own API: with its own role's token, by the role that we ship, in pages; and
what it says of those that do not let it in or that it cannot reach."""

from __future__ import annotations

import json

import pytest
from kubernetes_cluster import Cluster, cluster, granted, used  # noqa: F401 (a fixture)
from kubernetes_objects import careful, set_of, something_mines

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


def verdicts(picket, cluster: Cluster) -> set[str]:
    """What a person's `picket assess` says of everything inside a cluster."""
    said = json.loads(picket.cli("assess", "--evaluations", "--output", "json").stdout)
    mine = [e for e in said["assessment"]["evaluations"] if e["asset"].startswith("kubernetes.")]
    return {e["outcome"]["is"] for e in mine if e["asset"].split("/")[1] == cluster.name}


def test_a_careless_cluster_is_told_what_is_wrong_page_by_page(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.put(*something_mines())
    cluster.order(page=1)
    judge(picket)
    found = findings(picket, cluster)
    assert found[MINES] == {"default/Pod/web"}
    assert found["mining_everybody_bound"] == found["kubernetes_anonymous_not_bound"] == {"ClusterRoleBinding/open"}
    assert {
        "kubernetes_cluster_admin_sparingly",
        "kubernetes_containers_not_privileged",
        "kubernetes_default_namespace_unused",
        "kubernetes_namespace_network_policies",
        "kubernetes_pods_without_host_pid",
    } <= set(found)
    lists = [r for r in cluster.asked("collect") if r["verb"] == "list"]
    assert any("continue" in r["query"] for r in lists), "pages are followed"
    assert {r["code"] for r in lists} <= {200, 404}


def test_a_careful_cluster_is_left_in_peace(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.put(*careful())
    judge(picket)
    assert findings(picket, cluster) == {}
    assert unseen(picket, cluster) == {}


def test_the_role_that_we_ship_is_enough_and_every_right_of_it_is_used(picket, cluster):
    cluster.let_in("collect", "reader")
    judge(picket)
    assert used(cluster.asked("collect")) == granted("reader")


def test_a_right_that_is_taken_away_is_unknown_with_what_grants_it_and_the_rest_is_judged(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.put(*something_mines())
    role = cluster.owner.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/picket-reader")
    for rule in role["rules"]:
        rule["resources"] = [r for r in rule["resources"] if r != "clusterrolebindings"]
    cluster.put(role)
    judge(picket)
    found = findings(picket, cluster)
    assert found[MINES] and "mining_everybody_bound" not in found
    why = next(why for what, why in unseen(picket, cluster).items() if what.startswith("kubernetes.binding/"))
    assert "clusterrolebindings" in why and "kubectl apply -f infra/kubernetes/reader.yaml" in why, why


def test_a_list_that_grows_too_old_on_its_way_is_begun_anew(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.put(*something_mines())
    cluster.order(page=1, lose_list=True)
    judge(picket)
    assert 410 in {r["code"] for r in cluster.asked("collect")}
    assert MINES in findings(picket, cluster)
    assert unseen(picket, cluster) == {}


def test_a_cluster_that_did_not_let_us_in_is_unknown_with_what_to_do(picket, cluster):
    cluster.put(*something_mines())
    judge(picket)
    said = unseen(picket, cluster)
    assert said and all("eks:CreateAccessEntry" in why for why in said.values()), said
    assert findings(picket, cluster) == {}
    assert verdicts(picket, cluster) == {"unknown"}


def test_a_private_endpoint_is_unknown_with_what_to_do(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.close()
    judge(picket)
    said = unseen(picket, cluster)
    assert said and all("endpoint may be private" in why for why in said.values()), said
    assert verdicts(picket, cluster) == {"unknown"}


def test_what_was_found_stays_open_while_the_cluster_cannot_be_reached(picket, cluster):
    cluster.let_in("collect", "reader")
    cluster.put(*something_mines())
    judge(picket)
    cluster.close()
    judge(picket)
    assert MINES in findings(picket, cluster)
