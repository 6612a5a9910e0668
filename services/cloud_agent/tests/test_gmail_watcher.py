"""The Gmail watcher against a server on loopback that behaves, and misbehaves, as Google documents its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from queue import Queue

import pytest
from services.cloud_agent.tests.gmail_server import (
    CLIENT,
    MODIFY,
    READ_ONLY,
    SECRET,
    SEND,
    Answer,
    Google,
    error,
    gmail,
)
from services.cloud_agent.tests.test_way_out import way_out

from cloud_agent.watchers.arrival import Arrival, Retry
from cloud_agent.watchers.faults import Busy, LoginRefused, Unreachable
from cloud_agent.watchers.gmail.grant import Grant, GrantTooWide
from cloud_agent.watchers.gmail.progress import Progress, backlog_file
from cloud_agent.watchers.gmail.watcher import GmailWatcher
from cloud_agent.watchers.mailbox_settings import GmailSettings
from cloud_agent.watchers.waiting import Backoff, Trouble
from demo.cable import cable
from demo.certificates import self_signed

DEADLINE = 30.0
API, HISTORY, MESSAGES = "/gmail/v1/users/me", "/history", "/messages"


@dataclass
class Account:
    google: Google
    port: int
    folder: Path

    def settings(self, **changes: object) -> GmailSettings:
        url = f"http://127.0.0.1:{self.port}"
        fields: dict[str, object] = {
            "source": "gmail", "name": "office", "kind": "business", "address": "owner@home.example",
            "grant_file": self.folder / "grant.json", "api_url": url, "login_url": url, "poll_seconds": 0.02,
            "timeout_seconds": 10,
        }  # fmt: skip
        return GmailSettings.model_validate(fields | changes)

    @property
    def state(self) -> Path:
        return self.folder / "office.gmail.json"

    def watcher(self, taken: Callable[[Arrival], None], **changes: object) -> GmailWatcher:
        return GmailWatcher(self.settings(**changes), self.state, taken)

    def subjects(self, **changes: object) -> list[str]:
        """What one look hands over, by a watcher that just began to live."""
        seen: list[Arrival] = []
        self.watcher(seen.append, **changes).catch_up()
        return [subject(arrival) for arrival in seen]

    def asked(self, word: str) -> int:
        return sum(word in line for line in self.google.asked)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with gmail() as (google, port):
        Grant(client_id=CLIENT, client_secret=SECRET, refresh_token="1//refresh").write(tmp_path / "grant.json")
        yield Account(google, port, tmp_path)


def mail(number: int, body: str = "hello") -> bytes:
    return f"Subject: number {number}\r\nMessage-ID: <{number}@elsewhere.example>\r\n\r\n{body}\r\n".encode()


def subject(arrival: Arrival) -> str:
    return arrival.raw.decode().splitlines()[0].removeprefix("Subject: ")


def numbers(*found: int) -> list[str]:
    return [f"number {number}" for number in found]


def test_what_is_there_comes_first_oldest_first_over_all_pages_and_then_what_is_new(account: Account) -> None:
    for number in range(5):
        account.google.deliver(mail(number))
    account.google.deliver(mail(99), "SENT")
    assert account.subjects() == numbers(0, 1, 2, 3, 4)
    for number in range(5, 10):
        account.google.deliver(mail(number))
    account.google.deliver(mail(98), "DRAFT")
    assert account.subjects() == numbers(5, 6, 7, 8, 9)
    assert account.subjects() == []
    assert account.asked(f"{API}{MESSAGES}/") == 10, "each is fetched once"


def test_a_message_is_handed_over_byte_for_byte_with_the_time_it_came(account: Account) -> None:
    at, raw = datetime(2026, 11, 25, 9, 30, 1, 500_000, tzinfo=UTC), mail(1, "Grüße \x00 ~~~???")
    account.google.deliver(raw, at=at)
    seen: list[Arrival] = []
    account.watcher(seen.append).catch_up()
    assert seen == [Arrival("office", at, raw)]


def test_a_message_that_is_in_the_history_twice_is_handed_over_once(account: Account) -> None:
    assert account.subjects() == []
    name = account.google.deliver(mail(1), "INBOX")
    account.google.label(name, "INBOX")
    account.google.label(name, "STARRED")
    assert account.subjects() == numbers(1)


def test_a_message_that_is_put_back_into_the_inbox_is_news(account: Account) -> None:
    assert account.subjects() == []
    name = account.google.deliver(mail(1), "SPAM")
    assert account.subjects() == []
    account.google.label(name, "INBOX")
    assert account.subjects() == numbers(1)


def test_when_the_history_is_gone_everything_is_looked_at_again(account: Account) -> None:
    account.google.deliver(mail(1))
    assert account.subjects() == numbers(1)
    account.google.deliver(mail(2))
    account.google.forget()
    assert account.subjects() == numbers(1, 2), "the taker knows the first already"
    account.google.deliver(mail(3))
    assert account.subjects() == numbers(3)


def test_mail_before_the_day_that_is_set_is_never_looked_at(account: Account) -> None:
    account.google.deliver(mail(1), at=datetime(2026, 5, 5, 23, 59, tzinfo=UTC))
    account.google.deliver(mail(2), at=datetime(2026, 5, 6, 0, 0, tzinfo=UTC))
    assert account.subjects(since=date(2026, 5, 6)) == numbers(2)


def test_a_crash_amid_the_first_look_goes_on_where_it_was(account: Account) -> None:
    for number in range(4):
        account.google.deliver(mail(number))
    seen: list[str] = []

    def crash(arrival: Arrival) -> None:
        if len(seen) == 2:
            raise ZeroDivisionError
        seen.append(subject(arrival))

    with pytest.raises(ZeroDivisionError):
        account.watcher(crash).catch_up()
    account.google.deliver(mail(4))
    assert (seen, account.subjects()) == (numbers(0, 1), numbers(2, 3, 4))
    assert not backlog_file(account.state).exists()


def test_what_is_not_taken_is_kept_and_not_fetched_again(account: Account) -> None:
    account.google.deliver(mail(1))
    tries: list[Arrival] = []

    def later(arrival: Arrival) -> None:
        tries.append(arrival)
        if len(tries) < 3:
            raise Retry("not now")

    watcher = account.watcher(later)
    for _ in range(2):
        with pytest.raises(Retry):
            watcher.catch_up()
    assert watcher.catch_up() == 1
    assert account.asked(f"{API}{MESSAGES}/") == 1


def test_after_a_new_root_of_the_vault_everything_is_read_again_once(account: Account) -> None:
    account.google.deliver(mail(1))
    assert account.subjects() == numbers(1)
    taken: list[Arrival] = []
    watcher = GmailWatcher(account.settings(), account.state, taken.append, generation=lambda: 1)
    assert [watcher.catch_up(), watcher.catch_up()] == [1, 0]


def test_of_a_message_that_is_too_large_only_the_headers_come(account: Account) -> None:
    account.google.deliver(mail(1, "x" * 200_000))
    account.google.deliver(mail(2, "x" * 1_500))
    account.google.deliver(mail(3))
    seen: list[Arrival] = []
    account.watcher(seen.append, largest_bytes=1000).catch_up()
    assert [(subject(a), a.oversized, b"xxx" in a.raw) for a in seen] == [
        ("number 1", True, False), ("number 2", True, False), ("number 3", False, False),
    ]  # fmt: skip
    assert seen[0].raw.endswith(b"\r\n\r\n")


def test_a_message_that_is_gone_when_it_is_fetched_is_left_out(account: Account) -> None:
    assert account.subjects() == []
    account.google.deliver(mail(1))
    account.google.messages.clear()
    account.google.deliver(mail(2))
    assert account.subjects() == numbers(2)


def test_one_token_serves_until_it_ends_and_a_void_one_is_renewed(account: Account) -> None:
    watcher = account.watcher(lambda arrival: None)
    watcher.catch_up()
    watcher.catch_up()
    assert account.asked("/token") == 1
    account.google.tokens.clear()  # Google may end a token before its time
    account.google.deliver(mail(1))
    assert watcher.catch_up() == 1
    assert account.asked("/token") == 2


def test_a_token_that_lasts_for_less_than_a_minute_is_asked_for_each_time(account: Account) -> None:
    account.google.lasting = 30
    account.subjects()
    assert account.asked("/token") == account.asked(API)


@pytest.mark.parametrize("scope", [f"{READ_ONLY} {SEND}", MODIFY, "https://mail.google.com/", f"{READ_ONLY} x/new"])
def test_a_grant_that_can_do_more_than_read_is_refused_before_a_mail_is_asked_for(account: Account, scope: str) -> None:
    account.google.scope = scope
    stop = threading.Event()
    watcher = GmailWatcher(account.settings(), account.state, print, on_healthy=stop.set)
    with pytest.raises(GrantTooWide, match="can do more than read"):
        watcher.run(stop)
    assert account.asked(API) == 0


def test_a_grant_that_is_widened_later_is_refused_when_it_is_next_renewed(account: Account) -> None:
    account.google.lasting = 30
    assert account.subjects() == []
    account.google.scope = f"{READ_ONLY} {MODIFY}"
    with pytest.raises(GrantTooWide):
        account.subjects()


def test_where_an_answer_does_not_say_the_scope_google_is_asked_for_it(account: Account) -> None:
    account.google.scope = None
    account.google.deliver(mail(1))
    assert account.subjects() == numbers(1)
    assert account.asked("/tokeninfo") == 1
    account.google.faults.append(("/tokeninfo", (200, {"scope": SEND}, {})))
    with pytest.raises(GrantTooWide):
        account.subjects()


def test_a_revoked_grant_no_grant_and_one_that_does_not_read_are_logins_refused(account: Account) -> None:
    account.google.grants.clear()
    with pytest.raises(LoginRefused, match="invalid_grant"):
        account.subjects()
    account.google.grants.add("1//refresh")
    account.google.scope = "openid"
    with pytest.raises(LoginRefused, match="does not include reading"):
        account.subjects()
    account.settings().grant_file.write_text('{"client_id": "x"}')
    with pytest.raises(LoginRefused, match="no grant in"):
        account.subjects()


QUOTA = "rateLimitExceeded"


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (error(429, QUOTA, "RESOURCE_EXHAUSTED", Retry_After="120"), Busy, QUOTA),
        (error(403, "userRateLimitExceeded", "PERMISSION_DENIED"), Busy, "userRateLimitExceeded"),
        (error(503, "backendError", "UNAVAILABLE", Retry_After="7"), Busy, "503"),
        (error(403, "insufficientPermissions", "PERMISSION_DENIED"), LoginRefused, "insufficientPermissions"),
        ((200, b"<html>a captive portal</html>", {}), Unreachable, "no JSON"),
        ((200, b"[" * 100_000, {}), Unreachable, "no JSON"),
        ((200, {"historyId": "soon"}, {}), Unreachable, "none of Gmail's"),
        (
            (200, {"history": [{"id": "1", "messagesAdded": [{"message": {"id": "../profile"}}]}]}, {}),
            Unreachable,
            "none of",
        ),
        ((200, {"history": 7}, {}), Unreachable, "none of Gmail's"),
        ((200, b" " * (17 * 2**20), {}), Unreachable, "without end"),
        ((302, {}, {"Location": "http://127.0.0.1:9/"}), Unreachable, "302"),
    ],
)
def test_each_bad_answer_has_its_class_and_costs_no_message(
    account: Account, fault: Answer, kind: type[Exception], says: str
) -> None:
    assert account.subjects() == []
    account.google.deliver(mail(1))
    account.google.faults.append((HISTORY, fault))
    with pytest.raises(kind, match=says) as raised:
        account.subjects()
    assert type(raised.value) is kind
    if isinstance(raised.value, Busy) and "Retry-After" in fault[2]:
        assert raised.value.seconds == float(fault[2]["Retry-After"])
    assert account.subjects() == numbers(1)


@pytest.mark.parametrize("word", ["/token", "/profile", "/messages?", "/messages/"])
def test_an_answer_that_breaks_off_is_asked_for_again_later(account: Account, word: str) -> None:
    account.google.deliver(mail(1))
    account.google.cut.append(word)
    with pytest.raises(Unreachable):
        account.subjects()
    assert account.subjects() == numbers(1)


def test_pages_that_go_round_in_a_circle_end(account: Account) -> None:
    account.subjects()
    page: Answer = (200, {"historyId": "1", "nextPageToken": "again"}, {})
    account.google.faults += [(HISTORY, page)] * 2
    with pytest.raises(Unreachable, match="circle"):
        account.subjects()


@contextmanager
def watching(account: Account, **changes: object) -> Iterator[tuple[Queue[Arrival], Queue[Trouble | None]]]:
    arrivals: Queue[Arrival] = Queue()
    said: Queue[Trouble | None] = Queue()
    stop = threading.Event()
    watcher = GmailWatcher(
        account.settings(**changes), account.state, arrivals.put, backoff=Backoff(first=0.02, longest=0.1, paused=0.05),
        on_trouble=lambda trouble, detail: said.put(trouble), on_healthy=lambda: said.put(None),
    )  # fmt: skip
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        yield arrivals, said
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()


def until(said: Queue[Trouble | None], wanted: Trouble | None) -> None:
    while said.get(timeout=DEADLINE) is not wanted:
        pass


def test_the_watcher_reports_trouble_waits_and_goes_on_when_it_is_over(account: Account) -> None:
    with watching(account) as (arrivals, said):
        until(said, None)
        account.google.grants.clear()
        account.google.tokens.clear()
        until(said, Trouble.AUTH)
        account.google.deliver(mail(1))
        account.google.grants.add("1//refresh")
        assert subject(arrivals.get(timeout=DEADLINE)) == "number 1"
        account.google.faults.append((HISTORY, (500, {}, {})))
        until(said, Trouble.UNREACHABLE)
        account.google.deliver(mail(2))
        assert subject(arrivals.get(timeout=DEADLINE)) == "number 2"
        until(said, None)


def test_a_server_that_asks_for_patience_is_left_alone(account: Account) -> None:
    account.google.faults.append((HISTORY, error(429, QUOTA, "RESOURCE_EXHAUSTED", Retry_After="3600")))
    with watching(account) as (_, said):
        until(said, Trouble.UNREACHABLE)
        asked = len(account.google.asked)
        assert said.empty()
    assert len(account.google.asked) == asked


def test_gmail_is_reached_through_the_way_out_and_its_certificate_is_checked_here(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.google.deliver(mail(1))
    context, certificate = self_signed(account.folder)
    with cable(account.port, context) as line, way_out() as (proxy, asked):
        url = f"https://127.0.0.1:{line.port}"
        changes: dict[str, object] = {"api_url": url, "login_url": url, "way_out": proxy}
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            account.subjects(**changes)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert account.subjects(**changes) == numbers(1)
    assert {line.split()[0] for line in asked} == {"CONNECT"}
    assert len(asked) == 3, "one refused, then one for the token and one for the mail"


def test_a_way_out_that_does_not_lead_to_google_is_an_unreachable_mailbox(account: Account) -> None:
    with way_out(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (proxy, _), pytest.raises(Unreachable, match="403"):
        account.subjects(way_out=proxy)


def test_the_state_file_says_how_far_it_was_read(account: Account) -> None:
    account.google.deliver(mail(1))
    account.subjects()
    assert Progress.read(account.state) == Progress(history=account.google.newest)
