"""A hub that does not answer, one that takes nothing, and an agent that is silent are told apart, shown and logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests import endless
from libs.vault_protocol.tests.endless import Unsigned, serving, trickling
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.office import Office
from structlog.testing import capture_logs

from local_agent.life import Kind, SignsOfLife
from local_agent.service import Service
from vault_protocol import layout, updates, wire
from vault_protocol.clock import SystemClock
from vault_protocol.errors import DiskTrouble
from vault_protocol.hub import CommitId
from vault_protocol.hub_client import HubClient, Limits
from vault_protocol.task import AgentId
from vault_protocol.testing import TestClock

CLOUD = AgentId("cloud")
LONG, SHORT = timedelta(minutes=30), timedelta(minutes=29)


@dataclass
class Watched:
    """A running service whose clock is moved by the test."""

    office: Office
    clock: TestClock
    service: Service
    seen: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.office.world

    def after(self, passed: timedelta) -> list[list[str]]:
        """The silences in the status after this time and one more step."""
        self.clock.tick(passed)
        self.service.step()
        return list(self.world.run("status", "--json").json["silences"])

    def alive(self) -> None:
        """What Cloud's heartbeat writes."""
        cloud = self.world.following_cloud
        cloud.refresh()
        cloud.write("alive", CLOUD, {updates.alive_path(CLOUD): updates.alive(self.clock.now())})

    def status(self, what: str) -> str:
        """What the service itself says of it."""
        return str(json.loads(self.world.home.status.read_bytes())[what])

    def dashboard(self) -> str:
        return (self.world.notes / layout.DASHBOARD).read_text(encoding="utf-8")

    def head(self) -> CommitId | None:
        return self.service.local.vault.journal.head


@pytest.fixture
def watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Watched]:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    clock = TestClock(SystemClock().now().replace(microsecond=0))
    office = Office(world, clock)
    with office.running() as service:
        made = Watched(office, clock, service)
        made.alive()
        service.step()
        yield made


def test_an_idle_vault_whose_agents_show_that_they_are_there_raises_no_alarm(watched: Watched) -> None:
    for _ in range(4):
        watched.alive()
        assert watched.after(SHORT) == []
    assert "danger" not in watched.dashboard()


def test_a_silent_agent_is_named_in_status_dashboard_and_log_until_it_is_heard_again(watched: Watched) -> None:
    assert watched.after(SHORT) == []
    with capture_logs() as logged:
        [(kind, agent, since, words)] = watched.after(LONG - SHORT)
    assert (kind, agent, since in words) == ("agent silent", "cloud", True)
    assert "it is down, or the hub keeps back what it writes" in words
    assert [event["event"] for event in logged if "silence" in event["event"]] == ["silence.begun"]
    assert "Nothing is heard of cloud" in watched.dashboard()
    assert "cloud was last heard" in watched.world.run("status").out

    watched.alive()
    with capture_logs() as logged:
        assert watched.after(timedelta(0)) == []
    assert [event["event"] for event in logged if "silence" in event["event"]] == ["silence.ended"]
    assert "Nothing is heard" not in watched.dashboard()
    assert "agent_heard" in watched.dashboard()


def test_an_agent_that_was_put_out_is_no_longer_called_silent_once_the_service_starts_again(watched: Watched) -> None:
    watched.after(LONG)
    assert "Nothing is heard of cloud" in watched.dashboard()
    assert watched.world.run("init", "--revoked", "cloud").code == 0
    watched.service.close()

    with watched.office.running() as again:
        after = Watched(watched.office, watched.clock, again)
        assert after.after(LONG) == []
        assert "Nothing is heard" not in after.dashboard()
        assert "agent_revoked" in after.dashboard()
    assert "last heard" not in watched.world.run("status").out


def test_a_silence_grows_the_vault_by_one_word_however_long_it_lasts(watched: Watched) -> None:
    watched.after(LONG)
    watched.service.step()
    before = watched.head()
    for _ in range(20):
        watched.after(timedelta(hours=1))
    assert watched.head() == before


def test_a_hub_that_does_not_answer_is_no_silent_agent_and_shows_in_the_folder(watched: Watched) -> None:
    watched.world.hub_away()
    assert watched.after(SHORT) == []
    [(kind, agent, _, words)] = watched.after(LONG)
    assert (kind, agent) == ("hub unreachable", "")
    assert words in watched.dashboard()
    before = watched.head()

    (watched.world.folder / "hub-elsewhere.git").rename(watched.world.hub)
    watched.alive()
    assert watched.after(timedelta(0)) == []
    assert "danger" not in watched.dashboard()
    assert watched.head() != before, "what was shown in the folder was never published"


def test_a_hub_that_answers_and_takes_nothing_is_called_frozen(watched: Watched) -> None:
    """It shows one head for ever and refuses every push: Local's own word that Cloud is silent does not get there."""
    hook = watched.world.hub / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    hook.chmod(0o755)

    first = watched.after(LONG)
    assert [kind for kind, *_ in first] in ([], ["agent silent"])
    [(kind, _, _, words)] = watched.after(LONG)
    assert (kind, "has taken nothing since" in words) == ("hub frozen", True)
    assert words in watched.dashboard()

    hook.unlink()
    watched.alive()
    assert watched.after(timedelta(0)) == []


def test_a_withheld_word_of_cloud_shows_as_age(watched: Watched) -> None:
    """The hub takes what Cloud writes, and goes on showing Local the head without it."""
    shown = watched.head()
    watched.clock.tick(timedelta(seconds=1))
    watched.alive()
    assert watched.world.following_cloud.refresh() != shown
    (watched.world.hub / "refs" / "heads" / "main").write_text(f"{shown}\n", encoding="ascii")
    [(kind, agent, *_)] = watched.after(LONG)
    assert (kind, agent) == ("agent silent", "cloud")


@pytest.mark.parametrize("how", [endless.BODY, endless.HEAD], ids=["body", "head"])
def test_a_hub_whose_answers_never_end_is_called_unreachable(watched: Watched, how: tuple[bytes, bytes]) -> None:
    assert watched.after(SHORT) == []
    journal = watched.service.local.vault.journal
    with trickling(*how) as url, closing(_client(watched, url, Limits(answer_seconds=0.3))) as hub:
        journal.hub = hub
        [(kind, _, _, words)] = watched.after(LONG)
    assert (kind, "has not answered since" in words) == ("hub unreachable", True)
    assert words in watched.dashboard()
    assert "was not whole after 0.3 s" in watched.status("hub")


def test_a_hub_that_shows_commits_without_end_is_called_unreachable(watched: Watched) -> None:
    """Good ones at that: whoever holds the VM has Cloud's key too. Nobody knows the head as long as more come."""
    local = watched.service.local
    line = local.store.history(None, watched.head() or CommitId(""))

    def answer(_body: wire.Object) -> wire.Object:
        return endless.page(local.store, line, more=True)

    with serving(answer) as url, closing(_client(watched, url, Limits(size=1))) as hub:
        local.vault.journal.hub = hub
        hub._head = line[0].id
        [(kind, *_)] = watched.after(LONG)
    assert kind == "hub unreachable"
    assert "more than is taken at once" in watched.status("hub")


def test_unsigned_commits_without_end_end_at_once_and_are_shown_as_a_danger(watched: Watched, tmp_path: Path) -> None:
    local = watched.service.local
    hostile = Unsigned(tmp_path / "evil", onto=watched.head(), store=local.store, size=1000)
    with serving(hostile) as url, closing(_client(watched, url, Limits())) as hub:
        local.vault.journal.hub = hub
        for _ in range(3):
            assert watched.after(SHORT) == []
    assert hostile.asked <= 4
    assert "DANGER" in watched.dashboard()
    assert "not signed" in watched.status("untrusted")


def test_a_step_that_fails_for_want_of_room_still_judges_the_silence(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise DiskTrouble("no room is left")

    monkeypatch.setattr(watched.service.local.vault, "refresh", full)
    [(kind, *_)] = watched.after(LONG)
    assert kind == "hub unreachable"


def test_want_of_room_is_told_until_a_step_has_shown_that_there_is_some(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others ask while a step runs, by the service's socket and by its status file."""
    told: list[str] = []
    refresh, room = watched.service.local.vault.refresh, iter((False, True))

    def full(*, later: bool = False) -> CommitId | None:
        told.append(watched.service.disk_trouble)
        if not next(room):
            raise DiskTrouble("no room is left")
        return refresh(later=later)

    monkeypatch.setattr(watched.service.local.vault, "refresh", full)
    watched.service.step()
    assert watched.status("disk") == "no room is left"
    watched.service.step()
    assert told == ["", "no room is left"]
    assert (watched.service.disk_trouble, watched.status("disk")) == ("", "ok")


def _client(watched: Watched, url: str, limits: Limits) -> HubClient:
    return HubClient(watched.service.local.store, url, "token", limits=limits)


# The bookkeeping alone


def life(tmp_path: Path, clock: TestClock) -> SignsOfLife:
    return SignsOfLife(tmp_path / "heard.json", clock, [CLOUD], LONG)


def test_a_silence_that_began_before_a_restart_is_still_one(tmp_path: Path) -> None:
    clock = TestClock()
    first = life(tmp_path, clock)
    first.answered()
    began = clock.now()
    clock.tick(LONG)

    [found] = life(tmp_path, clock).silences(following=False)

    assert (found.kind, found.since) == (Kind.UNREACHABLE, began)


def test_a_file_that_does_not_parse_is_a_first_run(tmp_path: Path) -> None:
    (tmp_path / "heard.json").write_text("{", encoding="ascii")
    assert life(tmp_path, TestClock()).silences(following=True) == ()


def test_old_words_that_the_hub_hands_on_late_are_no_sign_of_life(tmp_path: Path) -> None:
    clock = TestClock()
    said = updates.last_word(updates.alive(clock.now()))
    clock.tick(LONG)
    found = life(tmp_path, clock)
    found._heard[CLOUD] = (clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), clock.now())
    assert found.silences(following=True) == ()
    assert said is not None
    found._heard[CLOUD] = (said.strftime("%Y-%m-%dT%H:%M:%SZ"), clock.now())
    assert [one.kind for one in found.silences(following=True)] == [Kind.AGENT]


def test_a_clock_that_is_ahead_on_cloud_hides_no_silence(tmp_path: Path) -> None:
    clock = TestClock()
    found = life(tmp_path, clock)
    found._heard[CLOUD] = ("2031-01-01T00:00:00Z", clock.now())
    clock.tick(LONG)
    found.answered()
    assert [one.kind for one in found.silences(following=True)] == [Kind.AGENT]


def test_only_while_the_head_is_followed_is_an_agent_called_silent(tmp_path: Path) -> None:
    clock = TestClock()
    found = life(tmp_path, clock)
    found._heard[CLOUD] = ("", clock.now())
    clock.tick(LONG)
    found.answered()
    assert found.silences(following=False) == ()
