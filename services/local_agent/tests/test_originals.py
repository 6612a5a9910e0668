"""The originals of many drafts are found over one connection, on a real IMAP server."""

from __future__ import annotations

import imaplib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from imap_tools import BaseMailBox
from services.local_agent.tests.test_mailbox_folders import NOWHERE, account, logged_in, message

from demo.launch import Provider, mail_world
from local_agent import imap
from local_agent.gmail import Gmail
from local_agent.mail_account import MailAccount
from local_agent.originals import Originals
from vault_protocol.errors import VaultError

IDS = [f"<{number}@elsewhere.example>" for number in range(3)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        box = logged_in(world.provider)
        for id_ in IDS:
            box.append(message(id_), "INBOX")
        box.logout()
        yield world.provider


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[BaseMailBox]:
    """Every connection that was begun."""
    found: list[BaseMailBox] = []
    connect = imap._connect

    def counted(account: MailAccount) -> BaseMailBox:
        found.append(connect(account))
        return found[-1]

    monkeypatch.setattr(imap, "_connect", counted)
    return found


def no_gmail(_account: MailAccount) -> Gmail:
    raise AssertionError("no account is reached so")


def of(account: MailAccount) -> Originals:
    return Originals(lambda _name: account, no_gmail)


def test_one_connection_serves_a_round_and_ends_with_it(home: Provider, connections: list[BaseMailBox]) -> None:
    find = of(account(home))
    with find.together():
        assert [find("office", id_) for id_ in (*IDS, "<none@elsewhere.example>")] == [
            *((message(id_),) for id_ in IDS),
            (),
        ]
    assert [box.client.state for box in connections] == ["LOGOUT"]
    assert find("office", IDS[0]) == (message(IDS[0]),)
    assert len(connections) == 2, "outside of a round each look has its own"


def test_a_connection_that_the_server_ended_is_opened_anew(home: Provider, connections: list[BaseMailBox]) -> None:
    find = of(account(home))
    with find.together():
        find("office", IDS[0])
        connections[0].client.shutdown()
        assert find("office", IDS[1]) == (message(IDS[1]),)
        assert find("office", IDS[2]) == (message(IDS[2]),)
    assert len(connections) == 2


def test_another_thread_has_a_connection_of_its_own(home: Provider, connections: list[BaseMailBox]) -> None:
    find, found = of(account(home)), list[Any]()
    with find.together():
        find("office", IDS[0])
        other = threading.Thread(target=lambda: found.append(find("office", IDS[1])))
        other.start()
        other.join()
    assert (found, len(connections)) == ([(message(IDS[1]),)], 2)


def test_a_mailbox_that_is_away_is_tried_once_in_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    opened = imap.opened

    def counted(account: MailAccount) -> AbstractContextManager[BaseMailBox]:
        tried.append(account.name)
        return opened(account)

    monkeypatch.setattr("local_agent.mailbox.opened", counted)
    away = NOWHERE.model_copy(update={"imap_port": 1, "timeout_seconds": 2})
    find = of(away)
    for _ in range(2):
        with find.together():
            for id_ in IDS:
                with pytest.raises(VaultError, match="account office"):
                    find("office", id_)
    assert tried == ["office", "office"]


def test_what_the_round_raises_passes_as_it_is(home: Provider) -> None:
    """A full disk is no mailbox that is away."""
    find = of(account(home))

    def run_out() -> None:
        with find.together():
            find("office", IDS[0])
            raise OSError(28, "no room")

    with pytest.raises(OSError, match="no room"):
        run_out()


def test_a_message_id_that_cannot_be_searched_for_leaves_the_account_usable(home: Provider) -> None:
    find = of(account(home))
    with find.together():
        with pytest.raises(VaultError, match="not a Message-ID"):
            find("office", "<a\n@b>")
        assert find("office", IDS[0]) == (message(IDS[0]),)


def test_one_message_that_the_server_fails_on_takes_no_other_with_it(
    home: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may write a mail that a server cannot give back."""
    search = imap.with_message_id

    def failing(mailbox: BaseMailBox, folder: str, message_id: str) -> list[bytes]:
        if message_id == IDS[1]:
            raise imaplib.IMAP4.error("SEARCH was answered by NO")
        return search(mailbox, folder, message_id)

    monkeypatch.setattr("local_agent.mailbox.with_message_id", failing)
    find = of(account(home))
    with find.together():
        assert find("office", IDS[0]) == (message(IDS[0]),)
        for _ in range(2):
            with pytest.raises(VaultError, match="answered by NO"):
                find("office", IDS[1])
        assert find("office", IDS[2]) == (message(IDS[2]),)


def test_a_round_within_a_round_leaves_the_outer_one_as_it_was(home: Provider, connections: list[BaseMailBox]) -> None:
    find = of(account(home))
    with find.together():
        find("office", IDS[0])
        with find.together():
            find("office", IDS[1])
        assert find("office", IDS[2]) == (message(IDS[2]),)
    assert [box.client.state for box in connections] == ["LOGOUT", "LOGOUT"]
