"""Journal items: only those of own drafts. Every change of an item changes its move's row, so that posting notices."""

from odoo import api, models

from ..who import denied, draft_only, refuse_draft_only


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._countersign_changed("create")
        return lines

    def write(self, vals):
        self._countersign_changed("write")
        done = super().write(vals)
        if "move_id" in vals or draft_only(self.env):
            self._countersign_changed("write")
        return done

    def unlink(self):
        self._countersign_changed("unlink")
        return super().unlink()

    def reconcile(self):
        refuse_draft_only(self.env, "reconciling")
        return super().reconcile()

    def remove_move_reconcile(self):
        refuse_draft_only(self.env, "undoing a reconciliation")
        return super().remove_move_reconcile()

    def _countersign_changed(self, what):
        """A transaction that posts holds the move's row and would not see a new item: this makes the two meet there."""
        moves = self.mapped("move_id")
        if draft_only(self.env):
            moves._countersign_own_drafts(f"{what} of an item")
            for line in self.sudo():
                paid = (line.reconciled and line.balance) or line.matched_debit_ids or line.matched_credit_ids
                if line.parent_state != line.move_id.state or line.full_reconcile_id or paid:
                    raise denied(f"an item of move {line.move_id.id} that claims to be posted or paid")
        if moves.ids:
            self.env.cr.execute(
                "UPDATE account_move SET write_date = write_date WHERE id IN %s AND state = 'draft'", [tuple(moves.ids)]
            )
