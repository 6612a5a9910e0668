"""The page, served by its own thread on a real socket over a real vault, and a browser that obeys no script."""

from __future__ import annotations

import email.policy
import http.client
import re
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from http.cookies import SimpleCookie

from services.local_agent.tests.cli_world import PASSPHRASE, World

from correspondence import Mailbox, read
from correspondence.masking import masked
from correspondence.reply_action import reply_action
from local_agent.approvals.hosting import Hosted
from local_agent.approvals.pairing import NAMESPACE, statement
from local_agent.assemble import Local, assemble
from local_agent.judge import Judge
from local_agent.signers import Signer, signer
from vault_protocol import plain
from vault_protocol.canonical import utc
from vault_protocol.clock import Clock, SystemClock
from vault_protocol.task import TaskId


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def location(self) -> str:
        return self.headers["location"] or ""

    def form(self, ending: str) -> dict[str, str]:
        """The fields of the form whose address ends so, as the page filled them in."""
        reader = _Forms()
        reader.feed(self.text)
        found = [fields for action, fields in reader.forms if action.endswith(ending)]
        assert found, f"no form goes to {ending}"
        return found[0]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((named.get("action", ""), {}))
        elif tag in ("input", "textarea") and self.forms and "name" in named:
            if named.get("type") != "checkbox":
                self.forms[-1][1][named["name"]] = named.get("value", "")
            self._text = named["name"] if tag == "textarea" else ""

    def handle_data(self, data: str) -> None:
        if self._text:
            self.forms[-1][1][self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text:
            fields = self.forms[-1][1]
            fields[self._text] = fields[self._text].removeprefix("\n")
            self._text = ""


@dataclass
class Browser:
    """Keeps one cookie, and sends the headers that browsers send."""

    address: str
    cookie: str = ""
    door: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    trusts: ssl.SSLContext | None = None
    """What it holds the page's certificate against; with it, it speaks TLS."""

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str] | list[tuple[str, str]], **headers: str) -> Answer:
        return self._ask("POST", path, urllib.parse.urlencode(fields), {"Origin": self.address, **headers})

    def see(self, path: str = "waiting") -> Answer:
        return self.get(f"{self.door}/{path}")

    def do(self, act: str, *, on: str = "waiting", **typed: str) -> Answer:
        """Fill in the form for this act as its page shows it, and send it."""
        fields = self.see(on).form(f"/{act}")
        return self.post(f"{self.door}/{act}", {**fields, **typed})

    def pair(self, code: str, name: str = "a test") -> Answer:
        answer = self.post("/pair", {"code": code, "name": name})
        if answer.status == 303:
            jar: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
            self.cookie = f"countersign={jar['countersign'].value}"
            self.door = jar["countersign"]["path"].rstrip("/")
        return answer

    def _ask(self, verb: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        host = urllib.parse.urlsplit(self.address).netloc
        line = (
            http.client.HTTPSConnection(host, timeout=30, context=self.trusts)
            if self.trusts
            else http.client.HTTPConnection(host, timeout=30)
        )
        sent = {"Host": host, **({"Cookie": self.cookie} if self.cookie else {}), **self.headers}
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            line.putrequest(verb, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    line.putheader(name, value)
            encoded = body.encode("ascii") if body is not None else b""
            if body is not None:
                line.putheader("Content-Length", str(len(encoded)))
            line.endheaders(encoded or None)
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode("utf-8"))
        finally:
            line.close()


@dataclass
class Office:
    """The page of one owner, its approval key locked. `poked` counts how often the service was asked to look."""

    world: World
    local: Local
    sign: Signer
    hosted: Hosted
    poked: list[int] = field(default_factory=list)
    letters: dict[str, bytes] = field(default_factory=dict)
    """The owner's mailbox, by Message-ID."""
    gate: threading.Event = field(default_factory=threading.Event)
    """The mailbox answers while this is set."""
    knocked: threading.Event = field(default_factory=threading.Event)
    """Set when the mailbox is asked."""

    def ask_about(
        self, subject: str = "Your offer", text: str = "Thank you, the offer follows.\n", *,
        said: str = "Could you send me an offer?\n", sender: str = "Jane Doe <jane@customer.example>",
        warnings: tuple[str, ...] = (), received: str = "",
    ) -> TaskId:  # fmt: skip
        """A mail arrives in the owner's mailbox, and Cloud answers it as it should."""
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = sender, "Ann Owner <ann@owner.example>", subject
        made["Message-ID"] = f"<{len(self.letters)}@customer.example>"
        made["Date"] = "Mon, 23 Nov 2026 09:00:00 +0000"
        made.set_content(said)
        raw = made.as_bytes(policy=email.policy.SMTP)
        self.letters[str(made["Message-ID"])] = raw
        action, _ = reply_action(
            masked(read(raw))[0], account="business", sender=Mailbox(name="Ann Owner", address="ann@owner.example"),
            own_addresses=frozenset({"ann@owner.example"}), text=text,
        )  # fmt: skip
        return self.world.ask_for(
            subject,
            action=action,
            sender=sender,
            original=said,
            warnings=warnings,
            received=received or utc(datetime.now(UTC)),
            mailbox="business",
            message_id=plain.message_id_shown(str(made["Message-ID"])),
        )

    @property
    def browser(self) -> Browser:
        """A stranger."""
        return Browser(self.hosted.addresses[0])

    def code(self) -> str:
        """As `countersign page` gets it: for whoever can sign with the approval key."""
        told = self.hosted.handlers()["page"]({})
        key = signer(self.world.home, self.local.settings)
        key.unlock(PASSPHRASE, 1)
        message = statement(self.local.settings.vault, self.local.executor, told["challenge"])
        signature = key.sign(message, namespace=NAMESPACE)
        return str(self.hosted.handlers()["page-pair"]({"signature": signature})["code"])

    def paired(self, name: str = "a test") -> Browser:
        browser = self.browser
        answer = browser.pair(self.code(), name)
        assert answer.status == 303, answer.text
        return browser

    def unlock(self) -> None:
        self.sign.unlock(PASSPHRASE, 5)


@contextmanager
def office(world: World, clock: Clock | None = None) -> Iterator[Office]:
    """`world` is set up already."""
    clock = clock or SystemClock()
    setting(world, "page_port", "0")
    local = assemble(world.home, clock)
    letters: dict[str, bytes] = {}
    gate, knocked = threading.Event(), threading.Event()
    gate.set()

    def find(_account: str, id_: str) -> list[bytes]:
        knocked.set()
        assert gate.wait(60)
        return [letters[id_]] if id_ in letters else []

    if local.settings.accounts:
        judge = Judge(
            local.settings, find, world.home.checks, txt=lambda *_: None,
        )  # fmt: skip
        local = replace(local, judge=judge)
    sign = signer(world.home, local.settings, clock)
    poked: list[int] = []
    look = threading.Lock()

    def poke() -> None:
        with look:
            poked.append(1)

    hosted = Hosted(local, sign, lambda: local.judge, poke)
    hosted.start()
    try:
        yield Office(world, local, sign, hosted, poked, letters, gate, knocked)
    finally:
        hosted.stop()


def with_mailbox(world: World) -> None:
    """Set up with the account that the drafts of `ask_about` are sent from."""
    (world.folder / "password").write_text("x", encoding="utf-8")
    account = world.folder / "account.toml"
    account.write_text(
        '[[accounts]]\nname = "business"\naddress = "ann@owner.example"\nuser = "ann"\npassword_file = "password"\n'
        'imap_host = "127.0.0.1"\nimap_port = 9\nimap_tls = "none"\n'
        'submission_host = "127.0.0.1"\nsubmission_port = 9\nsubmission_tls = "none"\n',
        encoding="utf-8",
    )
    ran = world.init("--account-file", str(account), "--no-dry-run")
    assert ran.code == 0, ran.err


def setting(world: World, name: str, value: str) -> None:
    """One line of config.toml."""
    config = world.home.config
    content = config.read_text(encoding="utf-8")
    done, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", content)
    config.write_text(done if found else f"{name} = {value}\n{content}", encoding="utf-8")
