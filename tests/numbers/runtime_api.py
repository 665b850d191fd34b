"""A Lambda Runtime API on loopback that starts one function, hands it events and measures what it costs.

Times are of one monotonic clock in this process, taken when a request of the function becomes readable, before it is
parsed. CPU time is the kernel's own count of the function's process in nanoseconds, ended threads included. Both are
taken from poll to poll: what a function does after its answer belongs to that event.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
_NEXT = "/2018-06-01/runtime/invocation/next"
_WAIT_SECONDS = 90
_DEADLINE_SECONDS = 60
_SCHEDULER_CLOCK = 2  # CPUCLOCK_SCHED of Linux: nanoseconds that the scheduler counted


class Broken(Exception):
    """The function ended, failed an event or did not answer; the message says which."""


@dataclass(frozen=True)
class Cost:
    """What one event, or a start, took."""

    wall_ms: float
    cpu_ms: float
    answer: Any = None


@dataclass(frozen=True)
class _Request:
    arrived: int
    path: str
    body: bytes


class _Connection:
    """One connection of the function's HTTP client. Requests are not pipelined, so nothing stays in the buffer."""

    def __init__(self, accepted: socket.socket):
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._lines = accepted, accepted.makefile("rb")

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self, arrived: int) -> _Request | None:
        """The request that has arrived, or nothing when the connection was closed."""
        first = self._lines.readline()
        if not first:
            return None
        headers = http.client.parse_headers(self._lines)
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self._chunks()
        else:
            body = self._lines.read(int(headers.get("Content-Length", 0)))
        return _Request(arrived, first.split()[1].decode(), body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._lines.readline().split(b";")[0], 16):
            body += self._lines.read(size)
            self._lines.readline()
        self._lines.readline()
        return body

    def send(self, status: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        head = {"Content-Type": "application/json", "Content-Length": len(body), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self._socket.sendall(f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body)

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Function:
    """A running function; use with `with`. It has polled for its first event when `with` begins."""

    def __init__(self, program: Path, handler: str, arn: str, environment: dict[str, str], log: Path):
        self._arn = arn
        self._listener = socket.create_server((HOST, 0))
        self._connections: list[_Connection] = []
        self._waiting: _Connection | None = None
        self._log = log.open("ab")
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self._listener.getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": arn.rsplit(":", 1)[1],
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{arn.rsplit(':', 1)[1]}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "numbers",
            **environment,
        }
        started = time.perf_counter_ns()
        self._process = subprocess.Popen([str(program)], env=env, stdout=self._log, stderr=self._log)
        try:
            polled = self._poll()
        except BaseException:
            self.stop()
            raise
        self.start = Cost((polled - started) / 1e6, self._cpu / 1e6)

    def __enter__(self) -> Function:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def invoke(self, event: Any) -> Cost:
        """Hands one event over and waits for the answer and the next poll. An error or a failed message raises."""
        body, request_id, before = json.dumps(event).encode(), str(uuid.uuid4()), self._cpu
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + _DEADLINE_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
        }
        waiting, self._waiting = self._waiting, None
        sent = time.perf_counter_ns()
        waiting.send("200 OK", body, headers)
        connection, request = self._request()
        connection.send("202 Accepted", b'{"status":"OK"}')
        if not request.path.endswith(f"/{request_id}/response"):
            raise Broken(f"{self._arn}: {request.path}: {request.body[:600].decode(errors='replace')}")
        self._poll()
        answer = json.loads(request.body or b"null")
        if isinstance(answer, dict) and answer.get("batchItemFailures"):
            raise Broken(f"{self._arn} could not handle {answer['batchItemFailures']}; its log is {self._log.name}")
        return Cost((request.arrived - sent) / 1e6, (self._cpu - before) / 1e6, answer)

    def peak_kib(self) -> int:
        """The most memory that was resident at once: VmHWM."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for connection in self._connections:
            connection.close()
        self._listener.close()
        self._log.close()

    def _poll(self) -> int:
        """Waits until the function asks for its next event; returns when it did."""
        self._waiting, request = self._request()
        # A clock id names a process by its inverted id; see clock_getcpuclockid(3).
        self._cpu = time.clock_gettime_ns((~self._process.pid << 3) | _SCHEDULER_CLOCK)
        if request.path != _NEXT:
            raise Broken(f"{self._arn}: {request.path}: {request.body[:600].decode(errors='replace')}")
        return request.arrived

    def _request(self) -> tuple[_Connection, _Request]:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            ready, _, _ = select.select([self._listener, *self._connections], [], [], 1)
            arrived = time.perf_counter_ns()
            for source in ready:
                if source is self._listener:
                    self._connections.append(_Connection(self._listener.accept()[0]))
                    continue
                with contextlib.suppress(ConnectionError):
                    if request := source.read(arrived):
                        return source, request
                source.close()
                self._connections.remove(source)
        state = f"ended with {self._process.returncode}" if self._process.returncode is not None else "did not answer"
        raise Broken(f"{self._arn} {state}; its log is {self._log.name}")
