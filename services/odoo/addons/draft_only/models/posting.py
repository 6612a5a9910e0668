"""Posting and paying what an approval covers, in one transaction each, for a user of the group Billing."""

import base64
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation

from odoo import models

from ..content import canonical, content, digest, payments_of, settled
from ..who import refused, require_billing
from .account_move import DRAFTED

_HEX = re.compile("[0-9a-f]{64}")
_WAIT = "4s"


class AccountMove(models.Model):
    _inherit = "account.move"

    def countersign_state(self):
        """The move's content, its hash, and under which approvals it was posted and paid."""
        self._countersign_one()
        return self._countersign_answer()

    def countersign_post(self, state_sha256, approval_digest):
        """Post this draft if it still has that hash. The same approval again says that it was done."""
        self._countersign_enter(state_sha256, approval_digest)
        if self.state == "posted" and self.countersign_approval == approval_digest:
            return self._countersign_answer(fresh=False)
        if self.state == "posted" or self._countersign_posted_by(approval_digest):
            raise refused("other-approval", f"move {self.id} was posted otherwise, or this approval posted another")
        if self.state != "draft" or self.move_type not in DRAFTED:
            raise refused("not-draft", f"move {self.id} is a {self.move_type} in state {self.state}")
        before = self._countersign_same(state_sha256)
        if not before["invoice_date"]:
            raise refused("bad-value", f"move {self.id} has no date, so the day of posting would choose it")
        if not self._countersign_adds_up():
            raise refused("bad-value", f"the total of move {self.id} is not that of its items")
        self.write({"countersign_approval": approval_digest, "countersign_sha256": state_sha256})
        self._post(soft=False)
        after = content(self)
        if self.state != "posted" or settled(after) != settled(before):
            raise refused("changed", f"posting would change move {self.id}: {_difference(before, after)}")
        return self._countersign_answer(fresh=True)

    def countersign_register_payment(self, state_sha256, approval_digest, journal, amount, date):
        """Register one payment of this posted move.

        `journal` is the code (or id) of a bank or cash journal, `amount` text in the move's currency, `date` as in
        2026-11-25.
        """
        self._countersign_enter(state_sha256, approval_digest)
        known = self.env["account.payment"].sudo().search([("countersign_payment_approval", "=", approval_digest)])
        if known:
            if known.countersign_invoice_id != self:
                raise refused("other-approval", "this approval paid another move")
            return self._countersign_answer(fresh=False)
        if self.state != "posted" or self.move_type not in DRAFTED:
            raise refused("not-posted", f"move {self.id} is a {self.move_type} in state {self.state}")
        self._countersign_same(state_sha256)
        paid = self._countersign_pay(journal, _decimal(amount), _date(date))
        paid.write({"countersign_payment_approval": approval_digest, "countersign_invoice_id": self.id})
        return self._countersign_answer(fresh=True)

    def countersign_pdf(self):
        """The invoice as PDF, base64, printed now from the record: no file that somebody attached counts."""
        require_billing(self.env)
        self._countersign_one()
        report = self.env.ref("account.account_invoices").with_context(countersign_fresh=True)
        if hasattr(report, "_render_qweb_pdf_prepare_streams"):  # from 16 on it is a method of the model
            printed = report._render_qweb_pdf(report.report_name, res_ids=self.ids)
        else:
            printed = report._render_qweb_pdf(self.ids)
        if printed[1] != "pdf":
            raise refused("no-pdf", f"Odoo printed {printed[1]} instead of a PDF: is wkhtmltopdf installed?")
        return {"id": self.id, "number": self.name, "pdf": base64.b64encode(printed[0]).decode("ascii")}

    def _countersign_one(self):
        self.ensure_one()
        self.read(["state"])  # access, and whether it is there

    def _countersign_enter(self, state_sha256, approval_digest):
        """Who may, with what, and nobody else meanwhile: what others changed since raises, and Odoo begins again."""
        require_billing(self.env)
        self._countersign_one()
        for value in (state_sha256, approval_digest):
            if not isinstance(value, str) or not _HEX.fullmatch(value):
                raise refused("bad-value", f"{value!r} is no SHA-256 in hex")
        execute = self.env.cr.execute
        execute("SET LOCAL lock_timeout = %s", [_WAIT])
        execute("SELECT id FROM account_move WHERE id = %s FOR UPDATE", [self.id])
        execute("SELECT id FROM account_move_line WHERE move_id = %s FOR UPDATE", [self.id])
        known = self.sudo()
        partners = known.partner_id | known.commercial_partner_id | known.partner_bank_id.partner_id
        for table, ids in (("res_partner", partners.ids), ("res_partner_bank", known.partner_bank_id.ids)):
            if ids:
                execute(f"SELECT id FROM {table} WHERE id IN %s FOR SHARE", [tuple(ids)])

    def _countersign_same(self, state_sha256):
        now = content(self)
        if digest(now) != state_sha256:
            raise refused("changed", f"move {self.id} is not what was approved; look at it again")
        return now

    def _countersign_posted_by(self, approval_digest):
        return self.sudo().search_count([("countersign_approval", "=", approval_digest), ("id", "!=", self.id)])

    def _countersign_adds_up(self):
        terms = [line for line in content(self)["lines"] if line["role"] == "term"]
        return abs(sum(Decimal(line["amount_currency"]) for line in terms)) == abs(Decimal(content(self)["total"]))

    def _countersign_pay(self, journal, amount, day):
        named = ("id" if isinstance(journal, int) else "code", "=", journal)
        ours = [("type", "in", ["bank", "cash"]), ("company_id", "=", self.company_id.id)]
        found = self.env["account.journal"].search([named, *ours])
        if len(found) != 1:
            raise refused("bad-value", f"{journal!r} is no bank or cash journal of {self.company_id.name}")
        # From 18 on a payment may wait without an entry, and what is open does not yet show it.
        waiting = sum(p.amount for p in payments_of(self) if not p.move_id)
        left = self.currency_id.round(self.amount_residual - waiting)
        if amount <= 0 or self.currency_id.compare_amounts(float(amount), left) > 0:
            raise refused("bad-value", f"{amount} is not between 0 and the {left} that are open")
        if self.currency_id.round(float(amount)) != float(amount):
            raise refused("bad-value", f"{amount} has more decimals than {self.currency_id.name}")
        wizard = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.ids)
        given = {
            "journal_id": found.id,
            "payment_date": day,
            "amount": float(amount),
            "currency_id": self.currency_id.id,
        }
        paid = wizard.create(given)._create_payments()
        if len(paid) != 1 or self.currency_id.compare_amounts(paid.amount, float(amount)) != 0:
            raise refused("bad-value", "Odoo would make {} payments of {}".format(len(paid), paid.mapped("amount")))
        bank = self.partner_bank_id
        if bank and paid.payment_type == "outbound" and paid.partner_bank_id != bank:
            raise refused("changed", "the payment would go to another bank account than the bill's")
        return paid

    def _countersign_answer(self, **more):
        now = content(self)
        return {
            "id": self.id,
            "number": now["number"],
            "content": canonical(now),
            "sha256": digest(now),
            "state": self.state,
            "payment_state": self.payment_state,
            "approval": self.sudo().countersign_approval or "",
            "payments": [p.countersign_payment_approval for p in payments_of(self) if p.countersign_payment_approval],
            **more,
        }


def _decimal(text):
    try:
        value = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise refused("bad-value", f"the amount {text!r} is not a number written as text")
    return value


def _date(text):
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 # a day has no zone
    except (TypeError, ValueError):
        raise refused("bad-value", f"{text!r} is no date") from None


def _difference(before, after):
    first, second = settled(before), settled(after)
    return ", ".join(sorted(key for key in first if first[key] != second[key])) or "its state"
