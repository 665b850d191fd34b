"""The collector as Systems Manager would run it: the script out of the template, under each shell that a node may have."""

import base64
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from trees import TREES  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]


def embedded() -> str:
    """The script in the SSM document, its parameter filled in as Systems Manager does."""
    text = (ROOT / "infra/node.yaml").read_text(encoding="utf-8")
    block = text.partition("runCommand:\n                - |\n")[2]
    return "".join(line[18:] if line.strip() else line for line in block.splitlines(keepends=True)).replace("{{ Sections }}", "all")


@pytest.fixture(scope="session")
def script(tmp_path_factory) -> pathlib.Path:
    file = tmp_path_factory.mktemp("collector") / "collector.sh"
    file.write_text(embedded(), encoding="utf-8")
    return file


@pytest.fixture(params=SHELLS, ids=lambda s: s[0])
def run(request, script):
    """Runs the collector; gives its document, out of what it packed."""

    def go(root: pathlib.Path | None, **variables: str) -> dict:
        environment = {"PATH": os.environ["PATH"], **({"PICKET_ROOT": str(root)} if root else {}), **variables}
        done = subprocess.run([*request.param, str(script)], env=environment, capture_output=True, timeout=200, check=True)
        packed, end = done.stdout.decode().split(" ")
        assert end == "end\n"
        return json.loads(gzip.decompress(base64.b64decode(packed)))

    return go


@pytest.fixture(params=sorted(TREES))
def tree(request, tmp_path):
    root = tmp_path / request.param
    root.mkdir()
    TREES[request.param](root)
    return root
