"""`python -m tests.prove.one_send CASE`: on a line of input, execute the approved mail that the JSON of CASE tells of.

Says "ready" before, and afterwards how many seconds that took and what became of it. Asked again, it is the same
action under the same approval. Exit code 4: the disk said no three times.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from libs.vault_protocol.tests import made

from local_agent.effects import Answer, Executor, Ledger
from local_agent.limits import MANY
from local_agent.mail_account import MailAccount, Tls
from local_agent.mcp.mail_connector import MailConnector
from vault_protocol import disk
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import SignedApproval, grant
from vault_protocol.errors import DiskTrouble
from vault_protocol.sshsig import PublicKey

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One account, one ledger, and the number of a mail."""

    ledger: str
    address: str
    user: str
    password_file: str
    submission_port: int
    imap_port: int
    number: int

    @property
    def recipient(self) -> str:
        return f"customer{self.number}@elsewhere.example"

    def account(self) -> MailAccount:
        return MailAccount(
            name="business", address=self.address, user=self.user, password_file=Path(self.password_file),
            imap_host="127.0.0.1", imap_port=self.imap_port, imap_tls=Tls.NONE,
            submission_host="127.0.0.1", submission_port=self.submission_port, submission_tls=Tls.NONE,
        )  # fmt: skip

    def action(self) -> SendMail:
        return SendMail(
            account="business", sender=Address(address=self.address), to=(Address(address=self.recipient),),
            subject="Re: Your question", text="Hello,\n\nyes, on Monday.\n\nAnn\n",
        )  # fmt: skip

    def approval(self) -> SignedApproval:
        return grant(
            self.action(), vault=made.VAULT, executor="executor-1", task=made.task_id(self.number), revision=1,
            by="owner", now=NOW, not_before=NOW, nonce=f"{self.number:032x}", sign=made.owner_signs,
        )  # fmt: skip

    def executor(self, ledger: Ledger) -> Executor[SendMail]:
        account = self.account()
        return Executor(
            connector=MailConnector(lambda _name: account), ledger=ledger, vault=made.VAULT, id="executor-1",
            key=PublicKey.of(made.OWNER_KEY), secret=b"s" * 32, now=lambda: NOW, limit=lambda: MANY,
            dry_run=lambda: False,
        )  # fmt: skip

    def execute(self, ledger: Ledger) -> Answer:
        return self.executor(ledger).execute(self.action(), self.approval())


def patiently(act: Callable[[], T], where: str) -> T:
    """As the mail server's client does: when the disk says no, ask again, here up to three times."""
    for _ in range(2):
        with suppress(DiskTrouble), disk.watched(where):
            return act()
    with disk.watched(where):
        return act()


def main(case: str) -> int:
    asked = Case(**json.loads(case))
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    try:
        executor = asked.executor(patiently(lambda: Ledger(Path(asked.ledger)), asked.ledger))
        answer = patiently(lambda: executor.execute(asked.action(), asked.approval()), asked.ledger)
    except DiskTrouble:
        return 4
    print(time.monotonic() - begun, type(answer).__name__, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
