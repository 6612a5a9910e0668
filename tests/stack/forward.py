"""Carries JSON-2 calls out on a real Odoo 14: the same call over JSON-RPC, in the words of the older version."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from typing import Any

from books.memory.faults import Fault
from tests.stack.books import DATABASE, Stack

_STATUS = {
    "odoo.exceptions.UserError": 422,
    "odoo.exceptions.ValidationError": 422,
    "odoo.exceptions.AccessError": 403,
    "odoo.exceptions.AccessDenied": 403,
    "odoo.exceptions.MissingError": 404,
}
_TYPES = {"asset_receivable": "receivable", "asset_cash": "liquidity"}


class Forward:
    """A backend for `books.testing.Server`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._users: dict[str, int] = {}

    def call(self, login: str, model: str, method: str, ids: Sequence[int], named: dict[str, Any]) -> Any:
        key = self._stack.keys[login]
        if login not in self._users:
            self._users[login] = self._ask("common", "login", [DATABASE, login, key])
        if "domain" in named:
            named["domain"] = [_older(term) for term in named["domain"]]
        if method == "formatted_read_group":
            return self._sums(login, model, named)
        on_records = bool(ids) or method in ("read", "write")
        args: list[Any] = [list(ids)] if on_records else []
        for name in {"create": ["vals_list"], "write": ["vals"]}.get(method, []):
            args.append(named.pop(name))
        return self._ask("object", "execute_kw", [DATABASE, self._users[login], key, model, method, args, named])

    def _sums(self, login: str, model: str, named: dict[str, Any]) -> Any:
        older = {"domain": named["domain"], "fields": named["aggregates"], "groupby": named["groupby"], "lazy": False}
        groups = self.call(login, model, "read_group", [], older)
        return [{**g, **{spec: g[spec.partition(":")[0]] for spec in named["aggregates"]}} for g in groups]

    def _ask(self, service: str, method: str, args: list[Any]) -> Any:
        asked = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": asked}
        request = urllib.request.Request(
            f"{self._stack.url}/jsonrpc", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        if "error" not in answer:
            return answer.get("result")
        told = answer["error"]["data"]
        if told["name"] == "builtins.KeyError":
            raise Fault("werkzeug.exceptions.NotFound", 404, f"the model {told['message']} does not exist")
        if told["name"] == "builtins.AttributeError":
            raise Fault("werkzeug.exceptions.NotFound", 404, f"the method '{args[3]}.{args[4]}' does not exist")
        raise Fault(told["name"], _STATUS.get(told["name"], 500), told["message"])


def _older(term: Any) -> Any:
    if isinstance(term, list) and term[0] == "account_id.account_type":
        return ["account_id.internal_type", term[1], _TYPES[term[2]]]
    return term
