"""What backups say in the vault, by a real hub that judges it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, NOW, VAULT
from services.backup.tests.hub_in_use import HubInUse
from services.vault_hub.tests.hubworld import HubWorld

from backup import agent, hub_restored
from backup.drill import ledger
from backup.drill.report import EVENT, Report
from backup.settings import Agent
from vault_protocol import keys, updates
from vault_protocol.doctor.finding import finding
from vault_protocol.errors import HubUnreachable

REPORT = Report(
    NOW, 41, 12, hub_restored.Proof("a" * 40, 15, 4, (), 1), True, ledger.Proof(7, 3, "760.00", "760.00", 124)
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubInUse]:
    world = HubWorld(tmp_path)
    try:
        yield HubInUse(world)
    finally:
        world.close()


def settings(hub: HubInUse, folder: Path) -> Agent:
    keys.save(CLOUD.key, folder / "key", comment="x")
    (folder / "token").write_text(hub.world.token(CLOUD.agent), encoding="utf-8")
    return Agent(
        name=CLOUD.agent, vault=VAULT, hub=hub.world.running.url, hub_token_file=folder / "token",
        key_file=folder / "key",
    )  # fmt: skip


def test_it_says_that_it_is_alive_once_in_a_heartbeat(hub: HubInUse, tmp_path: Path) -> None:
    said = []
    with agent.speaking(settings(hub, tmp_path), tmp_path / "state", hub.world.clock) as speaks:
        for minutes in (0, 5, 6, 1):
            hub.world.tick(minutes * 60)
            said.append(speaks.alive())
    assert said == [True, False, True, False]
    there = hub.local()
    word = updates.last_word(there.journal.read(updates.alive_path(CLOUD.agent)))
    assert word is not None
    assert hub.world.clock.now() - word == timedelta(minutes=1)


def test_a_drill_is_a_line_for_the_dashboard_and_a_note_that_the_hub_takes(hub: HubInUse, tmp_path: Path) -> None:
    with agent.speaking(settings(hub, tmp_path), tmp_path / "state", hub.world.clock) as speaks:
        path = speaks.report(EVENT, REPORT.facts(), REPORT.note(), NOW)
        assert not speaks.alive(), "a report is a sign of life"
    there = hub.local()
    [line] = updates.parse(there.journal.read(updates.path(CLOUD.agent)) or b"")
    assert (line.event, dict(line.facts)["rto_s"], dict(line.facts)["result"]) == ("restore-drill", "41", "ok")
    note = (there.journal.read(path) or b"").decode()
    assert "It would come back. RTO 41 s, RPO 12 s" in note
    assert "124 files, each with the hash of its record" in note


def test_a_hub_that_is_away_is_an_expected_failure(hub: HubInUse, tmp_path: Path) -> None:
    known = settings(hub, tmp_path)
    hub.world.running.stop()
    with agent.speaking(known, tmp_path / "state", hub.world.clock) as speaks, pytest.raises(HubUnreachable):
        speaks.alive()


def test_findings_make_a_drill_a_failure() -> None:
    assert REPORT.vault is not None
    worse = replace(REPORT, vault=replace(REPORT.vault, findings=(finding("I1", "Done/x.md", "twice"),)))
    assert (REPORT.well, worse.well, worse.facts()["result"]) == (True, False, "failed")
    assert "would not come back" in worse.note()


def test_the_last_line_of_a_drill_is_for_scripts() -> None:
    assert REPORT.last_line() == "RTO 41 s, RPO 12 s"
