"""A server that behaves like Odoo 14 with the addon draft_only, as far as Countersign asks: records in memory."""
