"""Finding originals and sent copies on a real IMAP server."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted

from demo.launch import Provider, mail_world
from local_agent.mailbox import AuthFailed, MailAccount, Mailbox, MailboxUnreachable, NoSentFolder


def message(message_id: str, body: str = "hello") -> bytes:
    return f"Subject: s\r\nMessage-ID: {message_id}\r\n\r\n{body}\r\n".encode()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        yield world.provider


@pytest.fixture
def mailbox(home: Provider) -> Mailbox:
    return Mailbox(account(home))


def account(home: Provider, **changes: object) -> MailAccount:
    fields: dict[str, object] = {
        "name": "office",
        "address": home.address,
        "user": home.acting.user,
        "password_file": home.acting.password_file,
        "imap_host": "127.0.0.1",
        "imap_port": home.imap_port,
        "imap_tls": "none",
        "submission_host": "127.0.0.1",
        "submission_port": home.submission_port,
        "submission_tls": "none",
    }
    return MailAccount.model_validate(fields | changes)


NOWHERE = MailAccount(
    name="office",
    address="owner@home.example",
    user="owner",
    password_file=Path(os.devnull),
    imap_host="127.0.0.1",
    submission_host="127.0.0.1",
)


def logged_in(home: Provider) -> MailBoxUnencrypted:
    box = MailBoxUnencrypted("127.0.0.1", home.imap_port, 10)
    box.login(home.acting.user, home.acting.password_file.read_text(encoding="utf-8"))
    return box


def test_the_original_is_found_by_its_message_id_and_stays_unread(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(message("<1@elsewhere.example>"))
    home.deliver(message("<2@elsewhere.example>"))
    [found] = mailbox.find_original("<1@elsewhere.example>")
    assert found.endswith(message("<1@elsewhere.example>"))
    with logged_in(home) as box:
        assert not any("\\Seen" in mail.flags for mail in box.fetch(mark_seen=False))


def test_a_message_id_that_only_contains_the_wanted_one_is_another_message(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(message("<x1@elsewhere.example>"))
    home.deliver(message("<1@elsewhere.example>.invalid"))
    assert mailbox.find_original("1@elsewhere.example") == ()
    assert mailbox.find_original("<1@elsewhere.example>") == ()


def test_a_message_with_two_message_ids_is_nobodys_original(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(b"Message-ID: <1@x.example>\r\nMessage-ID: <2@x.example>\r\n\r\nhello\r\n")
    assert mailbox.find_original("<1@x.example>") == ()


def test_the_same_message_id_with_other_content_gives_both(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(message("<1@x.example>", "first"))
    home.deliver(message("<1@x.example>", "second"))
    assert len(mailbox.find_original("<1@x.example>")) == 2


def test_an_archived_original_is_found_and_a_copy_counts_once(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(message("<1@x.example>"))
    home.deliver(message("<2@x.example>"))
    with logged_in(home) as box:
        first, second = (mail.uid for mail in box.fetch(mark_seen=False))
        assert first is not None
        assert second is not None
        box.move(first, "Archive")
        box.copy(second, "Archive")
    assert len(mailbox.find_original("<1@x.example>")) == 1
    assert len(mailbox.find_original("<2@x.example>")) == 1


def test_a_sent_copy_is_found_by_its_message_id_with_the_same_bytes(mailbox: Mailbox) -> None:
    raw = message("<1@home.example>")
    assert mailbox.find_sent("<1@home.example>") == ()
    mailbox.append_sent(raw)
    assert mailbox.find_sent("<1@home.example>") == (raw,)


def test_keeping_a_sent_copy_twice_keeps_one(home: Provider, mailbox: Mailbox) -> None:
    mailbox.append_sent(message("<1@home.example>"))
    mailbox.append_sent(message("<1@home.example>"))
    with logged_in(home) as box:
        box.folder.set("Sent")
        [kept] = box.fetch(mark_seen=False)
    assert "\\Seen" in kept.flags


def test_mail_in_the_inbox_is_no_proof_of_sending(home: Provider, mailbox: Mailbox) -> None:
    home.deliver(message("<1@home.example>"))
    assert mailbox.find_sent("<1@home.example>") == ()


@pytest.mark.parametrize("name", ["Sent Items", "Gesendet", "Old/Sent Mail", "Éléments envoyés", "SENT"])
def test_the_sent_folder_is_known_by_its_usual_names(home: Provider, mailbox: Mailbox, name: str) -> None:
    with logged_in(home) as box:
        box.folder.rename("Sent", name)
    mailbox.append_sent(message("<1@home.example>"))
    assert mailbox.find_sent("<1@home.example>") == (message("<1@home.example>"),)


def test_without_a_sent_folder_the_owner_must_name_one(home: Provider, mailbox: Mailbox) -> None:
    with logged_in(home) as box:
        box.folder.rename("Sent", "Outgoing")
    with pytest.raises(NoSentFolder, match="Outgoing"):
        mailbox.find_sent("<1@home.example>")
    assert Mailbox(account(home, sent_folder="Outgoing")).find_sent("<1@home.example>") == ()


@pytest.mark.parametrize("message_id", ["", 'x"\r\n', "\x00", "ä"])
def test_what_is_no_message_id_is_never_searched_for(message_id: str) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        Mailbox(NOWHERE).find_original(message_id)


def test_quotes_in_a_message_id_stay_inside_the_search(home: Provider, mailbox: Mailbox) -> None:
    odd = '<"a b"@x.example>'
    home.deliver(message(odd))
    assert len(mailbox.find_original(odd)) == 1


def test_no_server_and_no_entry_are_two_errors(home: Provider, mailbox: Mailbox, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed):
        Mailbox(account(home, password_file=tmp_path / "none")).find_sent("<1@home.example>")
    home.running.stop()
    with pytest.raises(MailboxUnreachable):
        mailbox.find_sent("<1@home.example>")
