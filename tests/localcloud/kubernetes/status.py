"""Refusals, as the API server words them: a `Status` object with a code and a reason."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def body(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


def unauthorized() -> Refused:
    return Refused(401, "Unauthorized", "Unauthorized")


def not_served() -> Refused:
    return Refused(404, "NotFound", "the server could not find the requested resource")


def not_found(resource: str, name: str) -> Refused:
    return Refused(404, "NotFound", f'{resource} "{name}" not found')


def already_exists(resource: str, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{resource} "{name}" already exists')


def conflict(resource: str, name: str) -> Refused:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return Refused(409, "Conflict", f'Operation cannot be fulfilled on {resource} "{name}": {why}')


def invalid(message: str) -> Refused:
    return Refused(422, "Invalid", message)


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def expired() -> Refused:
    why = "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter."
    return Refused(410, "Expired", why)


def forbidden(user: str, verb: str, what: str, where: str) -> Refused:
    return Refused(403, "Forbidden", f'{what} is forbidden: User "{user}" cannot {verb} {where}')
