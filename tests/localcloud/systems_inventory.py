"""The inventory of Systems Manager: PutInventory and GetInventory, which no emulator has. All other calls stay ministack's."""

from __future__ import annotations

import json
import threading
from typing import Any

import ministack_internals as ministack
import wire

_lock = threading.Lock()
_items: dict[tuple[str, str], dict[str, dict[str, dict]]] = {}  # by account and region: instance -> type -> item


def wrapper(original: Any) -> Any:
    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if action not in ("GetInventory", "PutInventory"):
            return await original(method, path, headers, body, query_params)
        data = json.loads(body or b"{}")
        found = _put(data) if action == "PutInventory" else _get(data)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    return handle


def _here() -> dict[str, dict[str, dict]]:
    return _items.setdefault((ministack.account(), ministack.region()), {})


def _put(data: dict) -> dict:
    with _lock:
        types = _here().setdefault(data["InstanceId"], {})
        for item in data.get("Items", []):
            types[item["TypeName"]] = item
    return {"Message": "Success"}


def _get(data: dict) -> dict:
    """Every instance that passes the filters, each with all rows of each of its types, as AWS answers."""
    with _lock:
        kept = {name: types for name, types in _here().items() if all(_passes(f, types) for f in data.get("Filters", []))}
    entities = [{"Id": name, "Data": types} for name, types in sorted(kept.items())]
    return {"Entities": entities}


def _passes(wanted: dict, types: dict[str, dict]) -> bool:
    kind, _, attribute = wanted["Key"].rpartition(".")
    rows = (types.get(kind) or {}).get("Content", [])
    return any(row.get(attribute) in wanted["Values"] for row in rows)


def reset() -> None:
    with _lock:
        _items.clear()
