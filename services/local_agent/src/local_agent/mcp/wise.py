"""Wise, as much of it as one transfer needs. Each call is one request; what is not known afterwards is raised.

Source: docs.wise.com, Wise Platform API: quotes, recipient accounts, transfers, funding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from local_agent.http import Answer, Http
from vault_protocol.action import PayTransfer
from vault_protocol.canonical import utc

PAGE = 100

WAITS, GONE = ("incoming_payment_waiting", "incoming_payment_initiated"), ("cancelled",)
"""The states of a transfer that nobody has paid for yet, and that nobody will."""
RETURNED = ("funds_refunded", "bounced_back", "charged_back")


class Refused(Exception):
    """Wise said no, for good; `auth` when it was to the token."""

    def __init__(self, words: str, *, auth: bool = False) -> None:
        super().__init__(words)
        self.auth = auth


class Later(Exception):
    """Wise will not do it now and did nothing: too many requests, or out of order."""


class Odd(Exception):
    """Wise answered something that cannot be understood; it may have done what was asked for."""


@dataclass(frozen=True)
class Transfer:
    """What Wise has under one of our transaction ids."""

    id: int
    ours: str
    status: str
    recipient: int
    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"Wise transfer {self.id}"


class Wise:
    """One profile. Raises Refused, Later, Odd, and what `Http.ask` raises."""

    def __init__(self, http: Http, profile: int) -> None:
        self._http, self._profile = http, profile

    def quote(self, action: PayTransfer) -> str:
        """An offer for exactly this amount to arrive. It moves nothing and lapses by itself."""
        body = {
            "sourceCurrency": action.currency, "targetCurrency": action.currency, "targetAmount": float(action.amount),
            "payOut": "BANK_TRANSFER",
        }  # fmt: skip
        return str(_field(self._post(f"/v3/profiles/{self._profile}/quotes", body), "id"))

    def recipient(self, action: PayTransfer) -> int:
        """The payee's account at Wise; making one moves nothing, and the same one again makes no second payee."""
        details = {"legalType": "BUSINESS", "IBAN": action.iban} | ({"BIC": action.bic} if action.bic else {})
        body = {
            "profile": self._profile, "accountHolderName": action.creditor, "currency": action.currency, "type": "iban",
            "details": details,
        }  # fmt: skip
        return int(_field(self._post("/v1/accounts", body), "id"))

    def create(self, action: PayTransfer, *, quote: str, recipient: int, ours: str) -> Transfer:
        """`ours` is the idempotency key, a UUID: asked again, Wise gives the transfer it has."""
        body = {
            "targetAccount": recipient, "quoteUuid": quote, "customerTransactionId": ours,
            "details": {"reference": action.reference or action.end_to_end},
        }  # fmt: skip
        return _transfer(self._post("/v1/transfers", body))

    def fund(self, transfer: Transfer) -> None:
        """Pay for it from the balance. Raises Refused when Wise says that it did not."""
        path = f"/v3/profiles/{self._profile}/transfers/{transfer.id}/payments"
        told = self._post(path, {"type": "BALANCE"})
        if str(told.get("status")) == "COMPLETED":
            return
        if str(told.get("status")) == "REJECTED":
            raise Refused(f"not paid: {told.get('errorCode') or 'no reason given'}")
        raise Odd(f"the answer to paying says {told.get('status')!r}")

    def cancel(self, transfer: Transfer) -> Transfer:
        return _transfer(self._ok(self._http.ask("PUT", f"/v1/transfers/{transfer.id}/cancel")))

    def find(self, ours: str, *, since: datetime) -> Transfer | None:
        """The transfer with this key, among all that were created since a day before."""
        found = [one for one in self._since(since - timedelta(days=1)) if one.ours == ours]
        if len(found) > 1:
            raise Odd(f"Wise shows {len(found)} transfers under one transaction id")
        return found[0] if found else None

    def _since(self, begin: datetime) -> Iterator[Transfer]:
        offset = 0
        while True:
            query: Mapping[str, str | int] = {
                "profile": self._profile, "createdDateStart": utc(begin), "limit": PAGE, "offset": offset
            }  # fmt: skip
            page = self._ok(self._http.ask("GET", "/v1/transfers", query=query))
            if not isinstance(page, list):
                raise Odd("the list of transfers is none")
            yield from map(_transfer, page)
            if len(page) < PAGE:
                return
            offset += PAGE

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        told = self._ok(self._http.ask("POST", path, body=body))
        if not isinstance(told, dict):
            raise Odd(f"{path} answered something else than an object")
        return told

    def _ok(self, answer: Answer) -> Any:
        if answer.ok:
            return answer.body
        words = _words(answer)
        if answer.status == 401:
            raise Refused(f"Wise refuses the token: {words}", auth=True)
        if answer.status in (425, 429):
            raise Later(f"HTTP {answer.status}: {words}")
        if 400 <= answer.status < 500 and answer.status not in (408, 409):
            raise Refused(f"HTTP {answer.status}: {words}")
        raise Odd(f"HTTP {answer.status}: {words}")


def _words(answer: Answer) -> str:
    """Its own words about what is wrong, on one line."""
    if answer.headers.get("x-2fa-approval-result") == "REJECTED":
        return 'Wise wants you to confirm this in its app (SCA); set `funding = "app"` for this account'
    told = answer.body if isinstance(answer.body, dict) else {}
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else told
    return " ".join(str(first.get("message") or first.get("error") or answer.text).split())[:200]


def _transfer(told: Any) -> Transfer:
    try:
        return Transfer(
            id=int(told["id"]), ours=str(told["customerTransactionId"]), status=str(told["status"]),
            recipient=int(told["targetAccount"]), amount=Decimal(str(told["targetValue"])),
            currency=str(told["targetCurrency"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, InvalidOperation):
        raise Odd("this is no transfer as Wise describes one") from None


def _field(told: Mapping[str, Any], name: str) -> Any:
    try:
        return told[name]
    except KeyError:
        raise Odd(f"the answer has no {name}") from None
