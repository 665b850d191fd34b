"""The documents of Systems Manager: kept by name and version, their parameters checked and filled in as AWS and its agent do.

A template's `AWS::SSM::Document` comes here through `ministack_internals`; CreateDocument, GetDocument and DeleteDocument
are answered. `AWS-RunShellScript` is there as in every account. Running them is left to `run_command.py`.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

import ministack_internals as ministack
import wire

LARGEST = 64 * 1024
_SHELL = {
    "schemaVersion": "2.2",
    "description": "Run a shell script or specify the commands to run.",
    "parameters": {
        "commands": {"type": "StringList"},
        "workingDirectory": {"type": "String", "default": ""},
        "executionTimeout": {"type": "String", "default": "3600", "allowedPattern": r"([1-9][0-9]{0,4})|(1[0-6][0-9]{4})|(17[0-1][0-9]{3})|(172[0-7][0-9]{2})|(172800)"},
    },
    "mainSteps": [
        {
            "name": "aws:runShellScript",
            "action": "aws:runShellScript",
            "inputs": {"runCommand": "{{ commands }}", "workingDirectory": "{{ workingDirectory }}", "timeoutSeconds": "{{ executionTimeout }}"},
        }
    ],
}  # fmt: skip
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")


class Refused(Exception):
    """An error of Systems Manager: its code and message."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Document:
    name: str
    version: int
    content: dict
    made_at: float
    owned_by_aws: bool = False

    @property
    def arn(self) -> str:
        account = "" if self.owned_by_aws else ministack.account()
        return f"arn:aws:ssm:{ministack.region()}:{account}:document/{self.name}"


@dataclass
class Step:
    """One step with its parameters filled in."""

    name: str
    script: str
    timeout_seconds: float


_lock = threading.Lock()
_kept: dict[tuple[str, str, str], list[Document]] = {}  # by account, region and name: the versions


def keep(name: str, content: Any) -> Document:
    """A new document, or a new version that is the default from now on, as UpdateMethod NewVersion makes it."""
    content = content if isinstance(content, dict) else json.loads(content)
    size = len(json.dumps(content).encode())
    if size > LARGEST:
        message = f"The content of document {name} has {size} bytes; it may have {LARGEST}."
        raise Refused("MaxDocumentSizeExceeded", message)
    if content.get("schemaVersion") != "2.2" or not content.get("mainSteps"):
        raise Refused("InvalidDocumentContent", "Only documents of schema 2.2 with mainSteps are known here.")
    with _lock:
        versions = _kept.setdefault((ministack.account(), ministack.region(), name), [])
        versions.append(Document(name, len(versions) + 1, content, time.time()))
        return versions[-1]


def forget(name: str) -> None:
    with _lock:
        _kept.pop((ministack.account(), ministack.region(), name), None)


def reset() -> None:
    with _lock:
        _kept.clear()


def document(name: str, version: str = "$DEFAULT") -> Document:
    """The document of this name, or InvalidDocument."""
    if name == "AWS-RunShellScript":
        return Document(name, 1, _SHELL, 0, owned_by_aws=True)
    name = name.rsplit(":document/", 1)[-1]
    with _lock:
        versions = list(_kept.get((ministack.account(), ministack.region(), name), []))
    if not versions:
        raise Refused("InvalidDocument", f"Document with name {name} does not exist.")
    wanted = versions[-1].version if version in ("", "$DEFAULT", "$LATEST") else version
    found = next((one for one in versions if str(one.version) == str(wanted)), None)
    if found is None:
        raise Refused("InvalidDocumentVersion", f"Document {name} has no version {version}.")
    return found


# --- parameters


def checked(found: Document, given: dict[str, list[str]]) -> dict[str, Any]:
    """The value of every parameter: what was given, as the document allows it, or its default."""
    declared = found.content.get("parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise Refused("InvalidParameters", f"Parameters {unknown} are not defined in document {found.name}.")
    return {name: _value(name, rule, given.get(name)) for name, rule in declared.items()}


def _value(name: str, rule: dict, given: list[str] | None) -> Any:
    if given is None:
        if "default" not in rule:
            raise Refused("InvalidParameters", f"Parameter {name} is required and was not given.")
        return rule["default"]
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Refused("InvalidParameters", f"Parameter {name} must be a list of strings.")
    for one in given:
        _allowed(name, rule, one)
    if rule["type"] == "StringList":
        return given
    if len(given) != 1:
        raise Refused("InvalidParameters", f"Parameter {name} takes one value; {len(given)} were given.")
    return given[0]


def _allowed(name: str, rule: dict, value: str) -> None:
    pattern, values = rule.get("allowedPattern"), rule.get("allowedValues")
    # AWS matches anywhere: whoever means the whole value writes ^ and $.
    if pattern and not re.search(pattern, value):
        raise Refused("InvalidParameters", f"Parameter {name} with value {value!r} does not match {pattern}.")
    if values and value not in values:
        raise Refused("InvalidParameters", f"Parameter {name} with value {value!r} is none of {values}.")


def steps(found: Document, values: dict[str, Any]) -> list[Step]:
    """The steps as the agent gets them: placeholders replaced in each text, a lone one by its list."""
    made = []
    for step in found.content["mainSteps"]:
        inputs = {key: _filled(value, values) for key, value in step["inputs"].items()}
        lines = inputs["runCommand"]
        script = "\n".join(lines) if isinstance(lines, list) else str(lines)
        made.append(Step(step["name"], script, float(inputs.get("timeoutSeconds") or 3600)))
    return made


def _filled(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if not isinstance(value, str):
        return value
    alone = _PLACEHOLDER.fullmatch(value)
    if alone and alone[1] in values:
        return values[alone[1]]

    def replaced(match: re.Match) -> str:
        found = values.get(match[1], match[0])
        return found if isinstance(found, str) else json.dumps(found)

    return _PLACEHOLDER.sub(replaced, value)


# --- calls


def create(data: dict) -> dict:
    name = data["Name"]
    with _lock:
        there = (ministack.account(), ministack.region(), name) in _kept
    if there:
        raise Refused("DocumentAlreadyExists", f"Document with name {name} already exists.")
    try:
        made = keep(name, data["Content"])
    except ValueError as error:
        raise Refused("InvalidDocumentContent", f"The content is no JSON: {error}") from None
    described = {"Name": name, "DocumentVersion": "1", "LatestVersion": "1", "DefaultVersion": "1", "Status": "Creating"}
    shape = {"DocumentType": data.get("DocumentType", "Command"), "DocumentFormat": data.get("DocumentFormat", "JSON")}
    return {"DocumentDescription": {**described, **shape, "SchemaVersion": "2.2", "CreatedDate": made.made_at}}


def get(data: dict) -> dict:
    found = document(data["Name"], data.get("DocumentVersion", "$DEFAULT"))
    shape = {"DocumentType": "Command", "DocumentFormat": "JSON", "Status": "Active"}
    return {"Name": found.name, "DocumentVersion": str(found.version), "Content": json.dumps(found.content), **shape}


def delete(data: dict) -> dict:
    forget(document(data["Name"]).name)
    return {}


CALLS = {"CreateDocument": create, "DeleteDocument": delete, "GetDocument": get}


def refusal(error: Refused) -> wire.Reply:
    return wire.json_error(error.code, error.message)
