"""The watcher's connection: cut cables, TLS, servers that talk out of turn, and mail that comes at any moment."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue

import pytest
from pydantic import ValidationError

from cloud_agent.watchers.faults import Unreachable
from cloud_agent.watchers.imap import Arrival, Backoff, ImapWatcher, MailboxSettings, Trouble
from demo.cable import cable
from demo.certificates import self_signed
from demo.launch import Provider, mail_world

DEADLINE = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        yield world.provider


def settings(home: Provider, port: int, **changes: object) -> MailboxSettings:
    return any_settings(port, home.reading.password_file, user=home.reading.user, **changes)


def any_settings(port: int, password_file: Path = Path(os.devnull), **changes: object) -> MailboxSettings:
    """For a server that takes any password."""
    fields: dict[str, object] = {
        "name": "office",
        "kind": "business",
        "address": "owner@home.example",
        "host": "127.0.0.1",
        "port": port,
        "user": "owner",
        "password_file": password_file,
        "tls": False,
        "timeout_seconds": 10,
    }
    return MailboxSettings.model_validate(fields | changes)


@contextmanager
def watching(mailbox: MailboxSettings, state: Path) -> Iterator[tuple[Queue[Arrival], Queue[Trouble]]]:
    arrivals: Queue[Arrival] = Queue()
    troubles: Queue[Trouble] = Queue()
    stop = threading.Event()
    watcher = ImapWatcher(
        mailbox,
        state,
        arrivals.put,
        on_trouble=lambda trouble, detail: troubles.put(trouble),
        backoff=Backoff(first=0.02, longest=0.1),
    )
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        yield arrivals, troubles
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def mail(number: int) -> bytes:
    return f"Subject: {number}\r\n\r\nhello\r\n".encode()


def number_of(arrival: Arrival) -> int:
    lines = arrival.raw.decode().splitlines()
    return int(next(line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")))


def test_mail_at_any_moment_wakes_the_watcher_and_comes_once(home: Provider, tmp_path: Path) -> None:
    """The next pair is sent the moment the last was taken: before, during and after the next IDLE."""
    with watching(settings(home, home.imap_port), tmp_path / "state.json") as (arrivals, troubles):
        for pair in range(30):
            home.deliver(mail(2 * pair))
            home.deliver(mail(2 * pair + 1))
            assert [number_of(arrivals.get(timeout=DEADLINE)) for _ in "12"] == [2 * pair, 2 * pair + 1]
        assert arrivals.empty()
        assert troubles.empty()


def test_a_cut_cable_loses_nothing_and_brings_nothing_twice(home: Provider, tmp_path: Path) -> None:
    with (
        cable(home.imap_port) as line,
        watching(settings(home, line.port), tmp_path / "state.json") as (arrivals, troubles),
    ):
        for number in range(8):
            line.cut()
            home.deliver(mail(number))
            line.cut()
            assert number_of(arrivals.get(timeout=DEADLINE)) == number
        assert arrivals.empty()
        assert troubles.get(timeout=DEADLINE) is Trouble.UNREACHABLE


def test_the_watcher_works_over_tls(home: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, certificate = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with cable(home.imap_port, context) as line:
        mailbox = settings(home, line.port, tls=True)
        with watching(mailbox, tmp_path / "state.json") as (arrivals, troubles):
            for number in range(20):
                home.deliver(mail(number))
                assert number_of(arrivals.get(timeout=DEADLINE)) == number
            assert troubles.empty()


def test_a_certificate_nobody_vouches_for_is_refused(home: Provider, tmp_path: Path) -> None:
    context, _ = self_signed(tmp_path)
    with cable(home.imap_port, context) as line, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        ImapWatcher(settings(home, line.port, tls=True), tmp_path / "state.json", lambda arrival: None).catch_up()


@pytest.mark.parametrize("host", ["imap.example.org", "8.8.8.8"])
def test_a_password_is_never_sent_in_clear_over_the_internet(host: str) -> None:
    with pytest.raises(ValidationError, match="without tls"):
        any_settings(143, host=host)


@pytest.mark.parametrize(
    "greeting", [b"", b"hello?\r\n", b"* BYE go away\r\n", b"* OK hi\r\n* nonsense", b"\xff" * 5000]
)
def test_a_server_that_talks_nonsense_is_unreachable(tmp_path: Path, greeting: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        with suppress(OSError), listener.accept()[0] as client:
            client.sendall(greeting)

    thread = threading.Thread(target=greet)
    thread.start()
    mailbox = any_settings(listener.getsockname()[1])
    with pytest.raises(Unreachable):
        ImapWatcher(mailbox, tmp_path / "state.json", lambda arrival: None).catch_up()
    thread.join(DEADLINE)
    listener.close()


def test_a_silent_server_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        mailbox = any_settings(listener.getsockname()[1], timeout_seconds=0.2)
        with pytest.raises(Unreachable):
            ImapWatcher(mailbox, tmp_path / "state.json", lambda arrival: None).catch_up()


@contextmanager
def scripted_server(answers: dict[str, bytes]) -> Iterator[tuple[int, Queue[str]]]:
    """An IMAP server that answers each command by its name; yields its port and what it was asked.

    An answer is sent as it stands, then "TAG OK done"; IDLE's is all of the answer until DONE comes.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    asked: Queue[str] = Queue()

    def talk() -> None:
        with suppress(OSError), listener.accept()[0] as client, client.makefile("rb") as lines:
            client.sendall(b"* OK hello\r\n")
            for line in lines:
                tag, *words = line.decode().split()
                command = " ".join(words[:2]) if words[0] == "UID" else words[0]
                asked.put(command)
                client.sendall(answers.get(command, b""))
                if command == "IDLE":
                    lines.readline()
                client.sendall(f"{tag} OK done\r\n".encode())

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(DEADLINE)
        listener.close()


EMPTY = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n",
    "EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n",
    "UID SEARCH": b"* SEARCH\r\n",
    "IDLE": b"+ go on\r\n",
}


def until(asked: Queue[str], command: str) -> list[str]:
    """What was asked up to the next `command`."""
    commands = [asked.get(timeout=DEADLINE)]
    while commands[-1] != command:
        commands.append(asked.get(timeout=DEADLINE))
    return commands


@pytest.mark.parametrize("news", [b"* 1 EXISTS\r\n+ go on\r\n", b"+ go on\r\n* 1 EXISTS\r\n"])
def test_news_around_the_consent_to_idle_is_not_slept_on(tmp_path: Path, news: bytes) -> None:
    with scripted_server(EMPTY | {"IDLE": news}) as (port, asked):
        with watching(any_settings(port), tmp_path / "state.json") as (_, troubles):
            for _ in range(3):
                assert until(asked, "IDLE")[-3:] == ["EXAMINE", "UID SEARCH", "IDLE"]
        assert troubles.empty()


def test_news_beside_an_answer_is_looked_at_before_idling(tmp_path: Path) -> None:
    answers = EMPTY | {"UID SEARCH": b"* SEARCH\r\n* 1 EXISTS\r\n"}
    with (
        scripted_server(answers) as (port, asked),
        watching(any_settings(port), tmp_path / "state.json"),
    ):
        for _ in range(3):
            assert "IDLE" not in until(asked, "UID SEARCH")


def test_a_server_without_idle_is_polled(tmp_path: Path) -> None:
    answers = EMPTY | {"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n"}
    with (
        scripted_server(answers) as (port, asked),
        watching(any_settings(port, idle_seconds=0.05), tmp_path / "state.json"),
    ):
        for _ in range(3):
            assert "IDLE" not in until(asked, "UID SEARCH")


def test_news_of_other_messages_amid_a_fetch_is_not_taken_for_the_text(tmp_path: Path) -> None:
    arrived = b'* 2 FETCH (UID 9 RFC822.SIZE 14 INTERNALDATE " 1-Nov-2026 10:00:00 +0100")\r\n'
    other = b"* 1 FETCH (FLAGS (\\Recent))\r\n* 1 FETCH (UID 8 BODY[] {5}\r\nwrong)\r\n"
    text = b"* 2 FETCH (BODY[] {14}\r\nSubject: 9\r\n\r\n UID 9)\r\n* 1 FETCH (FLAGS (\\Seen) UID 8)\r\n"
    # "*" in a range always names the last message, so 9 is listed again when it is already known.
    answers = EMPTY | {"UID SEARCH": b"* SEARCH 9\r\n", "UID FETCH": other + arrived + text}
    taken: list[Arrival] = []
    with scripted_server(answers) as (port, _):
        ImapWatcher(any_settings(port), tmp_path / "state.json", taken.append).catch_up()
    with scripted_server(answers) as (port, _):
        ImapWatcher(any_settings(port), tmp_path / "state.json", taken.append).catch_up()
    assert [(a.raw, a.received_at.isoformat()) for a in taken] == [(b"Subject: 9\r\n\r\n", "2026-11-01T10:00:00+01:00")]
