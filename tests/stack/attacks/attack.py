"""An attack of a draft-only user: one remote call, aimed at the records of a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Named = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """The records that an attack is aimed at."""

    user: int
    invoice: int
    """The user's own draft, as `bill` and `order`."""
    bill: int
    order: int
    items: list[int]
    theirs: int
    """A draft of the owner."""
    posted: int
    due: list[int]
    """The open items of the posted invoice, and of a posted payment of the same partner."""
    part: int
    """A partial reconciliation of the owner."""
    payment: int
    """The owner's draft of a payment."""
    statement: int
    entry: int
    file: int
    ids: dict[str, int] = field(default_factory=dict)
    """By name: partner, vendor, banks, journals, accounts, crons …"""


@dataclass(frozen=True)
class Attack:
    """One remote call. `at` gives the records, None for a method of the model."""

    name: str
    model: str
    method: str
    at: Callable[[Scene], list[int]] | None = None
    named: Callable[[Scene], Named] = lambda s: {}

    def __str__(self) -> str:
        return self.name


def own(s: Scene) -> list[int]:
    return [s.invoice]


def posted(s: Scene) -> list[int]:
    return [s.posted]


def write(name: str, model: str, at: Callable[[Scene], list[int]], vals: Callable[[Scene], Named]) -> Attack:
    return Attack(name, model, "write", at, lambda s: {"vals": vals(s)})


def create(
    name: str, model: str, vals: Callable[[Scene], Named], context: Callable[[Scene], Named] | None = None
) -> Attack:
    def named(s: Scene) -> Named:
        return {"vals_list": [vals(s)], **({"context": context(s)} if context else {})}

    return Attack(name, model, "create", None, named)


def move(s: Scene, **other: Any) -> Named:
    line = [0, 0, {"name": "x", "price_unit": 10.0, "quantity": 1}]
    return {"move_type": "out_invoice", "partner_id": s.ids["partner"], "invoice_line_ids": [line], **other}


def active(model: str, ids: Callable[[Scene], list[int]]) -> Callable[[Scene], Named]:
    return lambda s: {"active_model": model, "active_ids": ids(s), "active_id": ids(s)[0]}


def approved(s: Scene) -> Named:
    return {"state_sha256": "0" * 64, "approval_digest": "1" * 64}
