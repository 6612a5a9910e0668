"""What is known after each way a submission can go, against real servers and against one that misbehaves."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from demo.launch import MailWorld, mail_world
from demo.processes import eventually
from local_agent.mailbox import (
    Accepted,
    AuthFailed,
    MailAccount,
    Mailbox,
    RefusedForGood,
    RefusedForNow,
    Unknown,
    Unreachable,
)

RAW = (
    b"From: owner@home.example\r\nTo: customer@elsewhere.example\r\nSubject: offer\r\n"
    b"Message-ID: <1@home.example>\r\n\r\n.a line with a dot\r\n..two\r\n.\r\nlast line\r\n"
)
CUSTOMER = "customer@elsewhere.example"
OTHER = "other@elsewhere.example"
DEFAULTS: dict[str, object] = {
    "name": "office",
    "imap_host": "127.0.0.1",
    "imap_tls": "none",
    "submission_host": "127.0.0.1",
    "submission_tls": "none",
    "timeout_seconds": 10,
    "answer_seconds": 10,
}
NOBODY = 9
"""A port nobody listens on."""
Start = Callable[..., MailWorld]


def account(world: MailWorld, **changes: object) -> MailAccount:
    home = world.provider
    fields: dict[str, object] = {
        "address": home.address,
        "user": home.acting.user,
        "password_file": home.acting.password_file,
        "submission_port": home.submission_port,
    }
    return MailAccount.model_validate(DEFAULTS | fields | changes)


def account_on(port: int, folder: Path, **changes: object) -> MailAccount:
    """An account on a server that takes any password."""
    password_file = folder / "password"
    password_file.write_text("any", encoding="utf-8")
    fields: dict[str, object] = {
        "address": "owner@home.example",
        "user": "owner",
        "password_file": password_file,
        "submission_port": port,
    }
    return MailAccount.model_validate(DEFAULTS | fields | changes)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the servers with these faults."""
    with ExitStack() as stack:
        yield lambda *faults: stack.enter_context(mail_world(tmp_path / "mail", *faults))


def submit(world: MailWorld, *recipients: str, **changes: object) -> object:
    mailbox = Mailbox(account(world, **changes))
    return mailbox.submit(RAW, world.provider.address, recipients or (CUSTOMER,))


def test_an_accepted_message_left_once_byte_for_byte(start: Start) -> None:
    world = start()
    outcome = submit(world, CUSTOMER, OTHER)
    assert isinstance(outcome, Accepted)
    assert outcome.response.startswith("250 ")
    [received] = world.received()
    assert received.raw == RAW
    assert received.envelope.sender == world.provider.address
    assert received.envelope.recipients == (CUSTOMER, OTHER)


def test_a_deferral_sends_nothing_and_the_next_try_succeeds(start: Start) -> None:
    world = start("defer:1")
    assert submit(world) == RefusedForNow(451, "4.3.0 Try again later")
    assert world.received() == []
    assert isinstance(submit(world), Accepted)
    assert len(world.received()) == 1


def test_a_message_refused_at_the_end_is_refused_for_good(start: Start) -> None:
    world = start("refuse-data:1")
    assert submit(world) == RefusedForGood(554, "5.7.1 Message refused")
    assert world.received() == []


def test_one_refused_recipient_refuses_the_message_for_all(start: Start) -> None:
    world = start(f"refuse-address:{OTHER}")
    outcome = submit(world, CUSTOMER, OTHER)
    assert outcome == RefusedForGood(550, f"{OTHER}: 550 5.1.1 No such user here")
    assert world.received() == []


def test_a_refused_only_recipient_is_refused_for_good(start: Start) -> None:
    world = start("refuse-rcpt:1")
    assert isinstance(submit(world), RefusedForGood)
    assert isinstance(submit(world), Accepted)


def test_a_lost_answer_is_unknown_and_the_message_did_leave(start: Start) -> None:
    world = start("drop-after-data:1")
    assert isinstance(submit(world), Unknown)
    assert len(world.received()) == 1


def test_a_lost_answer_is_unknown_also_when_the_message_did_not_leave(start: Start) -> None:
    world = start("lose-data:1")
    assert isinstance(submit(world), Unknown)
    assert world.received() == []


def test_an_answer_that_does_not_come_in_time_is_unknown(start: Start) -> None:
    world = start("slow:60")
    assert isinstance(submit(world, answer_seconds=0.3), Unknown)
    assert len(eventually(world.received, "the message is outside")) == 1


def test_no_server_is_unreachable(start: Start) -> None:
    world = start()
    world.provider.running.stop()
    assert isinstance(submit(world), Unreachable)


def test_a_provider_cut_off_from_the_world_refuses_for_now(start: Start) -> None:
    world = start()
    world.outside.running.stop()
    assert isinstance(submit(world), RefusedForNow)


def test_a_read_credential_cannot_submit(start: Start) -> None:
    world = start()
    reading = world.provider.reading
    with pytest.raises(AuthFailed):
        submit(world, user=reading.user, password_file=reading.password_file)
    assert world.received() == []


def test_a_failed_login_never_shows_the_password(start: Start, tmp_path: Path) -> None:
    world = start()
    wrong = tmp_path / "wrong"
    wrong.write_text("hunter2-hunter2", encoding="utf-8")
    with pytest.raises(AuthFailed) as failed:
        submit(world, password_file=wrong)
    shown = f"{failed.value!r} {failed.value.__cause__!r} {account(world, password_file=wrong)!r}"
    assert "hunter2" not in shown


def test_a_foreign_sender_is_refused_for_good(start: Start) -> None:
    world = start()
    outcome = Mailbox(account(world)).submit(RAW, "somebody@elsewhere.example", [CUSTOMER])
    assert isinstance(outcome, RefusedForGood)


@pytest.mark.parametrize("raw", [b"Subject: x\n\nbare\r\n", b"Subject: x\r\n\r\nbare\n.\nQUIT\r\n", b"a\rb\r\n"])
def test_bare_line_ends_never_reach_the_wire(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(ValueError, match="bare line ends"):
        Mailbox(account_on(NOBODY, tmp_path)).submit(raw, "owner@home.example", [CUSTOMER])


@pytest.mark.parametrize("address", ["", "a b@c.example", "<a@b.example>", "a@b.example\r\nDATA", "nobody"])
def test_an_odd_address_never_reaches_the_wire(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="plain addresses"):
        Mailbox(account_on(NOBODY, tmp_path)).submit(RAW, "owner@home.example", [CUSTOMER, address])


def test_a_password_is_never_sent_in_clear_over_a_network(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="needs tls"):
        account_on(465, tmp_path, submission_host="mail.example")


@contextmanager
def server_that_hangs_up(after: bytes, answer: bytes = b"") -> Iterator[int]:
    """An SMTP server that breaks off once it has read `after`, having said `answer`; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with suppress(OSError), listener.accept()[0] as client:
            if after:
                client.sendall(b"220 hello\r\n")
            heard = b""
            while after not in heard and (received := client.recv(65536)):
                for line in received.split(b"\r\n")[:-1] if not heard.count(b"DATA\r\n") else ():
                    reply = {b"EHLO": b"250-x\r\n250 AUTH PLAIN", b"AUTH": b"235 in", b"DATA": b"354 go"}
                    if after not in line:
                        client.sendall(reply.get(line[:4].upper(), b"250 fine") + b"\r\n")
                heard += received.upper() if b"DATA\r\n" not in heard else received
            client.sendall(answer)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listener.close()


def submit_to(port: int, folder: Path, raw: bytes = RAW) -> object:
    return Mailbox(account_on(port, folder)).submit(raw, "owner@home.example", [CUSTOMER])


@pytest.mark.parametrize("step", [b"", b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"DATA"])
def test_a_connection_that_breaks_before_the_final_dot_handed_nothing_over(tmp_path: Path, step: bytes) -> None:
    with server_that_hangs_up(step) as port:
        assert isinstance(submit_to(port, tmp_path), Unreachable)


def test_a_connection_that_breaks_amid_the_text_handed_nothing_over(tmp_path: Path) -> None:
    long = RAW + b"more than all buffers on the way can hold\r\n" * 800_000
    with server_that_hangs_up(b"Message-ID") as port:
        assert isinstance(submit_to(port, tmp_path, long), Unreachable)


@pytest.mark.parametrize("answer", [b"", b"25", b"xyz what\r\n", b"250-half"])
def test_a_connection_that_breaks_after_the_final_dot_is_unknown(tmp_path: Path, answer: bytes) -> None:
    with server_that_hangs_up(b"\r\n.\r\n", answer) as port:
        assert isinstance(submit_to(port, tmp_path), Unknown)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"250 mine now\r\n", Accepted("250 mine now")),
        (b"421 going down\r\n", RefusedForNow(421, "going down")),
        (b"552-too\r\n552 big\r\n", RefusedForGood(552, "too\nbig")),
    ],
)
def test_a_whole_answer_to_the_final_dot_counts(tmp_path: Path, answer: bytes, outcome: object) -> None:
    with server_that_hangs_up(b"\r\n.\r\n", answer) as port:
        assert submit_to(port, tmp_path) == outcome


def test_an_overloaded_greeting_is_refused_for_now(tmp_path: Path) -> None:
    with server_that_hangs_up(b"", b"421 too busy\r\n") as port:
        assert submit_to(port, tmp_path) == RefusedForNow(421, "too busy")
