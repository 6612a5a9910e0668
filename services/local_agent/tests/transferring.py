"""A desk from which transfers leave: approvals with step-up, one ledger, a clock that moves when told."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.local_agent.tests.wise_server import TOKEN, WiseServer

from local_agent.effects import Answer, Connector, Executor, Ledger
from local_agent.http import Http
from local_agent.limits import MANY
from local_agent.mcp.transfer_file import TransferFile
from local_agent.mcp.wise import Wise
from local_agent.mcp.wise_connector import WiseTransfer
from local_agent.payees import Payees
from local_agent.payment_account import PaymentAccount
from vault_protocol import keys, sshsig
from vault_protocol.action import PayTransfer
from vault_protocol.approval import NAMESPACE, SignedApproval, StepUp, grant
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
IBAN, OTHER_IBAN = "DE89370400440532013000", "LT121000011101001000"


class Died(BaseException):
    """The process is gone at this step."""


def transfer(**changes: Any) -> PayTransfer:
    fields = {
        "account": "main", "creditor": "Paper Mill GmbH", "iban": IBAN, "bic": "COBADEFFXXX", "amount": "119.00",
        "currency": "EUR", "reference": "Invoice R-2026-17, paper & ink", "end_to_end": "R-2026-17",
        "execution": "2026-11-24",
    }  # fmt: skip
    return PayTransfer.model_validate({**fields, **changes})


@dataclass
class Desk:
    """`connector` is made anew for each try, as in another process."""

    folder: Path
    connector: Callable[[], Connector[PayTransfer]]
    clock: TestClock = field(default_factory=TestClock)
    die_at: str = ""
    ledgers: list[Ledger] = field(default_factory=list)

    def approve(self, action: PayTransfer, task: str = "a" * 16, step_up: StepUp = "passphrase") -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor="exec-1", task=task, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
            step_up=step_up,
        )  # fmt: skip

    def execute(self, action: PayTransfer, signed: SignedApproval) -> Answer:
        ledger = Ledger(self.folder / "ledger.sqlite")
        self.ledgers.append(ledger)
        executor: Executor[PayTransfer] = Executor(
            connector=self.connector(), ledger=ledger, vault="v1", id="exec-1", key=sshsig.PublicKey.of(OWNER_KEY),
            secret=b"s" * 32, now=self.clock.now, limit=lambda: MANY, dry_run=lambda: False, reached=self._reached,
        )  # fmt: skip
        return executor.execute(action, signed)

    def _reached(self, step: str) -> None:
        if step == self.die_at:
            raise Died(step)


def by_file(folder: Path) -> Desk:
    account = PaymentAccount(
        name="main", holder="Ann Owner", iban="DE02120300000000202051", bic="BYLADEM1001", folder=folder / "bank"
    )
    return Desk(folder, lambda: TransferFile(lambda _: account, folder / "kept", Payees(folder / "payees.sqlite")))


def by_wise(folder: Path, server: WiseServer, *, token: str = TOKEN, **settings: Any) -> Desk:
    given: dict[str, Any] = {"funding": "balance", **settings}
    account = PaymentAccount(name="main", way="wise", profile=7, url=server.url, **given)
    client = Wise(Http(account.url, {"Authorization": f"Bearer {token}"}, seconds=5), account.profile)
    payees = Payees(folder / "payees.sqlite")
    desk = Desk(folder, lambda: WiseTransfer(lambda _: account, lambda _: client, payees, desk.clock.now))
    return desk
