"""HTTPS on loopback, a thread a connection. What is asked is answered by `api`."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable
from urllib.parse import parse_qsl, urlsplit

from . import certificates
from .api import Api

_SWALLOWED_SECONDS = 60


class Server:
    """An API server that listens from its making on. `reachable`: whether packets from here come through to it."""

    def __init__(self, api: Api, reachable: Callable[[], bool] = lambda: True):
        self.api = api
        self._authority, context = certificates.make()
        self._http = _Listener(api, context, reachable)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self._http.server_port}"

    @property
    def authority(self) -> str:
        """Its certificate authority, as EKS and kubeconfigs give it."""
        return base64.b64encode(self._authority).decode()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, context: ssl.SSLContext, reachable: Callable[[], bool]):
        self.api, self.context, self.reachable = api, context, reachable
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: Any) -> None:
        """A client that goes away in the midst of its request is none of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def setup(self) -> None:
        """TLS here, so that one client's slow handshake does not keep the others waiting."""
        if not self.server.reachable():
            _swallow(self.request)
            raise ConnectionAbortedError
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else b""
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        code, found = self.server.api.answer(self.command, parts.path, query, headers, body)
        data = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = _answer

    def log_message(self, *_: Any) -> None:
        pass


def _swallow(connection: socket.socket) -> None:
    """What a private endpoint is from outside of its VPC: packets go there, and nothing comes back."""
    connection.settimeout(_SWALLOWED_SECONDS)
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass
