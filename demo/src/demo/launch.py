"""The mail servers as running processes: for the demo, and for every test that needs real mail."""

import json
import secrets
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.processes import START_SECONDS, Running, start
from demo.received import Received, read_all
from demo.serving import LOOPBACK


@dataclass(frozen=True)
class Outside:
    """Everybody else's server, and the record of what it accepted."""

    running: Running
    maildir: Path

    @property
    def port(self) -> int:
        return self.running.ports["smtp"]

    def received(self) -> list[Received]:
        return read_all(self.maildir)


@contextmanager
def outside(folder: Path, *faults: str, port: int = 0) -> Iterator[Outside]:
    """An outside server for one block; `faults` as on its command line ("defer:1")."""
    maildir = folder / "outside"
    options = [option for fault in faults for option in ("--fault", fault)]
    running = start("demo.outside", ["--maildir", str(maildir), "--port", str(port), *options], folder)
    try:
        yield Outside(running, maildir)
    finally:
        running.stop()


@dataclass(frozen=True)
class Login:
    """A user name at the provider, and the file with its password."""

    user: str
    password_file: Path


@dataclass
class Provider:
    """The owner's mail provider: `acting` reads, writes and submits, `reading` is what Cloud gets."""

    running: Running
    address: str
    acting: Login
    reading: Login
    _arguments: list[str]
    _folder: Path

    @property
    def mx_port(self) -> int:
        return self.running.ports["mx"]

    @property
    def submission_port(self) -> int:
        return self.running.ports["submission"]

    @property
    def imap_port(self) -> int:
        return self.running.ports["imap"]

    def deliver(self, raw: bytes, *, sender: str = "customer@elsewhere.example") -> None:
        """Send `raw` to the owner as a stranger would, by SMTP."""
        with smtplib.SMTP(LOOPBACK, self.mx_port, "elsewhere.example", timeout=START_SECONDS) as smtp:
            smtp.sendmail(sender, [self.address], raw)

    def restart(self) -> None:
        """Stop and start on the same ports; the mailboxes are empty and have a new UIDVALIDITY."""
        self.running.stop()
        self.start_again()

    def start_again(self) -> None:
        ports = [word for name, port in self.running.ports.items() for word in (f"--{name}-port", str(port))]
        self.running = start("demo.mail_server", [*self._arguments, *ports], self._folder)


@contextmanager
def provider(folder: Path, *, relay_port: int, address: str = "owner@home.example") -> Iterator[Provider]:
    """The owner's mail provider for one block, with fresh passwords in files under `folder`."""
    secrets_folder = folder / "passwords"
    secrets_folder.mkdir(parents=True, mode=0o700)
    logins = []
    entries = []
    for user, may_submit in ((address, True), (f"cloud.{address}", False)):
        password = secrets.token_urlsafe(16)
        login = Login(user, secrets_folder / user)
        login.password_file.write_text(password, encoding="utf-8")
        logins.append(login)
        entries.append({"user": user, "password": password, "may_submit": may_submit})
    accounts_file = folder / "accounts.json"
    accounts_file.write_text(json.dumps({"accounts": [{"addresses": [address], "logins": entries}]}), encoding="utf-8")
    arguments = ["--accounts", str(accounts_file), "--relay", f"{LOOPBACK}:{relay_port}"]
    acting, reading = logins
    home = Provider(start("demo.mail_server", arguments, folder), address, acting, reading, arguments, folder)
    try:
        yield home
    finally:
        home.running.stop()


@dataclass(frozen=True)
class MailWorld:
    """The owner's provider and the rest of the world, wired together."""

    provider: Provider
    outside: Outside

    def received(self) -> list[Received]:
        """What was really sent."""
        return self.outside.received()


@contextmanager
def mail_world(folder: Path, *faults: str) -> Iterator[MailWorld]:
    """Both servers for one block; `faults` are the outside server's."""
    with outside(folder, *faults) as world, provider(folder, relay_port=world.port) as home:
        yield MailWorld(home, world)
