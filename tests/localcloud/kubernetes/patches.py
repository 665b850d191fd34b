"""Patches of objects: RFC 7386 merge patches, RFC 6902 JSON patches, and Kubernetes' strategic merge."""

from __future__ import annotations

import copy
from typing import Any

from .status import Refused, bad_request, invalid

# The lists of built-in kinds that a strategic merge merges by a key; others are replaced whole.
_MERGE_KEYS = {
    "containers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "containerPort",
    "taints": "key",
    "volumeMounts": "mountPath",
    "volumes": "name",
}


def apply(content_type: str, before: Any, patch: Any) -> Any:
    """The object after a patch of this media type."""
    media = content_type.split(";")[0].strip()
    if media == "application/merge-patch+json":
        return _merge(before, patch)
    if media == "application/strategic-merge-patch+json":
        return _strategic(before, patch)
    if media == "application/json-patch+json":
        return _json_patch(before, patch)
    why = f"the body of the request was in an unknown format: {media}"
    raise Refused(415, "UnsupportedMediaType", why)


def _merge(before: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    after = copy.deepcopy(before) if isinstance(before, dict) else {}
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        else:
            after[key] = _merge(after.get(key), value)
    return after


def _strategic(before: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    after = copy.deepcopy(before) if isinstance(before, dict) else {}
    for key, value in patch.items():
        if value is None:
            after.pop(key, None)
        elif key in _MERGE_KEYS and isinstance(value, list):
            after[key] = _merge_list(after.get(key) or [], value, _MERGE_KEYS[key])
        else:
            after[key] = _strategic(after.get(key), value)
    return after


def _merge_list(before: list, patch: list, key: str) -> list:
    after = copy.deepcopy(before)
    for item in patch:
        place = next((n for n, known in enumerate(after) if known.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            after = [known for known in after if known.get(key) != item.get(key)]
        elif place is None:
            after.append(copy.deepcopy(item))
        else:
            after[place] = _strategic(after[place], item)
    return after


def _json_patch(before: Any, operations: list) -> Any:
    after = copy.deepcopy(before)
    for operation in operations:
        kind, path = operation.get("op"), operation.get("path", "")
        if kind in ("move", "copy"):
            value = copy.deepcopy(_at(after, operation["from"]))
            if kind == "move":
                _change(after, operation["from"], "remove", None)
            _change(after, path, "add", value)
        elif kind == "test":
            if _at(after, path) != operation.get("value"):
                raise invalid(f"the server rejected our request due to an error in our request: test of {path} failed")
        elif kind in ("add", "remove", "replace"):
            _change(after, path, kind, operation.get("value"))
        else:
            raise bad_request(f"unknown operation {kind!r}")
    return after


def _keys(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _at(tree: Any, path: str) -> Any:
    for key in _keys(path):
        try:
            tree = tree[int(key)] if isinstance(tree, list) else tree[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise invalid(f"the path {path} does not exist") from None
    return tree


def _change(tree: Any, path: str, kind: str, value: Any) -> None:
    *parents, key = _keys(path)
    place = _at(tree, "".join(f"/{p.replace('~', '~0').replace('/', '~1')}" for p in parents))
    if isinstance(place, list):
        index = len(place) if key == "-" else int(key)
        if kind == "add":
            place.insert(index, value)
            return
        if index >= len(place):
            raise invalid(f"the path {path} does not exist")
        if kind == "remove":
            del place[index]
        else:
            place[index] = value
        return
    if kind != "add" and key not in place:
        raise invalid(f"the path {path} does not exist")
    if kind == "remove":
        del place[key]
    else:
        place[key] = value
