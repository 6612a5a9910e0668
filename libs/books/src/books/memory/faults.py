"""What the server in memory answers when it refuses."""

from __future__ import annotations


class Fault(Exception):
    """The exception's name in Odoo, its status in JSON-2, and its message."""

    def __init__(self, name: str, status: int, message: str) -> None:
        self.name, self.status, self.message = name, status, message
        super().__init__(message)


def refused(rule: str, reason: str) -> Fault:
    """By a rule of the addon."""
    return Fault("odoo.exceptions.UserError", 422, f"countersign[{rule}] {reason}")


def denied(what: str) -> Fault:
    """To a draft-only user."""
    return Fault("odoo.exceptions.AccessError", 403, f"countersign[draft-only] a draft-only user is denied: {what}")


def missing() -> Fault:
    return Fault("odoo.exceptions.MissingError", 404, "Record does not exist or has been deleted.")
