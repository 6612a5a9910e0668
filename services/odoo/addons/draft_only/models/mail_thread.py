"""Nobody is told, and no mail comes in, by a draft-only user's doing."""

from odoo import api, models

from ..who import draft_only, refuse_draft_only


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_thread(self, message, *args, **kwargs):
        if draft_only(self.env):
            return False
        return super()._notify_thread(message, *args, **kwargs)

    @api.model
    def message_process(self, model, message, *args, **kwargs):
        refuse_draft_only(self.env, "delivering a mail")
        return super().message_process(model, message, *args, **kwargs)
