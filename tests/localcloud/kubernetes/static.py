"""Tokens that are known beforehand, as `--token-auth-file` has them: for a cluster that is not of EKS."""

from __future__ import annotations

from .rbac import ANONYMOUS, User


class Static:
    """A user for each token."""

    def __init__(self, users: dict[str, User]):
        self.users = users

    def user(self, token: str | None) -> User | None:
        return ANONYMOUS if token is None else self.users.get(token)
