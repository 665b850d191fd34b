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


def left_by_campaigns() -> list[Object]:
    """What two campaigns left in clusters whose API anybody could ask (CrowdStrike, Aqua, 2023)."""
    subject = {"kind": "ServiceAccount", "name": "kube-controller", "namespace": "kube-system"}
    return [
        set_of("proxy-api", "kube-system", {"containers": [{"name": "p", "image": "pauseyyf/pause:latest"}]}),
        set_of("kube-controller", "kube-system", {"containers": [{"name": "k", "image": "kubernetesio/kube-controller:1.0.1"}]}),
        set_of("agent", "shop", {"containers": [{"name": "a", "image": "docker.io/shop/agent:1"}]}),
        set_of("node-exporter", "shop", {"containers": [{"name": "e", "image": "quay.io/prometheus/node-exporter:v1.9.1"}]}),
        bound("system:controller:kube-controller", "cluster-admin", subject),
    ]


def old_master() -> list[Object]:
    """The API server of 2018, as a static pod."""
    command = "kube-apiserver --anonymous-auth=true --basic-auth-file=/x --insecure-port=8080 --authorization-mode=AlwaysAllow"
    spec = {"nodeName": "m", "containers": [{"name": "a", "command": command.split()}]}
    return [pod("kube-apiserver-m", "kube-system", spec)]


def careful() -> list[Object]:
    """Nothing but a workload that keeps to everything, in a cluster whose namespaces keep their pods."""
    plugin = {"containers": [{"name": "c", "image": "docker.io/calico/node:v3.30"}]}
    kept = [found for space in ("default", "shop") for found in keeping(space)]
    system = [quiet_account(space) for space in ("kube-node-lease", "kube-public", "kube-system")]
    account = of("ServiceAccount", "web", "shop", automountServiceAccountToken=False)
    return [*kept, *system, account, pod("web", "shop", well_kept()), set_of("calico-node", "kube-system", plugin)]


def well_kept() -> Object:
    """What a pod says that leaves nothing open."""
    context = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 20000,
        "capabilities": {"drop": ["ALL"]},
        "seLinuxOptions": {"level": "s0:c123,c456"},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    much, probe = {"cpu": "1", "memory": "64Mi"}, {"httpGet": {"path": "/", "port": 8080}}
    container = {"name": "web", "image": "registry.k8s.io/e2e/web@sha256:00", "securityContext": context}
    container |= {"resources": {"limits": much, "requests": much}, "livenessProbe": probe, "readinessProbe": probe}
    volumes = {"fsGroup": 20000, "fsGroupChangePolicy": "OnRootMismatch", "supplementalGroups": [20000]}
    account = {"automountServiceAccountToken": False, "serviceAccountName": "web"}
    return {**account, "securityContext": volumes, "containers": [container]}


def keeping(space: str) -> list[Object]:
    """A namespace that keeps its pods: by level, by policy, and without a token for who asks for none."""
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return [
        namespace(space, **{"pod-security.kubernetes.io/enforce": "restricted"}),
        of("NetworkPolicy", "deny", space, "networking.k8s.io/v1", spec=closed),
        quiet_account(space),
    ]


def quiet_account(space: str) -> Object:
    """The default account of a namespace, which hands its token to nobody."""
    return of("ServiceAccount", "default", space, automountServiceAccountToken=False)
