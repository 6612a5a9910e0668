"""The methods of the Odoo in memory: those of every model, and those of the addon."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from books.memory.faults import denied, missing, refused
from books.memory.moves import answer, digest, invoice_items, settled
from books.memory.query import Tables, matches, read

PLAIN = ("search_read", "read", "formatted_read_group", "create", "write")
"""Methods of every model; the others are those of `account.move`, without their prefix."""
DRAFTED = ("out_invoice", "out_refund", "in_invoice", "in_refund")
_OTHER = {"narration", "invoice_origin", "currency_id", "invoice_line_ids", "partner_bank_id"}
ALLOWED = ("account.move", "res.partner", "sale.order")


@dataclass
class Call:
    """The methods, on the tables of one call. A role is `draft` or `billing`."""

    tables: Tables
    login: str
    role: str
    today: date

    def search_read(
        self, model: str, ids: list[int], *, domain: list[Any], fields: list[str], limit: int = 0, order: str = "id"
    ) -> list[dict[str, Any]]:
        found = [row for row in self.tables[model].values() if matches(self.tables, row, domain)]
        for part in reversed(order.split(", ")):
            name, _, way = part.partition(" ")
            found.sort(
                key=lambda row: str(row.get(name) or "") if name != "id" else f"{row['id']:09}", reverse=way == "desc"
            )
        return [read(row, fields) for row in (found[:limit] if limit else found)]

    def read(self, model: str, ids: list[int], *, fields: list[str]) -> list[dict[str, Any]]:
        if any(i not in self.tables[model] for i in ids):
            raise missing()
        return [read(self.tables[model][i], fields) for i in ids]

    def formatted_read_group(
        self, model: str, ids: list[int], *, domain: list[Any], groupby: list[str], aggregates: list[str]
    ) -> list[dict[str, Any]]:
        groups: dict[str, dict[str, Any]] = {}
        for row in self.tables[model].values():
            if matches(self.tables, row, domain):
                group = groups.setdefault(str([row[g] for g in groupby]), {g: row[g] for g in groupby})
                for spec in aggregates:
                    group[spec] = round(group.get(spec, 0.0) + row[spec.partition(":")[0]], 2)
        return list(groups.values()) or ([] if groupby else [dict.fromkeys(aggregates, False)])

    def create(self, model: str, ids: list[int], *, vals_list: list[dict[str, Any]]) -> list[int]:
        raise denied(f"create of {model}") if self.role == "draft" else refused("bad-value", "this Odoo has no forms")

    def write(self, model: str, ids: list[int], *, vals: dict[str, Any]) -> bool:
        raise denied(f"write of {model}") if self.role == "draft" else refused("bad-value", "this Odoo has no forms")

    def draft(self, ids: list[int], *, external_id: str, values: dict[str, Any], model: str = "account.move") -> Any:
        if model not in ALLOWED:
            raise refused("bad-value", f"{model!r} is not drafted here")
        if model not in self.tables:
            raise refused("no-model", f"this Odoo has no {model}: install its module")
        if model == "account.move":
            return self._once(external_id, model, lambda: self._make_move(values))
        if model == "sale.order":
            return self._once(external_id, model, lambda: self._make_order(values))
        return self._once(external_id, model, lambda: self._put(model, **{"email": False, "vat": False, **values}))

    def find(self, ids: list[int], *, external_id: str) -> Any:
        known = self._key(external_id)
        return {"model": known["model"], "id": known["res_id"]} if known else False

    def change(self, ids: list[int], *, values: dict[str, Any]) -> bool:
        move = self._own_draft(ids)
        self._fill(move, {"invoice_date": move["invoice_date"], "invoice_date_due": move["invoice_date_due"], **values})
        return True

    def attach(self, ids: list[int], *, external_id: str, name: str, content: str, media_type: str) -> Any:
        move = self._own_draft(ids)
        values = {"name": name, "raw": base64.b64decode(content), "mimetype": media_type, "res_id": move["id"]}
        return self._once(external_id, "ir.attachment", lambda: self._put("ir.attachment", **values))

    def note(self, ids: list[int], *, external_id: str, text: str) -> Any:
        move = self._move(ids)
        return self._once(external_id, "mail.message", lambda: self._put("mail.message", res_id=move["id"], body=text))

    def state(self, ids: list[int]) -> Any:
        return answer(self.tables, self._move(ids))

    def post(self, ids: list[int], *, state_sha256: str, approval_digest: str) -> Any:
        move = self._billing(ids)
        if move["state"] == "posted" and move["approval"] == approval_digest:
            return answer(self.tables, move) | {"fresh": False}
        taken = any(m["approval"] == approval_digest for m in self.tables["account.move"].values())
        if move["state"] == "posted" or taken:
            raise refused("other-approval", f"move {move['id']} was posted otherwise, or this approval posted another")
        if move["state"] != "draft":
            raise refused("not-draft", f"move {move['id']} is in state {move['state']}")
        self._same(move, state_sha256)
        before = settled(self.tables, move)
        number = sum(1 for m in self.tables["account.move"].values() if m["name"] != "/") + 1
        prefix = "INV" if move["move_type"].startswith("out") else "BILL"
        move.update(state="posted", name=f"{prefix}/2026/{number:04}", approval=approval_digest)
        for item in self._items(move):
            item.update(parent_state="posted", move_id=[move["id"], move["name"]])
        assert settled(self.tables, move) == before
        return answer(self.tables, move) | {"fresh": True}

    def register_payment(
        self, ids: list[int], *, state_sha256: str, approval_digest: str, journal: int | str, amount: str, date: str
    ) -> Any:
        move = self._billing(ids)
        for known in self.tables["payments"].values():
            if known["approval"] == approval_digest:
                if known["move"] != move["id"]:
                    raise refused("other-approval", "this approval paid another move")
                return answer(self.tables, move) | {"fresh": False}
        if move["state"] != "posted":
            raise refused("not-posted", f"move {move['id']} is in state {move['state']}")
        self._same(move, state_sha256)
        if not any(journal in (j["id"], j["code"]) for j in self.tables["account.journal"].values()):
            raise refused("bad-value", f"{journal!r} is no bank or cash journal")
        left = Decimal(repr(move["amount_residual"]))
        try:
            paid = Decimal(amount)
        except InvalidOperation:
            raise refused("bad-value", f"the amount {amount!r} is not a number written as text") from None
        if not 0 < paid <= left or paid != round(paid, 2):
            raise refused("bad-value", f"{amount} is not between 0 and the {left} that are open")
        self._put("payments", approval=approval_digest, move=move["id"], amount=amount, date=date)
        move["amount_residual"] = float(left - paid)
        move["payment_state"] = "paid" if paid == left else "partial"
        for item in self._items(move):
            if item["role"] == "term":
                item["amount_residual"] = float(left - paid) * (1 if item["balance"] > 0 else -1)
                item["reconciled"] = paid == left
        return answer(self.tables, move) | {"fresh": True}

    def pdf(self, ids: list[int]) -> Any:
        move = self._billing(ids)
        page = f"%PDF-1.4\n% {digest(self.tables, move)}\n%%EOF\n".encode()
        return {"id": move["id"], "number": move["name"], "pdf": base64.b64encode(page).decode()}

    def _make_move(self, values: dict[str, Any]) -> int:
        move = {
            "move_type": values.get("move_type"),
            "state": "draft",
            "name": "/",
            "by": self.login,
            "payment_state": "not_paid",
            "approval": "",
            "invoice_date_due": False,
        }
        if move["move_type"] not in DRAFTED:
            raise denied(f"type {move['move_type']}")
        number = self._put("account.move", **move)
        self._fill(self.tables["account.move"][number], values)
        return number

    def _fill(self, move: dict[str, Any], values: dict[str, Any]) -> None:
        known = {"move_type", "partner_id", "invoice_date", "invoice_date_due", "invoice_payment_term_id", "ref"}
        if other := sorted(set(values) - known - _OTHER):
            raise refused("bad-value", f"{', '.join(other)} is not given for a account.move")
        partner = self.tables["res.partner"].get(values["partner_id"])
        if partner is None:
            raise missing()
        currency = self.tables["res.currency"][values.get("currency_id", 1)]
        day = values.get("invoice_date") or self.today.isoformat()
        due = values.get("invoice_date_due") or day
        for item in self._items(move):
            del self.tables["account.move.line"][item["id"]]
        lines = [command[2] for command in values.get("invoice_line_ids", []) if command[0] == 0]
        items = invoice_items(move["move_type"], lines, self.tables)
        total = sum((Decimal(repr(i["balance"])) for i in items if i["role"] == "term"), Decimal(0))
        untaxed = sum((Decimal(repr(i["price_subtotal"])) for i in items if i["role"] == "line"), Decimal(0))
        move.update(
            partner_id=[partner["id"], partner["name"]],
            invoice_date=day,
            date=day,
            invoice_date_due=due,
            ref=values.get("ref") or False,
            narration=values.get("narration") or False,
            invoice_origin=values.get("invoice_origin") or False,
            partner_bank_id=self._bank(values.get("partner_bank_id"), partner["id"]),
            currency_id=[currency["id"], currency["name"]],
            amount_total=float(abs(total)),
            amount_residual=float(abs(total)),
            amount_untaxed=float(untaxed),
        )
        owned = {"move_id": [move["id"], move["name"]], "partner_id": move["partner_id"], "parent_state": "draft"}
        made = [self._put("account.move.line", **item, **owned, date=day, date_maturity=due) for item in items]
        move["line_ids"] = made
        move["invoice_line_ids"] = [i for i in made if self.tables["account.move.line"][i]["role"] == "line"]

    def _bank(self, number: int | None, payee: int) -> list[Any] | bool:
        if number is None:
            return False
        bank = self.tables["res.partner.bank"].get(number)
        if bank is None or bank["partner_id"][0] != payee:
            raise denied("a move would have the bank account of somebody else")
        return [bank["id"], bank["acc_number"]]

    def _make_order(self, values: dict[str, Any]) -> int:
        cents = Decimal("0.01")
        total = Decimal(0)
        for _, _, line in values["order_line"]:
            total += (
                Decimal(repr(line["price_unit"])) * Decimal(repr(line["product_uom_qty"])) * Decimal("1.15")
            ).quantize(cents, ROUND_HALF_UP)
        partner = self.tables["res.partner"][values["partner_id"]]
        number = len(self.tables["sale.order"]) + 1
        kept = {"partner_id": [partner["id"], partner["name"]], "currency_id": [1, "USD"], "amount_total": float(total)}
        return self._put("sale.order", name=f"S{number:05}", state="draft", **kept)

    def _once(self, external_id: str, model: str, make: Callable[[], int]) -> Any:
        known = self._key(external_id)
        if known:
            if known["model"] != model:
                raise refused("bad-value", f"{external_id} stands for a {known['model']} that is another, or gone")
            return {"model": model, "id": known["res_id"], "fresh": False}
        made = make()
        self._put("keys", name=external_id, model=model, res_id=made)
        return {"model": model, "id": made, "fresh": True}

    def _key(self, external_id: str) -> dict[str, Any] | None:
        return next((k for k in self.tables["keys"].values() if k["name"] == external_id), None)

    def _put(self, table_name: str, /, **values: Any) -> int:
        table = self.tables[table_name]
        number = max(table, default=0) + 1
        table[number] = {"id": number, **values}
        return number

    def _items(self, move: dict[str, Any]) -> list[dict[str, Any]]:
        return [item for item in self.tables["account.move.line"].values() if item["move_id"][0] == move["id"]]

    def _move(self, ids: list[int]) -> dict[str, Any]:
        found = self.tables["account.move"].get(ids[0]) if len(ids) == 1 else None
        if found is None:
            raise missing()
        return found

    def _own_draft(self, ids: list[int]) -> dict[str, Any]:
        move = self._move(ids)
        if move["state"] != "draft":
            raise refused("not-draft", f"move {move['id']} is {move['state']}")
        if move["by"] != self.login:
            raise denied(f"change of move {move['id']}, which is not a draft of its own")
        return move

    def _billing(self, ids: list[int]) -> dict[str, Any]:
        if self.role == "draft":
            raise denied("posting and paying")
        return self._move(ids)

    def _same(self, move: dict[str, Any], state_sha256: str) -> None:
        if digest(self.tables, move) != state_sha256:
            raise refused("changed", f"move {move['id']} is not what was approved; look at it again")
