"""Moves as the addon sees them: lines, taxes and terms made of what was given, and the content that is hashed."""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
INCOME, EXPENSE, RECEIVABLE, PAYABLE, TAX, BANK, CASH = range(1, 8)
ACCOUNTS: dict[int, dict[str, Any]] = {
    INCOME: {"code": "400000", "name": "Product Sales", "internal_type": "other", "internal_group": "income"},
    EXPENSE: {"code": "600000", "name": "Expenses", "internal_type": "other", "internal_group": "expense"},
    RECEIVABLE: {"code": "121000", "name": "Receivable", "internal_type": "receivable", "internal_group": "asset"},
    PAYABLE: {"code": "211000", "name": "Payable", "internal_type": "payable", "internal_group": "liability"},
    TAX: {"code": "251000", "name": "Tax", "internal_type": "other", "internal_group": "liability"},
    BANK: {"code": "101401", "name": "Bank", "internal_type": "liquidity", "internal_group": "asset"},
    CASH: {"code": "101501", "name": "Cash", "internal_type": "liquidity", "internal_group": "asset"},
}
TAXES = {1: Decimal("0.15"), 2: Decimal("0.15")}
"""Sale and purchase."""
SALES = ("out_invoice", "out_refund")
CREDITED = ("out_invoice", "in_refund")


def items_of(move: dict[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The journal items of a draft; `given` are its lines as a caller gave them."""
    sign = -1 if move["move_type"] in CREDITED else 1
    sale = move["move_type"] in SALES
    items, taxed = [], dict[int, Decimal]()
    for number, line in enumerate(given):
        taxes = [1 if sale else 2] if line.get("tax_ids") is None else list(line["tax_ids"][0][2])
        quantity, price = Decimal(repr(line.get("quantity", 1.0))), Decimal(repr(line["price_unit"]))
        subtotal = (quantity * price * (1 - Decimal(repr(line.get("discount", 0.0))) / 100)).quantize(
            CENT, ROUND_HALF_UP
        )
        for tax in taxes:
            taxed[tax] = taxed.get(tax, Decimal(0)) + subtotal
        account = INCOME if sale else EXPENSE
        items.append(
            _item(move, account, sign * subtotal, number, label=line.get("name") or "", line=line, taxes=taxes)
        )
    for tax, base in taxed.items():
        amount = (base * TAXES[tax]).quantize(CENT, ROUND_HALF_UP)
        items.append(_item(move, TAX, sign * amount, 90, label="Tax 15.00%", tax_of=tax))
    total = sum((item["balance"] for item in items), Decimal(0))
    items.append(_item(move, RECEIVABLE if sale else PAYABLE, -total, 99, label="", maturity=_due(move)))
    return items


def amounts(move: dict[str, Any]) -> dict[str, Decimal]:
    sums = {"untaxed": Decimal(0), "tax": Decimal(0)}
    for item in move["items"]:
        if not is_term(item):
            sums["tax" if item["tax_of"] else "untaxed"] += abs(item["balance"])
    return {**sums, "total": sums["untaxed"] + sums["tax"]}


def is_term(item: dict[str, Any]) -> bool:
    return item["account_id"] in (RECEIVABLE, PAYABLE)


def content(move: dict[str, Any], partner: dict[str, Any], bank: dict[str, Any] | None, journal: list[Any]) -> Any:
    """What the addon hashes: the same keys, the same spelling."""
    sums = amounts(move)
    who = [partner["id"], partner["name"], partner.get("vat") or "", partner.get("street") or ""]
    return {
        "version": 1, "id": move["id"], "company": [1, "Countersign Test Ltd"], "kind": move["move_type"],
        "journal": journal, "number": move["name"] if move["name"] != "/" else "", "partner": who,
        "commercial_partner": who, "shipping": partner["id"],
        "bank": [bank["id"], bank["acc_number"], bank["partner_id"]] if bank else None,
        "currency": move["currency"], "invoice_date": move["invoice_date"] or None, "date": move["date"],
        "due": move["invoice_date_due"] or None, "payment_term": [False, ""], "fiscal_position": None,
        "reference": move["ref"] or "", "payment_reference": "", "origin": move["invoice_origin"] or "",
        "narration": move["narration"] or "", "reverses": None, "untaxed": f"{sums['untaxed']:.2f}",
        "tax": f"{sums['tax']:.2f}", "total": f"{sums['total']:.2f}", "residual": f"{move['residual']:.2f}",
        "state": move["state"], "lines": sorted((_shown(item, move) for item in move["items"]), key=text),
    }  # fmt: skip


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    return hashlib.sha256(text(value).encode()).hexdigest()


def _item(
    move: dict[str, Any], account: int, balance: Decimal, sequence: int, *, label: str,
    line: dict[str, Any] | None = None, taxes: list[int] | None = None, tax_of: int | None = None,
    maturity: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    line = line or {}
    return {
        "account_id": account, "balance": balance, "sequence": sequence, "name": label, "tax_of": tax_of,
        "quantity": float(line.get("quantity", 1.0)), "price_unit": float(line.get("price_unit", abs(balance))),
        "discount": float(line.get("discount", 0.0)), "product_id": line.get("product_id"), "taxes": taxes or [],
        "maturity": maturity, "date": move["date"], "reconciled": False,
    }  # fmt: skip


def _shown(item: dict[str, Any], move: dict[str, Any]) -> dict[str, Any]:
    balance = item["balance"]
    return {
        "sequence": item["sequence"], "role": _role(item), "label": item["name"],
        "account": [item["account_id"], ACCOUNTS[item["account_id"]]["code"]], "partner": move["partner_id"],
        "product": item["product_id"], "quantity": repr(item["quantity"]), "unit": None,
        "unit_price": repr(item["price_unit"]), "discount": repr(item["discount"]),
        "taxes": [[tax, "Tax 15.00%"] for tax in sorted(item["taxes"])],
        "subtotal": f"{(-1 if move['move_type'] in CREDITED else 1) * balance:.2f}",
        "tax_of": item["tax_of"], "tags": [], "analytic": None, "debit": f"{max(balance, Decimal(0)):.2f}",
        "credit": f"{max(-balance, Decimal(0)):.2f}", "currency": move["currency"],
        "amount_currency": f"{balance:.2f}", "maturity": item["maturity"],
    }  # fmt: skip


def _role(item: dict[str, Any]) -> str:
    return "term" if is_term(item) else "tax" if item["tax_of"] else "line"


def _due(move: dict[str, Any]) -> str | None:
    return move["invoice_date_due"] or move["invoice_date"] or None
