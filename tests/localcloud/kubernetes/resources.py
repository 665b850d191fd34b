"""The kinds that are served, and what a request's path means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resource:
    """A kind, and where it is served."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def qualified(self) -> str:
        """As refusals name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


@dataclass(frozen=True)
class Target:
    """What a path means. `plural` is empty where it is no path of objects."""

    group: str = ""
    version: str = ""
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def _of(group: str, namespaced: bool, **kinds: str) -> list[Resource]:
    return [Resource(group, "v1", plural, kind, namespaced) for plural, kind in kinds.items()]


BUILT_IN: list[Resource] = [
    *_of("", False, namespaces="Namespace", nodes="Node", persistentvolumes="PersistentVolume"),
    *_of("", True, configmaps="ConfigMap", endpoints="Endpoints", events="Event", pods="Pod", secrets="Secret"),
    *_of("", True, replicationcontrollers="ReplicationController", serviceaccounts="ServiceAccount", services="Service"),
    *_of("admissionregistration.k8s.io", False, mutatingwebhookconfigurations="MutatingWebhookConfiguration"),
    *_of("admissionregistration.k8s.io", False, validatingadmissionpolicies="ValidatingAdmissionPolicy"),
    *_of("admissionregistration.k8s.io", False, validatingadmissionpolicybindings="ValidatingAdmissionPolicyBinding"),
    *_of("admissionregistration.k8s.io", False, validatingwebhookconfigurations="ValidatingWebhookConfiguration"),
    *_of("apiextensions.k8s.io", False, customresourcedefinitions="CustomResourceDefinition"),
    *_of("apps", True, daemonsets="DaemonSet", deployments="Deployment", replicasets="ReplicaSet"),
    *_of("apps", True, statefulsets="StatefulSet", controllerrevisions="ControllerRevision"),
    *_of("batch", True, cronjobs="CronJob", jobs="Job"),
    *_of("certificates.k8s.io", False, certificatesigningrequests="CertificateSigningRequest"),
    *_of("networking.k8s.io", True, ingresses="Ingress", networkpolicies="NetworkPolicy"),
    *_of("policy", True, poddisruptionbudgets="PodDisruptionBudget"),
    *_of("rbac.authorization.k8s.io", False, clusterrolebindings="ClusterRoleBinding", clusterroles="ClusterRole"),
    *_of("rbac.authorization.k8s.io", True, rolebindings="RoleBinding", roles="Role"),
]


def parse(path: str) -> Target:
    """`/api/v1/namespaces/shop/pods/web/eviction`, taken apart. Whether it is served is not asked here."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return Target()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", ""][:3]
    return Target(group, version, plural, namespace, name, "/".join([subresource, *rest[3:]]))


def custom(definition: dict[str, Any]) -> list[Resource]:
    """The resources that a CustomResourceDefinition brings."""
    spec = definition.get("spec") or {}
    names, scope = spec.get("names") or {}, spec.get("scope")
    served = [v["name"] for v in spec.get("versions", []) if v.get("served", True)]
    return [
        Resource(spec["group"], version, names["plural"], names["kind"], scope == "Namespaced")
        for version in served
        if names
    ]
