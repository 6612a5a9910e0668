"""Each class of error with its reaction, between real processes: what is down is waited for, what a person must mend is
told, and everything else goes on."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from demo.processes import eventually
from tests.bench.gate import gate
from tests.e2e.conftest import Gate
from vault_protocol.task import Stage

pytestmark = [pytest.mark.prove, pytest.mark.xdist_group("error classes")]

REST = 120.0
"""Seconds in which what surely did not happen is tried again: it rests for one minute."""
NOBODY = 9
"""A port where nothing listens."""


@pytest.fixture
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("classes")
    with gate(folder) as made:
        made.start_cloud()
        made.start_local()
        eventually(made.try_unlock, "the service answers", seconds=60)
        yield Gate(made, made.tail())


def status(gate: Gate) -> dict[str, Any]:
    return dict(json.loads(gate.world.countersign("status", "--json")))


def dashboard(gate: Gate) -> str:
    return (gate.world.vault_folder / "Dashboard.md").read_text(encoding="utf-8")


def pending(gate: Gate) -> tuple[str, str]:
    """Its topic and its task's id."""
    topic = gate.ask()
    return topic, gate.at(topic, Stage.PENDING_APPROVAL).id


def test_while_the_mail_server_is_down_what_is_approved_is_queued_and_goes_out_once(at_work: Gate) -> None:
    made = at_work.world
    topic, task = pending(at_work)
    made.mail.provider.running.stop()
    made.with_passphrase("approve", task, "--yes")
    eventually(lambda: "cannot be reached" in str(status(at_work)["waiting"].get(task)), "it is queued", seconds=60)
    at_work.at(topic, Stage.APPROVED)
    assert at_work.sent_to(topic) == []
    made.mail.provider.start_again()
    later, _ = pending(at_work)
    assert later, "the watcher came back by itself"
    eventually(lambda: at_work.sent_to(topic), "it goes out", seconds=REST)
    at_work.at(topic, Stage.DONE)
    assert len(at_work.sent_to(topic)) == 1


def test_a_refused_login_pauses_effects_tells_the_owner_and_goes_on_when_they_resume(at_work: Gate) -> None:
    made, password = at_work.world, at_work.world.mail.provider.acting.password_file
    right = password.read_text(encoding="utf-8")
    topic, task = pending(at_work)
    password.write_text("not the password", encoding="utf-8")
    made.with_passphrase("approve", task, "--yes")
    eventually(lambda: "login failed" in str(status(at_work)["paused"]), "effects are paused", seconds=60)
    other, second = pending(at_work)
    made.with_passphrase("approve", second, "--yes")
    eventually(lambda: "effects_paused" in dashboard(at_work), "the dashboard says so", seconds=60)
    at_work.at(other, Stage.APPROVED)
    password.write_text(right, encoding="utf-8")
    made.countersign("resume")
    for one in (topic, other):
        eventually(lambda one=one: at_work.sent_to(one), "it goes out", seconds=REST)  # type: ignore[misc]
        at_work.at(one, Stage.DONE)
        assert len(at_work.sent_to(one)) == 1
    assert "not the password" not in made.log_of("local") + json.dumps(status(at_work))


def test_while_the_model_is_down_mail_is_taken_in_and_waits_and_is_drafted_when_it_is_back(at_work: Gate) -> None:
    made = at_work.world
    settings = made.cloud_config.read_text(encoding="utf-8")
    model = ["", "[drafter]", 'provider = "openai"', 'model = "any"', f'base_url = "http://127.0.0.1:{NOBODY}/v1"']
    restart_cloud(at_work, "\n".join([settings, *model, "timeout_seconds = 2", ""]))
    topics = [at_work.ask(), at_work.ask()]
    for topic in topics:
        at_work.at(topic, Stage.NEEDS_ACTION, Stage.IN_PROGRESS)
    eventually(lambda: waits(at_work, topics), "they wait, and say for what", seconds=60)
    assert made.cloud is not None
    assert made.cloud.poll() is None
    restart_cloud(at_work, settings)
    for topic in topics:
        at_work.at(topic, Stage.PENDING_APPROVAL)


def restart_cloud(gate: Gate, settings: str) -> None:
    made = gate.world
    assert made.cloud is not None
    made.cloud.send_signal(signal.SIGTERM)
    assert made.cloud.wait(30) == 0
    made.cloud_config.write_text(settings, encoding="utf-8")
    made.start_cloud()


def waits(gate: Gate, topics: list[str]) -> bool:
    tasks = [gate.task(topic) for topic in topics]
    return all(task and task.note.front.words("waiting_for") == "drafter-unavailable" for task in tasks)


def test_an_agent_that_crashed_or_was_killed_goes_on_where_it_was_once_it_is_started_again(at_work: Gate) -> None:
    """What the units' Restart=on-failure does, done by hand: nothing else is needed to go on."""
    made = at_work.world
    topic, task = pending(at_work)
    assert made.cloud is not None
    assert made.local is not None
    made.kill(made.cloud)
    made.kill(made.local)
    later = at_work.ask()
    made.with_passphrase("approve", task, "--yes")
    made.start_cloud()
    made.start_local()
    at_work.at(topic, Stage.DONE)
    at_work.at(later, Stage.PENDING_APPROVAL)
    assert len(at_work.sent_to(topic)) == 1
