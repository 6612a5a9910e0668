"""The mail watcher against a real IMAP server in a process of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from queue import Queue

import pytest
from imap_tools import MailBoxUnencrypted

from cloud_agent.watchers.faults import LoginRefused
from cloud_agent.watchers.imap import (
    Arrival,
    Backoff,
    ImapWatcher,
    MailboxSettings,
    Retry,
    Trouble,
    WatchState,
)
from demo.launch import Provider, mail_world
from demo.processes import eventually

DEADLINE = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        yield world.provider


def mail(number: int, body: str = "hello") -> bytes:
    return f"Subject: number {number}\r\nMessage-ID: <{number}@elsewhere.example>\r\n\r\n{body}\r\n".encode()


def settings(home: Provider, **changes: object) -> MailboxSettings:
    fields: dict[str, object] = {
        "name": "office",
        "kind": "business",
        "address": home.address,
        "host": "127.0.0.1",
        "port": home.imap_port,
        "user": home.reading.user,
        "password_file": home.reading.password_file,
        "tls": False,
        "timeout_seconds": 10,
    }
    return MailboxSettings.model_validate(fields | changes)


@dataclass
class Watch:
    """A watcher on its own thread, and what it said."""

    arrivals: Queue[Arrival] = field(default_factory=Queue)
    troubles: Queue[Trouble] = field(default_factory=Queue)
    looked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def next(self) -> Arrival:
        return self.arrivals.get(timeout=DEADLINE)

    def subjects(self, count: int) -> list[str]:
        return [subject(self.next()) for _ in range(count)]

    def wait_until_it_looked(self) -> None:
        assert self.looked.acquire(timeout=DEADLINE)


def subject(arrival: Arrival) -> str:
    lines = arrival.raw.decode().splitlines()
    return next(line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: "))


@contextmanager
def watching(
    mailbox: MailboxSettings,
    state: Path,
    take: Callable[[Arrival], None] = lambda arrival: None,
    backoff: Backoff | None = None,
) -> Iterator[Watch]:
    watch = Watch()

    def on_mail(arrival: Arrival) -> None:
        take(arrival)
        watch.arrivals.put(arrival)

    watcher = ImapWatcher(
        mailbox,
        state,
        on_mail,
        on_trouble=lambda trouble, detail: watch.troubles.put(trouble),
        on_healthy=watch.looked.release,
        backoff=backoff or Backoff(first=0.02, longest=0.1, paused=0.05),
    )
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def test_mail_sent_by_smtp_reaches_the_watcher_while_it_idles(home: Provider, tmp_path: Path) -> None:
    with watching(settings(home), tmp_path / "state.json") as watch:
        watch.wait_until_it_looked()
        before = datetime.now(UTC)
        home.deliver(mail(1))
        arrival = watch.next()
    assert arrival.mailbox == "office"
    assert arrival.raw.endswith(mail(1))
    assert not arrival.oversized
    assert abs(arrival.received_at - before) < timedelta(minutes=1)


def test_a_burst_arrives_once_each_and_in_order(home: Provider, tmp_path: Path) -> None:
    with watching(settings(home), tmp_path / "state.json") as watch:
        for number in range(30):
            home.deliver(mail(number))
        assert watch.subjects(30) == [f"number {number}" for number in range(30)]
        assert watch.arrivals.empty()


def test_after_a_new_root_of_the_vault_the_mailbox_is_read_from_the_start_once(home: Provider, tmp_path: Path) -> None:
    """Also when the root comes while a message is handed over: that one may be left behind with the old line."""
    generations, taken = [0], []

    def take(arrival: Arrival) -> None:
        taken.append(subject(arrival))
        if len(taken) == 2:
            generations[0] = 1

    watcher = ImapWatcher(settings(home), tmp_path / "state.json", take, generation=lambda: generations[0])
    for number in (1, 2):
        home.deliver(mail(number))
    assert [watcher.catch_up() for _ in range(3)] == [2, 2, 0]
    assert taken == ["number 1", "number 2"] * 2


def test_mail_that_came_while_the_watcher_was_down_is_caught_up(home: Provider, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    home.deliver(mail(1))
    with watching(settings(home), state) as watch:
        assert watch.subjects(1) == ["number 1"]
        watch.wait_until_it_looked()
    home.deliver(mail(2))
    home.deliver(mail(3))
    with watching(settings(home), state) as watch:
        assert watch.subjects(2) == ["number 2", "number 3"]


def test_catch_up_returns_how_many_it_handed_over(home: Provider, tmp_path: Path) -> None:
    seen: list[Arrival] = []
    watcher = ImapWatcher(settings(home), tmp_path / "state.json", seen.append)
    home.deliver(mail(1))
    home.deliver(mail(2))
    assert watcher.catch_up() == 2
    assert watcher.catch_up() == 0
    assert [subject(arrival) for arrival in seen] == ["number 1", "number 2"]


def test_a_server_that_comes_back_renumbered_is_read_from_the_start(home: Provider, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with watching(settings(home), state) as watch:
        home.deliver(mail(1))
        first = watch.next()
        before = eventually(lambda: WatchState.read(state), "it wrote down how far it is", seconds=DEADLINE)
        home.restart()
        home.deliver(mail(2))
        second = watch.next()
        assert watch.troubles.get(timeout=DEADLINE) is Trouble.UNREACHABLE
    after = WatchState.read(state)
    assert (subject(first), subject(second)) == ("number 1", "number 2")
    assert before
    assert after
    assert before.uidvalidity != after.uidvalidity
    assert before.last_uid == after.last_uid  # the same number under another validity is another message


def test_a_server_that_is_away_is_reported_and_found_again(home: Provider, tmp_path: Path) -> None:
    home.running.stop()
    with watching(settings(home), tmp_path / "state.json") as watch:
        assert watch.troubles.get(timeout=DEADLINE) is Trouble.UNREACHABLE
        home.start_again()
        home.deliver(mail(1))
        assert watch.subjects(1) == ["number 1"]


def test_a_wrong_password_is_trouble_of_its_own_and_is_not_hammered(home: Provider, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not-this-one\n", encoding="utf-8")
    mailbox = settings(home, password_file=wrong)
    with watching(mailbox, tmp_path / "state.json", backoff=Backoff(first=0.01, paused=600)) as watch:
        assert watch.troubles.get(timeout=DEADLINE) is Trouble.AUTH
        assert watch.troubles.empty()
    # leaving the block ended the pause of minutes at once


def test_the_watcher_resumes_once_the_password_is_mended(home: Provider, tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    with watching(settings(home, password_file=password_file), tmp_path / "state.json") as watch:
        assert watch.troubles.get(timeout=DEADLINE) is Trouble.AUTH
        password_file.write_text(home.reading.password_file.read_text(encoding="utf-8"), encoding="utf-8")
        home.deliver(mail(1))
        assert watch.subjects(1) == ["number 1"]


def test_a_refused_login_never_shows_the_password(home: Provider, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2-hunter2", encoding="utf-8")
    with pytest.raises(LoginRefused) as refused:
        ImapWatcher(settings(home, password_file=wrong), tmp_path / "state.json", print).catch_up()
    assert "hunter2" not in repr(refused.value) + str(refused.value) + repr(refused.value.__cause__)


def test_a_folder_that_does_not_exist_is_trouble_of_its_own(home: Provider, tmp_path: Path) -> None:
    with watching(settings(home, folder="Nowhere"), tmp_path / "state.json") as watch:
        assert watch.troubles.get(timeout=DEADLINE) is Trouble.FOLDER


def test_a_message_that_is_not_taken_is_brought_again_before_the_next(home: Provider, tmp_path: Path) -> None:
    refusals = iter([True, True])
    home.deliver(mail(1))
    home.deliver(mail(2))

    def take(arrival: Arrival) -> None:
        if next(refusals, False):
            raise Retry("the vault is away")

    with watching(settings(home), tmp_path / "state.json", take) as watch:
        assert watch.subjects(2) == ["number 1", "number 2"]
        assert [watch.troubles.get(timeout=DEADLINE) for _ in range(2)] == [Trouble.NOT_TAKEN] * 2


def test_a_message_that_is_not_taken_is_fetched_once(home: Provider, tmp_path: Path) -> None:
    brought = list[Arrival]()

    def take(arrival: Arrival) -> None:
        brought.append(arrival)
        if len(brought) < 4:
            raise Retry("the disk is full")

    home.deliver(mail(1))
    with watching(settings(home), tmp_path / "state.json", take) as watch:
        assert watch.subjects(1) == ["number 1"]
    assert len(brought) == 4
    assert all(other is brought[0] for other in brought), "it was fetched again"


def test_a_crash_in_the_consumer_ends_the_watcher_and_repeats_the_message(home: Provider, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    home.deliver(mail(1))

    def crash(arrival: Arrival) -> None:
        raise OSError("disk full")  # even an error that looks like the network's

    with pytest.raises(OSError, match="disk full"):
        ImapWatcher(settings(home), state, crash).run(threading.Event())
    seen: list[Arrival] = []
    assert ImapWatcher(settings(home), state, seen.append).catch_up() == 1
    assert subject(seen[0]) == "number 1"


def test_of_a_large_message_only_the_headers_are_fetched(home: Provider, tmp_path: Path) -> None:
    seen: list[Arrival] = []
    home.deliver(mail(1, "\r\n".join(["x" * 70] * 100)))
    home.deliver(mail(2))
    ImapWatcher(settings(home, largest_bytes=2000), tmp_path / "state.json", seen.append).catch_up()
    assert [(subject(a), a.oversized) for a in seen] == [("number 1", True), ("number 2", False)]
    assert b"xxx" not in seen[0].raw


def test_watching_leaves_mail_unread(home: Provider, tmp_path: Path) -> None:
    home.deliver(mail(1))
    password = home.acting.password_file.read_text(encoding="utf-8")
    owner_reads = settings(home, user=home.acting.user, password_file=home.acting.password_file)
    assert ImapWatcher(owner_reads, tmp_path / "state.json", lambda arrival: None).catch_up() == 1
    with MailBoxUnencrypted("127.0.0.1", home.imap_port, 10).login(home.acting.user, password) as mailbox:
        assert [message.flags for message in mailbox.fetch(mark_seen=False)] == [("\\Recent",)]


def test_mail_older_than_since_is_left_alone(home: Provider, tmp_path: Path) -> None:
    password = home.acting.password_file.read_text(encoding="utf-8")
    with MailBoxUnencrypted("127.0.0.1", home.imap_port, 10).login(home.acting.user, password) as mailbox:
        mailbox.append(mail(1), "INBOX", dt=datetime(2020, 1, 1, tzinfo=UTC))
        mailbox.append(mail(2), "INBOX", dt=datetime(2024, 5, 6, tzinfo=UTC))
    seen: list[Arrival] = []
    ImapWatcher(settings(home, since=date(2024, 5, 6)), tmp_path / "state.json", seen.append).catch_up()
    assert [subject(arrival) for arrival in seen] == ["number 2"]


def test_a_read_credential_changes_nothing_in_the_mailbox(home: Provider, tmp_path: Path) -> None:
    home.deliver(mail(1))
    password = home.reading.password_file.read_text(encoding="utf-8")
    box = MailBoxUnencrypted("127.0.0.1", home.imap_port, 10)
    with box.login(home.reading.user, password, None) as mailbox:
        mailbox.folder.set("INBOX", readonly=True)
        client = mailbox.client
        answers = [
            client.store("1", "+FLAGS", r"(\Deleted)"),
            client.copy("1", "Sent"),
            client.create("Mine"),
            client.append("INBOX", "", None, mail(2)),
        ]
    assert [status for status, _ in answers] == ["NO"] * 4


def test_the_state_file_says_exactly_what_was_handed_over(home: Provider, tmp_path: Path) -> None:
    state = tmp_path / "new" / "state.json"
    seen: list[Arrival] = []
    home.deliver(mail(1))
    ImapWatcher(settings(home), state, seen.append).catch_up()
    assert len(seen) == 1
    with MailBoxUnencrypted("127.0.0.1", home.imap_port, 10).login(
        home.reading.user, home.reading.password_file.read_text(encoding="utf-8"), None
    ) as mailbox:
        held = mailbox.folder.status("INBOX", ["UIDVALIDITY", "UIDNEXT"])
    assert WatchState.read(state) == WatchState(uidvalidity=held["UIDVALIDITY"], last_uid=held["UIDNEXT"] - 1)
