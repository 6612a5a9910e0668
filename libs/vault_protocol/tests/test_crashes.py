import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from vault_protocol.crashes import BadDsn, Dsn, reported, tell
from vault_protocol.errors import VaultError

ADDRESS, BODY, KEY = (
    "jane.doe@customer.example",
    "please pay IBAN DE02120300000000202051",
    "0123456789abcdef0123456789abcdef",
)


class Tracker(HTTPServer):
    """Takes envelopes as Sentry does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.code = 200

    @property
    def dsn(self) -> str:
        return f"http://{KEY}@127.0.0.1:{self.server_address[1]}/42"


class Answers(BaseHTTPRequestHandler):
    server: Tracker

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        self.send_response(self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    server = Tracker()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fail(mail: str) -> None:
    letter = {"from": ADDRESS, "body": mail}
    try:
        letter[mail]
    except KeyError as error:
        error.add_note(f"while reading {mail}")
        named = type(f"Odd {ADDRESS}", (RuntimeError,), {})
        raise named(f"cannot read the mail of {ADDRESS}: {mail}") from error


def crash(dsn: Path) -> None:
    with reported(dsn, "cloud_agent"):
        fail(BODY)


def file_of(folder: Path, text: str) -> Path:
    file = folder / "dsn"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_bug_reaches_the_tracker_without_a_word_of_the_mail(tracker: Tracker, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot read"):
        crash(file_of(tmp_path, tracker.dsn + "\n"))
    [(path, headers, body)] = tracker.taken
    assert path == "/api/42/envelope/"
    assert f"sentry_key={KEY}" in headers["X-Sentry-Auth"]
    head, item, event = (json.loads(line) for line in body.splitlines())
    assert item["length"] == len(body.splitlines()[2])
    assert head["event_id"] == event["event_id"]
    cause, last = event["exception"]["values"]
    assert (cause["type"], cause["value"]) == ("KeyError", "")
    assert [frame["function"] for frame in last["stacktrace"]["frames"]][-1] == "fail"
    assert all(frame["lineno"] > 0 for frame in last["stacktrace"]["frames"])
    told = body.decode()
    for secret in (ADDRESS, "customer.example", BODY, "DE02120300000000202051", str(tmp_path), "while reading"):
        assert secret not in told
    assert str(Path(__file__).parent) not in told


def test_what_was_to_be_expected_is_not_told(tracker: Tracker, tmp_path: Path) -> None:
    with pytest.raises(VaultError), reported(file_of(tmp_path, tracker.dsn), "vault_hub"):
        raise VaultError("the port is taken")
    with pytest.raises(KeyboardInterrupt), reported(file_of(tmp_path, tracker.dsn), "vault_hub"):
        raise KeyboardInterrupt
    assert tracker.taken == []


def test_a_tracker_that_fails_hides_no_bug(tracker: Tracker, tmp_path: Path) -> None:
    tracker.code = 500
    with pytest.raises(RuntimeError, match="cannot read"):
        crash(file_of(tmp_path, tracker.dsn))
    assert tell(Dsn.parse(f"http://{KEY}@127.0.0.1:9/1"), "hub", ValueError()) is False


def test_without_an_address_nothing_is_told() -> None:
    with pytest.raises(ZeroDivisionError), reported(None, "hub"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "text", ["", "https://host/1", "ftp://key@host/1", f"https://{KEY}@host/", f"https://{KEY}@host/1?x=1"]
)
def test_what_is_no_address_ends_the_start_and_is_not_repeated(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadDsn) as refused, reported(file_of(tmp_path, text), "hub"):
        pass
    assert KEY not in str(refused.value)


def test_an_address_below_a_folder_keeps_it() -> None:
    assert (
        Dsn.parse(f"https://{KEY}@sentry.example:8443/errors/7").url
        == "https://sentry.example:8443/errors/api/7/envelope/"
    )


def test_a_chain_that_bites_its_tail_ends() -> None:
    told: list[bytes] = []
    first, second = ValueError(), TypeError()
    first.__cause__, second.__cause__ = second, first
    assert tell(Dsn.parse(f"https://{KEY}@h/1"), "hub", first, lambda _dsn, body: told.append(body))
    event: dict[str, Any] = json.loads(told[0].splitlines()[2])
    assert [one["type"] for one in event["exception"]["values"]] == ["TypeError", "ValueError"]
