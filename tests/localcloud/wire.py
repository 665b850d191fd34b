"""The wire formats of AWS as far as the local cloud reads or writes them itself.

Parses the query protocol (EC2, Auto Scaling, ELB, IAM), builds error replies in the format of each service, and turns
EC2's XML into plain data. Knows no service's behaviour.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree
from xml.sax.saxutils import escape

Reply = tuple[int, dict, bytes]

_READ_ONLY = re.compile(r"^(Describe|List|Get|Lookup|BatchGet|Head|Query|Scan|Receive|Filter|Search|Simulate)")
EC2_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def is_read_only(action: str) -> bool:
    return bool(_READ_ONLY.match(action))


def query_params(body: bytes, query: dict) -> dict[str, str]:
    """The flat parameters of a query-protocol request, from its body and its query string."""
    flat = {key: values[0] if isinstance(values, list) else values for key, values in query.items()}
    if body:
        flat.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return flat


def nested(params: dict[str, str]) -> Any:
    """`A.1.B=x` as {"A": [{"B": "x"}]}: a level whose keys are all numbers becomes a list."""
    tree: dict[str, Any] = {}
    for key, value in params.items():
        place = tree
        *parents, leaf = key.split(".")
        for part in parents:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        if isinstance(place, dict):
            place[leaf] = value
    return _lists(tree)


def _lists(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    tree = {key: _lists(value) for key, value in tree.items()}
    if set(tree) == {"member"} and isinstance(tree["member"], list):
        return tree["member"]
    if tree and all(key.isdigit() for key in tree):
        return [tree[key] for key in sorted(tree, key=int)]
    return tree


def values_of(params: dict[str, str], prefix: str) -> list[str]:
    """The values of `Prefix.1`, `Prefix.2`, ... in order."""
    pattern = re.compile(rf"^{re.escape(prefix)}\.(\d+)$")
    found = [(int(match.group(1)), value) for key, value in params.items() if (match := pattern.match(key))]
    return [value for _, value in sorted(found)]


def ec2_error(code: str, message: str, status: int = 400) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
    )
    return status, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode()


def query_error(code: str, message: str, status: int = 400) -> Reply:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type>"
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return status, {"Content-Type": "text/xml"}, body.encode()


def json_error(code: str, message: str, status: int = 400) -> Reply:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode()


def error_for(service: str, code: str, message: str, status: int) -> Reply:
    """An error in the format the service's SDK parses."""
    if service == "ec2":
        return ec2_error(code, message, status)
    if service in ("autoscaling", "elasticloadbalancing", "iam", "sts", "sns", "cloudformation", "monitoring"):
        return query_error(code, message, status)
    if service == "s3":
        body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return status, {"Content-Type": "application/xml"}, body.encode()
    return json_error(code, message, status)


def error_in(body: bytes) -> tuple[str, str]:
    """The error code and message of a failed reply, of either format."""
    code = re.search(rb"<Code>([^<]*)", body)
    if code:
        text = re.search(rb"<Message>([^<]*)", body)
        return code.group(1).decode(), (text.group(1).decode() if text else "")
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return "InternalFailure", ""
    if not isinstance(data, dict):
        return "InternalFailure", ""
    kind = str(data.get("__type") or data.get("code") or "InternalFailure").rsplit("#", 1)[-1]
    return kind, str(data.get("message") or data.get("Message") or "")


def local_name(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((kid for kid in element if local_name(kid) == name), None)


def to_xml(root: ElementTree.Element) -> bytes:
    ElementTree.register_namespace("", EC2_NAMESPACE)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
