"""Calls that ministack's services lack or answer only in part; everything else stays theirs.

How a registry scans images, automatic minor upgrades of a database, and IAM dates by the clock that tests may shift.
"""

from __future__ import annotations

import json
import time
from typing import Any

import ministack_internals as ministack
import trail
import wire


def install() -> None:
    ministack.wrap_handler(ministack.ecr_module, _registry)
    ministack.wrap_handler(ministack.rds_module, _upgrades)
    ministack.iam_module._now = _now


def _registry(original: Any) -> Any:
    """`GetRegistryScanningConfiguration`: basic scanning and no rule, as a registry begins."""

    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        if not headers.get("x-amz-target", "").endswith(".GetRegistryScanningConfiguration"):
            return await original(method, path, headers, body, query_params)
        found = {"registryId": ministack.account(), "scanningConfiguration": {"scanType": "BASIC", "rules": []}}
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found).encode()

    return handle


def _upgrades(original: Any) -> Any:
    """`ModifyDBInstance` sets `AutoMinorVersionUpgrade`, too."""

    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        reply = await original(method, path, headers, body, query_params)
        params = wire.query_params(body if isinstance(body, bytes) else (body or "").encode(), query_params)
        wanted = params.get("AutoMinorVersionUpgrade")
        if params.get("Action") == "ModifyDBInstance" and wanted and reply[0] < 400:
            ministack.database(params["DBInstanceIdentifier"])["AutoMinorVersionUpgrade"] = wanted == "true"
        return reply

    return handle


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + trail.offset()))
