"""A small Odoo 19 with our addon, in memory: enough of both to hold the clients against, and nothing more.

What Odoo itself does (taxes, numbers, items) is done in the simplest way that has the same shape. The real one is held
against the same claims in the stack tests.
"""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from books.memory.calls import PLAIN, Call
from books.memory.faults import Fault
from books.memory.query import Tables


@dataclass
class MemoryOdoo:
    """Users by login: `draft` or `billing`. A call works on a copy of the tables and keeps it when it succeeds."""

    users: dict[str, str] = field(default_factory=lambda: {"agent": "draft", "local": "billing"})
    today: Callable[[], date] = field(default=lambda: date(2026, 11, 25))
    sale: bool = True
    tables: Tables = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        put = self._put
        put("res.currency", name="USD", decimal_places=2)
        put("res.currency", name="EUR", decimal_places=2)
        put("res.country", code="DE", name="Germany")
        put("res.company", name="Countersign Test Ltd", currency_id=[1, "USD"])
        for name, email in (("Ada Lovelace Ltd", "ada@customer.test"), ("Paper Mill", "sales@vendor.test")):
            put("res.partner", name=name, email=email, vat=False)
        put("res.partner.bank", acc_number="GB33BUKB20201555555555", partner_id=[2, "Paper Mill"])
        put("product.product", name="Consulting hour", default_code="HOUR", list_price=120.0)
        for code, name, group, kind in (
            ("121000", "Account Receivable", "asset", "asset_receivable"),
            ("211000", "Account Payable", "liability", "liability_payable"),
            ("251000", "Tax Received", "liability", "liability_current"),
            ("400000", "Product Sales", "income", "income"),
            ("600000", "Expenses", "expense", "expense"),
            ("101401", "Bank", "asset", "asset_cash"),
        ):
            put("account.account", code=code, display_name=f"{code} {name}", internal_group=group, account_type=kind)
        put("account.journal", code="BNK1", type="bank", name="Bank")
        for name in ("account.move", "account.move.line", "ir.attachment", "mail.message", "keys", "payments"):
            self.tables.setdefault(name, {})
        if self.sale:
            self.tables.update({"sale.order": {}, "sale.order.line": {}})

    def call(self, login: str, model: str, method: str, ids: Sequence[int], named: dict[str, Any]) -> Any:
        """One call, one transaction. Raises Fault."""
        given = {name: value for name, value in named.items() if name != "context"}
        with self._lock:
            if model not in self.tables:
                raise Fault("werkzeug.exceptions.NotFound", 404, f"the model {model!r} does not exist")
            work = Call(copy.deepcopy(self.tables), login, self.users[login], self.today())
            if method in PLAIN:
                result = _applied(getattr(work, method), (model, list(ids)), given)
            elif model == "account.move" and method.startswith("countersign_") and hasattr(work, method[12:]):
                result = _applied(getattr(work, method[12:]), (list(ids),), given)
            else:
                raise Fault("werkzeug.exceptions.NotFound", 404, f"the method '{model}.{method}' does not exist")
            self.tables = work.tables
            return result

    def _put(self, model: str, **values: Any) -> int:
        table = self.tables.setdefault(model, {})
        number = len(table) + 1
        table[number] = {"id": number, **values}
        return number


def _applied(method: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    try:
        inspect.signature(method).bind(*args, **named)
    except TypeError as error:
        raise Fault("werkzeug.exceptions.UnprocessableEntity", 422, str(error)) from None
    return method(*args, **named)
