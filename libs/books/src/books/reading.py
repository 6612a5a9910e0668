"""Partners, products and moves, read from Odoo 14 to 19."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NoReturn

from books.drafts import Drafted, Key
from books.errors import BooksUnreachable, NoSuchRecord
from books.rows import Row, day, ids, link, number, rounded, rows, text
from books.rpc import Rpc
from books.values import DRAFTED, BankAccount, Kind, Line, Money, Move, MoveState, Partner, Product, State

_PARTNER = ["name", "email", "vat", "lang"]
_MOVE = [
    "name",
    "move_type",
    "state",
    "partner_id",
    "invoice_date",
    "date",
    "invoice_date_due",
    "ref",
    "amount_total",
    "amount_untaxed",
    "amount_residual",
    "payment_state",
    "currency_id",
    "invoice_line_ids",
]
_LINE = ["name", "quantity", "price_unit", "price_subtotal", "product_id", "tax_ids", "display_type"]
_TEXT_LINES = ("line_section", "line_note", "line_subsection")
MOST = 200
"""Records of one answer."""


class Read:
    """Reads through one `Rpc`. Currencies are remembered: they do not change."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._currencies: dict[int, tuple[str, int]] = {}
        self._company: tuple[int, str] | None = None

    def partners(self, search: str = "", *, email: str = "", limit: int = 20) -> tuple[Partner, ...]:
        domain: list[Any] = [["email", "=ilike", _literal(email)]] if email else []
        if search:
            like = _literal(search)
            domain += ["|", "|", ["name", "ilike", like], ["email", "ilike", like], ["vat", "ilike", like]]
        return tuple(_partner(row) for row in self._search("res.partner", domain, _PARTNER, limit, "name, id"))

    def partner(self, partner: int) -> Partner:
        return _partner(self._one("res.partner", partner, _PARTNER))

    def bank_accounts(self, partner: int) -> tuple[BankAccount, ...]:
        owner = link(self._one("res.partner", partner, ["commercial_partner_id"]), "commercial_partner_id") or partner
        found = self._search("res.partner.bank", [["partner_id", "=", owner]], ["acc_number"], MOST, "id")
        return tuple(BankAccount(row["id"], text(row, "acc_number")) for row in found)

    def products(self, search: str = "", *, limit: int = 20) -> tuple[Product, ...]:
        like = _literal(search)
        domain = ["|", ["name", "ilike", like], ["default_code", "ilike", like]] if search else []
        found = self._search("product.product", domain, ["name", "default_code", "list_price"], limit, "name, id")
        return tuple(
            Product(
                row["id"], text(row, "name"), text(row, "default_code"), self.in_company_currency(row, "list_price")
            )
            for row in found
        )

    def invoices(
        self,
        *,
        partner: int | None = None,
        kinds: Iterable[Kind] = (),
        states: Iterable[State] = (),
        unpaid: bool = False,
        search: str = "",
        limit: int = 20,
    ) -> tuple[Move, ...]:
        domain: list[Any] = [["move_type", "in", sorted(kinds) or sorted(DRAFTED)]]
        if wanted := sorted(states):
            domain.append(["state", "in", wanted])
        if partner is not None:
            domain.append(["partner_id", "child_of", partner])
        if unpaid:
            domain += [["state", "=", "posted"], ["payment_state", "in", ["not_paid", "partial"]]]
        if search:
            domain += ["|", ["name", "ilike", _literal(search)], ["ref", "ilike", _literal(search)]]
        found = self._search("account.move", domain, _MOVE, limit, "date desc, id desc")
        return tuple(self._move(row, ()) for row in found)

    def invoice(self, move: int) -> Move:
        row = self._one("account.move", move, _MOVE)
        wanted = ids(row, "invoice_line_ids")
        lines = rows(self._rpc.call("account.move.line", "read", wanted, fields=_LINE)) if wanted else []
        return self._move(row, lines)

    def state(self, move: int) -> MoveState:
        answer = self._rpc.call("account.move", "countersign_state", [move])
        return move_state(answer)

    def find(self, key: Key) -> Drafted | None:
        return drafted(self._rpc.call("account.move", "countersign_find", external_id=str(key)), fresh=False)

    def in_company_currency(self, row: Row, name: str) -> Money:
        """The amount `name`, in the currency of the company."""
        code, decimals = self.currency(self.company()[0])
        return Money(rounded(number(row, name), decimals), code)

    def company(self) -> tuple[int, str]:
        """The company's currency and its name; the user's own company."""
        if self._company is None:
            fields = ["currency_id", "name"]
            found = rows(self._rpc.call("res.company", "search_read", domain=[], fields=fields, limit=1, order="id"))
            currency = link(found[0], "currency_id") if found else None
            if currency is None:
                raise BooksUnreachable("Odoo shows no company with a currency")
            self._company = currency, text(found[0], "name")
        return self._company

    def currency(self, currency: int) -> tuple[str, int]:
        """Its three letters and its number of decimals."""
        if currency not in self._currencies:
            row = self._one("res.currency", currency, ["name", "decimal_places"])
            self._currencies[currency] = text(row, "name"), int(number(row, "decimal_places"))
        return self._currencies[currency]

    def _search(self, model: str, domain: list[Any], fields: list[str], limit: int, order: str) -> list[Row]:
        most = max(1, min(limit, MOST))
        return rows(self._rpc.call(model, "search_read", domain=domain, fields=fields, limit=most, order=order))

    def _one(self, model: str, record: int, fields: list[str]) -> Row:
        found = rows(self._rpc.call(model, "read", [record], fields=fields))
        if not found:
            raise NoSuchRecord(f"{model} {record} is not there")
        return found[0]

    def _move(self, row: Row, lines: Sequence[Row]) -> Move:
        currency = link(row, "currency_id")
        code, decimals = self.currency(self.company()[0] if currency is None else currency)

        def money(of: Row, name: str) -> Money:
            return Money(rounded(number(of, name), decimals), code)

        partner = row.get("partner_id")
        try:
            kind, state = Kind(text(row, "move_type")), State(text(row, "state"))
        except ValueError as error:
            raise BooksUnreachable(f"Odoo describes a move by a word that is not known here: {error}") from None
        return Move(
            id=row["id"],
            number=text(row, "name") if text(row, "name") != "/" else "",
            kind=kind,
            state=state,
            partner=Partner(partner[0], str(partner[1])) if isinstance(partner, list) else None,
            issued=day(row, "invoice_date"),
            due=day(row, "invoice_date_due"),
            reference=text(row, "ref"),
            total=money(row, "amount_total"),
            untaxed=money(row, "amount_untaxed"),
            residual=money(row, "amount_residual"),
            payment_state=text(row, "payment_state"),
            lines=tuple(
                Line(
                    label=text(line, "name"),
                    quantity=number(line, "quantity"),
                    unit_price=number(line, "price_unit"),
                    subtotal=money(line, "price_subtotal"),
                    product=link(line, "product_id"),
                    taxes=ids(line, "tax_ids"),
                )
                for line in lines
                if text(line, "display_type") not in _TEXT_LINES
            ),
        )


def drafted(answer: Any, *, fresh: bool | None = None) -> Drafted | None:
    """What the addon says of a key; None when there is nothing."""
    if not answer:
        return None
    if (
        not isinstance(answer, dict)
        or not isinstance(answer.get("id"), int)
        or not isinstance(answer.get("model"), str)
    ):
        raise BooksUnreachable("the addon answered something else than a record")
    return Drafted(answer["model"], answer["id"], bool(answer.get("fresh")) if fresh is None else fresh)


def move_state(answer: Any) -> MoveState:
    """What the addon answered of a move's state; the hash is computed again. For Local's posting client too."""
    told = answer if isinstance(answer, dict) else {}
    content, digest = told.get("content"), told.get("sha256")
    if not isinstance(content, str) or not isinstance(digest, str) or not isinstance(told.get("id"), int):
        raise BooksUnreachable("the addon answered something else than a state")
    if hashlib.sha256(content.encode()).hexdigest() != digest:
        raise BooksUnreachable(f"the state of move {told['id']} does not have the hash that Odoo gives for it")
    try:
        parsed = json.loads(content, parse_float=_no_float, parse_constant=_no_float)
        state = State(str(told.get("state")))
    except ValueError as error:
        raise BooksUnreachable(f"the state of move {told['id']} cannot be read: {error}") from None
    if not isinstance(parsed, dict) or parsed.get("id") != told["id"]:
        raise BooksUnreachable(f"the state of move {told['id']} is that of another record")
    payments = told.get("payments")
    return MoveState(
        move=told["id"],
        sha256=digest,
        state=state,
        payment_state=text(told, "payment_state"),
        approval=text(told, "approval"),
        payments=tuple(str(p) for p in payments) if isinstance(payments, list) else (),
        content=parsed,
        number=text(told, "number"),
    )


def iso(moment: date | None) -> str | bool:
    """How Odoo takes a date, or none."""
    return moment.isoformat() if moment else False


def _no_float(literal: str) -> NoReturn:
    raise ValueError(f"the number {literal} is not an integer")


def _partner(row: Row) -> Partner:
    return Partner(row["id"], text(row, "name"), text(row, "email"), text(row, "vat"), text(row, "lang"))


def _literal(words: str) -> str:
    """For `ilike`: what was typed, not a pattern."""
    return words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
