"""Local calls the owner's monitors while it works, over real HTTP, and nothing that goes wrong there does harm."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from services.local_agent.tests.cli_world import World, until

from demo.cable import cable
from demo.certificates import self_signed
from local_agent import pings
from local_agent.home import Home, PingSettings, Settings
from local_agent.presence import FRESH, Presence
from local_agent.setup import config
from local_agent.weekly import path_of
from vault_protocol.errors import VaultError
from vault_protocol.testing import TestClock


class Monitors(ThreadingHTTPServer):
    """Takes calls as Uptime Kuma's push monitors do."""

    daemon_threads = True

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Push)

    def names(self) -> list[str]:
        return [name for name, _ in self.called]


class _Push(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Monitors)
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        assert query["status"] == ["up"]
        self.server.called.append((parts.path.removeprefix("/api/push/"), query["msg"][0]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """The path holds the secret."""


@contextmanager
def monitors() -> Iterator[Monitors]:
    with Monitors() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def named(home: Home, server: Monitors) -> Settings:
    """Settings with both monitors, as the owner adds them."""
    for name in ("presence", "briefing"):
        (home.path / name).write_text(f"http://127.0.0.1:{server.server_address[1]}/api/push/{name}\n")
    text = home.config.read_text(encoding="utf-8")
    home.config.write_text(
        f'{text}\n[pings]\npresence_file = "presence"\nbriefing_file = "briefing"\n', encoding="utf-8"
    )
    return home.settings()


def test_it_calls_while_the_service_steps_and_falls_silent_when_it_hangs(world: World) -> None:
    with monitors() as server:
        clock = TestClock()
        presence = Presence(world.home, named(world.home, server), clock)
        presence.round()
        assert server.called == [], "nothing has worked yet"
        presence.stepped(world.local.vault)
        presence.round()
        assert server.called == [("presence", "at work")]
        clock.tick(timedelta(seconds=FRESH))
        presence.round()
        assert server.names() == ["presence"]


def test_a_briefing_is_told_once_after_it_is_in_the_vault_and_again_until_it_was_heard(world: World) -> None:
    with monitors() as server:
        clock = TestClock()
        settings, local = named(world.home, server), world.local
        local.vault.refresh()
        presence = Presence(world.home, settings, clock)
        presence.stepped(local.vault)
        presence.round()
        path = path_of(clock.now())
        local.vault.write("briefing", "test", {path: b"# Briefing\n"})
        clock.tick(timedelta(minutes=2))
        presence.stepped(local.vault)
        server.status = 503
        presence.round()
        server.status = 200
        presence.round()
        presence.round()
        told = [words for name, words in server.called if name == "briefing"]
        assert told == [path, path], "once refused, once taken"
        again = Presence(world.home, settings, clock)
        again.stepped(local.vault)
        again.round()
        assert server.names().count("briefing") == 2, "another life of the service does not tell it again"
        clock.tick(timedelta(days=7))
        again.stepped(local.vault)
        again.round()
        assert server.names().count("briefing") == 2, "next week's is not there yet"


def test_a_running_service_calls_by_itself(world: World) -> None:
    with monitors() as server:
        named(world.home, server)
        with world.service():
            until(lambda: "presence" in server.names())


def test_no_monitor_that_fails_does_harm_and_no_log_holds_its_address(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with monitors() as server:
        settings = named(world.home, server)
    presence = Presence(world.home, settings, TestClock())
    presence.stepped(world.local.vault)
    capsys.readouterr()
    for address in (
        "http://127.0.0.1:1/api/push/hunter2",
        "http://127.0.0.1:x/hunter2",
        "ftp://hunter2/",
        "a\nhunter2",
    ):
        (world.home.path / "presence").write_text(address)
        presence.round()
    (world.home.path / "presence").unlink()
    presence.round()
    said = "".join(capsys.readouterr())
    assert said.count("ping.failed") == 5
    assert "hunter2" not in said


def test_a_monitor_behind_the_stacks_own_authority_is_believed_by_its_certificate(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    with monitors() as server, cable(server.server_address[1], context) as line:
        file = tmp_path / "address"
        file.write_text(f"https://127.0.0.1:{line.port}/api/push/x?ping=1\n")
        with pytest.raises(pings.PingFailed, match="SSLCertVerificationError"):
            pings.call(file, "well")
        pings.call(file, "well", certificate)
        assert server.called == [("x", "well")]
    with pytest.raises(VaultError):
        pings.call(tmp_path / "none", "well")


def test_the_settings_of_monitors_are_read_back_as_they_were_written(world: World) -> None:
    settings = world.home.settings()
    assert "pings" not in config.render(settings)
    named = settings.model_copy(update={"pings": PingSettings(presence_file=Path("a"), every_seconds=60)})
    assert Settings.model_validate(tomllib.loads(config.render(named))) == named


def test_without_monitors_nothing_runs(world: World) -> None:
    Presence(world.home, world.home.settings(), TestClock()).start()
    assert "presence" not in {thread.name for thread in threading.enumerate()}
