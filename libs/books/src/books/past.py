"""What the books know of a partner from before: how much was posted, and to which accounts it was to be paid."""

from __future__ import annotations

from dataclasses import dataclass

from books.rows import link, rows, text
from books.rpc import Rpc
from books.values import Kind

_LOOKED_AT = 80
"""Documents of a partner whose bank accounts are compared, the newest first."""


@dataclass(frozen=True)
class Past:
    """Of documents that were posted before, of the same kind and partner."""

    posted: int
    bank_accounts: tuple[str, ...] = ()
    """The accounts those name, the newest first, and then those that the books have of the partner."""


def past(rpc: Rpc, *, partner: int, kind: Kind, but: int) -> Past:
    """`but` is the document in question, which does not vouch for itself. Odoo 14 names no account on a bill that
    was drafted from outside, so the partner's own count too."""
    domain = [
        ["commercial_partner_id", "=", partner],
        ["move_type", "=", str(kind)],
        ["state", "=", "posted"],
        ["id", "!=", but],
    ]
    order, fields = "date desc, id desc", ["partner_bank_id"]
    found = rows(rpc.call("account.move", "search_read", domain=domain, fields=fields, limit=_LOOKED_AT, order=order))
    named = list(dict.fromkeys(bank for row in found if (bank := link(row, "partner_bank_id"))))
    accounts = rows(rpc.call("res.partner.bank", "read", named, fields=["acc_number"])) if named else []
    numbers = {row["id"]: text(row, "acc_number") for row in accounts}
    own = rows(
        rpc.call(
            "res.partner.bank", "search_read", domain=[["partner_id", "=", partner]], fields=["acc_number"], order="id"
        )
    )
    known = [*(numbers.get(bank, "") for bank in named), *(text(row, "acc_number") for row in own)]
    return Past(len(found), tuple(dict.fromkeys(account for account in known if account)))
