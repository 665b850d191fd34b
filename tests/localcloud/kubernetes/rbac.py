"""What a caller may do: RBAC by the roles and bindings of the cluster, and EKS's access policies beside it.

Source: kubernetes.io, "Using RBAC Authorization"; "Privilege escalation prevention and bootstrapping" there for who may
write roles and bindings.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Any, Iterator

from .resources import Target
from .status import Refused, forbidden
from .store import Store

GROUP = "rbac.authorization.k8s.io"
Rule = dict[str, Any]


@dataclass(frozen=True)
class User:
    """A caller. `policies`: rules of EKS's access policies, each with its namespaces, or None for all of the cluster."""

    name: str
    groups: tuple[str, ...] = ()
    policies: tuple[tuple[list[Rule], list[str] | None], ...] = field(default=(), compare=False)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True)
class Ask:
    """What somebody wants to do: to objects, or by a path that holds none."""

    verb: str
    target: Target = Target()
    path: str = ""


def authorize(store: Store, user: User, ask: Ask) -> None:
    """Refuses what nobody allows."""
    if allowed(store, user, ask):
        return
    if ask.path:
        raise Refused(403, "Forbidden", f'forbidden: User "{user.name}" cannot {ask.verb} path "{ask.path}"')
    target = ask.target
    where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    plural = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    named = f"{target.plural}.{target.group}" if target.group else target.plural
    what = f'{named} "{target.name}"' if target.name else named
    raise forbidden(user.name, ask.verb, what, f'resource "{plural}" in API group "{target.group}" {where}')


def allowed(store: Store, user: User, ask: Ask) -> bool:
    if "system:masters" in user.groups:
        return True
    rules = (*_rules_of(store, user, ask.target.namespace), *_policies_of(user, ask.target.namespace))
    return any(_fits(rule, ask) for rule in rules)


def confirm(store: Store, user: User, target: Target, given: dict[str, Any]) -> None:
    """Nobody gives rights that he does not have himself, but for who may `escalate` or `bind`."""
    if target.group != GROUP:
        return
    if target.plural in ("clusterroles", "roles"):
        ask = Ask("escalate", Target(GROUP, "v1", target.plural, target.namespace, given["metadata"].get("name", "")))
        wanted, what = given.get("rules") or [], "attempting to grant RBAC permissions not currently held"
    else:
        role = given.get("roleRef") or {}
        plural = {"ClusterRole": "clusterroles", "Role": "roles"}.get(role.get("kind"), "")
        ask = Ask("bind", Target(GROUP, "v1", plural, target.namespace, role.get("name", "")))
        wanted, what = role_rules(store, role, target.namespace), "attempting to bind a role whose permissions are not held"
    if allowed(store, user, ask):
        return
    own = list(_rules_of(store, user, target.namespace))
    if not all(_is_covered(rule, own) for rule in wanted):
        name = given["metadata"].get("name", "")
        message = f'{target.plural}.{GROUP} "{name}" is forbidden: user "{user.name}" is {what}'
        raise Refused(403, "Forbidden", message)


def role_rules(store: Store, role: dict[str, Any], namespace: str) -> list[Rule]:
    """The rules of a `roleRef`; none where there is no such role."""
    place = namespace if role.get("kind") == "Role" else ""
    kind = role.get("kind") if role.get("kind") in ("ClusterRole", "Role") else "ClusterRole"
    found = [r for r in store.kind(kind, place) if r["metadata"]["name"] == role.get("name")]
    return (found[0].get("rules") or []) if found else []


def _rules_of(store: Store, user: User, namespace: str) -> Iterator[Rule]:
    bindings = [(b, "") for b in store.kind("ClusterRoleBinding")]
    if namespace:
        bindings += [(b, namespace) for b in store.kind("RoleBinding", namespace)]
    for binding, place in bindings:
        if any(_is_subject(user, subject) for subject in binding.get("subjects") or []):
            for rule in role_rules(store, binding.get("roleRef") or {}, place):
                # Paths without objects are given for the whole cluster alone.
                if not (place and rule.get("nonResourceURLs")):
                    yield rule


def _policies_of(user: User, namespace: str) -> Iterator[Rule]:
    for rules, namespaces in user.policies:
        if namespaces is None or any(fnmatch.fnmatchcase(namespace, pattern) for pattern in namespaces):
            yield from rules


def _is_subject(user: User, subject: dict[str, Any]) -> bool:
    name = subject.get("name")
    if subject.get("kind") == "Group":
        return name in user.groups
    if subject.get("kind") == "ServiceAccount":
        return user.name == f"system:serviceaccount:{subject.get('namespace')}:{name}"
    return name == user.name


def _fits(rule: Rule, ask: Ask) -> bool:
    if not {"*", ask.verb} & set(rule.get("verbs") or []):
        return False
    if ask.path:
        return any(_path_fits(pattern, ask.path) for pattern in rule.get("nonResourceURLs") or [])
    target, names = ask.target, rule.get("resourceNames") or []
    plural = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    plurals = {"*", plural, f"*/{target.subresource}" if target.subresource else plural}
    return bool(
        {"*", target.group} & set(rule.get("apiGroups") or [])
        and plurals & set(rule.get("resources") or [])
        and (not names or target.name in names)
    )


def _path_fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def _is_covered(wanted: Rule, own: list[Rule]) -> bool:
    """Whether each single right of a rule is among those that one has."""
    for verb in wanted.get("verbs") or []:
        for path in wanted.get("nonResourceURLs") or []:
            if not any(_has(rule, verb, "nonResourceURLs", path) for rule in own):
                return False
        for group in wanted.get("apiGroups") or []:
            for resource in wanted.get("resources") or []:
                if not any(_holds(rule, verb, group, resource, wanted.get("resourceNames") or []) for rule in own):
                    return False
    return True


def _has(rule: Rule, verb: str, where: str, value: str) -> bool:
    return bool({"*", verb} & set(rule.get("verbs") or []) and {"*", value} & set(rule.get(where) or []))


def _holds(rule: Rule, verb: str, group: str, resource: str, names: list[str]) -> bool:
    limited = set(rule.get("resourceNames") or [])
    return (
        _has(rule, verb, "apiGroups", group)
        and _has(rule, verb, "resources", resource)
        and (not limited or (bool(names) and set(names) <= limited))
    )
