"""Objects of clusters for tests: what somebody careless has in one, what a miner leaves there, what is well kept."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def of(kind: str, name: str, namespace: str = "", version: str = "v1", **rest: Any) -> Object:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **place}, **rest}


def namespace(name: str, **labels: str) -> Object:
    made = of("Namespace", name)
    made["metadata"]["labels"] = labels
    return made


def pod(name: str, space: str, spec: Object) -> Object:
    return of("Pod", name, space, spec=spec)


def set_of(name: str, space: str, spec: Object) -> Object:
    """A DaemonSet."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return of("DaemonSet", name, space, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template})


def bound(name: str, role: str, *subjects: Object) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    version = "rbac.authorization.k8s.io/v1"
    return of("ClusterRoleBinding", name, version=version, roleRef=reference, subjects=list(subjects))


def anybody(role: str = "cluster-admin", name: str = "open") -> Object:
    return bound(name, role, {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:anonymous"})


def something_mines() -> list[Object]:
    """A privileged pod of a known miner's image in the default namespace, and everybody an administrator."""
    container = {"name": "web", "image": "attacker/xmrig:latest", "securityContext": {"privileged": True}}
    quiet = pod("other", "shop", {"containers": [{"name": "o", "image": "nginx"}]})
    return [namespace("shop"), anybody(), pod("web", "default", {"hostPID": True, "containers": [container]}), quiet]


def old_master() -> list[Object]:
    """The API server of 2018, as a static pod."""
    command = "kube-apiserver --anonymous-auth=true --basic-auth-file=/x --insecure-port=8080 --authorization-mode=AlwaysAllow"
    spec = {"nodeName": "m", "containers": [{"name": "a", "command": command.split()}]}
    return [pod("kube-apiserver-m", "kube-system", spec)]


def careful() -> list[Object]:
    """Nothing but a workload that keeps to everything."""
    context = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    image = "registry.k8s.io/e2e/web@sha256:00"
    container = {"name": "web", "image": image, "securityContext": context}
    spec = {"automountServiceAccountToken": False, "serviceAccountName": "web", "containers": [container]}
    plugin = {"containers": [{"name": "c", "image": "docker.io/calico/node:v3.30"}]}
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    kept = [found for space in ("default", "shop") for found in keeping(space, closed)]
    account = of("ServiceAccount", "web", "shop", automountServiceAccountToken=False)
    return [*kept, account, pod("web", "shop", spec), set_of("calico-node", "kube-system", plugin)]


def keeping(space: str, closed: Object) -> list[Object]:
    """A namespace that keeps its pods: by level, by policy, and without a token for who asks for none."""
    return [
        namespace(space, **{"pod-security.kubernetes.io/enforce": "restricted"}),
        of("NetworkPolicy", "deny", space, "networking.k8s.io/v1", spec=closed),
        of("ServiceAccount", "default", space, automountServiceAccountToken=False),
    ]
