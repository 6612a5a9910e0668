"""Payments: never by a draft-only user. Creating or changing one is denied in base already."""

from odoo import fields, models

from ..who import refuse_draft_only


class AccountPayment(models.Model):
    _inherit = "account.payment"

    countersign_payment_approval = fields.Char(
        copy=False, readonly=True, help="Digest of the approval it was made under"
    )
    countersign_invoice_id = fields.Many2one("account.move", copy=False, readonly=True, index=True)

    def init(self):
        super().init()
        self.env.cr.execute(
            "CREATE UNIQUE INDEX IF NOT EXISTS account_payment_countersign_approval "
            "ON account_payment (countersign_payment_approval) WHERE countersign_payment_approval IS NOT NULL"
        )

    def action_post(self):
        refuse_draft_only(self.env, "posting a payment")
        return super().action_post()

    def action_validate(self):
        """Odoo 18 and later; there is none before."""
        refuse_draft_only(self.env, "validating a payment")
        inherited = getattr(super(), "action_validate", None)
        return inherited() if inherited else None


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        refuse_draft_only(self.env, "registering a payment")
        return super()._create_payments()
