"""A person with kubectl: a token as `aws eks get-token` makes it, and requests over TLS under the cluster's authority.

Knows nothing of the server but its address, so that tests speak to it as everybody does.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MERGE = "application/merge-patch+json"
_PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
_OF_THE_CLUSTER = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace", "Node")


def token(key: tuple, cluster: str, region: str = "us-east-1") -> str:
    """A token for a cluster: a presigned call to STS."""
    request = AWSRequest("GET", f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15")
    request.headers["x-k8s-aws-id"] = cluster
    SigV4QueryAuth(Credentials(*key), "sts", region, expires=60).add_auth(request)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")


class Client:
    """Speaks to one API server, as whoever the token belongs to; without one, as nobody."""

    def __init__(self, endpoint: str, authority: str, bearer: str | None = None):
        self._parts, self._bearer = urlsplit(endpoint), bearer
        self._context = ssl.create_default_context(cadata=base64.b64decode(authority).decode())

    @classmethod
    def of(cls, described: dict[str, Any], bearer: str | None = None) -> Client:
        """For what DescribeCluster gives."""
        return cls(described["endpoint"], described["certificateAuthority"]["data"], bearer)

    def ask(self, method: str, path: str, body: Any = None, media: str = "application/json") -> tuple[int, Any]:
        """The code and the object that come back."""
        connection = http.client.HTTPSConnection(
            self._parts.hostname, self._parts.port, context=self._context, timeout=10
        )
        try:
            headers = {"content-type": media} | ({"authorization": f"Bearer {self._bearer}"} if self._bearer else {})
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        code, found = self.ask("GET", path)
        assert code == 200, found
        return found

    def list(self, path: str, limit: int = 500) -> list[dict[str, Any]]:
        """All pages."""
        items, mark, token_of_next = [], "&" if "?" in path else "?", ""
        while True:
            page = self.get(f"{path}{mark}limit={limit}&continue={token_of_next}")
            items += page["items"]
            token_of_next = page["metadata"].get("continue", "").replace("+", "%2B").replace("=", "%3D")
            if not token_of_next:
                return items

    def apply(self, *objects: dict[str, Any]) -> None:
        """As `kubectl apply`: creates what is not there, and replaces what is."""
        for found in objects:
            collection, name = collection_of(found), found["metadata"]["name"]
            code, said = self.ask("POST", collection, found)
            if code == 409:
                code, said = self.ask("PUT", f"{collection}/{name}", found)
            assert code in (200, 201), f"{collection}/{name}: {said}"

    def apply_file(self, file: Path) -> None:
        """As `kubectl apply -f`."""
        self.apply(*(found for found in yaml.safe_load_all(file.read_text()) if found))


def collection_of(found: dict[str, Any]) -> str:
    """Where objects of this kind are made."""
    version, kind = found["apiVersion"], found["kind"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    if kind in _OF_THE_CLUSTER:
        return f"{root}/{plural}"
    return f"{root}/namespaces/{found['metadata'].get('namespace', 'default')}/{plural}"
