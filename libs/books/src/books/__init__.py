"""The books: Odoo read and drafted in, over either of its remote interfaces. Nothing here posts or pays."""
