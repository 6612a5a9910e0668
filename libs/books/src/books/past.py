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
    """The accounts those name, the newest first."""


def past(rpc: Rpc, *, partner: int, kind: Kind, but: int) -> Past:
    """`but` is the document in question, which does not vouch for itself."""
    domain = [
        ["commercial_partner_id", "=", partner],
        ["move_type", "=", str(kind)],
        ["state", "=", "posted"],
        ["id", "!=", but],
    ]
    fields = ["partner_bank_id"]
    found = rows(
        rpc.call(
            "account.move", "search_read", domain=domain, fields=fields, limit=_LOOKED_AT, order="date desc, id desc"
        )
    )
    named = list(dict.fromkeys(bank for row in found if (bank := link(row, "partner_bank_id"))))
    if not named:
        return Past(len(found))
    accounts = {
        row["id"]: text(row, "acc_number")
        for row in rows(rpc.call("res.partner.bank", "read", named, fields=["acc_number"]))
    }
    return Past(len(found), tuple(accounts[bank] for bank in named if accounts.get(bank)))
