import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud_agent.health import Health
from cloud_agent.surface import Surface, answer, metrics, state
from cloud_agent.watchers.mailbox_settings import Credential
from cloud_agent.watchers.waiting import Trouble
from vault_protocol.errors import VaultError
from vault_protocol.testing import TestClock

OPENED_BY = {"office": Credential.READS_ONLY, "shop": Credential.HELD}
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def health(tmp_path: Path) -> Health:
    made = Health.of(tmp_path / "health.json", TestClock(NOON), OPENED_BY)
    made.step()
    return made


def test_each_thing_that_is_wrong_turns_its_own_line(health: Health) -> None:
    assert state(health) == "hub ok\nhead ok\ndisk ok\ndrafter ok\nbudget ok\nmailboxes ok\n"
    health.hub_reachable = False
    assert "hub bad\n" in state(health)
    health.hub_reachable, health.untrusted = True, "rule zone"
    assert "head bad\n" in state(health)
    health.untrusted, health.drafter_ok = "", False
    assert "drafter bad\n" in state(health)
    health.drafter_ok, health.disk_ok = True, False
    assert "disk bad\n" in state(health)
    health.disk_ok, health.is_written = True, False
    assert "disk bad\n" in state(health)


def test_a_mailbox_that_waits_for_the_hub_is_not_ill_itself(health: Health) -> None:
    health.trouble("shop", Trouble.NOT_TAKEN)
    assert "mailboxes ok" in state(health)
    health.trouble("shop", Trouble.AUTH)
    assert "mailboxes bad" in state(health)
    assert 'countersign_cloud_mailbox_trouble{mailbox="shop",trouble="auth"} 1' in metrics(health)
    assert 'countersign_cloud_mailbox_trouble{mailbox="office",trouble="auth"} 0' in metrics(health)


def test_an_agent_without_a_step_for_two_minutes_is_not_alive(health: Health) -> None:
    assert answer(health, "/healthz", NOON + timedelta(seconds=119))[0] == 200
    assert answer(health, "/healthz", NOON + timedelta(seconds=120))[0] == 503
    assert "last_step_timestamp_seconds" in metrics(health)
    health.last_step = None
    assert answer(health, "/healthz", NOON)[0] == 503
    assert "last_step_timestamp_seconds" not in metrics(health), "a step at the beginning of time would be an alarm"


def test_why_a_head_is_not_trusted_is_told_to_nobody_here(health: Health) -> None:
    """The reason names paths of the vault."""
    health.untrusted = "zone: Notes/secret plan.md"
    assert "secret" not in state(health) + metrics(health)


def test_it_answers_over_http_and_only_what_it_has(health: Health) -> None:
    surface = Surface(health, "127.0.0.1", 0, lambda: NOON)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{surface.port}/metrics", timeout=10) as answered:
            assert b"countersign_cloud_hub_ok 1" in answered.read()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{surface.port}/state/health.json", timeout=10)
        refused.value.close()
        assert refused.value.code == 404
        with pytest.raises(VaultError, match="health_port"):
            Surface(health, "127.0.0.1", surface.port, lambda: NOON)
    finally:
        surface.close()
