"""EKS as the local cloud serves it: ministack's, with UpdateClusterConfig and a real cluster security group.

ministack has clusters, node groups, access entries, add-ons and encryption; it lacks UpdateClusterConfig, and its
clusters name a security group and a VPC that do not exist. Both are mended here. Each cluster has a Kubernetes API
server of its own (`kubernetes/`), whose endpoint and authority DescribeCluster gives.
"""

from __future__ import annotations

import copy
import json
import random
import re
import time
import uuid
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import ministack_internals as ministack
import moto_bridge
import moto_fixes
import wire
from kubernetes import clusters

_LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
_UPDATES = re.compile(r"^/clusters/([^/]+)/(update-config|updates(?:/([^/]+))?)$")
_NODE_SIZES = re.compile(r"^/clusters/([^/]+)/node-groups/([^/]+)/update-config$")
_CLUSTER = re.compile(r"^/clusters/[^/]+$")
_TAGGED = re.compile(r"^/clusters/[^/]+(/node-groups/[^/]+)?$")
_UPDATE_KEY = "_local_updates"
_PARAMETER_NAMES = {
    "endpointPrivateAccess": "EndpointPrivateAccess",
    "endpointPublicAccess": "EndpointPublicAccess",
    "publicAccessCidrs": "PublicAccessCidrs",
    "securityGroupIds": "SecurityGroups",
    "subnetIds": "Subnets",
}
_SECURITY_GROUP_TEXT = (
    "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
    "as well as any managed workloads."
)


def wrapper(original: Any) -> Any:
    """ministack's handler with the missing calls around it."""

    async def handle(method: str, path: str, headers: dict, body: Any, query_params: dict) -> wire.Reply:
        raw = body if isinstance(body, bytes) else (body or "").encode()
        data = json.loads(raw) if raw else {}
        match = _UPDATES.match(path)
        if match and not (method == "POST" and match.group(2) == "updates"):
            found = _answer_update(match.group(1), match.group(2), match.group(3), data)
            if found is not None:
                return found
        profiles = _PROFILES.match(path)
        if profiles:
            return _answer_profiles(method, profiles.group(1), data)
        sizes = _NODE_SIZES.match(path)
        if sizes and method == "POST":
            return await _resize(original, sizes.group(1), sizes.group(2), headers, data)
        reply = await original(method, path, headers, body, query_params)
        if method == "POST" and path == "/clusters" and reply[0] < 300:
            return await ministack.run_in_thread(_complete, data, reply)
        if method == "DELETE" and _CLUSTER.match(path) and reply[0] < 300:
            clusters.stop(ministack.account(), ministack.region(), path.rsplit("/", 1)[1])
        if method == "GET" and _TAGGED.match(path) and reply[0] < 300:
            return await _with_tags(original, headers, reply)
        return reply

    return handle


async def _with_tags(original: Any, headers: dict, reply: wire.Reply) -> wire.Reply:
    """What is described has the tags that it has now, not those that it was made with."""
    shown = json.loads(reply[2])
    [(kind, thing)] = shown.items()
    arn = thing["arn" if kind == "cluster" else "nodegroupArn"]
    tags = await original("GET", f"/tags/{quote(arn, safe='')}", headers, b"", {})
    return _json(200, {kind: {**thing, "tags": json.loads(tags[2])["tags"]}})


_PROFILES = re.compile(r"^/clusters/([^/]+)/fargate-profiles$")
_PROFILE_KEY = "_picket_fargate_profiles"


def _answer_profiles(method: str, name: str, data: dict) -> wire.Reply:
    """CreateFargateProfile and ListFargateProfiles, which ministack lacks."""
    cluster = ministack.cluster(name)
    if cluster is None:
        return wire.json_error("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
    profiles = cluster.setdefault(_PROFILE_KEY, {})
    if method == "GET":
        return _json(200, {"fargateProfileNames": sorted(profiles)})
    profile = {**data, "clusterName": name, "status": "ACTIVE", "createdAt": time.time()}
    profiles[data["fargateProfileName"]] = profile
    ministack.store_cluster(name, cluster)
    return _json(200, {"fargateProfile": profile})


async def _resize(original: Any, cluster: str, name: str, headers: dict, data: dict) -> wire.Reply:
    """UpdateNodegroupConfig of the sizes; what is not given stays."""
    reply = await original("GET", f"/clusters/{cluster}/node-groups/{name}", headers, b"", {})
    if reply[0] >= 300:
        return reply
    sizes = {**json.loads(reply[2])["nodegroup"]["scalingConfig"], **data.get("scalingConfig", {})}
    if not sizes["minSize"] <= sizes["desiredSize"] <= sizes["maxSize"]:
        message = "Minimum capacity, desired size and maximum capacity must be in this order."
        return wire.json_error("InvalidParameterException", message)
    ministack.resize_node_group(cluster, name, sizes)
    update = {"id": str(uuid.uuid4()), "status": "InProgress", "type": "ConfigUpdate", "params": [], "errors": []}
    return _json(200, {"update": {**update, "createdAt": time.time()}})


def _json(status: int, data: dict) -> wire.Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(data, default=str).encode()


def _answer_update(name: str, what: str, update_id: str | None, data: dict) -> wire.Reply | None:
    cluster = ministack.cluster(name)
    if cluster is None:
        return wire.json_error("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
    if what == "update-config":
        return _update(name, copy.deepcopy(cluster), data)
    updates = cluster.get(_UPDATE_KEY, {})
    if update_id is None:
        return _json(200, {"updateIds": list(updates)}) if updates else None
    return _json(200, {"update": updates[update_id]}) if update_id in updates else None


def _update(name: str, cluster: dict, data: dict) -> wire.Reply:
    """UpdateClusterConfig: takes effect at once, the update is Successful at the next look."""
    parts = [key for key in ("resourcesVpcConfig", "logging", "accessConfig") if data.get(key)]
    parts += ["deletionProtection"] if "deletionProtection" in data else []
    if len(parts) != 1:
        message = "Exactly one of resourcesVpcConfig, logging or accessConfig must be given."
        return wire.json_error("InvalidParameterException", message)
    before = copy.deepcopy({key: value for key, value in cluster.items() if key != _UPDATE_KEY})
    kind, parameters = _CHANGES[parts[0]](cluster, data[parts[0]])
    if before == {key: value for key, value in cluster.items() if key != _UPDATE_KEY}:
        wanted = json.dumps(data[parts[0]])
        return wire.json_error("InvalidParameterException", f"Cluster is already at the desired configuration with {wanted}")
    update = {
        "id": str(uuid.uuid4()),
        "status": "InProgress",
        "type": kind,
        "params": parameters,
        "createdAt": time.time(),
        "errors": [],
    }
    cluster.setdefault(_UPDATE_KEY, {})[update["id"]] = {**update, "status": "Successful"}
    ministack.store_cluster(name, cluster)
    return _json(200, {"update": update})


def _change_vpc(cluster: dict, wanted: dict) -> tuple[str, list[dict]]:
    parameters = []
    for key, value in wanted.items():
        cluster["resourcesVpcConfig"][key] = value
        parameters.append({"type": _PARAMETER_NAMES.get(key, key), "value": json.dumps(value)})
    endpoints = {"endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs"}
    return ("EndpointAccessUpdate" if endpoints & set(wanted) else "VpcConfigUpdate"), parameters


def _change_logging(cluster: dict, wanted: dict) -> tuple[str, list[dict]]:
    setups = (cluster.get("logging") or {}).get("clusterLogging", [])
    enabled = {kind for setup in setups if setup.get("enabled") for kind in setup.get("types", [])}
    for setup in wanted.get("clusterLogging", []):
        kinds = set(setup.get("types", []))
        enabled = enabled | kinds if setup.get("enabled") else enabled - kinds
    on = {"types": [kind for kind in _LOG_TYPES if kind in enabled], "enabled": True}
    off = {"types": [kind for kind in _LOG_TYPES if kind not in enabled], "enabled": False}
    cluster["logging"] = {"clusterLogging": [setup for setup in (on, off) if setup["types"]]}
    return "LoggingUpdate", [{"type": "ClusterLogging", "value": json.dumps(wanted)}]


def _change_access(cluster: dict, wanted: dict) -> tuple[str, list[dict]]:
    cluster["accessConfig"] = {**(cluster.get("accessConfig") or {}), **wanted}
    mode = wanted.get("authenticationMode", "")
    return "AccessConfigUpdate", [{"type": "AuthenticationMode", "value": json.dumps(mode)}]


def _change_protection(cluster: dict, wanted: bool) -> tuple[str, list[dict]]:
    cluster["deletionProtection"] = wanted
    return "DeletionProtectionUpdate", [{"type": "DeletionProtection", "value": json.dumps(wanted)}]


_CHANGES = {
    "accessConfig": _change_access,
    "deletionProtection": _change_protection,
    "logging": _change_logging,
    "resourcesVpcConfig": _change_vpc,
}


def _complete(data: dict, reply: wire.Reply) -> wire.Reply:
    """Give a new cluster the VPC of its subnets, a security group that exists in EC2, and an API server."""
    name = data["name"]
    cluster = copy.deepcopy(ministack.cluster(name))
    subnets = (data.get("resourcesVpcConfig") or {}).get("subnetIds") or [""]
    account, region = ministack.account(), ministack.region()
    vpc = moto_fixes.subnet_vpc(account, region, subnets[0]) or moto_fixes.default_vpc(account, region)
    group = _security_group(name, vpc)
    cluster["resourcesVpcConfig"].update(vpcId=vpc, clusterSecurityGroupId=group)
    cluster["version"] = data.get("version") or cluster["version"]
    server = clusters.start(account, region, name, cluster["version"])
    cluster.update(endpoint=server.endpoint, certificateAuthority={"data": server.authority})
    ministack.store_cluster(name, cluster)
    shown = json.loads(reply[2])
    shown["cluster"]["status"] = "CREATING"  # ministack's cluster may be active before its reply is written
    shown["cluster"]["resourcesVpcConfig"]["vpcId"] = vpc
    # Not known yet when AWS answers.
    shown["cluster"]["resourcesVpcConfig"].pop("clusterSecurityGroupId", None)
    shown["cluster"].pop("endpoint", None)
    return _json(reply[0], shown)


def _security_group(cluster: str, vpc: str) -> str:
    name = f"eks-cluster-sg-{cluster}-{random.randint(10**8, 10**9)}"
    tags = {"Name": name, f"kubernetes.io/cluster/{cluster}": "owned", "aws:eks:cluster-name": cluster}
    parameters = {"GroupName": name, "GroupDescription": _SECURITY_GROUP_TEXT, "VpcId": vpc}
    parameters["TagSpecification.1.ResourceType"] = "security-group"
    for number, (key, value) in enumerate(tags.items(), 1):
        parameters[f"TagSpecification.1.Tag.{number}.Key"] = key
        parameters[f"TagSpecification.1.Tag.{number}.Value"] = value
    _, _, content = moto_bridge.ec2("CreateSecurityGroup", **parameters)
    found = wire.child(ElementTree.fromstring(content), "groupId")
    return found.text if found is not None else ""


# --- records

_ENTRY = re.compile(r"/access-entries/(.+?)(/access-policies(?:/.+)?)?$")
_NODE_GROUP = re.compile(r"/node-groups/([^/]+)")


def shape(path: str, body: bytes, content: bytes) -> tuple[dict, dict | None]:
    """The request with its path's parameters, and the reply, as CloudTrail writes them."""
    request = json.loads(body) if body else {}
    parts = path.strip("/").split("/")
    if parts[0] == "clusters" and len(parts) > 1:
        request["name"] = parts[1]
    entry, node_group = _ENTRY.search(path), _NODE_GROUP.search(path)
    if entry:
        request["principalArn"] = quote(entry.group(1), safe="")
    if node_group:
        request["nodegroupName"] = node_group.group(1)
    try:
        return request, json.loads(content or b"null")
    except ValueError:
        return request, None
