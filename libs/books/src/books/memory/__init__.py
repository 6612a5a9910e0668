"""A small Odoo in memory, for tests."""
