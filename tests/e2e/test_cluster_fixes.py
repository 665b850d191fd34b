"""Fixes inside clusters, and nodes that are held: made by the deployed functions under their own roles, after a yes, seen
by the cluster's owner, and put back exactly. The roles that we ship are enough, and nothing of them is spare."""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from deployment import ENFORCING, Deployment, eventually
from kubernetes_cluster import ROLES, Cluster, granted, used
from kubernetes_objects import Object, anybody, bound, namespace, of, pod, set_of
from test_fix import ended, order, say, undo
from test_flows import running
from test_securing import secured

ASKING = ENFORCING + "fixes: {default: propose, per_hour: 500}\n"
FIXER = ROLES / "fixer.yaml"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
ALICE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}
NOBODY = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated"}


def owned(kind: str) -> list[Object]:
    return [{"apiVersion": "apps/v1", "kind": kind, "name": "owner", "uid": "1", "controller": True}]


def on_node(name: str, owner: str) -> Object:
    made = pod(name, "shop", {"nodeName": "n1", "serviceAccountName": "web", "containers": [{"name": "c", "image": "nginx"}]})
    made["metadata"] |= {"ownerReferences": owned(owner), "labels": {"app": name}}
    return made


def workload(kind: str) -> Object:
    template = {"metadata": {"labels": {"app": kind}}, "spec": {"serviceAccountName": "web", "containers": []}}
    version = "batch/v1" if kind == "Job" else "apps/v1"
    return of(kind, kind.lower(), "shop", version, spec={"selector": {"matchLabels": {"app": kind}}, "template": template})


def some_shop() -> list[Object]:
    """A namespace with pods on a node, a workload of each kind, and rights for anybody."""
    role = of("Role", "lister", "shop", "rbac.authorization.k8s.io/v1", rules=[])
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lister"}
    binding = of("RoleBinding", "lister", "shop", "rbac.authorization.k8s.io/v1", roleRef=reference, subjects=[NOBODY])
    kinds = ("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet")
    pods = [on_node("web", "ReplicaSet"), on_node("agent", "DaemonSet")]
    shared = bound("shared", "cluster-admin", NOBODY, ALICE)
    node = of("Node", "n1", spec={"providerID": "aws:///us-east-1a/i-0aaaaaaaaaaaaaaaa"})
    return [namespace("shop"), node, *pods, *map(workload, kinds), anybody(), shared, role, binding]


def let_in(picket: Deployment) -> Iterator[Cluster]:
    """A cluster that let fix in by what we ship."""
    made = Cluster(picket, picket.new_place())
    made.let_in("fix", "fixer")
    made.put(*some_shop())
    yield made
    made.eks.delete_cluster(name=made.name)


@pytest.fixture(scope="module")
def shop(enforcing: Deployment) -> Iterator[Cluster]:
    yield from let_in(enforcing)


@pytest.fixture(scope="module")
def narrow(enforcing: Deployment) -> Iterator[Cluster]:
    """Another one, whose role loses rights."""
    yield from let_in(enforcing)


@pytest.fixture
def fixing(picket: Deployment) -> Deployment:
    """What rules find is proposed, and made once somebody says yes."""
    picket.apply_policy(ASKING)
    return picket


def proposed(picket: Deployment, cluster: Cluster, action: str, target: str, **with_: Any) -> dict:
    """A fix of what a rule found, before anybody said yes."""
    finding = {"is": "finding", "id": "finding-1", "rule": "a_rule", "asset": f"kubernetes.cluster/{cluster.name}"}
    return ended(picket, {"order": {**order(picket, action, f"{cluster.name}/{target}", **with_), "cause": finding}})


def plain(found: Any) -> Any:
    """An object without what each write changes."""
    if isinstance(found, dict):
        changing = ("resourceVersion", "uid", "creationTimestamp")
        return {key: plain(value) for key, value in found.items() if key not in changing}
    return [plain(item) for item in found] if isinstance(found, list) else found


def there_and_back(picket: Deployment, cluster: Cluster, look: Any, wanted: Any, action: str, target: str, **with_: Any) -> None:
    """Proposed, approved, seen by the owner, the same again is nothing, undone, and all as it was."""
    before = plain(look())
    asked = proposed(picket, cluster, action, target, **with_)
    assert asked["is"] == "asked", asked
    assert plain(look()) == before, f"{action} did not wait for a yes"
    made = say(picket, asked)
    assert made["is"] == "fixed", made
    assert wanted(look()), look()
    assert proposed(picket, cluster, action, target, **with_)["is"] == "already"
    assert undo(picket, made)["is"] == "undone"
    assert plain(look()) == before


def test_a_node_is_cordoned(fixing, shop):
    look = lambda: shop.owner.get("/api/v1/nodes/n1")["spec"]  # noqa: E731
    there_and_back(fixing, shop, look, lambda s: s["unschedulable"] is True, "kubernetes_cordon_node", "n1")


def test_a_pod_that_nobody_would_make_anew_keeps_its_node_from_being_drained(fixing, shop):
    shop.put(pod("orphan", "shop", {"nodeName": "n1", "serviceAccountName": "web", "containers": []}))
    said = proposed(fixing, shop, "kubernetes_drain_node", "n1")
    shop.owner.ask("DELETE", "/api/v1/namespaces/shop/pods/orphan")
    assert said["is"] == "refused" and "shop/orphan has no owner" in str(said), said


def test_a_node_is_drained_and_the_cordon_alone_comes_back(fixing, shop):
    asked = proposed(fixing, shop, "kubernetes_drain_node", "n1")
    assert asked["is"] == "asked", asked
    made = say(fixing, asked)
    assert made["is"] == "fixed", made
    left = {p["metadata"]["name"] for p in shop.owner.list("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1")}
    assert left == {"agent"}, "pods of DaemonSets stay"
    assert undo(fixing, made)["is"] == "undone"
    assert "unschedulable" not in shop.owner.get("/api/v1/nodes/n1")["spec"]
    shop.put(on_node("web", "ReplicaSet"))


@pytest.mark.parametrize("kind", ["DaemonSet", "Deployment", "Job", "Pod", "ReplicaSet", "StatefulSet"])
def test_the_traffic_of_a_workload_is_denied_by_a_policy_of_our_own(fixing, shop, kind):
    name = "web" if kind == "Pod" else kind.lower()

    def look() -> Any:
        pods = shop.owner.list("/api/v1/namespaces/shop/pods")
        return [shop.owner.list(POLICIES), {p["metadata"]["name"]: p["metadata"]["labels"] for p in pods}]

    def wanted(seen: Any) -> bool:
        [[policy], labels] = seen
        chosen = policy["spec"]["podSelector"]["matchLabels"]
        everything = sorted(policy["spec"]["policyTypes"]) == ["Egress", "Ingress"] and "egress" not in policy["spec"]
        of_pods = [name for name, own in labels.items() if chosen.items() <= own.items()]
        return everything and (of_pods == ["web"] if kind == "Pod" else chosen == {"app": kind})

    there_and_back(fixing, shop, look, wanted, "kubernetes_deny_network", f"shop/{kind}/{name}")


def test_a_namespace_is_warned_before_anything_is_enforced(fixing, shop):
    look = lambda: shop.owner.get("/api/v1/namespaces/shop")  # noqa: E731
    level = "pod-security.kubernetes.io/"
    said = proposed(fixing, shop, "kubernetes_label_pod_security", "shop", mode="enforce")
    assert said["is"] == "refused" and "nobody was warned yet" in str(said), said

    def warned(seen: Any) -> bool:
        labels = seen["metadata"]["labels"]
        return labels.get(f"{level}warn") == "baseline" and f"{level}enforce" not in labels

    there_and_back(fixing, shop, look, warned, "kubernetes_label_pod_security", "shop")
    shop.put(namespace("shop", **{f"{level}warn": "baseline"}))
    enforced = lambda seen: seen["metadata"]["labels"].get(f"{level}enforce") == "baseline"  # noqa: E731
    there_and_back(fixing, shop, look, enforced, "kubernetes_label_pod_security", "shop", mode="enforce")


def test_a_default_account_hands_out_no_token(fixing, shop):
    look = lambda: shop.owner.get("/api/v1/namespaces/shop/serviceaccounts/default")  # noqa: E731
    quiet = lambda seen: seen["automountServiceAccountToken"] is False  # noqa: E731
    there_and_back(fixing, shop, look, quiet, "kubernetes_unmount_default_token", "shop")


def test_a_binding_of_anybody_goes_and_comes_back_whole(fixing, shop):
    look = lambda: [b for b in shop.owner.list(f"{RBAC}/clusterrolebindings") if b["metadata"]["name"] == "open"]  # noqa: E731
    there_and_back(fixing, shop, look, lambda seen: seen == [], "kubernetes_revoke_anonymous", "ClusterRoleBinding/open")
    look = lambda: shop.owner.list(f"{RBAC}/namespaces/shop/rolebindings")  # noqa: E731
    there_and_back(fixing, shop, look, lambda seen: seen == [], "kubernetes_revoke_anonymous", "RoleBinding/shop/lister")


def test_a_binding_that_names_others_too_keeps_them(fixing, shop):
    for place, target in (("clusterrolebindings/shared", "ClusterRoleBinding/shared"), ("namespaces/shop/rolebindings/two", "RoleBinding/shop/two")):
        if target.startswith("Role"):
            binding = {**shop.owner.get(f"{RBAC}/namespaces/shop/rolebindings/lister"), "metadata": {"name": "two", "namespace": "shop"}}
            shop.put({**binding, "subjects": [NOBODY, ALICE]})
        look = lambda: shop.owner.get(f"{RBAC}/{place}")  # noqa: E731, B023
        there_and_back(fixing, shop, look, lambda s: s["subjects"] == [ALICE], "kubernetes_revoke_anonymous", target)


def test_the_fixer_s_role_is_enough_and_every_right_of_it_is_used(shop):
    """After all the tests above. `bind` is no request of its own; the next test is about it."""
    asked = shop.asked("fix")
    assert {r["code"] for r in asked} <= {200, 201, 404}, [r for r in asked if r["code"] >= 400]
    assert used(asked) == {right for right in granted("fixer") if right[2] != "bind"}


@pytest.mark.parametrize(
    "verb, resource, action, target",
    [
        ("patch", "namespaces", "kubernetes_label_pod_security", "shop"),
        ("create", "networkpolicies", "kubernetes_deny_network", "shop/Deployment/deployment"),
        ("create", "pods/eviction", "kubernetes_drain_node", "n1"),
        ("delete", "clusterrolebindings", "kubernetes_revoke_anonymous", "ClusterRoleBinding/open"),
    ],
)
def test_a_fix_without_one_verb_is_not_made_and_says_what_grants_it(fixing, narrow, verb, resource, action, target):
    less(narrow, "picket-fixer", verb, resource)
    said = say(fixing, proposed(fixing, narrow, action, target))
    narrow.owner.apply_file(FIXER)
    assert said["is"] == "failed", said
    assert "infra/kubernetes/fixer.yaml" in str(said), said


def test_without_bind_a_binding_goes_and_does_not_come_back_until_it_is_granted(fixing, narrow):
    made = say(fixing, proposed(fixing, narrow, "kubernetes_revoke_anonymous", "ClusterRoleBinding/shared"))
    assert made["is"] == "fixed", made
    less(narrow, "picket-fixer", "bind", "clusterroles")
    with pytest.raises(AssertionError, match="grant it: kubectl apply -f infra/kubernetes/fixer.yaml"):
        undo(fixing, made)
    narrow.owner.apply_file(FIXER)
    assert undo(fixing, made)["is"] == "undone"


def less(cluster: Cluster, role: str, verb: str, resource: str) -> None:
    """A role without one verb on one resource."""
    found = cluster.owner.get(f"{RBAC}/clusterroles/{role}")
    rules = []
    for rule in found["rules"]:
        if resource in rule["resources"] and verb in rule["verbs"]:
            rules.append({**rule, "resources": [r for r in rule["resources"] if r != resource]})
            rule = {**rule, "resources": [resource], "verbs": [v for v in rule["verbs"] if v != verb]}
        rules.append(rule)
    cluster.put({**found, "rules": rules})


# --- a node that is held


@pytest.fixture
def home(picket: Deployment, place: Any) -> Iterator[Cluster]:
    """A cluster whose nodes Karpenter keeps."""
    made = Cluster(picket, place)
    for function in ("respond", "release"):
        made.let_in(function, "holder")
    yield made
    made.eks.delete_cluster(name=made.name)


def karpenter_node(picket: Deployment, place: Any, cluster: Cluster) -> str:
    instance = running(picket, place)
    tags = {"karpenter.sh/nodepool": "general", "eks:eks-cluster-name": cluster.name}
    picket.ec2.create_tags(Resources=[instance], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    node = of("Node", f"ip-{instance[-4:]}", spec={"providerID": f"aws:///us-east-1a/{instance}"})
    node["metadata"]["annotations"] = {"karpenter.sh/do-not-disrupt": "false"}
    cluster.put(of("Node", "other", spec={"providerID": "aws:///us-east-1a/i-0bbbbbbbbbbbbbbbb"}), node)
    return instance


def node_of(cluster: Cluster, instance: str) -> Object:
    found = cluster.owner.get(f"/api/v1/nodes/ip-{instance[-4:]}")
    return {"spec": found["spec"], "annotations": found["metadata"]["annotations"]}


def test_the_node_of_a_held_instance_is_cordoned_and_not_disrupted_until_it_is_released(picket, place, home):
    instance = karpenter_node(picket, place, home)
    before = node_of(home, instance)
    picket.invoke_quarantine(instance)
    held = node_of(home, instance)
    assert held["spec"]["unschedulable"] is True
    assert held["annotations"]["karpenter.sh/do-not-disrupt"] == "true"
    secured(picket, instance)
    assert picket.invoke_release(instances=[instance])["is"] == "done"
    eventually(lambda: node_of(home, instance) == before, "the node is as it was")
    assert "unschedulable" not in home.owner.get("/api/v1/nodes/other")["spec"]
    assert used([*home.asked("respond"), *home.asked("release")]) == granted("holder")


def test_a_node_that_may_not_be_patched_leaves_the_instance_contained_and_the_alert_says_what_grants_it(picket, place, home):
    less(home, "picket-holder", "patch", "nodes")
    instance = karpenter_node(picket, place, home)
    picket.invoke_quarantine(instance)
    picket.contain(place, instance)
    message = picket.alert_about(instance, "QUARANTINED")["Message"]
    assert "infra/kubernetes/holder.yaml" in message, message
