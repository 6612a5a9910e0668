"""The scene of the attacks, and what in the database must not change by them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from books.drafts import Key, NewLine, NewMove, NewQuotation
from books.odoo import OdooBooks
from books.rpc import connect
from books.values import Kind
from tests.stack.attacks.attack import Scene
from tests.stack.books import Stack
from tests.stack.docker import StackFailed

SCRIPT = Path(__file__).parent / "seeds" / "scene.py"

WATCHED = (
    "account_move",
    "account_move_line",
    "account_payment",
    "account_partial_reconcile",
    "account_full_reconcile",
    "account_bank_statement",
    "account_bank_statement_line",
    "account_reconcile_model",
    "account_journal",
    "account_account",
    "account_payment_term",
    "account_tax",
    "res_partner",
    "res_partner_bank",
    "res_company",
    "res_currency_rate",
    "product_template",
    "sale_order",
    "ir_property",
    "ir_act_server",
    "ir_act_report_xml",
    "ir_default",
    "ir_config_parameter",
    "ir_mail_server",
    "ir_model_access",
    "ir_rule",
    "mail_mail",
    "(SELECT gid, uid AS id FROM res_groups_users_rel)",
    "(SELECT id, login, active, password FROM res_users)",
    "(SELECT id, active, interval_type, ir_actions_server_id FROM ir_cron)",
    "(SELECT id, name, state FROM ir_module_module)",
    "(SELECT id, active, arch_db FROM ir_ui_view)",
    "(SELECT id, name, checksum FROM ir_attachment WHERE res_model = 'account.move')",
    "(SELECT id, name, model, res_id FROM ir_model_data WHERE module = 'countersign')",
)


def owners_part(stack: Stack) -> dict[str, object]:
    """Make what the owner has in the books."""
    said = stack.shell(SCRIPT.read_text(encoding="utf-8"))
    for line in said.splitlines():
        if line.startswith("SCENE="):
            found: dict[str, object] = json.loads(line.removeprefix("SCENE="))
            return found
    raise StackFailed(f"the scene was not made:\n{said[-3000:]}")


def scene(stack: Stack, login: str, owners: dict[str, object], *, drafts_by: str | None = None) -> Scene:
    """The scene for one user, with drafts of its own (or somebody else's, for a user who may do everything)."""
    who = drafts_by or login
    books = OdooBooks(connect(stack.access(who)))
    line = NewLine("Work", Decimal(100), taxes=())
    day = date(2026, 11, 20)
    invoice = books.draft(
        Key(f"scene-{login}-invoice"), NewMove(Kind.INVOICE, stack.ids["partner"], (line,), issued=day)
    )
    bill = books.draft(Key(f"scene-{login}-bill"), NewMove(Kind.BILL, stack.ids["vendor"], (line,), issued=day))
    item = NewLine("Hour", Decimal(100), product=stack.ids["product"])
    order = books.quote(Key(f"scene-{login}-order"), NewQuotation(stack.ids["partner"], (item,)))
    owned = dict(owners)
    ids = dict(owned.pop("ids"))  # type: ignore[call-overload] # what JSON holds
    return Scene(
        user=ids.pop("users")[login],
        invoice=invoice.id,
        bill=bill.id,
        order=order.id,
        items=[int(row[0]) for row in stack.sql(f"SELECT id FROM account_move_line WHERE move_id = {invoice.id}")],
        ids={**stack.ids, **ids},
        **owned,  # type: ignore[arg-type] # what JSON holds
    )


def fingerprint(stack: Stack) -> dict[str, str]:
    """A hash of every row of each watched table."""
    parts = [
        f"SELECT {number}, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
        for number, table in enumerate(WATCHED)
    ]
    return {WATCHED[int(number)]: value for number, value in stack.sql(" UNION ALL ".join(parts))}
