"""Calls into moto, in this process, over moto's own WSGI application.

One call at a time (moto is not made for threads). Turns moto's HTML page for calls it does not implement, which SDKs
would retry, into an AWS error that names the call. Leaves every correction of content to the services' own modules.
"""

from __future__ import annotations

import threading
import uuid
from typing import Any
from urllib.parse import urlencode

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

import ministack_internals as ministack
import wire

_application = DomainDispatcherApplication(create_backend_app)
_lock = threading.RLock()


def call(
    service: str, method: str, path: str, headers: dict, body: bytes, query: dict | None = None
) -> wire.Reply:
    """One call of `service` (its name in the credential scope) in the current account and region."""
    environ = EnvironBuilder(
        path=path,
        method=method,
        headers=_headers(service, headers),
        data=body or None,
        query_string=urlencode(query or {}, doseq=True),
        base_url="http://127.0.0.1",
    ).get_environ()
    try:
        with _lock:
            chunks, status_line, received = run_wsgi_app(_application, environ, buffered=True)
    except NotImplementedError:
        return _not_implemented(service, body)
    status, content = int(status_line.split()[0]), b"".join(chunks)
    if status >= 500 and b"<html" in content[:200].lower():
        return _not_implemented(service, body)
    content = content.replace(b"<requestId>request-id<", f"<requestId>{uuid.uuid4()}<".encode())
    return status, {key: value for key, value in received.items() if key.lower() != "content-length"}, content


def _headers(service: str, headers: dict) -> dict:
    """The caller's headers, with the account and region this request was given, for moto's routing."""
    kept = {key: value for key, value in headers.items() if key.lower() not in ("content-length", "host", "expect")}
    kept["x-moto-account-id"] = ministack.account()
    kept["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=LOCAL/20260101/{ministack.region()}/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    )
    return {key.lower(): value for key, value in kept.items()}


def _not_implemented(service: str, body: bytes) -> wire.Reply:
    action = wire.query_params(body, {}).get("Action", "this call")
    message = f"The local cloud does not implement {service}:{action} with these parameters."
    return wire.error_for(service, "UnsupportedOperation", message, 400)


def query(service: str, action: str, version: str, **params: Any) -> wire.Reply:
    """A query-protocol call made by the local cloud itself."""
    body = urlencode({"Action": action, "Version": version, **params}).encode()
    return call(service, "POST", "/", {"content-type": "application/x-www-form-urlencoded"}, body)


def ec2(action: str, **params: Any) -> wire.Reply:
    return query("ec2", action, "2016-11-15", **params)
