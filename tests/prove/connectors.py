"""Every connector with an outside that counts: one `Row` each. A new kind of effect adds one here.

The outside runs in the test's process, the connector in any: it finds the outside by what `serve` wrote down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree
from services.local_agent.tests.gmail_server import SECRET, GmailServer
from services.local_agent.tests.networks.whatsapp import PHONE_ID, WhatsAppServer
from services.local_agent.tests.outside import Provider
from services.local_agent.tests.transferring import transfer
from services.local_agent.tests.wise_server import TOKEN, WiseServer

from accounting.pain001 import NAMESPACE
from accounting.records import invoice_of, payment_of
from books.rpc import Access, connect
from demo.odoo import server as odoo
from demo.processes import eventually
from local_agent.chats.letters import Letters
from local_agent.chats.opening import open_phone
from local_agent.chats.phone import Phone
from local_agent.effects import Connector
from local_agent.gmail import Gmail
from local_agent.http import Http
from local_agent.mail_account import MailAccount, Tls
from local_agent.mcp.books_connectors import PaymentConnector, PostConnector
from local_agent.mcp.gmail_connector import GmailConnector
from local_agent.mcp.mail_connector import MailConnector
from local_agent.mcp.posting import Posting
from local_agent.mcp.transfer_file import TransferFile
from local_agent.mcp.whatsapp_connector import WhatsAppConnector
from local_agent.mcp.wise import Wise
from local_agent.mcp.wise_connector import WiseTransfer
from local_agent.payees import Payees
from local_agent.payment_account import PaymentAccount
from local_agent.whatsapp_account import WhatsAppAccount
from tests.prove.networks import NETWORK_ROWS
from tests.prove.outsides import Now, Outside, Row, found, tell
from vault_protocol.action import (
    Action,
    Address,
    Attachment,
    Forwarded,
    ForwardMail,
    Journal,
    SendMail,
    SendWhatsApp,
)
from vault_protocol.canonical import sha256

ROOT = Path(__file__).parents[2]


FILE = b"%PDF-1.7 of the mail that is passed on"


def mail_to(number: int, address: str = "me@home.example") -> SendMail | ForwardMail:
    """An answer for an even number; for an odd one a mail passed on with its file."""
    to = Address(address=f"customer{number}@elsewhere.example")
    common = {"account": "business", "sender": Address(address=address), "to": (to,)}
    if not number % 2:
        text = "Hello,\n\nyes, on Monday.\n\nAnn\n"
        return SendMail.model_validate({**common, "subject": "Re: Your question", "text": text})
    file = Attachment(name="offer.pdf", media_type="application/pdf", size=len(FILE), sha256=sha256(FILE))
    original = Forwarded(message_id=f"<{number}@elsewhere.example>", sha256=sha256(b"%d" % number))
    return ForwardMail.model_validate(
        {**common, "subject": "Fwd: Offer", "original": original, "quote": "It holds.\n", "attachments": (file,)}
    )


class _Counted:
    """The mail server of its own process, by its record."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "record"

    def action(self, number: int) -> Action:
        return mail_to(number)

    def happened(self) -> list[str]:
        """A server that lost a message after it was said whole has not got it."""
        lines = self._record.read_text(encoding="ascii").splitlines() if self._record.exists() else []
        return [line.split()[0] for line in lines if line.split()[1] != "lost"]

    def mark(self, number: int, key: str) -> str:
        return MailConnector.message_id(mail_to(number), key)


@contextmanager
def _smtp(folder: Path, one_in: int) -> Iterator[Outside]:
    argv = [sys.executable, "-m", "tests.prove.counting_server", str(folder), str(one_in or 10**9)]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE) as process:
        eventually((folder / "port").exists, "the counting server listens", seconds=60)
        (folder / "password").write_text("a password", encoding="utf-8")
        tell(folder, smtp=json.loads((folder / "port").read_bytes())["smtp"])
        yield _Counted(folder)
        process.terminate()


def _by_smtp(folder: Path, _now: Now) -> Connector[Any]:
    account = MailAccount(
        name="business", address="me@home.example", user="me", password_file=folder / "password", imap_host="127.0.0.1",
        imap_port=1, imap_tls=Tls.NONE, submission_host="127.0.0.1", submission_port=found(folder)["smtp"],
        submission_tls=Tls.NONE,
    )  # fmt: skip
    return MailConnector(lambda _: account, lambda _: FILE)


class _AtGmail:
    def __init__(self, server: GmailServer) -> None:
        self._server = server

    def action(self, number: int) -> Action:
        return mail_to(number)

    def happened(self) -> list[str]:
        return [raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode() for raw in self._server.sent]

    def mark(self, number: int, key: str) -> str:
        return MailConnector.message_id(mail_to(number), key)


@contextmanager
def _gmail(folder: Path, one_in: int) -> Iterator[Outside]:
    server = GmailServer(one_in=one_in, chance=Random(11))
    with _told(server, folder):
        yield _AtGmail(server)


def _by_gmail(folder: Path, _now: Now) -> Connector[Any]:
    url = found(folder)["url"]
    account = MailAccount(name="business", address="me@home.example", way="gmail", gmail_url=url, gmail_token_url=url)
    return GmailConnector(lambda _: account, lambda of: Gmail(of, lambda: SECRET), lambda _: FILE)


class _Transfers:
    """By the end-to-end reference, which says the number."""

    def action(self, number: int) -> Action:
        return transfer(end_to_end=f"R-{number}", reference=f"R-{number}", amount=f"{number + 1}.00")

    def mark(self, number: int, key: str) -> str:
        return f"R-{number}"


class _Files(_Transfers):
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "bank"

    def happened(self) -> list[str]:
        files = self._folder.glob("*.xml")
        return [str(etree.fromstring(one.read_bytes()).findtext(f".//{{{NAMESPACE}}}EndToEndId")) for one in files]


@contextmanager
def _bank_files(folder: Path, _one_in: int) -> Iterator[Outside]:
    yield _Files(folder)


def _by_file(folder: Path, _now: Now) -> Connector[Any]:
    account = PaymentAccount(name="main", holder="Ann Owner", iban="DE02120300000000202051", folder=folder / "bank")
    return TransferFile(lambda _: account, folder / "kept", Payees(folder / "payees.sqlite"))


class _AtWise(_Transfers):
    def __init__(self, server: WiseServer) -> None:
        self._server = server

    def happened(self) -> list[str]:
        return [self._server.transfers[number]["reference"] for number in self._server.paid]


@contextmanager
def _wise(folder: Path, one_in: int) -> Iterator[Outside]:
    server = WiseServer(one_in=one_in, chance=Random(11))
    with _told(server, folder):
        yield _AtWise(server)


def _by_wise(folder: Path, now: Now) -> Connector[Any]:
    url = found(folder)["url"]
    account = PaymentAccount(name="main", way="wise", profile=7, url=url, funding="balance")
    wise = Wise(Http(url, {"Authorization": f"Bearer {TOKEN}"}), 7)
    return WiseTransfer(lambda _: account, lambda _: wise, Payees(folder / "payees.sqlite"), now)


class _Books:
    """Odoo's records; `pays` registers payments instead of posting."""

    def __init__(self, server: odoo.Server, *, pays: bool) -> None:
        self._server, self._pays, self._digests = server, pays, dict[int, str]()

    def action(self, number: int) -> Action:
        move = self._server.records.enter("in_invoice", 2, ("Consulting", 2.0, 10.0 + number), ref="PO 1")
        if self._pays:
            self._server.records.post(move)
        state = _posting(self._server.url, self._server.keys["local"]).state(move["id"])
        bank, day = Journal(id=3, name="Bank"), date(2026, 11, 23)
        made: Action = (
            payment_of(state, "books", journal=bank, amount=Decimal("1.00"), on=day)
            if self._pays
            else invoice_of(state, "books")
        )
        self._digests[number] = made.digest
        return made

    def happened(self) -> list[str]:
        records = self._server.records
        return [str(one["approval"]) for one in records.payments] if self._pays else records.posted()

    def mark(self, number: int, key: str) -> str:
        return self._digests[number]


@contextmanager
def _odoo(folder: Path, one_in: int, *, pays: bool) -> Iterator[Outside]:
    with odoo.Server(one_in=one_in, chance=Random(11)) as server:
        tell(folder, url=server.url, key=server.keys["local"])
        yield _Books(server, pays=pays)


_OPEN: dict[str, Posting] = {}


def _posting(url: str, key: str) -> Posting:
    """Logged in once for each server: to begin with TLS's certificates costs more than ten calls."""
    if url not in _OPEN:
        _OPEN[url] = Posting(connect(Access(url=url, database="books", login="local", key=key, timeout_seconds=5)))
    return _OPEN[url]


def _poster(folder: Path, now: Now) -> Connector[Any]:
    told = found(folder)
    return PostConnector(lambda _: _posting(told["url"], told["key"]), now)


def _payer(folder: Path, now: Now) -> Connector[Any]:
    told = found(folder)
    return PaymentConnector(lambda _: _posting(told["url"], told["key"]), now)


class _AtWhatsApp:
    """By the words of each message; those of every other one stay on this machine, under their digest."""

    def __init__(self, server: WhatsAppServer, folder: Path) -> None:
        self._server, self._letters = server, Letters(folder / "chats")

    def action(self, number: int) -> Action:
        words = self.mark(number, "") + "\n"
        message = SendWhatsApp(account="phone", to="+4915187654321", answers="wamid.77", text=words)
        return self._letters.seal(message) if number % 2 else message

    def happened(self) -> list[str]:
        return [str(one["text"]) for one in self._server.effects]

    def mark(self, number: int, key: str) -> str:
        return f"Message {number}"


@contextmanager
def _whatsapp(folder: Path, one_in: int) -> Iterator[Outside]:
    with WhatsAppServer(one_in=one_in, chance=Random(11)) as server:
        (folder / "token").write_text(server.token, encoding="utf-8")
        tell(folder, url=server.url)
        yield _AtWhatsApp(server, folder)


def _by_whatsapp(folder: Path, _now: Now) -> Connector[Any]:
    account = WhatsAppAccount(
        name="phone", way="cloud", number="+4915112345678", phone_id=PHONE_ID, secret_file=folder / "token",
        url=found(folder)["url"], timeout_seconds=5,
    )  # fmt: skip
    return WhatsAppConnector(lambda _: account, lambda of: _phone(of, folder), Letters(folder / "chats"))


_PHONES: dict[Path, Phone] = {}


def _phone(account: WhatsAppAccount, folder: Path) -> Phone:
    """Opened once for each folder, as `_posting` for each server."""
    if folder not in _PHONES:
        _PHONES[folder] = open_phone(account, folder)
    return _PHONES[folder]


@contextmanager
def _told(server: Provider, folder: Path) -> Iterator[None]:
    with server:
        tell(folder, url=server.url)
        yield


ROWS = (
    Row("mail", _smtp, _by_smtp),
    Row("gmail", _gmail, _by_gmail),
    Row("post", lambda folder, one_in: _odoo(folder, one_in, pays=False), _poster),
    Row("payment", lambda folder, one_in: _odoo(folder, one_in, pays=True), _payer),
    Row("transfer-file", _bank_files, _by_file, loses=False),
    Row("transfer-wise", _wise, _by_wise),
    Row("whatsapp", _whatsapp, _by_whatsapp),
)
ALL_ROWS = (*ROWS, *NETWORK_ROWS)
"""With one for each social network. What is not SIGKILL is proved of those in `test_social_effects`, more sharply."""
