"""The front door: every AWS call and every order to the control endpoint passes here.

Meets each call with the faults that were ordered, counts it, writes the record of the services that have none of their
own, and hands it to ministack's routing. EC2's records are written by `ec2.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import autoscaling
import caller as callers
import calls
import control
import ec2
import eks
import faults
import ministack_internals as ministack
import trail
import wire

_RECORDED = {"autoscaling", "eks", "elasticloadbalancing", "iam"}


class ConnectionLost(Exception):
    """The call took effect and its reply is to be lost."""


async def app(scope: dict, receive: Any, send: Any) -> None:
    """The ASGI application."""
    if scope["type"] == "http" and scope["path"].startswith(control.PREFIX):
        await control.answer(scope, receive, send)
        return
    try:
        await ministack.asgi(scope, receive, send)
    except ConnectionLost:
        # A reply that promises a body and ends: the server closes the connection.
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b" ", "more_body": True})


def wrapper(original: Any) -> Any:
    """ministack's dispatch, with faults before and after and a note of the call."""

    async def dispatch(method: str, path: str, headers: dict, body: bytes, query: dict, request_id: str) -> wire.Reply:
        service = ministack.detect_service(method, path, headers, body, query)
        action = _action(service, method, path, headers, body, query)
        who = callers.of(ministack.access_key(headers, query))
        started = calls.now()
        fault = faults.meeting(service, action, f"{who.name} {who.arn}", path.encode() + b"?" + body)
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault and not fault.after and not fault.delay_only:
            reply = wire.error_for(service, fault.code, fault.message, fault.status)
            if service == "ec2":
                ec2.note_refused(wire.query_params(body, query), headers, who, reply)
        else:
            reply = await original(method, path, headers, body, query, request_id)
            _record(service, action, path, headers, body, query, who, reply)
        _note(service, action, path, body, who, reply, started)
        if fault and fault.after == "closed":
            raise ConnectionLost
        if fault and fault.after == "lost-reply":
            return wire.error_for(service, fault.code, fault.message, fault.status)
        return reply

    return dispatch


def _action(service: str, method: str, path: str, headers: dict, body: bytes, query: dict) -> str:
    if service == "ec2":
        return wire.query_params(body, query).get("Action", "")
    with contextlib.suppress(Exception):
        return ministack.action_of(service, method, path, headers, body, query)
    return ""


def _note(
    service: str, action: str, path: str, body: bytes, who: callers.Caller, reply: wire.Reply, started: float
) -> None:
    status, _, content = reply
    failed = status >= 400 and isinstance(content, bytes)
    dry_run = service == "ec2" and b"DryRun=true" in body
    calls.note(
        calls.Call(
            time=started,
            service=service,
            action=action,
            caller=who.name,
            mutating=not wire.is_read_only(action) and not dry_run,
            dry_run=dry_run,
            status=status,
            error=wire.error_in(content)[0] if failed else "",
            resources=calls.resources_in(path, body),
            milliseconds=round((calls.now() - started) * 1000, 2),
            account=ministack.account(),
            region=ministack.region(),
        )
    )


def _record(
    service: str, action: str, path: str, headers: dict, body: bytes, query: dict, who: callers.Caller, reply: wire.Reply
) -> None:
    if service not in _RECORDED or not action or wire.is_read_only(action):
        return
    status, _, content = reply
    if service == "eks":
        request, shaped = eks.shape(path, body, content)
    else:
        request, shaped = autoscaling.shape(action, wire.query_params(body, query), content)
    error = wire.error_in(content) if status >= 400 else None
    trail.record(service, action, who, request, shaped, headers=headers, source_ip=ministack.client_ip(), error=error)
