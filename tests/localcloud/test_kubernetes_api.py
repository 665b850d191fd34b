"""The API server of a cluster does what Picket relies on: TLS, tokens by STS, access entries, RBAC, pages, patches."""

from __future__ import annotations

import base64
import datetime
import ssl
import time
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from kubernetes.client import MERGE, Client, token

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ROLES = Path(__file__).resolve().parents[2] / "infra" / "kubernetes"
PODS, NAMESPACES = "/api/v1/namespaces/default/pods", "/api/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def pod(name: str, **spec: Any) -> dict:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


class World:
    """A cluster `prod` that the user `owner` made, and others who would like to come in."""

    def __init__(self, tenant: Any):
        self.tenant, self.owner = tenant, tenant.user("owner", EVERYTHING)
        role = tenant.client("iam").create_role(RoleName="eks", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        subnets = [s["SubnetId"] for s in tenant.client("ec2").describe_subnets()["Subnets"][:2]]
        self.eks = tenant.client("eks", self.owner)
        self.eks.create_cluster(name="prod", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
        while self.described()["status"] != "ACTIVE":
            time.sleep(0.02)

    def described(self) -> dict:
        return self.eks.describe_cluster(name="prod")["cluster"]

    def client(self, key: tuple | None = None, bearer: str | None = None) -> Client:
        return Client.of(self.described(), bearer or (token(key, "prod") if key else None))

    @property
    def admin(self) -> Client:
        return self.client(self.owner)

    def let_in(self, name: str, *groups: str, policy: str = "", namespaces: tuple[str, ...] = ()) -> Client:
        """A new user with an access entry."""
        key, arn = self.tenant.user(name, EVERYTHING), f"arn:aws:iam::{self.tenant.account}:user/{name}"
        self.eks.create_access_entry(clusterName="prod", principalArn=arn, kubernetesGroups=list(groups))
        if policy:
            scope = {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
            self.eks.associate_access_policy(clusterName="prod", principalArn=arn, policyArn=policy, accessScope=scope)
        return self.client(key)

    def order(self, **more: Any) -> Any:
        return self.tenant.control("POST", "kubernetes", {"account": self.tenant.account, "cluster": "prod", **more})


@pytest.fixture
def world(tenant):
    return World(tenant)


# --- who is there


def test_the_certificate_is_of_the_authority_that_is_described(world):
    assert world.admin.get("/version")["gitVersion"].startswith("v1.")
    stranger = Client(world.described()["endpoint"], another_authority())
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.ask("GET", "/version")


def another_authority() -> str:
    from kubernetes import certificates

    return base64.b64encode(certificates.make()[0]).decode()


def test_who_made_a_cluster_is_its_administrator_and_a_stranger_is_nobody(world):
    assert world.admin.list("/api/v1/namespaces")
    stranger = world.client(world.tenant.user("stranger", EVERYTHING))
    code, said = stranger.ask("GET", "/api/v1/namespaces")
    assert (code, said["kind"], said["reason"]) == (401, "Status", "Unauthorized")


def test_a_session_of_a_role_is_let_in_by_the_role_s_entry(world):
    iam, sts = world.tenant.client("iam"), world.tenant.client("sts")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
    role = iam.create_role(RoleName="reader", Path="/team/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    made = sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    key = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert world.client(key).ask("GET", "/api/v1/namespaces")[0] == 401
    world.eks.create_access_entry(clusterName="prod", principalArn=role, kubernetesGroups=["readers"])
    code, said = world.client(key).ask("GET", "/api/v1/namespaces")
    assert code == 403 and f":assumed-role/reader/session\" cannot list resource \"namespaces\"" in said["message"]


def test_a_token_of_another_cluster_is_refused(world):
    assert world.client(bearer=token(world.owner, "other")).ask("GET", "/version")[0] == 401


def test_a_token_that_was_signed_with_another_secret_is_refused(world):
    assert world.client((world.owner[0], "wrong")).ask("GET", "/version")[0] == 401


@pytest.mark.parametrize("minutes, code", [(14, 200), (16, 401), (-10, 401)])
def test_a_token_is_taken_for_fifteen_minutes(world, monkeypatch, minutes, code):
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
    with monkeypatch.context() as past:
        past.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: then)
        signed = token(world.owner, "prod")
    assert world.client(bearer=signed).ask("GET", "/version")[0] == code


def test_a_token_that_is_no_call_to_sts_is_refused(world):
    elsewhere = base64.urlsafe_b64encode(b"https://evil.example/?Action=GetCallerIdentity").decode().rstrip("=")
    for bearer in ("k8s-aws-v1." + elsewhere, "k8s-aws-v1.%%%", "let-me-in"):
        assert world.client(bearer=bearer).ask("GET", "/version")[0] == 401


def test_nobody_in_particular_sees_the_version_and_nothing_else_until_he_is_bound(world):
    nobody = world.client()
    assert nobody.ask("GET", "/version")[0] == 200
    assert nobody.ask("GET", "/api/v1/pods")[0] == 403
    bind(world.admin, "open", "cluster-admin", {"kind": "User", "name": "system:anonymous"})
    assert nobody.ask("GET", "/api/v1/pods")[0] == 200


def bind(admin: Client, name: str, role: str, subject: dict) -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name}}
    admin.apply({**binding, "roleRef": reference, "subjects": [subject]})


def test_aws_auth_lets_in_where_the_mode_reads_it(world):
    key, arn = world.tenant.user("old", EVERYTHING), f"arn:aws:iam::{world.tenant.account}:user/old"
    users = f'[{{"userarn": "{arn}", "username": "old", "groups": ["system:masters"]}}]'
    place = {"name": "aws-auth", "namespace": "kube-system"}
    world.admin.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": place, "data": {"mapUsers": users}})
    assert world.client(key).ask("GET", "/api/v1/pods")[0] == 200
    world.eks.update_cluster_config(name="prod", accessConfig={"authenticationMode": "API"})
    assert world.client(key).ask("GET", "/api/v1/pods")[0] == 401


def test_a_private_endpoint_swallows_packets_and_a_narrowed_one_does_not(world):
    config = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    world.eks.update_cluster_config(name="prod", resourcesVpcConfig=config)
    admin = world.admin
    with pytest.raises(OSError):
        admin.ask("GET", "/version")
    config = {"endpointPublicAccess": True, "publicAccessCidrs": ["127.0.0.1/32"]}
    world.eks.update_cluster_config(name="prod", resourcesVpcConfig=config)
    assert admin.ask("GET", "/version")[0] == 200


def test_a_deleted_cluster_serves_nobody(world):
    admin = world.admin
    world.eks.delete_cluster(name="prod")
    with pytest.raises(OSError):
        admin.ask("GET", "/version")


# --- what he may


def test_a_view_policy_reads_its_namespaces_and_writes_nothing(world):
    world.admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    viewer = world.let_in("viewer", policy=VIEW, namespaces=("sh*",))
    assert viewer.ask("GET", "/api/v1/namespaces/shop/pods")[0] == 200
    assert viewer.ask("GET", PODS)[0] == 403
    assert viewer.ask("POST", "/api/v1/namespaces/shop/pods", pod("a"))[0] == 403


def test_the_reader_s_roles_let_a_group_list_and_nothing_else(world):
    world.admin.apply_file(ROLES / "reader.yaml")
    reader = world.let_in("reader", "picket:readers")
    assert reader.ask("GET", "/api/v1/pods")[0] == 200
    assert reader.ask("GET", "/api/v1/namespaces/kube-system/configmaps")[0] == 200
    for method, path in [
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/namespaces/default/configmaps"),
        ("GET", "/api/v1/namespaces/default"),
        ("DELETE", f"{PODS}/a"),
    ]:
        assert reader.ask(method, path)[0] == 403, (method, path)
    assert reader.ask("GET", "/apis/cilium.io/v2/ciliumnetworkpolicies")[0] == 404


def test_nobody_gives_what_he_does_not_have_unless_he_may_bind_or_escalate(world):
    rules = [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles", "clusterrolebindings"], "verbs": ["create", "patch"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "maker"}}
    world.admin.apply({**role, "rules": rules})
    bind(world.admin, "makers", "maker", {"kind": "Group", "name": "makers"})
    maker = world.let_in("maker", "makers")
    taken = {**role, "metadata": {"name": "mine"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
    assert maker.ask("POST", f"{RBAC}/clusterroles", taken)[0] == 403
    assert maker.ask("POST", f"{RBAC}/clusterroles", {**taken, "rules": rules})[0] == 201
    to_all = {"kind": "ClusterRoleBinding", "metadata": {"name": "up"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    assert maker.ask("POST", f"{RBAC}/clusterrolebindings", to_all)[0] == 403
    binder = [*rules, {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]}]
    world.admin.apply({**role, "rules": binder})
    assert maker.ask("POST", f"{RBAC}/clusterrolebindings", to_all)[0] == 201


# --- objects


def test_a_list_comes_in_pages_that_show_what_was_there_when_it_began(world):
    world.admin.apply(*(pod(f"p{n}") for n in range(5)))
    first = world.admin.get(f"{PODS}?limit=2")
    assert (len(first["items"]), first["metadata"]["remainingItemCount"]) == (2, 3)
    assert first["kind"] == "PodList" and "kind" not in first["items"][0]
    world.admin.ask("DELETE", f"{PODS}/p4")
    rest = world.admin.list(f"{PODS}?continue={first['metadata']['continue'].replace('=', '%3D')}"[: len(PODS)])
    assert [p["metadata"]["name"] for p in rest] == ["p0", "p1", "p2", "p3"]
    token_of_next = first["metadata"]["continue"].replace("=", "%3D")
    rest = world.admin.get(f"{PODS}?continue={token_of_next}")["items"]
    assert [p["metadata"]["name"] for p in rest] == ["p2", "p3", "p4"]


def test_a_token_of_a_list_that_was_compacted_is_gone(world):
    world.admin.apply(*(pod(f"p{n}") for n in range(3)))
    token_of_next = world.admin.get(f"{PODS}?limit=2")["metadata"]["continue"].replace("=", "%3D")
    world.order(compact=True)
    code, said = world.admin.ask("GET", f"{PODS}?limit=2&continue={token_of_next}")
    assert (code, said["reason"]) == (410, "Expired")


def test_selectors_choose_by_field_and_by_label(world):
    world.admin.apply(pod("a", nodeName="n1"), pod("b", nodeName="n2"))
    assert len(world.admin.list("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1")) == 1
    assert len(world.admin.list("/api/v1/namespaces?labelSelector=kubernetes.io/metadata.name%3Ddefault")) == 1


def test_a_write_of_an_older_version_is_a_conflict(world):
    admin = world.admin
    before = admin.ask("POST", PODS, pod("a"))[1]
    admin.ask("PATCH", f"{PODS}/a", {"metadata": {"labels": {"x": "1"}}}, MERGE)
    code, said = admin.ask("PUT", f"{PODS}/a", before)
    assert (code, said["reason"]) == (409, "Conflict")
    stale = {"metadata": {"resourceVersion": before["metadata"]["resourceVersion"], "labels": {"x": "2"}}}
    assert admin.ask("PATCH", f"{PODS}/a", stale, MERGE)[0] == 409
    assert admin.ask("POST", PODS, pod("a"))[1]["reason"] == "AlreadyExists"


def test_each_kind_of_patch_does_what_it_says(world):
    admin = world.admin
    admin.ask("POST", PODS, pod("a", containers=[{"name": "x", "image": "one"}, {"name": "y", "image": "two"}]))
    admin.ask("PATCH", f"{PODS}/a", {"metadata": {"labels": {"kept": "1", "gone": "1"}}}, MERGE)
    admin.ask("PATCH", f"{PODS}/a", {"metadata": {"labels": {"gone": None}}}, MERGE)
    strategic = {"spec": {"containers": [{"name": "y", "image": "three"}]}}
    admin.ask("PATCH", f"{PODS}/a", strategic, "application/strategic-merge-patch+json")
    steps = [
        {"op": "test", "path": "/spec/containers/0/image", "value": "one"},
        {"op": "add", "path": "/metadata/labels/a~1b", "value": "new"},
    ]
    found = admin.ask("PATCH", f"{PODS}/a", steps, "application/json-patch+json")[1]
    assert found["metadata"]["labels"] == {"kept": "1", "a/b": "new"}
    assert [c["image"] for c in found["spec"]["containers"]] == ["one", "three"]
    assert admin.ask("PATCH", f"{PODS}/a", [{**steps[0], "value": "two"}], "application/json-patch+json")[0] == 422
    assert admin.ask("PATCH", f"{PODS}/a", {}, "text/plain")[0] == 415


def test_a_namespace_has_a_default_account_and_takes_its_objects_with_it(world):
    admin = world.admin
    assert admin.ask("POST", "/api/v1/namespaces/shop/pods", pod("a"))[0] == 404
    admin.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    assert admin.get("/api/v1/namespaces/shop/serviceaccounts/default")
    admin.ask("POST", "/api/v1/namespaces/shop/pods", pod("a"))
    admin.ask("DELETE", "/api/v1/namespaces/shop")
    assert admin.list("/api/v1/namespaces/shop/pods") == []


def test_a_budget_keeps_a_pod_from_being_evicted(world):
    admin = world.admin
    labelled = pod("a")
    labelled["metadata"]["labels"] = {"app": "web"}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}}
    selector = {"selector": {"matchLabels": {"app": "web"}}}
    admin.apply(labelled, {**budget, "spec": selector, "status": {"disruptionsAllowed": 0}})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    assert admin.ask("POST", f"{PODS}/a/eviction", eviction)[0] == 429
    admin.apply({**budget, "spec": selector, "status": {"disruptionsAllowed": 1}})
    assert admin.ask("POST", f"{PODS}/a/eviction", eviction)[0] == 201
    assert admin.ask("GET", f"{PODS}/a")[0] == 404


def test_custom_resources_are_served_once_they_are_defined(world):
    path = "/apis/cilium.io/v2/ciliumnetworkpolicies"
    assert world.admin.ask("GET", path)[0] == 404
    names = {"plural": "ciliumnetworkpolicies", "kind": "CiliumNetworkPolicy"}
    spec = {"group": "cilium.io", "names": names, "scope": "Namespaced", "versions": [{"name": "v2", "served": True}]}
    name = {"name": "ciliumnetworkpolicies.cilium.io"}
    world.admin.apply({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": name, "spec": spec})
    assert world.admin.get(path)["kind"] == "CiliumNetworkPolicyList"


def test_tests_put_objects_and_see_who_asked_for_what(world):
    world.order(put=[pod("a")], page=1)
    world.admin.list("/api/v1/pods")
    asked = world.tenant.control("GET", f"kubernetes?account={world.tenant.account}&cluster=prod")["requests"]
    assert {(r["verb"], r["path"], r["code"]) for r in asked} == {("list", "/api/v1/pods", 200)}
    world.order(delete=[f"{PODS}/a"])
    assert world.admin.list("/api/v1/pods") == []
