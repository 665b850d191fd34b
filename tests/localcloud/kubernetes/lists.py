"""Lists: selectors, pages, and the tokens that lead to the next page.

A list in pages shows what was there when it began, as etcd keeps it, until that is compacted; then its token is too
old, and the list must be begun anew.
"""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

from .status import bad_request, expired


class Pages:
    """The lists that are on their way."""

    def __init__(self, most: int | None = None):
        self.most = most  # a page never holds more, whatever the client's limit says
        self.lose_next = False  # the next list that is begun is too old at its second page
        self._begun: dict[int, list[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)

    def compact(self) -> None:
        """Forget what was there: all tokens are too old."""
        self._begun.clear()

    def page(self, found: list[dict[str, Any]], query: dict[str, str], version: str) -> tuple[list, dict[str, Any]]:
        """The items of a page, and the metadata of its list."""
        limit = int(query.get("limit") or 0) or None
        if self.most:
            limit = min(limit or self.most, self.most)
        number, start = 0, 0
        if query.get("continue"):
            number, start, version = _read(query["continue"])
            if number not in self._begun:
                raise expired()
            found = self._begun[number]
        end = len(found) if limit is None else start + limit
        metadata: dict[str, Any] = {"resourceVersion": version}
        if end < len(found):
            number = number or next(self._numbers)
            if not self.lose_next:
                self._begun[number] = found
            self.lose_next = False
            metadata |= {"continue": _token(number, end, version), "remainingItemCount": len(found) - end}
        return found[start:end], metadata


def _token(number: int, start: int, version: str) -> str:
    return base64.b64encode(json.dumps({"n": number, "start": start, "rv": version}).encode()).decode()


def _read(token: str) -> tuple[int, int, str]:
    try:
        known = json.loads(base64.b64decode(token, validate=True))
        return known["n"], known["start"], known["rv"]
    except (ValueError, KeyError, TypeError):
        raise bad_request(f"continue key is not valid: {token}") from None


def selected(objects: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    """Those that both selectors let through."""
    fields, labels = query.get("fieldSelector", ""), query.get("labelSelector", "")
    return [o for o in objects if _fields_fit(o, fields) and _labels_fit(o, labels)]


def _terms(selector: str) -> list[tuple[str, bool, str]]:
    """`a=b,c!=d`, each term as its key, whether it is to be equal, and its value."""
    terms = []
    for term in filter(None, selector.split(",")):
        equal = "!=" not in term
        key, mark, value = term.partition("=" if equal else "!=")
        if not mark:
            raise bad_request(f"unable to parse requirement: {term}")
        terms.append((key.strip(), equal, value.lstrip("=").strip()))
    return terms


def _fields_fit(found: dict[str, Any], selector: str) -> bool:
    for path, equal, value in _terms(selector):
        place: Any = found
        for key in path.split("."):
            place = (place or {}).get(key)
        if ((place or "") == value) != equal:
            return False
    return True


def _labels_fit(found: dict[str, Any], selector: str) -> bool:
    labels = found["metadata"].get("labels") or {}
    return all((labels.get(key) == value) == equal for key, equal, value in _terms(selector))


def metadata_alone(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As `PartialObjectMetadata` shows them."""
    kind = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return [{**kind, "metadata": item["metadata"]} for item in items]
