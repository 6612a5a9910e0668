"""Quotations: a draft-only user leaves behind drafts of its own, and confirms, sends or invoices none."""

from odoo import api, models
from odoo.addons.draft_only.who import denied, draft_only, refuse_draft_only


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        if draft_only(self.env):
            orders._countersign_own_drafts("create")
        return orders

    def write(self, vals):
        judged = draft_only(self.env)
        if judged:
            self._countersign_own_drafts("write")
        done = super().write(vals)
        if judged:
            self._countersign_own_drafts("write")
        return done

    def action_confirm(self):
        refuse_draft_only(self.env, "confirming an order")
        return super().action_confirm()

    def _create_invoices(self, *args, **kwargs):
        refuse_draft_only(self.env, "invoicing an order")
        return super()._create_invoices(*args, **kwargs)

    def _countersign_own_drafts(self, what):
        for order in self.sudo():
            if order.state != "draft" or order.create_uid.id != self.env.uid:
                raise denied(f"{what} of order {order.id}, which is not a draft of its own")


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._countersign_changed("create")
        return lines

    def write(self, vals):
        self._countersign_changed("write")
        done = super().write(vals)
        self._countersign_changed("write")
        return done

    def unlink(self):
        self._countersign_changed("unlink")
        return super().unlink()

    def _countersign_changed(self, what):
        if draft_only(self.env):
            self.mapped("order_id")._countersign_own_drafts(f"{what} of a line")
