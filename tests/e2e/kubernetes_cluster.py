"""A cluster of the local EKS, as its owner sees it: made with a key of his own, filled with kubectl, seen from beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml
from deployment import Deployment, Place, eventually, unique
from kubernetes.client import Client, collection_of, token

ROLES = Path(__file__).resolve().parents[2] / "infra" / "kubernetes"
OWNER = "platform"


class Cluster:
    """A cluster whose owner is its administrator."""

    def __init__(self, picket: Deployment, place: Place):
        self.picket, self.name = picket, unique("cluster")
        self.eks = picket.client("eks", picket.key_of(OWNER))
        trust = '{"Version":"2012-10-17","Statement":[]}'
        role = picket.client("iam").create_role(RoleName=unique("eks"), AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        access = {"subnetIds": [place.subnet], "endpointPublicAccess": True, "endpointPrivateAccess": True}
        self.eks.create_cluster(name=self.name, version="1.33", roleArn=role, resourcesVpcConfig=access)
        eventually(lambda: self.described()["status"] == "ACTIVE", f"{self.name} is active")
        self.owner = Client.of(self.described(), token(picket.key_of(OWNER), self.name))

    def described(self) -> dict[str, Any]:
        return self.eks.describe_cluster(name=self.name)["cluster"]

    def let_in(self, function: str, roles: str) -> None:
        """What the head of a role's file says to do for a function."""
        file = ROLES / f"{roles}.yaml"
        self.owner.apply_file(file)
        [group] = {s["name"] for found in objects_of(roles) for s in found.get("subjects", [])}
        self.eks.create_access_entry(
            clusterName=self.name, principalArn=self.role_of(function), kubernetesGroups=[group]
        )

    def role_of(self, function: str) -> str:
        return next(r["Arn"] for r in self.picket.roles() if f"{function.capitalize()}Role" in r["RoleName"])

    def close(self) -> None:
        """A private endpoint, as from outside of its VPC."""
        config = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
        self.eks.update_cluster_config(name=self.name, resourcesVpcConfig=config)

    def order(self, **more: Any) -> Any:
        """What only a test can: `page`, `lose_list`, `forget_requests`."""
        return self.picket.control("POST", "kubernetes", {"cluster": self.name, **more})

    def asked(self, function: str) -> list[dict[str, Any]]:
        """The requests of a function's role."""
        role = self.role_of(function).rsplit("/", 1)[1]
        all_ = self.picket.control("GET", f"kubernetes?cluster={self.name}")["requests"]
        return [r for r in all_ if f":assumed-role/{role}/" in r["user"]]

    def put(self, *objects: dict[str, Any]) -> None:
        self.owner.apply(*objects)

    def path_of(self, found: dict[str, Any]) -> str:
        return f"{collection_of(found)}/{found['metadata']['name']}"


def objects_of(roles: str) -> list[dict[str, Any]]:
    """The objects of a file of `infra/kubernetes`."""
    return [found for found in yaml.safe_load_all((ROLES / f"{roles}.yaml").read_text()) if found]


def granted(roles: str) -> set[tuple[str, str, str]]:
    """Group, resource and verb of everything that a file grants."""
    rules = [rule for found in objects_of(roles) for rule in found.get("rules", [])]
    return {(g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]}


def used(requests: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Group, resource and verb of requests for objects."""
    from kubernetes.resources import parse

    targets = [(parse(r["path"]), r["verb"]) for r in requests]
    named = lambda t: f"{t.plural}/{t.subresource}" if t.subresource else t.plural  # noqa: E731
    return {(t.group, named(t), verb) for t, verb in targets if t.plural}


@pytest.fixture
def cluster(picket: Deployment, place: Place) -> Iterator[Cluster]:
    made = Cluster(picket, place)
    yield made
    made.eks.delete_cluster(name=made.name)
