"""Who made a call, in the form CloudTrail writes it.

Derives the identity from the access key of the request: the account's root, an IAM user, or a session of a role (such
as a function's execution role). Leaves deciding what that identity may do to `iam.py` and ministack.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import ministack_internals as ministack

SESSIONS_START = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(frozen=True)
class Caller:
    key: str
    name: str  # user or role name, "root", or "" when unknown
    arn: str
    identity: dict  # CloudTrail's userIdentity


def of(key: str) -> Caller:
    """The caller an access key belongs to."""
    account = ministack.account()
    found = ministack.credential(key)
    if found is None:
        return Caller(key, "", "", {"type": "Unknown", "accountId": account, "accessKeyId": key})
    if found.principal_type == "AssumedRole":
        return _session(key, found.principal_arn, found.principal_id, found.account_id)
    identity = {
        "type": "Root" if found.principal_type == "Root" else "IAMUser",
        "principalId": found.principal_id,
        "arn": found.principal_arn,
        "accountId": found.account_id,
        "accessKeyId": key,
    }
    if found.principal_type == "Root":
        return Caller(key, "root", found.principal_arn, identity)
    return Caller(key, found.principal_name, found.principal_arn, {**identity, "userName": found.principal_name})


def _session(key: str, arn: str, principal_id: str, account: str) -> Caller:
    _, role_name, session_name = arn.rsplit(":", 1)[1].split("/", 2)
    role = ministack.role(account, role_name)
    role_id = role.get("RoleId") or principal_id.split(":")[0]
    started = ministack.session_started(key)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)) if started else SESSIONS_START
    identity = {
        "type": "AssumedRole",
        "principalId": f"{role_id}:{session_name}",
        "arn": arn,
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": role.get("Arn") or f"arn:aws:iam::{account}:role/{role_name}",
                "accountId": account,
                "userName": role_name,
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": created, "mfaAuthenticated": "false"},
        },
    }
    return Caller(key, role_name, arn, identity)


def service(name: str, role_name: str) -> Caller:
    """An AWS service acting for the account through its service-linked role, as in an Auto Scaling launch."""
    account = ministack.account()
    arn = f"arn:aws:sts::{account}:assumed-role/{role_name}/{name.split('.')[0]}"
    caller = _session("", arn, role_name, account)
    identity = {key: value for key, value in caller.identity.items() if key != "accessKeyId"}
    identity["sessionContext"]["sessionIssuer"]["arn"] = f"arn:aws:iam::{account}:role/aws-service-role/{name}/{role_name}"
    return Caller("", role_name, arn, {**identity, "invokedBy": name})
