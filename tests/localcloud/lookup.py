"""CloudTrail's LookupEvents, answered from the records the local cloud wrote; other CloudTrail calls stay ministack's."""

from __future__ import annotations

import json
from typing import Any

import trail
import wire


def wrapper(original: Any) -> Any:
    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        if not headers.get("x-amz-target", "").endswith(".LookupEvents"):
            return await original(method, path, headers, body, query_params)
        found = trail.lookup(json.loads(body or b"{}"))
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    return handle
