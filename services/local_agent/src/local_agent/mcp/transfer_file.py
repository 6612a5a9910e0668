"""A transfer as a file for the bank's own upload: written whole, under a name that follows from the effect, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from accounting.pain001 import Debtor, document
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.payees import Payees
from local_agent.payment_account import PaymentAccount
from vault_protocol.action import PayTransfer
from vault_protocol.approval import Approved
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private, write_whole
from vault_protocol.plain import slug


class TransferFile:
    """Implements `effects.Connector` for PayTransfer. `kept` is a private folder with a copy of every file."""

    name = "transfer-file"
    policy = Policy(
        dedupe="the file's name and its message id, which follow from the effect; a bank takes a message id once",
        probe="this machine's own copy, written first, and the file in the owner's folder, byte for byte",
        retries=False,
    )

    def __init__(self, account: Callable[[str], PaymentAccount], kept: Path, payees: Payees) -> None:
        """`account` raises VaultError for one that is not set up here."""
        self._account, self._kept, self._payees = account, kept, payees

    def perform(self, what: Approved[PayTransfer], *, key: str, at: datetime) -> Outcome:
        try:
            path, content = self.file(what.action, key, at)
        except VaultError as error:
            return Outcome(State.REFUSED, str(error))
        try:
            write_private(self._kept / f"{key}.xml", content)
            if path.exists() and path.read_bytes() != content:
                return Outcome(State.REFUSED, f"{path} is there, with something else in it")
            write_whole(path, content, 0o600)
        except OSError as error:
            if path.exists():
                return Outcome(State.UNKNOWN, f"{path} may not outlive a power cut: {error.strerror}")
            return Outcome(State.NOT_DONE, f"{path.parent}: {error.strerror}")
        return Outcome(State.CONFIRMED, f"{path}: give it to your bank")

    def probe(self, action: PayTransfer, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """Without our own copy, which is written first, there never was a file. With it, the owner may have it."""
        try:
            path, content = self.file(action, key, at)
        except VaultError as error:
            return Outcome(State.UNKNOWN, str(error))
        if path.exists():
            if path.read_bytes() == content:
                return Outcome(State.CONFIRMED, f"{path}: give it to your bank", seen=True)
            return Outcome(State.UNKNOWN, f"{path} is there, with something else in it", seen=True)
        if not (self._kept / f"{key}.xml").exists():
            return Outcome(State.NOT_DONE, "no file was written")
        return Outcome(State.UNKNOWN, f"{path} is not there: never written, or taken to the bank already", seen=True)

    def afterwards(self, action: PayTransfer, *, key: str, at: datetime) -> None:
        self._payees.remember(action, effect=key, at=at)

    def file(self, action: PayTransfer, key: str, at: datetime) -> tuple[Path, bytes]:
        """Where it goes, and its bytes. Raises VaultError."""
        account = self._account(action.account)
        if account.folder is None:
            raise VaultError(f"payments {account.name}: no folder is set for files")
        debtor = Debtor(account.holder, account.iban, account.bic)
        name = f"{action.execution}-{slug(action.creditor, 30) or 'transfer'}-{key[:12]}.xml"
        return account.folder.expanduser() / name, document(action, debtor, message_id=key, at=at)
