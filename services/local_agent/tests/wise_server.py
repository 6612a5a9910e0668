"""Wise as its documentation describes it, as far as one transfer goes: quotes, recipients, transfers, funding.

One transfer for each customerTransactionId, however often it is asked for; what a balance pays for is paid once.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from services.local_agent.tests.outside import Call, Provider, Reply

TOKEN = "wise-token-of-the-tests"


@dataclass
class WiseServer(Provider):
    """`balance` is what there is; `sca`: an API token may not pay from it (the UK and the EEA)."""

    balance: Decimal = Decimal(1_000_000)
    sca: bool = False
    quotes: dict[str, dict[str, Any]] = field(default_factory=dict)
    recipients: dict[int, dict[str, Any]] = field(default_factory=dict)
    transfers: dict[int, dict[str, Any]] = field(default_factory=dict)
    paid: list[int] = field(default_factory=list)
    """The transfers for which money left the balance, once for each time it did."""

    def acts(self, call: Call) -> bool:
        """Quotes and recipients move nothing; their answers are not lost here."""
        return (call.path == "/v1/transfers" and call.verb == "POST") or call.path.endswith("/payments")

    def reply(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"error": "invalid_token", "error_description": "the token is not known"})
        for verb, form, answer in (
            ("POST", r"/v3/profiles/(\d+)/quotes", self._quote),
            ("POST", r"/v1/accounts", self._recipient),
            ("POST", r"/v1/transfers", self._create),
            ("GET", r"/v1/transfers", self._list),
            ("PUT", r"/v1/transfers/(\d+)/cancel", self._cancel),
            ("POST", r"/v3/profiles/(\d+)/transfers/(\d+)/payments", self._pay),
        ):
            found = re.fullmatch(form, call.path)
            if call.verb == verb and found:
                return answer(call, *map(int, found.groups()))
        return Reply(404, {"message": "no such resource"})

    def _quote(self, call: Call, _profile: int) -> Reply:
        made = {"id": str(uuid.UUID(int=len(self.quotes) + 1)), **call.body}
        self.quotes[made["id"]] = made
        return Reply(200, made)

    def _recipient(self, call: Call) -> Reply:
        for number, known in self.recipients.items():
            if known == call.body:
                return Reply(200, {"id": number, **known})
        if call.body["accountHolderName"] == "Nobody":
            return Reply(422, {"errors": [{"code": "NOT_VALID", "message": "The name is not that of an account"}]})
        self.recipients[len(self.recipients) + 1] = call.body
        return Reply(200, {"id": len(self.recipients), **call.body})

    def _create(self, call: Call) -> Reply:
        asked = call.body
        for known in self.transfers.values():
            if known["customerTransactionId"] == asked["customerTransactionId"]:
                return Reply(200, known)
        quote = self.quotes[asked["quoteUuid"]]
        number = 1000 + len(self.transfers)
        self.transfers[number] = {
            "id": number, "customerTransactionId": asked["customerTransactionId"], "status": "incoming_payment_waiting",
            "targetAccount": asked["targetAccount"], "targetValue": quote["targetAmount"],
            "targetCurrency": quote["targetCurrency"], "created": "2026-11-23 09:00:00", **asked["details"],
        }  # fmt: skip
        return Reply(200, self.transfers[number])

    def _list(self, call: Call) -> Reply:
        start, count = int(call.query["offset"]), int(call.query["limit"])
        return Reply(200, list(self.transfers.values())[start : start + count])

    def _cancel(self, _call: Call, number: int) -> Reply:
        if self.transfers[number]["status"] != "incoming_payment_waiting":
            return Reply(409, {"message": "it cannot be cancelled any more"})
        self.transfers[number]["status"] = "cancelled"
        return Reply(200, self.transfers[number])

    def _pay(self, call: Call, _profile: int, number: int) -> Reply:
        if self.sca:
            return Reply(403, None, {"x-2fa-approval": "one-time-token", "x-2fa-approval-result": "REJECTED"})
        transfer = self.transfers[number]
        if transfer["status"] != "incoming_payment_waiting":
            return Reply(200, {"type": call.body["type"], "status": "REJECTED", "errorCode": "transfer.already_funded"})
        amount = Decimal(str(transfer["targetValue"]))
        if amount > self.balance:
            told = {"type": "BALANCE", "status": "REJECTED", "errorCode": "balance.payment-option-unavailable"}
            return Reply(200, told)
        self.balance -= amount
        self.paid.append(number)
        transfer["status"] = "processing"
        return Reply(201, {"type": "BALANCE", "status": "COMPLETED", "errorCode": None})
