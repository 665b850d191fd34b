"""What EC2 keeps once for an account and Region, which moto lacks: whether images and snapshots may be public, the metadata
defaults of new instances, the serial console, the images that may be used.

Answers `None` for every other call.
"""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

import ministack_internals as ministack
import wire

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_kept: dict[tuple[str, str, str], str] = {}
# The calls that set one of these on and off, and its element in the answer.
_BLOCKS = {
    "ImageBlockPublicAccess": ("imageBlockPublicAccessState", "ImageBlockPublicAccessState"),
    "SnapshotBlockPublicAccess": ("state", "State"),
}
_DEFAULTS = {"HttpTokens": "httpTokens", "HttpPutResponseHopLimit": "httpPutResponseHopLimit", "HttpEndpoint": "httpEndpoint"}


def reset() -> None:
    _kept.clear()


def answer(action: str, params: dict[str, str]) -> wire.Reply | None:
    """The reply to a call about a setting."""
    for name, (element, parameter) in _BLOCKS.items():
        if action == f"Get{name}State":
            return _reply(action, f"<{element}>{escape(_get(name) or 'unblocked')}</{element}>")
        if action in (f"Enable{name}", f"Disable{name}"):
            _set(name, params.get(parameter, "") if action.startswith("Enable") else "")
            return _reply(action, f"<{element}>{escape(_get(name) or 'unblocked')}</{element}>")
    if action == "GetInstanceMetadataDefaults":
        kept = "".join(f"<{tag}>{escape(_get(name))}</{tag}>" for name, tag in _DEFAULTS.items() if _get(name))
        return _reply(action, f"<accountLevel>{kept}</accountLevel>")
    if action == "ModifyInstanceMetadataDefaults":
        for name in _DEFAULTS.keys() & params.keys():
            _set(name, "" if params[name] in ("no-preference", "-1") else params[name])
        return _reply(action, "<return>true</return>")
    if action == "GetAllowedImagesSettings":
        return _reply(action, "<state>disabled</state><managedBy>account</managedBy>")
    return _console(action)


def _console(action: str) -> wire.Reply | None:
    if action not in ("GetSerialConsoleAccessStatus", "EnableSerialConsoleAccess", "DisableSerialConsoleAccess"):
        return None
    if not action.startswith("Get"):
        _set("SerialConsole", "true" if action.startswith("Enable") else "")
    return _reply(action, f"<serialConsoleAccessEnabled>{_get('SerialConsole') or 'false'}</serialConsoleAccessEnabled>")


def _get(name: str) -> str:
    return _kept.get((ministack.account(), ministack.region(), name), "")


def _set(name: str, value: str) -> None:
    _kept[ministack.account(), ministack.region(), name] = value


def _reply(action: str, fields: str) -> wire.Reply:
    body = f'<{action}Response xmlns="{_NAMESPACE}"><requestId>{uuid.uuid4()}</requestId>{fields}</{action}Response>'
    return 200, {"content-type": "text/xml"}, body.encode()
