"""Mail in the inbox that no note is about shows, whoever kept quiet about it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.gmail_server import SECRET, GmailServer

from demo.launch import MailWorld
from local_agent.gmail import Gmail
from local_agent.inbox import Inbox
from local_agent.mail_account import AuthFailed, MailAccount, Tls
from local_agent.reconcile import GRACE, Header, Known, hidden
from vault_protocol import keys, notes
from vault_protocol.front_matter import FrontMatter
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.note import Note
from vault_protocol.plain import one_line
from vault_protocol.task import AgentId, Domain, Role, Stage, Task, TaskId
from vault_protocol.testing import MemoryHub, MemoryStore, TestClock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD = NOW - timedelta(hours=1)


def header(message_id: str, received: datetime = OLD) -> Header:
    return Header("business/1", message_id, received)


def test_a_mail_without_a_note_is_hidden_and_one_with_a_note_is_not() -> None:
    ids = frozenset({one_line("<seen@x.example>")})
    found = hidden(
        [header("<seen@x.example>"), header("<quiet@x.example>")], ids, frozenset(), lambda _: b"raw", now=NOW
    )
    assert [one.message_id for one in found] == ["<quiet@x.example>"]


def test_cloud_has_its_time_before_a_mail_counts_as_hidden() -> None:
    fresh = header("<new@x.example>", NOW - GRACE / 2)
    assert hidden([fresh], frozenset(), frozenset(), lambda _: b"raw", now=NOW) == ()


def test_a_mail_whose_hash_a_content_free_stub_carries_is_not_hidden() -> None:
    raw = b"Subject: a secret\r\n\r\nx"
    hashes = frozenset({hashlib.sha256(raw).hexdigest()})
    assert hidden([header("")], frozenset(), hashes, lambda _: raw, now=NOW) == ()
    assert len(hidden([header("")], frozenset(), hashes, lambda _: b"other", now=NOW)) == 1


def test_what_the_vault_knows_follows_the_head() -> None:
    store = MemoryStore()
    me = Identity(AgentId("local"), Role.LOCAL, "v1", keys.new())
    journal = Journal(store, MemoryHub(store), me, TestClock())
    known = Known()
    assert known.of(journal) == (frozenset(), frozenset())
    front = FrontMatter().put(message_id=one_line("<a@x.example>"), sha256="f" * 64)
    task = Task(id=TaskId("a" * 16), stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, note=Note(front, "\nx\n"))
    path, content = notes.write(task)
    journal.publish("add", "a", lambda _head: {path: content})
    assert known.of(journal) == (frozenset({one_line("<a@x.example>")}), frozenset({"f" * 64}))


def no_gmail(account: MailAccount) -> Gmail:
    raise AssertionError(f"{account.name} is not at Gmail")


def test_gmail_s_inbox_is_watched_too_and_each_message_is_asked_about_once() -> None:
    with GmailServer() as server:
        for number in range(5):
            server.arrive(f"m{number}", f"Message-ID: <{number}@x.example>\r\n\r\nbody {number}\r\n".encode(),
                          OLD + timedelta(minutes=number))  # fmt: skip
        server.arrive("archived", b"Message-ID: <a@x.example>\r\n\r\n", OLD, "Label_7")
        server.arrive("old", b"Message-ID: <old@x.example>\r\n\r\n", OLD - timedelta(minutes=1))
        account = MailAccount(
            name="google", address="me@home.example", way="gmail", gmail_url=server.url, gmail_token_url=server.url
        )
        inbox = Inbox([account], lambda one: Gmail(one, lambda: SECRET))
        listed = inbox.since(OLD)
        assert [one.message_id for one in listed] == [f"<{number}@x.example>" for number in range(5)]
        assert listed[4].received == OLD + timedelta(minutes=4)
        found = hidden(listed, frozenset({one_line(f"<{n}@x.example>") for n in range(4)}), frozenset(), inbox.raw,
                       now=NOW)  # fmt: skip
        assert [one.uid for one in found] == ["google/m4"]
        assert inbox.since(OLD) == listed
        assert sorted(server.asked_about) == [f"m{number}" for number in range(5)]
        assert inbox.raw("google/m1") == b"Message-ID: <1@x.example>\r\n\r\nbody 1\r\n"
        assert inbox.raw("google/gone") is None
        server.refresh_token = "another"
        with pytest.raises(AuthFailed, match="gmail-login google"):
            Inbox([account], lambda one: Gmail(one, lambda: SECRET)).since(OLD)


def test_the_real_inbox_lists_what_came_and_gives_its_bytes(mail: MailWorld) -> None:
    provider = mail.provider
    account = MailAccount(
        name="business", address=provider.address, user=provider.acting.user,
        password_file=Path(provider.acting.password_file), imap_host="127.0.0.1", imap_port=provider.imap_port,
        imap_tls=Tls.NONE, submission_host="127.0.0.1", submission_port=provider.submission_port,
        submission_tls=Tls.NONE,
    )  # fmt: skip
    began = datetime.now(UTC) - timedelta(minutes=1)
    for number in range(3):
        provider.deliver(f"Subject: {number}\r\nMessage-ID: <{number}@x.example>\r\n\r\nbody {number}\r\n".encode())
    inbox = Inbox([account], no_gmail)
    listed = inbox.since(began)
    assert [one.message_id for one in listed] == ["<0@x.example>", "<1@x.example>", "<2@x.example>"]
    assert all(began <= one.received <= datetime.now(UTC) + timedelta(seconds=2) for one in listed)
    raw = inbox.raw(listed[1].uid)
    assert raw is not None
    assert raw.endswith(b"body 1\r\n")
    assert inbox.raw("business/999") is None
    assert inbox.since(datetime.now(UTC) + timedelta(days=1)) == ()
