"""What Local found out about drafts is remembered outside the vault, a round of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import with_mailbox

from local_agent.assemble import Local, assemble
from local_agent.judge import Judge


def judge_of(local: Local, looked: list[str]) -> Judge:
    def find(_account: str, id_: str) -> list[bytes]:
        looked.append(id_)
        return []

    return Judge(local.settings, find, local.home.checks, txt=lambda *_: None)


def test_a_round_of_checks_is_written_once_and_known_to_the_next_life(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, capsys.readouterr)
    with_mailbox(world)
    tasks = [world.ask_for(f"Offer {number}") for number in range(3)]
    local = assemble(world.home)
    local.vault.refresh()
    writes: list[Path] = []
    monkeypatch.setattr("local_agent.judge.write_private", lambda path, _: writes.append(path))
    judge = judge_of(local, [])
    with judge.together():
        found = [judge.check(local.vault.get(task)) for task in tasks]
        assert writes == []
    assert writes == [local.home.checks]
    with judge.together():
        assert [judge.check(local.vault.get(task)) for task in tasks] == found
    assert writes == [local.home.checks], "nothing was found out, nothing is written"
    monkeypatch.undo()
    looked: list[str] = []
    again = judge_of(local, looked)
    with again.together():
        again.check(local.vault.get(tasks[0]))
    assert judge_of(local, looked).known(local.vault.get(tasks[0])) == found[0]
    assert len(looked) == 1
