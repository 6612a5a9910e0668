"""Partners: a draft-only user enters new ones with their address, and changes only those."""

from odoo import api, models

from ..who import denied, draft_only

FIELDS = {
    "name",
    "is_company",
    "company_type",
    "parent_id",
    "type",
    "email",
    "phone",
    "mobile",
    "website",
    "street",
    "street2",
    "zip",
    "city",
    "state_id",
    "country_id",
    "vat",
    "ref",
    "lang",
    "comment",
}


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and draft_only(self.env):
            for vals in vals_list:
                _only_address(vals)
            plain = {key: value for key, value in self.env.context.items() if not key.startswith("default_")}
            return super(ResPartner, self.with_context(plain)).create(vals_list).with_context(self.env.context)
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and draft_only(self.env):
            _only_address(vals)
            companies = self.env["res.company"].sudo().search([]).mapped("partner_id")
            for partner in self.sudo().with_context(active_test=False):
                if partner.create_uid.id != self.env.uid or partner.user_ids or partner in companies:
                    raise denied(f"changing partner {partner.id}, whom it did not enter")
        return super().write(vals)


def _only_address(vals):
    other = sorted(set(vals) - FIELDS)
    if other:
        raise denied("{} of a partner".format(", ".join(other)))
