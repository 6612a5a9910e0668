"""Drafts, made by the addon's methods: the record and its external id are one transaction."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from books.drafts import Drafted, Key, NewLine, NewMove, NewPartner, NewQuotation, Quotation
from books.errors import BooksRefused, BooksUnreachable
from books.reading import Read, drafted, iso
from books.rows import link, number, rounded, text
from books.rpc import Rpc
from books.values import Money, Move

LARGEST_ATTACHMENT = 10 * 1024 * 1024


class Draft:
    """Drafts through one `Rpc`."""

    def __init__(self, rpc: Rpc, read: Read) -> None:
        self._rpc, self._read = rpc, read

    def draft(self, key: Key, new: NewMove) -> Drafted:
        return self._once("account.move", key, self._move_values(new) | {"invoice_line_ids": _added(new.lines)})

    def change(self, move: int, new: NewMove) -> Move:
        values = self._move_values(new)
        values.pop("move_type")
        lines = [[5, 0, 0], *_added(new.lines)]
        self._rpc.call("account.move", "countersign_change", [move], values=values | {"invoice_line_ids": lines})
        return self._read.invoice(move)

    def enter_partner(self, key: Key, new: NewPartner) -> Drafted:
        values: dict[str, Any] = {"name": new.name, "is_company": new.company}
        for name in ("email", "vat", "street", "zip", "city"):
            if given := getattr(new, name):
                values[name] = given
        if new.country:
            values["country_id"] = self._id_of("res.country", "code", new.country.upper())
        return self._once("res.partner", key, values)

    def quote(self, key: Key, new: NewQuotation) -> Drafted:
        lines = [
            [
                0,
                0,
                _without_none({"name": line.label or None, "product_id": line.product})
                | _numbers(line, "product_uom_qty"),
            ]
            for line in new.lines
        ]
        values = {"partner_id": new.partner, "client_order_ref": new.reference or False, "order_line": lines}
        if new.valid_until:
            values["validity_date"] = iso(new.valid_until)
        return self._once("sale.order", key, values)

    def quotation(self, quotation: int) -> Quotation:
        fields = ["name", "state", "partner_id", "amount_total", "currency_id"]
        found = self._rpc.call("sale.order", "read", [quotation], fields=fields)
        row = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
        code, decimals = self._read.currency(link(row, "currency_id") or self._read.company()[0])
        total = Money(rounded(number(row, "amount_total"), decimals), code)
        return Quotation(quotation, text(row, "name"), text(row, "state"), link(row, "partner_id") or 0, total)

    def attach(self, key: Key, move: int, name: str, content: bytes, *, media_type: str) -> Drafted:
        if len(content) > LARGEST_ATTACHMENT:
            raise BooksRefused("bad-value", f"{name!r} has {len(content)} bytes; {LARGEST_ATTACHMENT} is the most")
        return _surely(
            self._rpc.call(
                "account.move",
                "countersign_attach",
                [move],
                external_id=str(key),
                name=name,
                content=base64.b64encode(content).decode("ascii"),
                media_type=media_type,
            )
        )

    def remark(self, key: Key, move: int, text: str) -> Drafted:
        return _surely(self._rpc.call("account.move", "countersign_note", [move], external_id=str(key), text=text))

    def _once(self, model: str, key: Key, values: dict[str, Any]) -> Drafted:
        return _surely(
            self._rpc.call("account.move", "countersign_draft", external_id=str(key), model=model, values=values)
        )

    def _move_values(self, new: NewMove) -> dict[str, Any]:
        values: dict[str, Any] = {
            "move_type": str(new.kind),
            "partner_id": new.partner,
            "invoice_date": iso(new.issued),
            "ref": new.reference or False,
            "narration": new.narration or False,
            "invoice_origin": new.origin or False,
        }
        if new.due:
            values |= {"invoice_payment_term_id": False, "invoice_date_due": iso(new.due)}
        if new.bank is not None:
            values["partner_bank_id"] = new.bank
        if new.currency:
            values["currency_id"] = self._id_of("res.currency", "name", new.currency.upper())
        return values

    def _id_of(self, model: str, field: str, value: str) -> int:
        found = self._rpc.call(model, "search_read", domain=[[field, "=", value]], fields=[field], limit=1)
        if not isinstance(found, list) or not found:
            raise BooksRefused("bad-value", f"Odoo has no {model} {value}")
        return int(found[0]["id"])


def _added(lines: Sequence[NewLine]) -> list[Any]:
    return [
        [
            0,
            0,
            _without_none({"name": line.label or None, "product_id": line.product, "account_id": line.account})
            | _numbers(line, "quantity")
            | ({} if line.taxes is None else {"tax_ids": [[6, 0, list(line.taxes)]]}),
        ]
        for line in lines
    ]


def _numbers(line: NewLine, quantity: str) -> dict[str, float]:
    """Odoo keeps prices as numbers with its own number of decimals; JSON has no others."""
    return {quantity: float(line.quantity), "price_unit": float(line.unit_price)}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _surely(answer: Any) -> Drafted:
    found = drafted(answer)
    if found is None:
        raise BooksUnreachable("the addon made no record and did not say why")
    return found
