"""Sums over the ledger. Each says by which query it was made, so that it can be made again in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from books.errors import BooksUnreachable
from books.reading import Read
from books.rows import Row, day, link, link_name, number, rounded, rows
from books.rpc import Rpc
from books.values import Balance, Figure, Money, Owed

_POSTED = ["parent_state", "=", "posted"]
_MOST_OPEN = 5000


class Report:
    """Sums through one `Rpc`."""

    def __init__(self, rpc: Rpc, read: Read) -> None:
        self._rpc, self._read = rpc, read

    def balances(self, *, on: date) -> tuple[Balance, ...]:
        found = []
        for account, name, amount in self._by_account([_POSTED, ["date", "<=", on.isoformat()]]):
            if amount.amount:
                code, _, rest = name.partition(" ")
                found.append(Balance(code, rest, amount) if account else Balance("", name, amount))
        return tuple(sorted(found, key=lambda b: b.account))

    def receivables(self, *, today: date) -> tuple[Owed, ...]:
        domain = [_POSTED, self._account_type("receivable"), ["reconciled", "=", False], ["amount_residual", "!=", 0]]
        fields = ["partner_id", "move_id", "date_maturity", "date", "amount_residual"]
        lines = rows(
            self._rpc.call(
                "account.move.line",
                "search_read",
                domain=domain,
                fields=fields,
                limit=_MOST_OPEN + 1,
                order="date_maturity, id",
            )
        )
        if len(lines) > _MOST_OPEN:
            raise BooksUnreachable(f"more than {_MOST_OPEN} open items: the list would be cut, so it is not given")
        return tuple(sorted((self._owed(line, today) for line in lines), key=lambda o: (o.due, o.move)))

    def revenue(self, first: date, last: date) -> Figure:
        domain = [
            _POSTED,
            ["account_id.internal_group", "=", "income"],
            ["date", ">=", first.isoformat()],
            ["date", "<=", last.isoformat()],
        ]
        total = -self._sum(domain)
        return Figure(
            self._money(total),
            f"−sum(balance) of posted journal items on income accounts, {first.isoformat()} to {last.isoformat()}",
        )

    def cash(self, *, on: date) -> Figure:
        total = self._sum([_POSTED, self._account_type("liquidity"), ["date", "<=", on.isoformat()]])
        return Figure(
            self._money(total), f"sum(balance) of posted journal items on bank and cash accounts up to {on.isoformat()}"
        )

    def _owed(self, line: Row, today: date) -> Owed:
        due = day(line, "date_maturity") or day(line, "date")
        if due is None:
            raise BooksUnreachable(f"journal item {line['id']} has no date")
        return Owed(
            partner=link(line, "partner_id") or 0,
            name=link_name(line, "partner_id"),
            move=link(line, "move_id") or 0,
            number=link_name(line, "move_id").partition(" ")[0],
            due=due,
            residual=self._read.in_company_currency(line, "amount_residual"),
            days_over=(today - due).days,
        )

    def _account_type(self, kind: str) -> list[Any]:
        if self._rpc.version() < 16:
            return ["account_id.internal_type", "=", kind]
        name = {"receivable": "asset_receivable", "liquidity": "asset_cash"}[kind]
        return ["account_id.account_type", "=", name]

    def _sum(self, domain: list[Any]) -> Decimal:
        groups = self._groups(domain, [])
        return number(groups[0], "balance") if groups else Decimal(0)

    def _by_account(self, domain: list[Any]) -> list[tuple[int, str, Money]]:
        return [
            (link(g, "account_id") or 0, link_name(g, "account_id"), self._money(number(g, "balance")))
            for g in self._groups(domain, ["account_id"])
        ]

    def _groups(self, domain: list[Any], by: Sequence[str]) -> list[Row]:
        """`balance` summed in groups: read_group, which 19 has only for old callers, or what replaced it."""
        if self._rpc.version() < 19:
            found = self._rpc.call(
                "account.move.line", "read_group", domain=domain, fields=["balance:sum"], groupby=list(by), lazy=False
            )
            name = "balance"
        else:
            found = self._rpc.call(
                "account.move.line", "formatted_read_group", domain=domain, groupby=list(by), aggregates=["balance:sum"]
            )
            name = "balance:sum"
        if not isinstance(found, list) or not all(isinstance(g, dict) for g in found):
            raise BooksUnreachable("Odoo answered something else than sums")
        return [{**g, "balance": g.get(name)} for g in found]

    def _money(self, amount: Decimal) -> Money:
        code, decimals = self._read.currency(self._read.company()[0])
        return Money(rounded(amount, decimals), code)
