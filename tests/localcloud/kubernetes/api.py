"""One request to an API server: who asks, whether he may, and what he gets."""

from __future__ import annotations

import collections
import copy
import json
from typing import Any, Protocol

from . import lists, patches, rbac, resources
from .rbac import Ask, User
from .resources import Resource, Target
from .status import Refused, bad_request, not_served, unauthorized
from .store import Object, Store

_KEPT_REQUESTS = 2000
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")


class Tokens(Protocol):
    """Knows whose a token is; None for nobody."""

    def user(self, token: str | None) -> User | None: ...


class Api:
    """A cluster's API."""

    def __init__(self, store: Store, tokens: Tokens, version: str, most_in_a_page: int | None = None):
        self.store, self.tokens, self.version = store, tokens, version
        self.pages = lists.Pages(most_in_a_page)
        self.requests: collections.deque[dict[str, Any]] = collections.deque(maxlen=_KEPT_REQUESTS)

    def answer(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, Object]:
        """A status code and an object. Who asked for what is kept for tests."""
        target, user = resources.parse(path), None
        verb = _verb(method, target)
        try:
            user = self._user(headers)
            ask = Ask(verb, target) if target.plural else Ask(method.lower(), path=path)
            rbac.authorize(self.store, user, ask)
            given = _read(body)
            code, found = self._serve(user, verb, target, path, query, headers, given)
        except Refused as refused:
            code, found = refused.code, refused.body()
        asked = {"user": user.name if user else "", "verb": verb, "path": path, "query": query, "code": code}
        self.requests.append(asked)
        return code, found

    def _user(self, headers: dict[str, str]) -> User:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        user = self.tokens.user(token.strip() if scheme.lower() == "bearer" else None)
        if user is None:
            raise unauthorized()
        return user

    def _serve(
        self, user: User, verb: str, target: Target, path: str, query: dict[str, str], headers: dict[str, str], given: Any
    ) -> tuple[int, Object]:
        if not target.plural:
            return 200, self._about(path)
        resource = self.store.resource(target)
        if target.subresource == "eviction" and resource.kind == "Pod" and verb == "create":
            return 201, self._evict(target)
        if target.subresource or (resource.namespaced and not target.namespace and verb != "list"):
            raise not_served()
        if verb == "list":
            return 200, self._list(resource, target, query, headers)
        if verb == "get":
            return 200, self.store.get(resource, target.namespace, target.name)
        if verb == "delete" and target.name:
            self.store.delete(resource, target.namespace, target.name, given)
            return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        with self.store.lock:
            return self._write(user, verb, resource, target, headers, given)

    def _write(
        self, user: User, verb: str, resource: Resource, target: Target, headers: dict[str, str], given: Any
    ) -> tuple[int, Object]:
        if verb == "create" and not target.name:
            if not isinstance(given, dict) or not isinstance(given.get("metadata"), dict):
                raise bad_request("the object provided is unrecognized: it has no metadata")
            rbac.confirm(self.store, user, target, given)
            return 201, self.store.create(resource, target.namespace, given)
        if verb not in ("patch", "update") or not target.name:
            raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        before = self.store.get(resource, target.namespace, target.name)
        after = given
        if verb == "patch":
            after = patches.apply(headers.get("content-type", ""), copy.deepcopy(before), given)
        if any(before.get(part) != after.get(part) for part in ("rules", "subjects", "roleRef")):
            rbac.confirm(self.store, user, target, after)
        return 200, self.store.replace(resource, target.namespace, target.name, after)

    def _list(self, resource: Resource, target: Target, query: dict[str, str], headers: dict[str, str]) -> Object:
        found = lists.selected(self.store.all(resource, target.namespace), query)
        items, metadata = self.pages.page(found, query, self.store.version)
        if "as=PartialObjectMetadataList" in headers.get("accept", ""):
            kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return {**kind, "metadata": metadata, "items": lists.metadata_alone(items)}
        # The items of a list do not repeat what they are.
        bare = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
        kind = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        return {**kind, "metadata": metadata, "items": bare}

    def _evict(self, target: Target) -> Object:
        """A pod goes, unless a budget that selects it has nothing left."""
        [pods] = [r for r in resources.BUILT_IN if r.kind == "Pod"]
        labels = self.store.get(pods, target.namespace, target.name)["metadata"].get("labels") or {}
        for budget in self.store.kind("PodDisruptionBudget", target.namespace):
            wanted = ((budget.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
            left = (budget.get("status") or {}).get("disruptionsAllowed", 0)
            if all(labels.get(key) == value for key, value in wanted.items()) and left < 1:
                why = "Cannot evict pod as it would violate the pod's disruption budget."
                raise Refused(429, "TooManyRequests", why)
        self.store.delete(pods, target.namespace, target.name)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _about(self, path: str) -> Object:
        """The version, whether it is well, and what is served."""
        if path.rstrip("/") in _OPEN_PATHS:
            major, minor = self.version.lstrip("v").split(".")[:2]
            return {"major": major, "minor": minor, "gitVersion": self.version, "platform": "linux/amd64"}
        parts = [part for part in path.split("/") if part]
        served = self.store.served()
        if parts == ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        if parts == ["apis"]:
            groups = sorted({(r.group, r.version) for r in served if r.group})
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g, v) for g, v in groups]}
        of = parts[1:] if parts[:1] == ["apis"] else ["", *parts[1:]]
        mine = [r for r in served if [r.group, r.version] == of]
        if not mine or parts[:1] not in (["api"], ["apis"]):
            raise not_served()
        return {"kind": "APIResourceList", "groupVersion": mine[0].api_version, "resources": [_shown(r) for r in mine]}


def _verb(method: str, target: Target) -> str:
    if method == "GET":
        return "get" if target.name or not target.plural else "list"
    return _VERBS.get(method, method.lower())


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        raise bad_request("the body of the request is no JSON") from None


def _group(group: str, version: str) -> Object:
    shown = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [shown], "preferredVersion": shown}


def _shown(resource: Resource) -> Object:
    verbs = ["create", "delete", "get", "list", "patch", "update"]
    return {"name": resource.plural, "singularName": "", "namespaced": resource.namespaced, "kind": resource.kind, "verbs": verbs}
