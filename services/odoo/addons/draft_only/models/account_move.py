"""Moves: what a draft-only user leaves behind is judged, not what it asked for."""

from odoo import api, fields, models

from ..who import denied, draft_only, refuse_draft_only

DRAFTED = {"out_invoice": "sale", "out_refund": "sale", "in_invoice": "purchase", "in_refund": "purchase"}
"""What may be drafted, and the kind of journal it belongs into."""


class AccountMove(models.Model):
    _inherit = "account.move"

    countersign_approval = fields.Char(
        copy=False, readonly=True, help="Digest of the approval under which it was posted"
    )
    countersign_sha256 = fields.Char(copy=False, readonly=True, help="Hash of the state that was approved")

    def init(self):
        super().init()
        self.env.cr.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS account_move_countersign_approval "
            "ON account_move (countersign_approval) WHERE countersign_approval IS NOT NULL"
        )

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        if draft_only(self.env):
            moves._countersign_judge()
        return moves

    def write(self, vals):
        judged = draft_only(self.env)
        if judged:
            self._countersign_own_drafts("write")
        done = super().write(vals)
        if judged:
            self._countersign_judge()
        return done

    def unlink(self):
        refuse_draft_only(self.env, "deleting a move")
        return super().unlink()

    def _post(self, soft=True):
        refuse_draft_only(self.env, "posting")
        return super()._post(soft=soft)

    def action_post(self):
        refuse_draft_only(self.env, "posting")
        return super().action_post()

    def button_draft(self):
        refuse_draft_only(self.env, "resetting to draft")
        return super().button_draft()

    def button_cancel(self):
        refuse_draft_only(self.env, "cancelling")
        return super().button_cancel()

    def js_assign_outstanding_line(self, line_id):
        refuse_draft_only(self.env, "reconciling")
        return super().js_assign_outstanding_line(line_id)

    def js_remove_outstanding_partial(self, partial_id):
        refuse_draft_only(self.env, "undoing a reconciliation")
        return super().js_remove_outstanding_partial(partial_id)

    def _countersign_own_drafts(self, what):
        """Raises AccessError unless all of these are drafts that this very user made."""
        for move in self.sudo():
            if move.state != "draft" or move.create_uid.id != self.env.uid:
                raise denied(f"{what} of move {move.id}, which is not a draft of its own")

    def _countersign_judge(self):
        """Raises AccessError unless all of these are plain drafts, as they now are."""
        for move in self.sudo():
            fault = move._countersign_fault()
            if fault:
                raise denied(f"move {move.id} would have {fault}")

    def _countersign_fault(self):
        """What a draft-only user must not leave behind in this move; None when there is nothing."""
        if self.state != "draft":
            return f"state {self.state}"
        if self.auto_post not in (False, "no"):  # a Boolean to 15, from 16 on a choice
            return "automatic posting"
        if self.posted_before or self.countersign_approval or self.countersign_sha256:
            return "the marks of a posted move"
        if self.move_type not in DRAFTED or self.journal_id.type != DRAFTED[self.move_type]:
            return f"type {self.move_type} in the journal {self.journal_id.code}"
        if self.payment_state in ("paid", "in_payment", "partial", "reversed"):
            return f"payment state {self.payment_state}"
        if self.partner_bank_id and self.partner_bank_id.partner_id != self._countersign_payee():
            return "the bank account of somebody else"
        for name in ("payment_id", "origin_payment_id", "statement_line_id", "tax_cash_basis_rec_id"):
            if name in self._fields and self[name]:
                return f"a {name}"
        return None

    def _countersign_payee(self):
        """Whom this is paid to: the company for what it sells, else the partner."""
        incoming = self.move_type in ("out_invoice", "in_refund")
        return self.company_id.partner_id if incoming else self.commercial_partner_id
