"""Against a monitor that is a real server."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from backup.pings import Pings
from backup.settings import Alarms
from demo.cable import cable
from demo.certificates import self_signed

TOKEN = "tok3n-of-the-monitor"


@dataclass
class Monitor:
    port: int = 0
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    made = Monitor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.heard.append((parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}))
            self.send_response(made.status)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Said to nobody."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def pings(folder: Path, monitor: Monitor) -> Pings:
    for name in ("push", "dead"):
        (folder / name).write_text(f"http://127.0.0.1:{monitor.port}/{name}/{TOKEN}\n", encoding="utf-8")
    return Pings(Alarms(push={"vault": folder / "push"}, dead_man=folder / "dead"))


def test_a_push_monitor_is_told_up_and_down_and_the_dead_man_only_that_all_is_well(
    tmp_path: Path, monitor: Monitor
) -> None:
    told = pings(tmp_path, monitor)
    told.job("vault", well=True)
    told.job("vault", well=False, words="no room & more " * 100)
    told.job("books", well=True)
    told.all_is_well()
    (path, up), (_, down), (dead, nothing) = monitor.heard
    assert (path, up) == (f"/push/{TOKEN}", {"status": "up", "msg": "OK"})
    assert (down["status"], len(down["msg"])) == ("down", 200)
    assert (dead, nothing) == (f"/dead/{TOKEN}", {})


def test_a_monitor_that_says_no_or_is_gone_stops_nothing_and_its_address_is_in_no_log(
    tmp_path: Path, monitor: Monitor
) -> None:
    told = pings(tmp_path, monitor)
    monitor.status = 500
    with capture_logs() as logs:
        told.job("vault", well=True)
        (tmp_path / "dead").unlink()
        told.all_is_well()
    assert [one["event"] for one in logs] == ["ping.failed", "ping.failed"]
    assert TOKEN not in repr(logs)


def test_a_word_that_was_not_taken_is_said_again_until_it_is_and_only_the_newest(
    tmp_path: Path, monitor: Monitor
) -> None:
    told = pings(tmp_path, monitor)
    monitor.status = 500
    with capture_logs() as logs:
        told.job("vault", well=True)
        told.job("vault", well=False, words="the disk is away")
        told.again()
    assert [one["event"] for one in logs] == ["ping.failed"], "once is enough for a log"
    monitor.heard.clear()
    monitor.status = 200
    told.again()
    told.again()
    assert monitor.heard == [(f"/push/{TOKEN}", {"status": "down", "msg": "the disk is away"})]


def test_a_monitor_behind_the_stacks_own_authority_is_believed_when_it_is_named(
    tmp_path: Path, monitor: Monitor
) -> None:
    context, certificate = self_signed(tmp_path)
    with cable(monitor.port, context) as line:
        (tmp_path / "push").write_text(f"https://127.0.0.1:{line.port}/{TOKEN}\n", encoding="utf-8")
        push = {"pull": tmp_path / "push"}
        with capture_logs() as logs:
            Pings(Alarms(push=push)).job("pull", well=True)
        assert [one["event"] for one in logs] == ["ping.failed"]
        Pings(Alarms(push=push, ca_file=certificate)).job("pull", well=True)
    assert [path for path, _ in monitor.heard] == [f"/{TOKEN}"]
