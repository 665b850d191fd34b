"""Which cluster of EKS has which API server, and what tests order of it."""

from __future__ import annotations

from typing import Any

import ministack_internals as ministack

from . import builtin, resources
from .api import Api
from .server import Server
from .store import Store
from .tokens import Eks, Place

_BUILD = "eks-113cf36"
_servers: dict[Place, Server] = {}


def start(account: str, region: str, name: str, version: str) -> Server:
    """The API server of a new cluster, with what Kubernetes and EKS put into one."""
    place, store = Place(account, region, name), Store()
    for found in builtin.objects("kubernetes", "eks"):
        store.put(found)
    api = Api(store, Eks(place, store), f"v{version}.1-{_BUILD}")
    _servers[place] = server = Server(api, lambda: _is_public(place))
    return server


def stop(account: str, region: str, name: str) -> None:
    server = _servers.pop(Place(account, region, name), None)
    if server:
        server.stop()


def reset() -> None:
    """Ends all."""
    for place in list(_servers):
        stop(place.account, place.region, place.name)


def order(account: str, region: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a test orders: `put` or `delete` objects, without anybody's leave; `page`: the most that a page holds;
    `compact`: every list that is on its way becomes too old; `lose_list`: the next one that is begun will."""
    api = _api(account, region, asked["cluster"])
    for found in asked.get("put", []):
        api.store.put(found)
    for path in asked.get("delete", []):
        target = resources.parse(path)
        api.store.delete(api.store.resource(target), target.namespace, target.name)
    if "page" in asked:
        api.pages.most = asked["page"]
    if asked.get("compact"):
        api.pages.compact()
    api.pages.lose_next = asked.get("lose_list", api.pages.lose_next)
    if asked.get("forget_requests"):
        api.requests.clear()
    return {"version": api.store.version}


def requests(account: str, region: str, name: str) -> list[dict[str, Any]]:
    """Who asked this cluster for what, and the code that he got."""
    return list(_api(account, region, name).requests)


def _api(account: str, region: str, name: str) -> Api:
    server = _servers.get(Place(account, region, name))
    if server is None:
        raise ValueError(f"Account {account} has no cluster {name} in {region}.")
    return server.api


def _is_public(place: Place) -> bool:
    cluster = ministack.cluster_of(place.account, place.region, place.name) or {}
    return bool((cluster.get("resourcesVpcConfig") or {}).get("endpointPublicAccess", True))
