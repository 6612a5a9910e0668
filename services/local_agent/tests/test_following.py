"""How far the service followed is on disk by the end of a step, and before anything is done on the strength of it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.office import Office, Outside, acting_at_once

from local_agent.effects.execute import Outcome
from vault_protocol.action import SendMail
from vault_protocol.approval import Approved
from vault_protocol.hub import CommitId, Published
from vault_protocol.mirror.place import Folder
from vault_protocol.store import GitStore


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return acting_at_once(tmp_path, capsys)


def followed(world: World) -> str:
    """The head that the checkpoint on disk names."""
    return str(json.loads(world.home.checkpoint.read_text(encoding="ascii"))["head"])


def at_hub(world: World) -> CommitId | None:
    return GitStore(world.hub).ref("refs/heads/main")


def test_a_note_is_shown_first_and_the_checkpoint_is_there_when_the_step_ends(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, put, shown = office.world, Folder.put, dict[str, str]()

    def seen(self: Folder, path: str, temp: str) -> None:
        put(self, path, temp)
        shown[path.partition("/")[0]] = followed(world)

    with office.running() as service:
        service.step()
        world.add("A question")
        head = at_hub(world)
        monkeypatch.setattr(Folder, "put", seen)
        service.step()
        assert shown["Needs_Action"] != head
        assert service.local.vault.journal.head == at_hub(world)
        assert followed(world) == at_hub(world)


def test_before_anything_is_sent_the_checkpoint_is_as_far_as_what_was_followed(office: Office) -> None:
    world, sent = office.world, list[str]()

    class Noting(Outside):
        def perform(self, what: Approved[SendMail], *, key: str, at: datetime) -> Outcome:
            sent.append(followed(world))
            return super().perform(what, key=key, at=at)

    office.outside = Noting()
    office.approved()
    world.add("Another question, of which the checkpoint knows nothing yet")
    head = at_hub(world)
    assert followed(world) != head
    with office.running() as service:
        service.step()
    assert sent == [head]


def test_a_step_leaves_a_checkpoint_that_a_command_wrote_further_on_meanwhile(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = office.world
    task = world.ask_for("Your offer")
    with office.running() as service:
        service.step()
        world.add("Brings the service something to follow")
        check = service._check_drafts

        def decided_meanwhile() -> None:
            check()
            assert world.run("reject", task).code == 0

        monkeypatch.setattr(service, "_check_drafts", decided_meanwhile)
        monkeypatch.setattr(service.local.vault, "reap", lambda: None)
        monkeypatch.setattr("local_agent.dashboard.write", lambda vault: None)
        service.step()
        assert followed(world) == at_hub(world)
        assert service.local.vault.journal.head != at_hub(world), "it has not heard of it yet"


def test_nothing_is_published_from_a_head_that_a_restart_would_not_know(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, seen = office.world, list[bool]()
    with office.running() as service:
        service.step()
        world.add("A question")
        hub = service.local.vault.journal.hub
        publish = hub.publish

        def noting(commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
            seen.append(followed(world) == onto)
            return publish(commit, onto=onto, exact=exact)

        monkeypatch.setattr(hub, "publish", noting)
        service.step()
    assert seen
    assert all(seen)
