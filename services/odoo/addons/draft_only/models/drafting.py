"""Drafts under an external id: record and id are one transaction, so a repeated call finds what the first made."""

import base64
import binascii
import re

from markupsafe import Markup
from odoo import api, models

from ..who import refused

MODULE = "countersign"
_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{2,99}")
_MOVE = {
    "move_type",
    "partner_id",
    "invoice_date",
    "invoice_date_due",
    "invoice_payment_term_id",
    "ref",
    "narration",
    "invoice_origin",
    "currency_id",
    "journal_id",
    "fiscal_position_id",
    "partner_bank_id",
    "payment_reference",
    "reversed_entry_id",
    "invoice_line_ids",
}
ALLOWED = {
    "account.move": _MOVE,
    "res.partner": {
        "name",
        "is_company",
        "parent_id",
        "email",
        "phone",
        "street",
        "zip",
        "city",
        "country_id",
        "vat",
        "ref",
    },
    "sale.order": {"partner_id", "client_order_ref", "validity_date", "order_line", "note"},
}


class AccountMove(models.Model):
    _inherit = "account.move"

    @api.model
    def countersign_draft(self, external_id, values, model="account.move"):
        """Make one draft, or say which was made under this id before."""
        if model not in ALLOWED:
            raise refused("bad-value", f"{model!r} is not drafted here")
        if model not in self.env:
            raise refused("no-model", f"this Odoo has no {model}: install its module")
        return self._countersign_once(
            external_id, model, lambda: self.env[model].create(self._countersign_values(model, values))
        )

    @api.model
    def countersign_find(self, external_id):
        """What was made under this id, or False."""
        known = self._countersign_known(external_id)
        return {"model": known.model, "id": known.res_id} if known and known.res_id else False

    def countersign_change(self, values):
        """Replace what this draft says."""
        self._countersign_own("change")
        vals = self._countersign_values("account.move", values)
        vals.pop("move_type", None)
        return self.write(vals)

    def countersign_attach(self, external_id, name, content, media_type):
        """Keep a file (base64) with this draft."""
        self._countersign_own("attach")
        try:
            raw = base64.b64decode(content, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise refused("bad-value", "the file is not base64") from None
        if not raw or not isinstance(name, str) or not name.strip() or "/" in name or len(name) > 200:
            raise refused("bad-value", "the file is empty or has no usable name")
        vals = {
            "name": name,
            "datas": base64.b64encode(raw),
            "mimetype": media_type,
            "res_model": "account.move",
            "res_id": self.id,
        }
        return self._countersign_once(
            external_id, "ir.attachment", lambda: self.env["ir.attachment"].sudo().create(vals)
        )

    def countersign_note(self, external_id, text):
        """Leave an internal note. It is a log entry: nobody is told."""
        self.ensure_one()
        self.read(["state"])
        if not isinstance(text, str) or not text.strip() or len(text) > 20000:
            raise refused("bad-value", "the note is empty, or longer than 20000 characters")
        body = _paragraph(text.strip())
        return self._countersign_once(external_id, "mail.message", lambda: self.sudo()._message_log(body=body))

    def _countersign_own(self, what):
        self.ensure_one()
        self.read(["state"])
        if self.state != "draft":
            raise refused("not-draft", f"move {self.id} is {self.state}")
        self._countersign_own_drafts(what)

    def _countersign_values(self, model, values):
        if not isinstance(values, dict):
            raise refused("bad-value", "the values are not an object")
        other = sorted(set(values) - ALLOWED[model])
        if other:
            raise refused("bad-value", "{} is not given for a {}".format(", ".join(other), model))
        given = dict(values)
        if model == "account.move":
            given.setdefault("invoice_date", False)
            given["invoice_date"] = given["invoice_date"] or self.env["account.move"]._countersign_today()
            if given.get("narration") and self._fields["narration"].type == "html":
                given["narration"] = _paragraph(given["narration"])
            if "exclude_from_invoice_tab" in self.env["account.move.line"]._fields:  # to 15 only a form chooses taxes
                given["invoice_line_ids"] = self._countersign_taxed(given)
        return given

    def _countersign_taxed(self, given):
        """The commands for the lines, those that leave their taxes open with the taxes that a form would propose."""
        names = ("move_type", "partner_id", "currency_id", "journal_id", "fiscal_position_id")
        move = self.new({name: given[name] for name in names if given.get(name)})
        move.move_type = given.get("move_type") or self.move_type or "entry"
        move._onchange_partner_id()
        taxed = []
        for command in given.get("invoice_line_ids") or []:
            if len(command) == 3 and command[0] == 0 and isinstance(command[2], dict) and "tax_ids" not in command[2]:
                line = self.env["account.move.line"].new({**command[2], "move_id": move})
                taxes = line._get_computed_taxes()
                if taxes and move.fiscal_position_id:
                    taxes = move.fiscal_position_id.map_tax(taxes, partner=move.partner_id)
                command = [0, 0, {**command[2], "tax_ids": [(6, 0, taxes.ids or taxes._origin.ids)]}]
            taxed.append(command)
        return taxed

    @api.model
    def _countersign_today(self):
        return self._fields["invoice_date"].context_today(self)

    @api.model
    def _countersign_known(self, external_id):
        if not isinstance(external_id, str) or not _KEY.fullmatch(external_id):
            raise refused("bad-value", f"{external_id!r} is no external id: 3 to 100 of a-z 0-9 . _ -")
        return self.env["ir.model.data"].sudo().search([("module", "=", MODULE), ("name", "=", external_id)], limit=1)

    @api.model
    def _countersign_once(self, external_id, model, make):
        """The id's row goes first: of two at once, the second waits there, and Odoo begins its call again."""
        known = self._countersign_known(external_id)
        if known:
            if known.model != model or not self.env[model].sudo().browse(known.res_id).exists():
                raise refused("bad-value", f"{external_id} stands for a {known.model} that is another, or gone")
            return {"model": model, "id": known.res_id, "fresh": False}
        self.env.cr.execute(
            "INSERT INTO ir_model_data "
            "(module, name, model, res_id, noupdate, create_uid, write_uid, create_date, write_date) "
            "VALUES (%s, %s, %s, 0, true, %s, %s, now() at time zone 'utc', now() at time zone 'utc') "
            "ON CONFLICT (module, name) DO NOTHING RETURNING id",
            [MODULE, external_id, model, self.env.uid, self.env.uid],
        )
        row = self.env.cr.fetchone()[0]
        record = make()
        self.env.cr.execute("UPDATE ir_model_data SET res_id = %s WHERE id = %s", [record.id, row])
        return {"model": model, "id": record.id, "fresh": True}


def _paragraph(text):
    """HTML of plain text. It is Markup, which from 17 on is not escaped again."""
    return Markup("<p>%s</p>") % Markup("<br/>").join(text.split("\n"))
