"""Docker's API on a socket, with one host's containers, images and networks: what the real client is asked for, it answers."""

import contextlib
import http.server
import json
import pathlib
import socketserver
import threading
import urllib.parse
from collections.abc import Iterator

CONTAINER = {
    "Id": "c" * 64,
    "Name": "/app",
    "AppArmorProfile": "docker-default",
    "ProcessLabel": "",
    "State": {"Status": "running", "Running": True, "Pid": 70},
    "Config": {"Image": "nginx:latest", "User": "", "Env": ["PASSWORD=planted-pod-variable-9f2c"]},
    "HostConfig": {
        "Privileged": False,
        "CapAdd": None,
        "SecurityOpt": None,
        "NetworkMode": "host",
        "PidMode": "",
        "IpcMode": "private",
        "UTSMode": "",
        "UsernsMode": "",
        "Memory": 1024,
        "CpuShares": 512,
        "NanoCpus": 0,
        "CpuQuota": 0,
        "ReadonlyRootfs": False,
        "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
        "Devices": [],
        "Ulimits": None,
        "CgroupParent": "",
        "PidsLimit": None,
    },
    "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None}},
    "Mounts": [{"Type": "bind", "Source": "/etc", "Destination": "/host", "Mode": "", "RW": False, "Propagation": "rprivate"}],
}
CHECKED = {**CONTAINER, "Id": "d" * 64, "State": {**CONTAINER["State"], "Pid": 0, "Health": {"Status": "healthy"}}}
IMAGE = {"Id": "sha256:" + "a" * 64, "RepoTags": ["nginx:latest"], "Config": {"User": "app", "Healthcheck": {"Test": ["CMD", "x"]}}}
HISTORY = [{"CreatedBy": "ENV API_TOKEN=planted-flag-token-55e0"}, {"CreatedBy": "/bin/sh -c #(nop) ADD file:0123 in / "}]
BRIDGE = {"Name": "bridge", "Id": "b" * 64, "Driver": "bridge", "Options": None, "Containers": {"c": {"Name": "app"}}}
OVERLAY = {"Name": "ingress", "Id": "e" * 64, "Driver": "overlay", "Options": {"encrypted": ""}, "Containers": {}}
INFO = {
    "ID": "x",
    "Driver": "overlay2",
    "LoggingDriver": "json-file",
    "CgroupDriver": "systemd",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "LiveRestoreEnabled": False,
    "ExperimentalBuild": False,
    "ServerVersion": "28.2.2",
    "DockerRootDir": "/var/lib/docker",
    "Containers": 2,
    "ContainersRunning": 2,
    "ContainersStopped": 0,
    "Images": 1,
    "Swarm": {
        "LocalNodeState": "active",
        "ControlAvailable": True,
        "Managers": 1,
        "Cluster": {"Spec": {"EncryptionConfig": {"AutoLockManagers": True}, "CAConfig": {"NodeCertExpiry": 7776000000000000}}},
    },
}


def answer(path: str, swarm: bool) -> object:
    """What a path holds, without the version before it."""
    name = urllib.parse.unquote(path.partition("?")[0]).removeprefix("/v1.50")
    containers = {c["Id"]: c for c in (CONTAINER, CHECKED)}
    networks = {n["Id"]: n for n in (BRIDGE, OVERLAY)}
    known = {
        "/_ping": "OK",
        "/info": INFO if swarm else {**INFO, "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False}},
        "/containers/json": [{"Id": i, "Names": [c["Name"]], "Image": "nginx"} for i, c in containers.items()],
        "/images/json": [{"Id": IMAGE["Id"], "RepoTags": IMAGE["RepoTags"], "Created": 0, "Size": 0}],
        "/networks": list(networks.values()),
    }
    known |= {f"/containers/{n}/json": c for i, c in containers.items() for n in (i, i[:12])}
    known |= {f"/networks/{n}": c for i, c in networks.items() for n in (i, i[:12])}
    known |= {f"/images/{n}/{part}": what for n in (IMAGE["Id"], "a" * 12) for part, what in (("json", IMAGE), ("history", HISTORY))}
    return known.get(name)


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def served(socket: pathlib.Path, swarm: bool) -> Iterator[str]:
    """The API on this socket, as DOCKER_HOST takes it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answer(self.path, swarm)
            body = json.dumps(said if said is not None else {"message": "no such thing"}).encode()
            self.send_response(404 if said is None else 200)
            self.send_header("Api-Version", "1.50")
            self.send_header("Ostype", "linux")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def address_string(self) -> str:
            return "client"

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with Server(str(socket), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{socket}"
        server.shutdown()
