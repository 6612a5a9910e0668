"""An invoice is printed from the record, never from a file that a draft-only user put where a print is kept."""

from odoo import models

from ..who import DRAFT_ONLY


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def retrieve_attachment(self, record):
        kept = super().retrieve_attachment(record)
        if kept and (self.env.context.get("countersign_fresh") or kept.sudo().create_uid.has_group(DRAFT_ONLY)):
            return self.env["ir.attachment"]
        return kept
