"""Who a bearer token belongs to.

A token of EKS is a presigned GetCallerIdentity; the server makes that call, at the local cloud's STS, with the
cluster's name in the header that the signature covers. Access entries, and `aws-auth` where the cluster's mode lets it,
say who the caller is in the cluster.
Source: github.com/kubernetes-sigs/aws-iam-authenticator, "How does it work?"; EKS's guide, "Access entries".
"""

from __future__ import annotations

import base64
import datetime
import http.client
import os
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import environment
import ministack_internals as ministack
import yaml

from .rbac import ANONYMOUS, User
from .store import Store

_PREFIX = "k8s-aws-v1."
_CLUSTER_HEADER = "x-k8s-aws-id"
_LASTS_SECONDS = 15 * 60
_AHEAD_SECONDS = 5 * 60
_STS = re.compile(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$")
_ALLOWED = {
    "Action",
    "Version",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
}


@dataclass(frozen=True)
class Place:
    """A cluster of EKS."""

    account: str
    region: str
    name: str


class Eks:
    """Tokens of one cluster of EKS."""

    def __init__(self, place: Place, store: Store):
        self.place, self.store = place, store
        self._known: dict[str, tuple[float, str]] = {}  # what STS said, until the token ends

    def user(self, token: str | None) -> User | None:
        """The caller; None where the token is no good or nobody let its owner in."""
        if token is None:
            return ANONYMOUS
        arn = self._arn(token)
        return self._mapped(arn) if arn else None

    def _arn(self, token: str) -> str | None:
        ends, arn = self._known.get(token, (0.0, ""))
        if time.time() < ends:
            return arn
        url = _decoded(token)
        ends = _ends(url) if url else 0.0
        if not time.time() < ends <= time.time() + _LASTS_SECONDS + _AHEAD_SECONDS:
            return None
        arn = _caller(url, self.place.name)
        if arn:
            self._known[token] = (ends, arn)
        return arn

    def _mapped(self, arn: str) -> User | None:
        place = self.place
        mode = ((ministack.cluster_of(*_key(place)) or {}).get("accessConfig") or {}).get("authenticationMode", "")
        entry = None if mode == "CONFIG_MAP" else ministack.access_entry(*_key(place), arn)
        if entry:
            policies = ministack.access_policies(*_key(place), entry["principalArn"])
            groups = ("system:authenticated", *(entry.get("kubernetesGroups") or []))
            return User(entry.get("username") or arn, groups, tuple(policies))
        return None if mode == "API" else self._by_config_map(arn)

    def _by_config_map(self, arn: str) -> User | None:
        """`aws-auth` names roles without their path, and users."""
        maps = [m for m in self.store.kind("ConfigMap", "kube-system") if m["metadata"]["name"] == "aws-auth"]
        data: dict[str, Any] = (maps[0].get("data") or {}) if maps else {}
        role = re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", arn)
        known = {"rolearn": role, "userarn": arn}
        for field, key in (("mapRoles", "rolearn"), ("mapUsers", "userarn")):
            for one in yaml.safe_load(data.get(field) or "[]") or []:
                if one.get(key) == known[key]:
                    return User(one.get("username") or arn, ("system:authenticated", *(one.get("groups") or [])))
        return None


def _key(place: Place) -> tuple[str, str, str]:
    return place.account, place.region, place.name


def _decoded(token: str) -> str | None:
    """The presigned URL in a token, if it is one and nothing else."""
    encoded = token.removeprefix(_PREFIX)
    if encoded == token:
        return None
    try:
        url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    signed = (query.get("X-Amz-SignedHeaders") or [""])[0].split(";")
    is_call = query.get("Action") == ["GetCallerIdentity"] and set(query) <= _ALLOWED
    is_sts = parts.scheme == "https" and parts.path in ("", "/") and _STS.match(parts.netloc)
    return url if is_sts and is_call and _CLUSTER_HEADER in signed else None


def _ends(url: str) -> float:
    """When a token made of this URL is no longer taken: EKS looks at the date alone."""
    date = (parse_qs(urlsplit(url).query).get("X-Amz-Date") or [""])[0]
    try:
        signed = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return 0.0
    return signed.timestamp() + _LASTS_SECONDS


def _caller(url: str, cluster: str) -> str | None:
    """The ARN that STS gives for a presigned call with this cluster's name in its header."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(environment.HOST, int(os.environ["GATEWAY_PORT"]), timeout=10)
    try:
        headers = {"Host": parts.netloc, _CLUSTER_HEADER: cluster}
        connection.request("GET", f"{parts.path or '/'}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        found = re.search(rb"<Arn>([^<]+)</Arn>", answer.read())
        return found.group(1).decode() if answer.status == 200 and found else None
    finally:
        connection.close()
