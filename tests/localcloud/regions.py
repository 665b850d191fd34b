"""The Regions that accounts have switched on: all that moto knows, or those that a test orders.

Most accounts have a few that matter; with moto's thirty-seven, a sweep takes ten times as long and shows nothing more.
"""

from __future__ import annotations

from xml.etree import ElementTree

import wire

_on: set[str] = set()


def order(names: list[str]) -> dict:
    """Switch on these alone; none switches all on."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError('Regions are a list of names, such as ["us-east-1"].')
    _on.clear()
    _on.update(names)
    return {"regions": sorted(_on)}


def reset() -> None:
    _on.clear()


def shown(content: bytes) -> bytes:
    """The answer of DescribeRegions without the Regions that are off."""
    if not _on:
        return content
    root = ElementTree.fromstring(content)
    for parent in [element for element in root.iter() if wire.local_name(element) == "regionInfo"]:
        for item in list(parent):
            name = wire.child(item, "regionName")
            if name is not None and name.text not in _on:
                parent.remove(item)
    return wire.to_xml(root)
