"""The rows of the table: what was measured, its value, its aim, and whether the aim is met."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    what: str
    value: float
    unit: str = ""
    aim: float | None = None
    inclusive: bool = False  # whether a value equal to the aim meets it
    group: str = ""

    @property
    def met(self) -> bool | None:
        if self.aim is None:
            return None
        return self.value <= self.aim if self.inclusive else self.value < self.aim

    def as_dict(self) -> dict:
        return {**asdict(self), "met": self.met}


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _number(value: float, unit: str) -> str:
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def markdown(rows: list[Row]) -> str:
    lines = ["| | value | aim | met |", "|---|---:|---:|---|"]
    group = ""
    for row in rows:
        if row.group != group:
            group = row.group
            lines.append(f"| **{group}** | | | |")
        aim = "" if row.aim is None else f"{'at most' if row.inclusive else 'below'} {_number(row.aim, row.unit)}"
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        lines.append(f"| {row.what} | {_number(row.value, row.unit)} | {aim} | {met} |")
    return "\n".join(lines)
