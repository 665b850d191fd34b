"""The objects of a cluster. Each write counts the version on; a write that was made of an older version is refused.

Leaves who may write to `rbac`, and what is left out of an answer to `lists`.
"""

from __future__ import annotations

import copy
import threading
import time
import uuid
from typing import Any

from . import resources
from .resources import Resource, Target
from .status import already_exists, bad_request, conflict, invalid, not_found, not_served

Object = dict[str, Any]
_NAMESPACES = next(r for r in resources.BUILT_IN if r.kind == "Namespace")
_ACCOUNTS = next(r for r in resources.BUILT_IN if r.kind == "ServiceAccount")
# What the server sets and no client changes.
_KEPT = ("uid", "creationTimestamp", "resourceVersion", "generation")


class Store:
    """A cluster's objects."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._version = 0
        self._objects: dict[tuple[str, str, str, str], Object] = {}

    @property
    def version(self) -> str:
        return str(self._version)

    # --- what is served

    def served(self) -> list[Resource]:
        """Every kind, those of custom resources too."""
        definitions = [o for key, o in self._objects.items() if key[1] == "customresourcedefinitions"]
        return resources.BUILT_IN + [r for definition in definitions for r in resources.custom(definition)]

    def resource(self, target: Target) -> Resource:
        for known in self.served():
            if (known.group, known.version, known.plural) == (target.group, target.version, target.plural):
                return known
        raise not_served()

    # --- reading

    def all(self, resource: Resource, namespace: str = "") -> list[Object]:
        """The objects of a kind, in the order of their keys."""
        with self.lock:
            keys = sorted(k for k in self._objects if k[:2] == (resource.group, resource.plural))
            return [copy.deepcopy(self._objects[k]) for k in keys if namespace in ("", k[2])]

    def kind(self, name: str, namespace: str = "") -> list[Object]:
        """The objects of a built-in kind."""
        return self.all(next(r for r in resources.BUILT_IN if r.kind == name), namespace)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        found = self._objects.get((resource.group, resource.plural, namespace, name))
        if found is None:
            raise not_found(resource.qualified, name)
        return copy.deepcopy(found)

    # --- writing

    def create(self, resource: Resource, namespace: str, given: Object) -> Object:
        with self.lock:
            self._fits(resource, namespace, given)
            metadata = given["metadata"]
            if not metadata.get("name") and metadata.get("generateName"):
                metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
            if not metadata.get("name"):
                raise invalid(f'{resource.kind} "" is invalid: metadata.name: Required value: name or generateName is required')
            key = (resource.group, resource.plural, namespace, metadata["name"])
            if key in self._objects:
                raise already_exists(resource.qualified, metadata["name"])
            if namespace and (*_key(_NAMESPACES), "", namespace) not in self._objects:
                raise not_found("namespaces", namespace)
            made = {**copy.deepcopy(given), "kind": resource.kind, "apiVersion": resource.api_version}
            born = {"uid": str(uuid.uuid4()), "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            made["metadata"] = {**made["metadata"], **born, **({"namespace": namespace} if namespace else {})}
            _default(made)
            written = self._write(key, made)
            if resource is _NAMESPACES:
                account = {"metadata": {"name": "default"}}
                self.create(_ACCOUNTS, metadata["name"], account)
            return written

    def replace(self, resource: Resource, namespace: str, name: str, given: Object) -> Object:
        """Put another in an object's place; one that names an older version is refused."""
        with self.lock:
            before = self.get(resource, namespace, name)
            self._fits(resource, namespace, given)
            after = {**copy.deepcopy(given), "kind": resource.kind, "apiVersion": resource.api_version}
            if after["metadata"].get("name") != name:
                raise bad_request("the name of the object does not match the name on the URL")
            asked = after["metadata"].get("resourceVersion")
            if asked and asked != before["metadata"]["resourceVersion"]:
                raise conflict(resource.qualified, name)
            if resource.plural.endswith("rolebindings") and after.get("roleRef") != before.get("roleRef"):
                raise invalid(f'{resource.kind} "{name}" is invalid: roleRef: cannot change roleRef')
            after["metadata"] |= {key: before["metadata"][key] for key in _KEPT if key in before["metadata"]}
            if namespace:
                after["metadata"]["namespace"] = namespace
            if _without_version(after) == _without_version(before):
                return before
            return self._write((resource.group, resource.plural, namespace, name), after)

    def delete(self, resource: Resource, namespace: str, name: str, options: Object | None = None) -> Object:
        with self.lock:
            found = self.get(resource, namespace, name)
            for key, wanted in ((options or {}).get("preconditions") or {}).items():
                if found["metadata"].get(key) != wanted:
                    raise conflict(resource.qualified, name)
            del self._objects[resource.group, resource.plural, namespace, name]
            self._version += 1
            if resource is _NAMESPACES:
                self._objects = {k: o for k, o in self._objects.items() if k[2] != name}
            return found

    def put(self, given: Object) -> Object:
        """Create or replace by what the object says of itself, as an administrator's `kubectl apply` would."""
        api, _, version = given["apiVersion"].rpartition("/")
        kinds = [r for r in self.served() if (r.group, r.version, r.kind) == (api, version, given["kind"])]
        if not kinds:
            raise not_served()
        resource, metadata = kinds[0], given.get("metadata") or {}
        namespace = metadata.get("namespace", "default") if resource.namespaced else ""
        with self.lock:
            if (*_key(resource), namespace, metadata.get("name", "")) in self._objects:
                return self.replace(resource, namespace, metadata["name"], given)
            return self.create(resource, namespace, given)

    def _fits(self, resource: Resource, namespace: str, given: Object) -> None:
        if not isinstance(given, dict) or not isinstance(given.get("metadata"), dict):
            raise bad_request("the object provided is unrecognized: it has no metadata")
        if given.get("kind", resource.kind) != resource.kind:
            raise bad_request(f"the object is a {given['kind']}, and not a {resource.kind}")
        if given["metadata"].get("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")

    def _write(self, key: tuple[str, str, str, str], found: Object) -> Object:
        self._version += 1
        found["metadata"]["resourceVersion"] = self.version
        self._objects[key] = found
        return copy.deepcopy(found)


def _key(resource: Resource) -> tuple[str, str]:
    return resource.group, resource.plural


def _without_version(found: Object) -> Object:
    return {**found, "metadata": {k: v for k, v in found["metadata"].items() if k != "resourceVersion"}}


def _default(made: Object) -> None:
    """What admission writes into every pod and namespace."""
    if made["kind"] == "Pod":
        made.setdefault("spec", {}).setdefault("serviceAccountName", "default")
        made.setdefault("status", {"phase": "Running"})
    if made["kind"] == "Namespace":
        labels = made["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = made["metadata"]["name"]
        made.setdefault("status", {"phase": "Active"})
