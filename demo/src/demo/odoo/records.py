"""The records and the addon's methods over them. One lock is the database: a call happens whole or not at all."""

from __future__ import annotations

import base64
import copy
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from demo.odoo import moves
from demo.odoo.domain import matches
from demo.odoo.moves import ACCOUNTS

USER, KEY = {"agent": 7, "local": 8}, {"agent": "agent-key", "local": "local-key"}
TODAY = "2026-11-23"
_READS = ("countersign_state", "countersign_find", "countersign_pdf")
_JOURNALS = {
    1: {"name": "Customer Invoices", "code": "INV", "type": "sale"},
    2: {"name": "Vendor Bills", "code": "BILL", "type": "purchase"},
    3: {"name": "Bank", "code": "BNK1", "type": "bank"},
    4: {"name": "Cash", "code": "CSH1", "type": "cash"},
}


class Fault(Exception):
    """What Odoo answers instead of a result: the name of its exception, and the message."""

    def __init__(self, name: str, message: str) -> None:
        self.name, self.message = name, message
        super().__init__(message)


def refused(rule: str, reason: str) -> Fault:
    return Fault("odoo.exceptions.UserError", f"countersign[{rule}] {reason}")


@dataclass
class Records:
    """One database. `posted` and `paid` count what happened, by approval digest, whoever was told."""

    partners: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    banks: dict[int, dict[str, Any]] = field(default_factory=dict)
    moves: dict[int, dict[str, Any]] = field(default_factory=dict)
    payments: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, tuple[str, int]] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.partners |= {
            1: {"id": 1, "name": "Ada Lovelace Ltd", "email": "ada@customer.example", "vat": "GB1"},
            2: {"id": 2, "name": "Paper Mill", "email": "sales@vendor.example", "vat": "DE2"},
        }
        self.products |= {1: {"id": 1, "name": "Consulting hour", "default_code": "HOUR", "list_price": 120.0}}
        self.banks |= {1: {"id": 1, "acc_number": "DE02120300000000202051", "partner_id": 2}}

    def call(self, user: int, model: str, method: str, args: list[Any], named: dict[str, Any]) -> Any:
        with self.lock:
            if not method.startswith("countersign_") or method in _READS:
                return self._call(user, model, method, args, named)
            saved = copy.deepcopy((self.moves, self.payments, self.files, self.known, self.partners))
            try:
                return self._call(user, model, method, args, named)
            except BaseException:
                self.moves, self.payments, self.files, self.known, self.partners = saved
                raise

    def posted(self) -> list[str]:
        """The approval under which each posted move was posted."""
        return [move["approval"] for move in self.moves.values() if move["approval"]]

    def enter(
        self, kind: str, partner: int, *lines: tuple[str, float, float], user: int = 7, **values: Any
    ) -> dict[str, Any]:
        """A draft, as somebody types it in: (text, quantity, price) a line."""
        given = [{"name": text, "quantity": quantity, "price_unit": price} for text, quantity, price in lines]
        return self._create_move(user, {"move_type": kind, "partner_id": partner, **values}, given)

    def post(self, move: dict[str, Any]) -> None:
        """As the button does."""
        prefix = {"out_invoice": "INV", "in_invoice": "BILL", "out_refund": "RINV", "in_refund": "RBILL"}
        number = sum(
            other["move_type"] == move["move_type"] and other["state"] == "posted" for other in self.moves.values()
        )
        move["name"] = f"{prefix[move['move_type']]}/{move['date'][:4]}/{move['date'][5:7]}/{number + 1:04}"
        move["state"], move["residual"] = "posted", moves.amounts(move)["total"]
        for item in move["items"]:
            if moves.is_term(item):
                item["name"] = move["name"]

    def pay(self, move: dict[str, Any], journal: int, amount: Decimal, day: str, approval: str = "") -> None:
        if not 0 < amount <= move["residual"]:
            raise refused("bad-value", f"{amount} is not between 0 and the {move['residual']} that are open")
        inbound = move["move_type"] in moves.CREDITED
        move["residual"] -= amount
        move["payment_state"] = "partial" if move["residual"] else "paid"
        for item in move["items"]:
            if moves.is_term(item):
                item["reconciled"] = not move["residual"]
        account = moves.BANK if journal == 3 else moves.CASH
        self.payments.append({
            "move": move["id"], "approval": approval, "amount": amount, "journal": journal, "date": day,
            "balance": amount if inbound else -amount, "account_id": account,
        })  # fmt: skip

    def _call(self, user: int, model: str, method: str, args: list[Any], named: dict[str, Any]) -> Any:
        if method.startswith("countersign_"):
            ids = args[0] if args else []
            handler = getattr(self, f"_{method}", None)
            if model != "account.move" or handler is None:
                raise Fault("builtins.AttributeError", f"type object '{model}' has no attribute '{method}'")
            return handler(user, *([self._move(ids[0])] if ids else []), **named)
        rows = self._rows(model)
        if method in ("search_read", "read"):
            if method == "read":
                found = [row for wanted in args[0] for row in rows if row["id"] == wanted]
            else:
                found = [row for row in rows if matches(row, named.get("domain", []), self._get)]
                found = self._sorted(found, named.get("order", ""))[: named.get("limit") or None]
            return [{name: row.get(name, False) for name in ("id", *named["fields"])} for row in found]
        if method == "read_group" and model == "account.move.line":
            return self._groups([r for r in rows if matches(r, named["domain"], self._get)], named["groupby"])
        raise Fault("builtins.AttributeError", f"'{model}' object has no attribute '{method}'")

    def _groups(self, rows: list[dict[str, Any]], by: list[str]) -> list[dict[str, Any]]:
        sums: dict[Any, float] = {}
        for row in rows:
            key = tuple(row[by[0]]) if by else None
            sums[key] = round(sums.get(key, 0.0) + row["balance"], 2)
        if not by:
            return [{"balance": sums.get(None, False)}]
        return [{by[0]: list(key), "balance": value} for key, value in sums.items()]

    def _sorted(self, rows: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
        for key in reversed([part.strip() for part in order.split(",") if part.strip()]):
            name, _, way = key.partition(" ")
            rows = sorted(
                rows, key=lambda row: str(row.get(name) or "") if name != "id" else row["id"], reverse=way == "desc"
            )
        return rows

    def _get(self, row: Mapping[str, Any], path: str) -> Any:
        name, _, rest = path.partition(".")
        value = row.get(name)
        if rest:
            return ACCOUNTS[value[0]].get(rest) if name == "account_id" and value else None
        return value[0] if isinstance(value, list) and len(value) == 2 and isinstance(value[0], int) else value

    def _rows(self, model: str) -> list[dict[str, Any]]:
        match model:
            case "res.company":
                return [{"id": 1, "name": "Countersign Test Ltd", "currency_id": [1, "EUR"]}]
            case "res.currency":
                return [{"id": 1, "name": "EUR", "decimal_places": 2}]
            case "res.partner":
                return [{**row, "commercial_partner_id": [row["id"], row["name"]]} for row in self.partners.values()]
            case "product.product":
                return list(self.products.values())
            case "res.partner.bank":
                return [{**row, "partner_id": [row["partner_id"], ""]} for row in self.banks.values()]
            case "account.journal":
                return [{"id": number, **journal} for number, journal in _JOURNALS.items()]
            case "account.move":
                return [self._move_row(move) for move in self.moves.values()]
            case "account.move.line":
                return [row for move in self.moves.values() for row in self._items(move)] + self._paid_items()
        raise Fault("builtins.KeyError", f"'{model}'")

    def _move_row(self, move: dict[str, Any]) -> dict[str, Any]:
        sums = moves.amounts(move)
        partner = self.partners[move["partner_id"]]
        shown = [item["id"] for item in move["items"] if not moves.is_term(item) and not item["tax_of"]]
        bank = self.banks.get(move["partner_bank_id"] or 0)
        return {
            **{name: move[name] for name in ("id", "name", "move_type", "state", "date", "ref", "payment_state")},
            "partner_id": [partner["id"], partner["name"]], "commercial_partner_id": [partner["id"], partner["name"]],
            "invoice_date": move["invoice_date"], "invoice_date_due": move["invoice_date_due"] or move["invoice_date"],
            "amount_total": float(sums["total"]), "amount_untaxed": float(sums["untaxed"]),
            "amount_residual": float(move["residual"]), "currency_id": [1, "EUR"], "invoice_line_ids": shown,
            "partner_bank_id": [bank["id"], bank["acc_number"]] if bank else False,
            "payment_reference": move["name"] if move["state"] == "posted" else False,
        }  # fmt: skip

    def _items(self, move: dict[str, Any]) -> list[dict[str, Any]]:
        sign = -1 if move["move_type"] in moves.CREDITED else 1
        partner = self.partners[move["partner_id"]]
        return [
            {
                "id": item["id"], "move_id": [move["id"], f"{move['name']} ({move['ref'] or ''})"],
                "parent_state": move["state"],
                "account_id": [item["account_id"], ACCOUNTS[item["account_id"]]["name"]], "date": move["date"],
                "partner_id": [partner["id"], partner["name"]], "name": item["name"], "quantity": item["quantity"],
                "price_unit": item["price_unit"], "price_subtotal": float(sign * item["balance"]),
                "product_id": item["product_id"] or False, "tax_ids": item["taxes"], "display_type": False,
                "balance": float(item["balance"]), "date_maturity": item["maturity"] or False,
                "reconciled": item["reconciled"],
                "amount_residual": float(-sign * move["residual"]) if moves.is_term(item) else 0.0,
            }
            for item in move["items"]
        ]  # fmt: skip

    def _paid_items(self) -> list[dict[str, Any]]:
        return [
            {
                "id": 100_000 + number, "parent_state": "posted", "date": payment["date"], "reconciled": False,
                "account_id": [payment["account_id"], ACCOUNTS[payment["account_id"]]["name"]],
                "balance": float(payment["balance"]), "amount_residual": 0.0,
            }
            for number, payment in enumerate(self.payments)
        ]  # fmt: skip

    def _move(self, number: int) -> dict[str, Any]:
        if number not in self.moves:
            raise Fault(
                "odoo.exceptions.MissingError", f"Record does not exist or has been deleted. (account.move({number},))"
            )
        return self.moves[number]

    def _create_move(self, user: int, values: dict[str, Any], given: list[dict[str, Any]]) -> dict[str, Any]:
        number = len(self.moves) + 1
        issued = values.get("invoice_date") or TODAY
        move: dict[str, Any] = {
            "id": number, "name": "/", "move_type": values["move_type"], "state": "draft", "by": user,
            "partner_id": values["partner_id"], "invoice_date": issued, "date": issued, "currency": "EUR",
            "invoice_date_due": values.get("invoice_date_due") or False, "ref": values.get("ref") or False,
            "invoice_origin": values.get("invoice_origin") or False, "narration": values.get("narration") or False,
            "partner_bank_id": values.get("partner_bank_id"), "payment_state": "not_paid", "approval": "",
            "residual": Decimal(0), "items": [],
        }  # fmt: skip
        if move["move_type"] == "in_invoice" and not move["partner_bank_id"]:
            owned = [bank["id"] for bank in self.banks.values() if bank["partner_id"] == move["partner_id"]]
            move["partner_bank_id"] = owned[0] if owned else None
        self.moves[number] = move
        self._set_lines(move, given)
        return move

    def _set_lines(self, move: dict[str, Any], given: list[dict[str, Any]]) -> None:
        for line in given:
            if line.get("product_id") and not line.get("name"):
                line["name"] = self.products[line["product_id"]]["name"]
        move["items"] = moves.items_of(move, given)
        for at, item in enumerate(move["items"]):
            item["id"] = move["id"] * 1000 + at

    # The addon's methods

    def _countersign_state(self, user: int, move: dict[str, Any]) -> dict[str, Any]:
        return self._answer(move)

    def _countersign_post(
        self, user: int, move: dict[str, Any], state_sha256: str, approval_digest: str
    ) -> dict[str, Any]:
        self._billing(user)
        if move["state"] == "posted" and move["approval"] == approval_digest:
            return {**self._answer(move), "fresh": False}
        if move["state"] == "posted" or approval_digest in self.posted():
            raise refused("other-approval", f"move {move['id']} was posted otherwise, or this approval posted another")
        if self._answer(move)["sha256"] != state_sha256:
            raise refused("changed", f"move {move['id']} is not what was approved; look at it again")
        move["approval"] = approval_digest
        self.post(move)
        return {**self._answer(move), "fresh": True}

    def _countersign_register_payment(
        self,
        user: int,
        move: dict[str, Any],
        state_sha256: str,
        approval_digest: str,
        journal: int,
        amount: str,
        date: str,
    ) -> dict[str, Any]:
        self._billing(user)
        if any(payment["approval"] == approval_digest for payment in self.payments):
            return {**self._answer(move), "fresh": False}
        if move["state"] != "posted":
            raise refused("not-posted", f"move {move['id']} is in state {move['state']}")
        if self._answer(move)["sha256"] != state_sha256:
            raise refused("changed", f"move {move['id']} is not what was approved; look at it again")
        if _JOURNALS.get(journal, {}).get("type") not in ("bank", "cash"):
            raise refused("bad-value", f"{journal!r} is no bank or cash journal")
        self.pay(move, journal, Decimal(amount), date, approval_digest)
        return {**self._answer(move), "fresh": True}

    def _countersign_pdf(self, user: int, move: dict[str, Any]) -> dict[str, Any]:
        self._billing(user)
        printed = f"%PDF-1.4\n% {move['name']} {moves.amounts(move)['total']}\n%%EOF\n".encode()
        return {"id": move["id"], "number": move["name"], "pdf": base64.b64encode(printed).decode()}

    def _countersign_draft(
        self, user: int, external_id: str, values: dict[str, Any], model: str = "account.move"
    ) -> dict[str, Any]:
        if external_id in self.known:
            return {"model": self.known[external_id][0], "id": self.known[external_id][1], "fresh": False}
        given = dict(values)
        if model == "res.partner":
            number = max(self.partners) + 1
            self.partners[number] = {"id": number, "email": "", "vat": "", **given}
        else:
            lines = [entry[2] for entry in given.pop("invoice_line_ids") if entry[0] == 0]
            number = self._create_move(user, given, lines)["id"]
        self.known[external_id] = (model, number)
        return {"model": model, "id": number, "fresh": True}

    def _countersign_find(self, user: int, external_id: str) -> Any:
        found = self.known.get(external_id)
        return {"model": found[0], "id": found[1]} if found else False

    def _countersign_change(self, user: int, move: dict[str, Any], values: dict[str, Any]) -> bool:
        if move["state"] != "draft":
            raise refused("not-draft", f"move {move['id']} is {move['state']}")
        lines = [entry[2] for entry in values.pop("invoice_line_ids") if entry[0] == 0]
        move.update({name: value for name, value in values.items() if name in move})
        self._set_lines(move, lines)
        return True

    def _countersign_attach(
        self, user: int, move: dict[str, Any], external_id: str, name: str, content: str, media_type: str
    ) -> dict[str, Any]:
        if external_id not in self.known:
            self.files.append(
                {"move": move["id"], "name": name, "content": base64.b64decode(content), "type": media_type}
            )
            self.known[external_id] = ("ir.attachment", len(self.files))
            return {"model": "ir.attachment", "id": len(self.files), "fresh": True}
        return {"model": "ir.attachment", "id": self.known[external_id][1], "fresh": False}

    def _countersign_note(self, user: int, move: dict[str, Any], external_id: str, text: str) -> dict[str, Any]:
        fresh = external_id not in self.known
        self.known.setdefault(external_id, ("mail.message", len(self.known) + 1))
        return {"model": "mail.message", "id": self.known[external_id][1], "fresh": fresh}

    def _billing(self, user: int) -> None:
        if user != USER["local"]:
            raise Fault("odoo.exceptions.AccessError", "countersign[draft-only] a draft-only user is denied: posting")

    def _answer(self, move: dict[str, Any]) -> dict[str, Any]:
        sale = move["move_type"] in moves.SALES
        journal = [1, "INV"] if sale else [2, "BILL"]
        now = moves.content(
            move, self.partners[move["partner_id"]], self.banks.get(move["partner_bank_id"] or 0), journal
        )
        return {
            "id": move["id"], "number": now["number"], "content": moves.text(now), "sha256": moves.digest(now),
            "state": move["state"], "payment_state": move["payment_state"], "approval": move["approval"],
            "payments": [p["approval"] for p in self.payments if p["move"] == move["id"] and p["approval"]],
        }  # fmt: skip
