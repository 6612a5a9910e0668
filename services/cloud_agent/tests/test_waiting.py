"""What ends a watcher's wait before its time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_agent.watchers import waiting
from cloud_agent.watchers.mailbox_settings import MailboxSettings
from cloud_agent.watchers.waiting import Backoff, Trouble, wait

FOREVER = 3600.0
SOON = 20.0


def settings(port: int) -> MailboxSettings:
    return MailboxSettings(
        name="business", kind="business", address="owner@home.example", host="127.0.0.1", port=port, user="cloud",
        password_file=Path("nowhere"), tls=False,
    )  # fmt: skip


def waiter(back: Callable[[], bool] | None = None) -> tuple[threading.Thread, threading.Event, threading.Event]:
    stop, again = threading.Event(), threading.Event()
    thread = threading.Thread(target=wait, args=(FOREVER,), kwargs={"stop": stop, "again": again, "back": back})
    thread.start()
    return thread, stop, again


def ended(thread: threading.Thread) -> bool:
    thread.join(SOON)
    return not thread.is_alive()


def test_a_wait_ends_when_what_stood_in_the_way_may_be_gone() -> None:
    thread, _, again = waiter()
    again.set()
    assert ended(thread)
    assert not again.is_set(), "the next wait is a whole one"


def test_a_wait_ends_when_the_agent_is_told_to_stop() -> None:
    thread, stop, _ = waiter()
    stop.set()
    assert ended(thread)


def test_a_wait_ends_when_a_server_that_did_not_answer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "KNOCK", 0.05)
    knocked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]

    def back() -> bool:
        found = waiting.answers(settings(port))
        knocked.set()  # only now: an answer at the first knock is no news
        return found

    thread, _, _ = waiter(back)
    assert knocked.wait(SOON)
    with socket.create_server(("127.0.0.1", port)):
        assert ended(thread)


def test_a_server_that_takes_connections_and_breaks_them_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "KNOCK", 0.0)
    monkeypatch.setattr(waiting, "LOOK", 0.01)
    asked = list[bool]()

    def back() -> bool:
        asked.append(True)
        return True

    wait(0.2, stop=threading.Event(), again=threading.Event(), back=back)
    assert asked == [True], "it answered at first, so that it answers is no news"


def test_a_server_is_asked_less_and_less_and_what_it_has_no_part_in_often() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    assert [backoff.seconds(Trouble.UNREACHABLE, n) for n in (1, 2, 5, 40)] == [1, 2, 16, 60]
    assert [backoff.seconds(Trouble.NOT_TAKEN, n) for n in (1, 2, 5, 40)] == [1, 2, 5, 5]
    assert backoff.seconds(Trouble.AUTH, 1) == 900
