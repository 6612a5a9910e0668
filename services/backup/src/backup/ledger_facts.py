"""What Odoo's database holds, as counts and hashes: taken with the dump, and taken again from what was restored."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backup.errors import SourceFailed

Ask = Callable[[str], str]
"""A query with an answer of one line."""

_PARTS = {
    "moves": """
        SELECT coalesce(json_object_agg(what, how_many), '{}') FROM (
            SELECT move_type || '/' || state AS what,
                   json_build_array(count(*), coalesce(sum(amount_total), 0)::text) AS how_many
            FROM account_move GROUP BY move_type, state) AS found""",
    "balance": """
        SELECT json_build_object(
            'accounts', count(*), 'debit', coalesce(sum(debit), 0)::text, 'credit', coalesce(sum(credit), 0)::text,
            'md5', md5(coalesce(string_agg(account_id || ' ' || debit || ' ' || credit, '|' ORDER BY account_id), '')))
        FROM (SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM account_move_line
              WHERE parent_state = 'posted' AND account_id IS NOT NULL GROUP BY account_id) AS found""",
    "attachments": """
        SELECT json_build_object('files', count(*),
            'md5', md5(coalesce(string_agg(store_fname || ' ' || checksum, '|' ORDER BY id), '')))
        FROM ir_attachment WHERE store_fname IS NOT NULL""",
    "partners": "SELECT count(*) FROM res_partner",
    "users": "SELECT count(*) FROM res_users",
}
_NEEDS = {"moves": "account_move", "balance": "account_move_line"}

STORED = "SELECT store_fname || ' ' || checksum FROM ir_attachment WHERE store_fname IS NOT NULL"

SILENCED = """
    UPDATE ir_cron SET active = false;
    UPDATE ir_mail_server SET active = false;
    UPDATE mail_mail SET state = 'cancel' WHERE state = 'outgoing';
    """
"""For a copy that must do nothing by itself. Run before Odoo starts."""

UNSENT = "UPDATE mail_mail SET state = 'cancel' WHERE state IN ('outgoing', 'exception')"
"""For a restore that goes into use: what waited to go out may have gone since."""

AWAKE = """
    SELECT (SELECT count(*) FROM ir_cron WHERE active) + (SELECT count(*) FROM ir_mail_server WHERE active)
         + (SELECT count(*) FROM mail_mail WHERE state = 'outgoing')"""


def read(ask: Ask) -> dict[str, Any]:
    """By name; without accounting, no moves. Raises SourceFailed."""
    found: dict[str, Any] = {}
    for name, query in _PARTS.items():
        table = _NEEDS.get(name)
        if table is None or ask(f"SELECT to_regclass('{table}') IS NOT NULL;") == "t":
            try:
                found[name] = json.loads(ask(" ".join(query.split()) + ";"))
            except ValueError:
                raise SourceFailed(f"the database's {name} do not read") from None
    return found


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> tuple[str, ...]:
    """The names of what is not the same."""
    return tuple(name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name))
