"""Invoices of the Odoo in memory: their items, and what the addon says of their state."""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from books.memory.query import Row, Tables

_TAX = Decimal("0.15")
_CENT = Decimal("0.01")


def invoice_items(kind: str, lines: list[Row], tables: Tables) -> list[Row]:
    """The journal items of an invoice: its lines, one tax, and what is owed."""
    sign = -1 if kind in ("out_invoice", "in_refund") else 1
    account = 4 if kind.startswith("out") else 5
    items, untaxed, taxed = [], Decimal(0), Decimal(0)
    for line in lines:
        product = tables["product.product"].get(line.get("product_id") or 0)
        price, quantity = Decimal(repr(line["price_unit"])), Decimal(repr(line["quantity"]))
        subtotal = (price * quantity).quantize(_CENT, ROUND_HALF_UP)
        with_tax = "tax_ids" not in line or bool(line["tax_ids"][0][2])
        label = line.get("name") or (f"[{product['default_code']}] {product['name']}" if product else "")
        untaxed += subtotal
        taxed += subtotal if with_tax else 0
        own = {"product_id": [product["id"], product["name"]] if product else False, "tax_ids": [1] if with_tax else []}
        numbers = {"quantity": float(quantity), "price_unit": float(price), "price_subtotal": float(subtotal)}
        items.append(_item("line", label, account, sign * subtotal, tables) | own | numbers)
    tax = (taxed * _TAX).quantize(_CENT, ROUND_HALF_UP)
    if tax:
        items.append(_item("tax", "Tax 15.00%", 3, sign * tax, tables))
    owed = -sign * (untaxed + tax)
    items.append(_item("term", "", 1 if kind.startswith("out") else 2, owed, tables) | {"amount_residual": float(owed)})
    return items


def content(tables: Tables, move: Row) -> Row:
    """In the form of the addon's `content.py`."""
    partner = tables["res.partner"][move["partner_id"][0]]
    party = [partner["id"], partner["name"], partner.get("vat") or "", ""]
    lines = [_line(item) for item in tables["account.move.line"].values() if item["move_id"][0] == move["id"]]
    return {
        "version": 1,
        "id": move["id"],
        "company": [1, "Countersign Test Ltd"],
        "kind": move["move_type"],
        "journal": [1, "INV"],
        "number": move["name"] if move["name"] != "/" else "",
        "partner": party,
        "commercial_partner": party,
        "shipping": None,
        "bank": [*move["partner_bank_id"], move["partner_id"][0]] if move["partner_bank_id"] else None,
        "currency": move["currency_id"][1],
        "invoice_date": move["invoice_date"],
        "date": move["date"],
        "due": move["invoice_date_due"],
        "payment_term": [False, ""],
        "fiscal_position": None,
        "reference": move["ref"] or "",
        "payment_reference": "",
        "origin": move["invoice_origin"] or "",
        "narration": move["narration"] or "",
        "reverses": None,
        "untaxed": f"{move['amount_untaxed']:.2f}",
        "tax": f"{move['amount_total'] - move['amount_untaxed']:.2f}",
        "total": f"{move['amount_total']:.2f}",
        "residual": f"{move['amount_residual']:.2f}",
        "paid": [[p["amount"], p["date"]] for p in tables["payments"].values() if p["move"] == move["id"]],
        "state": move["state"],
        "lines": sorted(lines, key=_text),
    }


def digest(tables: Tables, move: Row) -> str:
    return hashlib.sha256(_text(content(tables, move)).encode()).hexdigest()


def settled(tables: Tables, move: Row) -> Row:
    """The content without what posting fills in."""
    return {k: v for k, v in content(tables, move).items() if k not in ("number", "state", "residual")}


def answer(tables: Tables, move: Row) -> Row:
    """What the addon's methods answer of a move."""
    paid = [p["approval"] for p in tables["payments"].values() if p["move"] == move["id"]]
    return {
        "id": move["id"],
        "number": move["name"] if move["name"] != "/" else "",
        "content": _text(content(tables, move)),
        "sha256": digest(tables, move),
        "state": move["state"],
        "payment_state": move["payment_state"],
        "approval": move["approval"],
        "payments": paid,
    }


def _item(role: str, label: str, account: int, balance: Decimal, tables: Tables) -> Row:
    return {
        "role": role,
        "name": label,
        "account_id": [account, tables["account.account"][account]["display_name"]],
        "balance": float(balance),
        "amount_residual": 0.0,
        "reconciled": False,
        "display_type": {"line": "product", "tax": "tax", "term": "payment_term"}[role],
        "product_id": False,
        "tax_ids": [],
        "quantity": 1.0,
        "price_unit": 0.0,
        "price_subtotal": 0.0,
    }


def _line(item: Row) -> Row:
    balance = Decimal(repr(item["balance"]))
    return {
        "sequence": 10,
        "role": item["role"],
        "label": item["name"],
        "account": [item["account_id"][0], item["account_id"][1].partition(" ")[0]],
        "partner": item["partner_id"][0],
        "product": item["product_id"][0] if item["product_id"] else None,
        "quantity": repr(item["quantity"]),
        "unit": None,
        "unit_price": repr(item["price_unit"]),
        "discount": "0.0",
        "taxes": [[t, "Tax 15.00%"] for t in item["tax_ids"]],
        "subtotal": f"{item['price_subtotal']:.2f}",
        "tax_of": None,
        "tags": [],
        "analytic": None,
        "debit": f"{max(balance, Decimal(0)):.2f}",
        "credit": f"{max(-balance, Decimal(0)):.2f}",
        "currency": "USD",
        "amount_currency": f"{balance:.2f}",
        "maturity": item["date_maturity"] if item["role"] == "term" else None,
    }


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
