"""A kill at any step of apply loses nothing, and the next run brings the folder up to date."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import (
    APPROVED,
    HANDBOOK,
    NOTE,
    World,
    begun,
    edited,
    some,
    without_renameat2,
)

from vault_protocol.mirror import STEPS, Decided, Edited, Unsynced, rename


class Killed(BaseException):
    """The process ends here."""


def scenarios() -> dict[str, Callable[[World], None]]:
    def new_revision(world: World) -> None:
        world.put(made.pending(revision=2))

    def edited_and_replaced(world: World) -> None:
        world.write(NOTE, edited(world.read(NOTE)))
        world.put(made.pending(revision=2))

    def decided(world: World) -> None:
        world.move(NOTE, APPROVED)
        world.publish(*world.look())

    def own_note_on_both_sides(world: World) -> None:
        world.write(HANDBOOK, b"from the folder\n")
        world.commit({HANDBOOK: b"from elsewhere\n"})

    def not_quick(world: World) -> None:
        world.quick = lambda _task: "a payment"
        world.move(NOTE, APPROVED)

    def many(world: World) -> None:
        world.write("Plans/3.md", b"mine\n")
        world.commit({f"Plans/{number}.md": b"%d\n" % number for number in range(70)})

    return {
        scenario.__name__: scenario
        for scenario in (new_revision, edited_and_replaced, decided, own_note_on_both_sides, not_quick, many)
    }


@pytest.mark.parametrize("scenario", scenarios().values(), ids=scenarios())
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("exchange", ["exchange", "no exchange"])
def test_a_kill_before_any_step_then_a_restart_converges(
    tmp_path: Path, scenario: Callable[[World], None], step: str, exchange: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if exchange == "no exchange":
        without_renameat2(monkeypatch)
    world = begun(tmp_path)
    scenario(world)
    owners = world.files()
    for nth in range(3):
        kill_at(world, step, nth)
        try:
            world.apply()
        except Killed:
            assert set(owners.values()) <= kept(world)
        world.step = lambda _name: None
        world.restart()
        found = world.look()
        assert not some(Edited, found), "the mirror took its own bytes for the owner's"
        assert not some(Decided, found)
    world.settle_and_apply()
    world.settle_and_apply()
    assert set(owners.values()) <= kept(world)
    assert world.hidden() == []
    conflicts = {name: text for name, text in world.files().items() if "(conflict" in name}
    assert {**world.at_head(), **conflicts} == world.files()
    assert {item.path for item in world.settle() if isinstance(item, Unsynced)} == set(conflicts)


@pytest.mark.parametrize("begins", ["first run", "later"])
@pytest.mark.parametrize("step", STEPS)
def test_what_a_killed_run_put_there_goes_when_the_next_head_has_it_no_more(
    tmp_path: Path, step: str, begins: str
) -> None:
    world = begun(tmp_path) if begins == "later" else World(tmp_path)
    world.commit({"Plans/brief.md": b"for a moment\n"})
    for nth in range(2):
        kill_at(world, step, nth)
        with suppress(Killed):
            world.apply()
        world.step = lambda _name: None
        world.restart()
    world.commit({"Plans/brief.md": None})
    world.apply()
    assert world.files() == world.at_head()


def test_a_kill_between_two_kills_in_recovery_converges(tmp_path: Path) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.put(made.pending(revision=2))
    kill_at(world, "look out", 0)
    with pytest.raises(Killed):
        world.apply()
    world.mirror.close()
    kill_at(world, "record", 0)
    with pytest.raises(Killed):
        world.start()
    world.step = lambda _name: None
    world.start()
    world.apply()
    assert mine in world.files().values()
    assert world.at_head().items() <= world.files().items()


@pytest.mark.parametrize("step", STEPS)
def test_a_real_kill_before_any_step_then_a_restart_converges(tmp_path: Path, step: str) -> None:
    world = begun(tmp_path)
    mine = edited(world.read(NOTE))
    world.write(NOTE, mine)
    world.put(made.pending(revision=2))
    world.mirror.close()
    child = os.fork()
    if child == 0:
        world.step = lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None
        world.start()
        world.apply()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert mine in kept(world)
    world.start()
    assert some(Decided, world.look()) == []
    world.apply()
    copies = {name: text for name, text in world.files().items() if "(conflict" in name}
    assert list(copies.values()) == [mine]
    assert world.files() == {**world.at_head(), **copies}
    assert world.hidden() == []


def test_a_kill_while_a_note_is_missing_for_a_moment_is_no_deletion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_renameat2(monkeypatch)
    world = begun(tmp_path)
    world.mirror.close()
    child = os.fork()
    if child == 0:
        world.commit({HANDBOOK: b"# Theirs\n"})
        world.start()
        real = rename.move

        def killed(source: tuple[int, str], target: tuple[int, str]) -> None:
            if not world.path(HANDBOOK).exists():
                os.kill(os.getpid(), signal.SIGKILL)
            real(source, target)

        monkeypatch.setattr(rename, "move", killed)
        world.apply()
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert not world.path(HANDBOOK).exists()
    world.start()
    assert world.settle() == ()
    world.apply()
    assert world.files() == world.at_head()


def kill_at(world: World, step: str, nth: int) -> None:
    left = nth

    def kill(name: str) -> None:
        nonlocal left
        if name == step:
            if left == 0:
                raise Killed
            left -= 1

    world.step = kill


def kept(world: World) -> set[bytes]:
    """Every text that still exists: in the folder, hidden or not, and in the commits."""
    on_disk = {path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
    return on_disk | {world.store.blob(blob) for commit in world.history() for _, blob in world.store.paths(commit.id)}
