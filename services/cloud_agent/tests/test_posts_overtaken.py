"""An entry moved, deleted or emptied after it was drafted: the draft that waits goes back, the owner is told."""

from datetime import timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.test_planner import approve
from services.cloud_agent.tests.test_posts import entry, owner_writes, soon
from services.cloud_agent.tests.test_threads import goes_back
from services.cloud_agent.tests.world import World, mail

from local_agent.dashboard import of_vault
from vault_protocol import request
from vault_protocol.canonical import utc
from vault_protocol.task import Stage, Task

ENTRY = "Calendar/moved.md"


def drafted(tmp_path: Path) -> World:
    world = World(tmp_path)
    owner_writes(world, entry(soon(world), networks="[bluesky]"))
    world.works()
    assert world.only(Stage.PENDING_APPROVAL).has_action
    return world


def deleted(world: World) -> None:
    world.local.refresh()
    world.local.write("owner_edit", "calendar", {ENTRY: None})


def warnings_of(task: Task) -> tuple[str, ...]:
    asked = request.read(task.note)
    assert asked is not None
    return asked.warnings


def test_the_draft_of_a_moved_entry_goes_back_and_only_the_new_one_can_be_approved(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    old, later = world.only(Stage.PENDING_APPROVAL), soon(world) + timedelta(days=1)
    owner_writes(world, entry(later, networks="[bluesky]"))
    world.works()
    assert goes_back(world) == 1
    world.works()
    by_id = {task.id: task for task in world.tasks(Stage.PENDING_APPROVAL)}
    gone = by_id.pop(old.id)
    assert not gone.has_action
    assert "another task was raised for what it says now" in gone.note.front.words("reason")
    (new,) = by_id.values()
    assert (new.has_action, new.note.front.words("not_before"), warnings_of(new)) == (True, utc(later), ())


def test_the_draft_of_a_deleted_entry_goes_back_once_and_says_why(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    deleted(world)
    world.works()
    world.start()
    world.works()
    assert goes_back(world) == 1
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    assert not task.has_action
    assert "is not there any more" in task.note.front.words("reason")
    world.works()
    assert goes_back(world) == 0


@pytest.mark.parametrize(
    ("front", "back"),
    [({"at": '""'}, 1), ({"networks": "[mastodon]"}, 1), ({"at": "tomorow"}, 0), ({"title": "Other"}, 0)],
)
def test_an_emptied_time_takes_the_draft_back_and_a_half_written_entry_does_not(
    tmp_path: Path, front: dict[str, str], back: int
) -> None:
    world = drafted(tmp_path)
    owner_writes(world, entry(soon(world), **{"networks": "[bluesky]", **front}))
    world.works()
    assert goes_back(world) == back


def test_a_post_that_was_approved_is_left_alone_and_named_in_the_draft_after_it(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    old = approve(world, world.only(Stage.PENDING_APPROVAL))
    owner_writes(world, entry(soon(world) + timedelta(days=1), networks="[bluesky]"))
    world.works()
    assert goes_back(world) == 0
    assert [task.id for task in world.tasks(Stage.APPROVED)] == [old.id]
    (warning,) = warnings_of(world.only(Stage.PENDING_APPROVAL))
    assert warning.endswith(f"and goes out too: moved. Take it back: countersign undo {old.id}")


def test_the_dashboard_names_an_approved_post_whose_entry_was_deleted(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    old = approve(world, world.only(Stage.PENDING_APPROVAL))
    assert "countersign undo" not in of_vault(world.local)
    deleted(world)
    assert f"> [!warning] {old.id} (bluesky-moved) is approved and goes out" in of_vault(world.local)
    assert f"is gone: countersign undo {old.id}\n" in of_vault(world.local)


@pytest.mark.parametrize("change", ["emptied", "moved by two weeks", "without this network", "moved by a day"])
def test_the_dashboard_names_an_approved_post_that_its_entry_plans_no_more(tmp_path: Path, change: str) -> None:
    world = drafted(tmp_path)
    old = approve(world, world.only(Stage.PENDING_APPROVAL))
    at, front = soon(world), {"networks": "[bluesky]"}
    if change == "emptied":
        front["at"] = '""'
    elif change == "without this network":
        front["networks"] = "[mastodon]"
    else:
        at += timedelta(days=14 if "weeks" in change else 1)
    owner_writes(world, entry(at, **front))
    assert f"was moved or emptied since: countersign undo {old.id}\n" in of_vault(world.local)


def test_the_dashboard_is_silent_of_an_entry_whose_words_changed_or_that_is_half_written(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    approve(world, world.only(Stage.PENDING_APPROVAL))
    for changed in (
        entry(soon(world), "Other words.", networks="[bluesky]"), entry(soon(world), networks="[bluesky]", at="tomorow")
    ):  # fmt: skip
        owner_writes(world, changed)
        assert "countersign undo" not in of_vault(world.local)


def test_a_signal_that_another_agent_left_in_other_words_keeps_nobody_from_working(tmp_path: Path) -> None:
    world = drafted(tmp_path)
    draft = world.only(Stage.PENDING_APPROVAL)
    world.other_vault().write("withdraw", draft.id, {f"Signals/withdraw-{draft.id}-{draft.revision}.json": b"{ }\n"})
    deleted(world)
    world.receives(mail())
    world.works()
    assert len(world.tasks(Stage.PENDING_APPROVAL)) == 2
    assert goes_back(world) == 1
