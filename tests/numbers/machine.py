"""What the numbers were measured on, and with."""

from __future__ import annotations

import os
import platform
import zlib
from pathlib import Path

from rows import Row

MB = 1_000_000


def load() -> float:
    """The load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def describe() -> dict:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": load(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def sizes(binaries: list[Path]) -> list[Row]:
    """How large the programs are, as built and compressed as a package would be."""
    rows = []
    for binary in binaries:
        content = binary.read_bytes()
        rows.append(Row(f"`{binary.name}`", len(content) / MB, "MB", aim=10, group="Size of the programs"))
        packed = len(zlib.compress(content, 9)) / MB
        rows.append(Row(f"`{binary.name}`, compressed", packed, "MB", group="Size of the programs"))
    return rows
