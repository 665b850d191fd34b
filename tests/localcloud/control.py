"""The control endpoint, `/_picket/...`: what tests order from the local cloud besides AWS calls.

    GET    /_picket/health
    POST   /_picket/reset[?what=counts]    empty everything, or only counts, faults and the clock
    GET    /_picket/faults                 POST a fault or a list of them, DELETE clears
    GET    /_picket/calls[?limit=N]        counts and the last calls
    POST   /_picket/events                 put one EventBridge event, or a list, on the default bus
    GET    /_picket/events                 how many events still wait to be delivered
    POST   /_picket/clock                  {"offset_seconds": N, "delay_seconds": N, "paused": bool}
    POST   /_picket/interface-owner        {"interface": ..., "owner": account}: another account made it in a shared subnet
    POST   /_picket/nodes                  {"instance-id": ..., "root": FOLDER}: Systems Manager reaches it; `managed_nodes.py`
    POST   /_picket/regions                ["us-east-1", ...]: the Regions that are switched on; [] is all
    POST   /_picket/state-change           {"instance-id": ..., "state": ...}: a state change without a call
    POST   /_picket/kubernetes             {"cluster": NAME, "put": [object], "delete": [path], "page": N, "compact": bool}
    GET    /_picket/kubernetes?cluster=N   who asked the API server of a cluster for what, and the code that he got

Answers JSON. Leaves the effects to the modules it orders.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import calls
import ec2_settings
import environment
import faults
import managed_nodes
import ministack_internals as ministack
import moto_fixes
import regions
import run_command
import systems_documents
import systems_inventory
import trail
from kubernetes import clusters
from kubernetes.status import Refused

PREFIX = "/_picket"


class Wrong(Exception):
    """An order that cannot be carried out; the message says why."""


async def answer(scope: dict, receive: Any, send: Any) -> None:
    """One HTTP request to the control endpoint."""
    body = await _body(receive)
    query = {key: values[0] for key, values in parse_qs(scope.get("query_string", b"").decode()).items()}
    order = (scope["method"], scope["path"][len(PREFIX) :].strip("/"))
    handler = _ORDERS.get(order)
    try:
        if handler is None:
            known = sorted(f"{method} {PREFIX}/{name}" for method, name in _ORDERS)
            raise Wrong(f"No such order: {order[0]} {scope['path']}. Known: {', '.join(known)}.")
        status, data = 200, await handler(json.loads(body) if body else None, query)
    except (Refused, Wrong, ValueError, TypeError, KeyError) as error:
        status, data = 400, {"error": f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)}
    content = json.dumps(data).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _health(_: Any, __: dict) -> dict:
    return {"ready": True, "account": environment.ACCOUNT, "function_processes": ministack.function_processes()}


async def _reset(_: Any, query: dict) -> dict:
    what = query.get("what", "all")
    if what not in ("all", "counts"):
        raise Wrong('"what" is "all" or "counts".')
    faults.clear()
    calls.reset()
    if what == "all":
        trail.reset()
        ministack.stop_functions()
        await ministack.reset()
        moto_fixes.reset()
        ec2_settings.reset()
        regions.reset()
        systems_inventory.reset()
        clusters.reset()
        run_command.reset()
        managed_nodes.reset()
        systems_documents.reset()
    return {"reset": what}


async def _add_faults(order: Any, _: dict) -> dict:
    for fault in order if isinstance(order, list) else [order]:
        faults.add(fault)
    return faults.listing()


async def _list_faults(_: Any, __: dict) -> dict:
    return faults.listing()


async def _clear_faults(_: Any, __: dict) -> dict:
    faults.clear()
    return faults.listing()


async def _calls(_: Any, query: dict) -> dict:
    return calls.report(int(query.get("limit", calls.KEPT)))


async def _events(order: Any, _: dict) -> dict:
    """Takes an EventBridge envelope: `source`, `detail-type`, `detail`, and if wanted `resources`, `account`, `region`."""
    events = order if isinstance(order, list) else [order]
    for event in events:
        if not {"source", "detail-type", "detail"} <= set(event):
            raise Wrong('An event needs "source", "detail-type" and "detail".')
    ids = []
    for event in events:
        with ministack.scope(event.get("account", environment.ACCOUNT), event.get("region", environment.REGION)):
            put = ministack.put_event(
                event["source"], event["detail-type"], event["detail"], event.get("resources", [])
            )
        ids += [entry.get("EventId") or entry.get("ErrorMessage") for entry in put["Entries"]]
    return {"ids": ids}


async def _waiting(_: Any, __: dict) -> dict:
    return {"waiting": trail.waiting()}


async def _clock(order: Any, _: dict) -> dict:
    return trail.set_clock(order or {})


async def _node(order: Any, _: dict) -> dict:
    with ministack.scope(order.get("account", environment.ACCOUNT), order.get("region", environment.REGION)):
        return managed_nodes.register(order)


async def _regions(order: Any, _: dict) -> dict:
    return regions.order(order)


async def _state_change(order: Any, _: dict) -> dict:
    with ministack.scope(order.get("account", environment.ACCOUNT), order.get("region", environment.REGION)):
        trail.state_change(order["instance-id"], order["state"])
    return order


async def _interface_owner(order: Any, _: dict) -> dict:
    account, region = order.get("account", environment.ACCOUNT), order.get("region", environment.REGION)
    interface = moto_fixes.interface(account, region, order["interface"])
    if interface is None:
        raise Wrong(f"There is no interface {order['interface']}.")
    interface.picket_owner = order["owner"]
    return order


async def _change_cluster(order: Any, _: dict) -> dict:
    return clusters.order(order.get("account", environment.ACCOUNT), order.get("region", environment.REGION), order)


async def _asked_of_cluster(_: Any, query: dict) -> dict:
    account, region = query.get("account", environment.ACCOUNT), query.get("region", environment.REGION)
    return {"requests": clusters.requests(account, region, query["cluster"])}


_ORDERS = {
    ("GET", "health"): _health,
    ("POST", "reset"): _reset,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "calls"): _calls,
    ("POST", "events"): _events,
    ("GET", "events"): _waiting,
    ("POST", "clock"): _clock,
    ("POST", "interface-owner"): _interface_owner,
    ("GET", "kubernetes"): _asked_of_cluster,
    ("POST", "kubernetes"): _change_cluster,
    ("POST", "nodes"): _node,
    ("POST", "regions"): _regions,
    ("POST", "state-change"): _state_change,
}
