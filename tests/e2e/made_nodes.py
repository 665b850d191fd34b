"""Nodes of a self-managed cluster: instances with folders behind them that Systems Manager reaches, or does not."""

from __future__ import annotations

import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "node"))

from trees import put  # noqa: E402

from deployment import Deployment, Place, unique  # noqa: E402


@dataclass
class Node:
    """An instance and the folder that is its root."""

    instance: str
    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def restarts(self) -> list[str]:
        """What its kubelet wrote when it was restarted, a line each."""
        file = self.root / "restarts"
        return file.read_text().splitlines() if file.exists() else []

    def mode(self, path: str) -> str:
        return f"{(self.root / path.lstrip('/')).stat().st_mode & 0o777:o}"

    def backups(self) -> list[Path]:
        return sorted(f for f in (self.root / "var/lib/picket/backups").glob("*") if f.is_file())


class Nodes:
    """One cluster's nodes, made as they are needed."""

    def __init__(self, picket: Deployment, place: Place, folder: Path):
        self.picket, self.place, self.folder = picket, place, folder
        self.cluster = unique("self-made")
        self.group = picket.new_group(place)

    def launch(self, role: str = "control-plane", user_data: str = "", **tags: str) -> str:
        """An instance that is tagged as a node of the cluster."""
        named = {f"kubernetes.io/cluster/{self.cluster}": "owned", f"k8s.io/role/{role}": "1", **tags}
        given = [{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in named.items()]}]
        more = {"UserData": user_data} if user_data else {}
        return self.picket.launch("platform", self.place, [self.group], TagSpecifications=given, **more)[0]

    def make(self, tree: Callable[[Path], None], health: str = "true", restart: str = "", **registration: Any) -> Node:
        """A node whose root is this tree and whose agent is online."""
        instance = self.launch()
        root = self.folder / instance
        root.mkdir()
        tree(root)
        variables = {
            "PICKET_HEALTH": health.replace("ROOT", str(root)),
            "PICKET_RESTART": (restart or "echo again >> ROOT/restarts").replace("ROOT", str(root)),
            "PICKET_PAUSE": "0.1",
        }
        order = {"instance-id": instance, "root": str(root), "variables": variables, "account": self.picket.account}
        self.picket.control("POST", "nodes", {**order, **registration})
        return Node(instance, root, variables)


def wordy(tree: Callable[[Path], None]) -> Callable[[Path], None]:
    """The tree with so much on it that its report does not fit into one answer of Run Command, and each portion does."""

    def make(root: Path) -> None:
        tree(root)
        for _ in range(350):
            put(root, f"/etc/kubernetes/pki/{secrets.token_hex(16)}.crt", "a certificate\n")
        packages = "".join(f"Package: {secrets.token_hex(10)}\nStatus: install ok installed\nVersion: {secrets.token_hex(5)}\n\n" for _ in range(450))
        put(root, "/var/lib/dpkg/status", packages)

    return make
