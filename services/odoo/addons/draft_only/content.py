"""What a move says, as canonical text: all that a reader of the invoice or of the ledger sees, and nothing else.

Independent of when and how often it was written: no ids of items, no write dates. Amounts are text with the
currency's decimals.
"""

import hashlib
import json

from odoo.tools import float_repr


def content(move):
    """The content of a move as a dict without floats. Read as superuser: access was checked before."""
    move = move.sudo().with_company(move.company_id).with_context(lang=None)
    currency = move.currency_id
    company = move.company_id.currency_id
    journal, bank = move.journal_id, move.partner_bank_id
    return {
        "version": 1,
        "id": move.id,
        "company": [move.company_id.id, move.company_id.name],
        "kind": move.move_type,
        "journal": [journal.id, journal.code],
        "number": move.name if move.name and move.name != "/" else "",
        "partner": _partner(move.partner_id),
        "commercial_partner": _partner(move.commercial_partner_id),
        "shipping": move.partner_shipping_id.id or None if "partner_shipping_id" in move._fields else None,
        "bank": [bank.id, bank.acc_number, bank.partner_id.id] if bank else None,
        "currency": currency.name,
        "invoice_date": _day(move.invoice_date),
        "date": _day(move.date),
        "due": _day(move.invoice_date_due),
        "payment_term": [move.invoice_payment_term_id.id, move.invoice_payment_term_id.name or ""],
        "fiscal_position": move.fiscal_position_id.id or None,
        "reference": move.ref or "",
        "payment_reference": move.payment_reference or "",
        "origin": move.invoice_origin or "",
        "narration": str(move.narration or ""),
        "reverses": move.reversed_entry_id.id or None,
        "untaxed": _amount(move.amount_untaxed, currency),
        "tax": _amount(move.amount_tax, currency),
        "total": _amount(move.amount_total, currency),
        "residual": _amount(move.amount_residual, currency),
        "paid": [[_amount(p.amount, currency), _day(p.date)] for p in payments_of(move)],
        "state": move.state,
        "lines": sorted((_item(line, currency, company) for line in move.line_ids), key=_text),
    }


def payments_of(move):
    """The payments that were registered under an approval, in their order."""
    return move.env["account.payment"].sudo().search([("countersign_invoice_id", "=", move.id)], order="id")


def canonical(value):
    """UTF-8 JSON text, keys sorted, no spaces: the same as Countersign's own canonical form."""
    return _text(value)


def digest(value):
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(_text(value).encode("utf-8")).hexdigest()


def settled(value):
    """The content without what posting itself fills in: it must be equal before and after."""
    kept = {k: v for k, v in value.items() if k not in ("number", "payment_reference", "state", "residual")}
    kept["lines"] = sorted(
        ({**line, "label": ""} if line["role"] == "term" else line for line in value["lines"]), key=_text
    )
    return kept


def _item(line, currency, company):
    account = line.account_id
    analytic = line.analytic_account_id.id or None if "analytic_account_id" in line._fields else None
    if "analytic_distribution" in line._fields:
        analytic = {str(k): repr(v) for k, v in (line.analytic_distribution or {}).items()}
    return {
        "sequence": line.sequence,
        "role": _role(line),
        "label": line.name or "",
        "account": [account.id, account.code or ""],
        "partner": line.partner_id.id or None,
        "product": line.product_id.id or None,
        "quantity": repr(line.quantity),
        "unit": line.product_uom_id.id or None,
        "unit_price": repr(line.price_unit),
        "discount": repr(line.discount),
        "taxes": sorted([tax.id, tax.name] for tax in line.tax_ids),
        "subtotal": _amount(line.price_subtotal, line.currency_id or currency),
        "tax_of": line.tax_line_id.id or None,
        "tags": sorted(line.tax_tag_ids.ids),
        "analytic": analytic,
        "debit": _amount(line.debit, company),
        "credit": _amount(line.credit, company),
        "currency": line.currency_id.name or company.name,
        "amount_currency": _amount(line.amount_currency, line.currency_id or currency),
        "maturity": _day(line.date_maturity),
    }


def _role(line):
    """What an item is on the invoice: line, tax, term (what is owed), or a section or note that only has a text."""
    shown = line.display_type or ""
    if "exclude_from_invoice_tab" not in line._fields:  # from 16 on the display type says it
        return {"product": "line", "payment_term": "term"}.get(shown, shown or "line")
    if shown or not line.exclude_from_invoice_tab:
        return shown or "line"
    if line.account_id.internal_type in ("receivable", "payable"):
        return "term"
    return "tax" if line.tax_line_id else "other"


def _partner(partner):
    return [
        partner.id,
        partner.name or "",
        partner.vat or "",
        partner._display_address(without_company=True) if partner else "",
    ]


def _amount(value, currency):
    return float_repr(currency.round(value) + 0.0, currency.decimal_places)


def _day(value):
    return value.isoformat() if value else None


def _text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
