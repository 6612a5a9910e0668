"""The owner is told once of what waits, by each way; nothing of a draft is in it, and nothing waits for it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World, until
from services.local_agent.tests.notify_servers import Ntfy, Telegram, Told

from correspondence import read
from demo.launch import mail_world
from local_agent.mail_account import MailAccount, Tls
from local_agent.notify.notifier import Notifier
from local_agent.notify.settings import NotifySettings
from local_agent.notify.ways import Around, way
from local_agent.setup import config
from vault_protocol.errors import VaultError
from vault_protocol.testing import TestClock

ONE = {"a.1": "Your offer"}
TWO = {**ONE, "b.1": "Invoice 7"}


@pytest.fixture(params=[Ntfy, Telegram])
def server(request: pytest.FixtureRequest) -> Iterator[Told]:
    with request.param() as made:
        yield made


@pytest.fixture
def ntfy() -> Iterator[Ntfy]:
    with Ntfy() as made:
        yield made


class Desk:
    """A notifier with its clock; `again` is one that starts anew over the same file."""

    def __init__(self, folder: Path, *settings: NotifySettings, secret: str = "", account: MailAccount | None = None):
        self.clock, self.file = TestClock(), folder / "notified.json"
        self._settings, self._secret, self._account = settings, secret, account
        self.again()

    def again(self) -> None:
        def accounts(_: str) -> MailAccount:
            assert self._account is not None
            return self._account

        around = Around(lambda _: self._secret, accounts, self.clock.now)
        self.notifier = Notifier(self._settings, lambda one: way(one, around), self.file, self.clock.now)

    def tell(self, waiting: dict[str, str], *, after: timedelta = timedelta(minutes=5)) -> str:
        """The trouble of the first way."""
        self.clock.tick(after)
        self.notifier.tell(waiting)
        return next(iter(self.notifier.troubles().values()))


def settings(server: Told, **changes: object) -> NotifySettings:
    fields = {"name": "phone", "way": type(server).__name__.lower(), "server": server.url, "chat": ""}
    if isinstance(server, Telegram):
        fields["chat"] = server.chat
    return NotifySettings.model_validate({**fields, **changes})


def test_what_waits_is_told_once_with_its_number_and_no_word_of_it(server: Told, tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings(server), secret=server.secret)
    for waiting in (ONE, ONE, TWO, TWO, {"b.1": "Invoice 7"}, {}):
        assert desk.tell(waiting) == ""
    assert [text.removeprefix("Countersign: ") for text in server.texts] == [
        "1 thing waits for you", "2 things wait for you",
    ]  # fmt: skip


def test_a_new_revision_is_news_and_a_restart_is_none(server: Told, tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings(server), secret=server.secret)
    desk.tell(ONE)
    desk.again()
    desk.tell(ONE)
    assert len(server.texts) == 1
    desk.tell({"a.2": "Your offer"})
    assert len(server.texts) == 2


def test_what_comes_within_the_quiet_time_is_told_together(server: Told, tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings(server, quiet_minutes=30), secret=server.secret)
    desk.tell(ONE)
    desk.tell(TWO, after=timedelta(minutes=10))
    desk.tell({**TWO, "c.1": "x"}, after=timedelta(minutes=10))
    assert len(server.texts) == 1
    desk.tell({**TWO, "c.1": "x"}, after=timedelta(minutes=11))
    assert server.texts[1].endswith("3 things wait for you")


def test_subjects_are_told_only_when_the_owner_says_so_and_as_one_harmless_line_each(
    ntfy: Ntfy, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, settings(ntfy, telling="subjects"), secret=ntfy.secret)
    desk.tell({f"{n}.1": f"Number {n}" for n in range(5)} | {"x.1": "two\nlines \u202ereversed", "y.1": "z" * 500})
    lines = ntfy.texts[0].split("\n")
    assert lines == ["Countersign: 7 things wait for you", *(f"Number {n}" for n in range(5)), "and 2 more"]
    desk.tell({"x.1": "two\nlines \u202ereversed", "w.1": "w" * 500, "v.1": "two\nlines \u202ereversed"})
    assert "\u202e" not in ntfy.texts[1]
    assert max(map(len, ntfy.texts[1].split("\n"))) <= 120
    assert len(ntfy.texts[1].split("\n")) == 3


def test_a_server_that_wants_to_be_left_alone_is_and_nothing_is_lost(server: Told, tmp_path: Path) -> None:
    said = {"Retry-After": "600"} if isinstance(server, Ntfy) else {}
    body = {"ok": False, "error_code": 429, "parameters": {"retry_after": 600}}
    server.faults.append((429, said, body))
    desk = Desk(tmp_path, settings(server), secret=server.secret)
    assert desk.tell(ONE).endswith("answers 429")
    desk.tell(ONE, after=timedelta(minutes=9))
    assert server.asked == 1
    assert desk.tell(ONE, after=timedelta(minutes=2)) == ""
    assert len(server.texts) == 1


def test_an_answer_that_is_lost_is_asked_for_again(server: Told, tmp_path: Path) -> None:
    server.faults.append(None)
    desk = Desk(tmp_path, settings(server), secret=server.secret)
    assert "does not answer" in desk.tell(ONE)
    assert desk.tell(ONE) == ""
    assert len(server.texts) == 2, "told twice is better than never"


def test_tries_at_a_broken_server_grow_rare(server: Told, tmp_path: Path) -> None:
    server.faults += [(500, {}, {"error": "broken"})] * 200
    desk = Desk(tmp_path, settings(server), secret=server.secret)
    for _ in range(24 * 60):
        desk.tell(ONE, after=timedelta(minutes=1))
    assert 24 <= server.asked <= 34


def test_a_wrong_secret_is_told_without_the_secret(server: Told, tmp_path: Path) -> None:
    desk = Desk(tmp_path, settings(server), secret="wrong-secret-8842")
    trouble = desk.tell(ONE)
    assert "answers 40" in trouble
    assert "wrong-secret" not in trouble


def test_an_access_token_goes_in_a_header(ntfy: Ntfy, tmp_path: Path) -> None:
    ntfy.token = "tk_77aa"
    desk = Desk(tmp_path, settings(ntfy), secret=f"{ntfy.secret} tk_77aa")
    assert desk.tell(ONE) == ""


def test_a_mail_goes_to_the_account_s_own_address_and_nowhere_else(tmp_path: Path) -> None:
    with mail_world(tmp_path / "mail") as mail:
        provider = mail.provider
        account = MailAccount(
            name="business", address=provider.address, user=provider.acting.user,
            password_file=provider.acting.password_file, imap_host="127.0.0.1", imap_port=provider.imap_port,
            imap_tls=Tls.NONE, submission_host="127.0.0.1", submission_port=provider.submission_port,
            submission_tls=Tls.NONE, timeout_seconds=5, answer_seconds=5,
        )  # fmt: skip
        way_ = NotifySettings(name="mail", way="mail", account="business")
        desk = Desk(tmp_path, way_, account=account)
        assert desk.tell(ONE) == ""
        until(mail.received)
        (arrived,) = mail.received()
        assert arrived.envelope.recipients == (provider.address,)
        told = read(arrived.raw)
        assert (told.subject, told.text.strip()) == ("1 thing waits for you",) * 2
        assert [box.address for box in told.to] == [provider.address]


def test_the_desktop_s_program_gets_the_words_as_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nfor one; do printf "%s\\0" "$one"; done > {tmp_path}/given\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    desk = Desk(tmp_path, NotifySettings(name="desk", way="desktop", telling="subjects"))
    assert desk.tell({"a.1": "--help $(touch x) `y`"}) == ""
    given = (tmp_path / "given").read_text(encoding="utf-8").split("\0")
    assert given[:4] == ["--app-name", "Countersign", "--", "Countersign"]
    assert given[4].startswith("1 thing waits for you\n--help")
    program.write_text("#!/bin/sh\necho no bus >&2\nexit 1\n", encoding="utf-8")
    assert desk.tell({"b.1": "x"}) == "notify-send: no bus"


def test_a_server_that_hangs_keeps_nobody_waiting(ntfy: Ntfy, tmp_path: Path) -> None:
    ntfy.hold = threading.Event()
    desk = Desk(tmp_path, settings(ntfy), secret=ntfy.secret)
    desk.notifier.step(ONE)
    until(lambda: ntfy.asked == 1)
    for _ in range(100):
        desk.notifier.step(ONE)
    assert (ntfy.asked, ntfy.texts) == (1, [])
    ntfy.hold.set()
    until(lambda: ntfy.texts)
    until(lambda: desk.file.exists())
    assert json.loads(desk.file.read_text()) == {"phone": ["a.1"]}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"way": "telegram"}, "chat is needed"),
        ({"way": "mail"}, "account is needed"),
        ({"way": "ntfy", "server": "http://ntfy.example"}, "https"),
        ({"way": "pigeon"}, "desktop"),
    ],
)
def test_settings_that_are_not_whole_are_refused(fields: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        NotifySettings.model_validate({"name": "x", **fields})


def test_the_running_service_tells_of_a_draft_and_says_how_it_went(
    ntfy: Ntfy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    with world.home.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[notify]]\nname = "phone"\nway = "ntfy"\nserver = "{ntfy.url}"\n')
    found = world.home.settings()
    assert config.render(found).count("[[notify]]") == 1
    with pytest.raises(VaultError):
        world.home.credentials.get("notify.phone")
    world.ask_for("Secret plans")
    with world.service():
        until(lambda: "notify.phone" in json.dumps(world.run("status", "--json").json["notify"]))
    world.home.credentials.set("notify.phone", ntfy.secret, now=datetime.now(UTC))
    with world.service():
        until(lambda: ntfy.texts)
        until(lambda: world.run("status", "--json").json["notify"] == {"phone": ""})
    with world.service():
        until(lambda: world.run("status", "--json").json["notify"] == {"phone": ""})
    assert ntfy.texts == ["Countersign: 1 thing waits for you"]
