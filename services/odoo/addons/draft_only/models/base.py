"""Default deny: of all models, a draft-only user changes those in CHANGES; the GUARDED ones not even through sudo()."""

from odoo import api, models

from ..who import denied, draft_only

_DRAFTS = {"account.move", "account.move.line", "res.partner", "sale.order", "sale.order.line"}
CHANGES = {"create": {*_DRAFTS, "res.users.log"}, "write": _DRAFTS, "unlink": {"account.move.line", "sale.order.line"}}

GUARDED = {
    # money that moves
    "account.payment",
    "account.payment.register",
    "account.partial.reconcile",
    "account.full.reconcile",
    "account.bank.statement",
    "account.bank.statement.line",
    "account.batch.payment",
    "payment.transaction",
    "payment.token",
    "payment.acquirer",
    "payment.provider",
    # where it moves to
    "res.partner.bank",
    "res.bank",
    "account.journal",
    "account.account",
    "account.tax",
    "account.fiscal.position",
    "account.payment.term",
    "account.payment.term.line",
    "account.payment.method",
    "account.payment.method.line",
    "account.reconcile.model",
    "account.reconcile.model.line",
    "res.company",
    "res.currency",
    "res.currency.rate",
    "ir.property",
    # what acts later, or for somebody else
    "ir.cron",
    "ir.actions.server",
    "base.automation",
    "mail.mail",
    "mail.template",
    "mail.alias",
    "ir.mail_server",
    "fetchmail.server",
    # who may do what, and what a page or an invoice looks like
    "res.groups",
    "ir.model.access",
    "ir.rule",
    "ir.model",
    "ir.model.fields",
    "ir.default",
    "ir.config_parameter",
    "ir.module.module",
    "ir.ui.view",
    "ir.actions.report",
}


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model_create_multi
    def create(self, vals_list):
        _allow(self, "create")
        return super().create(vals_list)

    def write(self, vals):
        _allow(self, "write")
        return super().write(vals)

    def unlink(self):
        _allow(self, "unlink")
        return super().unlink()


def _allow(records, operation):
    name = records._name
    if name in CHANGES[operation] or (records.env.su and name not in GUARDED):
        return
    if operation == "unlink" and not records:  # every unlink asks ir.property for nothing
        return
    if draft_only(records.env):
        raise denied(f"{operation} of {name}")
