"""What the owner writes, deletes and drops; and what stays on this machine."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from libs.vault_protocol.tests.mirror.world import DASHBOARD, HANDBOOK, NOTE, begun, only, some

from vault_protocol.mirror import Conflict, Dropped, Edited, PutBack, Removed, Unsynced, Vanished


def test_an_edit_of_the_owners_note_is_offered_once_it_is_still(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"# Mine\n")
    assert world.look() == ()
    world.tick(2.9)
    assert world.look() == ()
    assert world.mirror.settled_in() == pytest.approx(0.1)
    world.tick(0.1)
    assert only(Edited, world.look()) == Edited(HANDBOOK, b"# Mine\n")
    assert world.mirror.settled_in() is None


@pytest.mark.parametrize("name", ["Projects/Plan for spring.md", "Schedules/monday.json", "x.jsonl", "Über uns.md"])
def test_a_new_note_of_the_owner_is_published(tmp_path: Path, name: str) -> None:
    world = begun(tmp_path)
    world.write(name, b"{}\n")
    world.publish(only(Edited, world.settle()))
    world.apply()
    assert world.settle() == ()
    assert world.files() == world.at_head()


def test_a_deleted_note_of_the_owner_is_removed_and_a_moved_one_follows(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.path("Projects").mkdir()
    world.move(HANDBOOK, "Projects/House rules.md")
    found = world.settle()
    assert found == (Removed(HANDBOOK), Edited("Projects/House rules.md", b"# Handbook\n\nBe kind.\n"))
    world.publish(*found)
    world.apply()
    assert world.files() == world.at_head()


def test_typing_on_while_an_edit_is_published_is_neither_lost_nor_a_conflict(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"one\n")
    world.publish(*world.settle())
    world.write(HANDBOOK, b"one two\n")
    assert world.apply() == ()
    assert world.read(HANDBOOK) == b"one two\n"
    assert only(Edited, world.settle()).content == b"one two\n"


def test_what_was_published_long_ago_does_not_hide_two_hands_on_one_note(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"one\n")
    world.publish(*world.settle())
    world.apply()
    world.commit({HANDBOOK: b"two\n"})
    world.apply()
    world.write(HANDBOOK, b"three\n")
    world.commit({HANDBOOK: b"one\n"})
    assert world.read(only(Conflict, world.apply()).copy) == b"three\n"


def test_deleting_while_an_edit_is_published_stays_deleted(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"one\n")
    world.publish(*world.settle())
    world.path(HANDBOOK).unlink()
    world.apply()
    assert only(Removed, world.settle()) == Removed(HANDBOOK)


def test_undoing_a_deletion_while_it_is_published_keeps_the_note(tmp_path: Path) -> None:
    world = begun(tmp_path)
    content = world.read(HANDBOOK)
    world.path(HANDBOOK).unlink()
    world.publish(*world.settle())
    world.write(HANDBOOK, content)
    world.apply()
    assert only(Edited, world.settle()).content == content


def test_two_hands_on_one_note_leave_both_texts(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"from the folder\n")
    world.commit({HANDBOOK: b"from elsewhere\n"})
    assert world.settle() == ()
    kept = only(Conflict, world.apply())
    assert (world.read(HANDBOOK), world.read(kept.copy)) == (b"from elsewhere\n", b"from the folder\n")
    assert only(Unsynced, world.settle()).path == kept.copy


def test_a_note_removed_elsewhere_but_edited_here_is_new_again(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write(HANDBOOK, b"still wanted\n")
    world.commit({HANDBOOK: None})
    world.apply()
    assert only(Edited, world.settle()) == Edited(HANDBOOK, b"still wanted\n")


@pytest.mark.parametrize("content", [b"password: correct horse battery\n", b"AKIA" + b"A" * 16 + b"\n"])
def test_a_secret_stays_on_this_machine_and_is_shown(tmp_path: Path, content: bytes) -> None:
    world = begun(tmp_path)
    world.write("Notes.md", content)
    assert "secret" in only(Unsynced, world.settle()).reason or "looks like" in only(Unsynced, world.look()).reason
    assert world.mirror.unsynced() == world.look()


def test_what_could_not_be_published_stays_unsynced_until_it_changes(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write("Notes.md", b"one\n")
    world.mirror.refuse(only(Edited, world.settle()), "the hub said no")
    assert only(Unsynced, world.look()) == Unsynced("Notes.md", "the hub said no")
    world.write("Notes.md", b"two\n")
    only(Edited, world.settle())


def test_a_removal_that_could_not_be_published_brings_the_note_back(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.path(HANDBOOK).unlink()
    world.mirror.refuse(only(Removed, world.settle()), "the hub said no")
    only(Vanished, world.apply())
    assert world.files() == world.at_head()
    world.path(HANDBOOK).unlink()
    only(Removed, world.settle())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".env", "secrets file"), ("Inbox/.env", "secrets file"), ("Projects/.env.local", "secrets file"),
        ("photo.jpg", "only .md"), ("a:b.md", "means something"), ("git~1.md", "looks like .git"),
        ("Approved/hello.md", "drop files into Inbox/"), ("Needs_Action/email/hello.md", "drop files into Inbox/"),
        ("Updates/cloud-1/mine.md", "only the assistant"), ("Logs/mine.jsonl", "only the assistant"),
        ("Projects/responsibilities.md", "name is that of a task"), ("Approved/bbbbbbbbbbbbbbbb.md", "no such task"),
        ("Handbook (conflict 2026-11-23 150405).md", "conflict copy"),
        ("Handbook.sync-conflict-20261123-150405-ABCDEFG.md", "conflict copy"),
    ],
)  # fmt: skip
def test_what_no_commit_may_hold_is_reported_and_left_alone(tmp_path: Path, name: str, why: str) -> None:
    world = begun(tmp_path)
    world.write(name, b"text\n")
    item = only(Unsynced, world.settle())
    assert item.path == name
    assert why in item.reason
    assert world.apply() == ()
    assert world.read(name) == b"text\n"


@pytest.mark.parametrize(
    "name",
    [
        ".obsidian/workspace.json", ".trash/old.md", ".stfolder/x.md", ".stversions/Handbook~1.md", ".DS_Store",
        ".Handbook.md.swp", "Handbook.md~", "#Handbook.md#", ".#Handbook.md", "x.tmp", "4913", "~$Handbook.md",
        ".syncthing.Handbook.md.tmp", "~syncthing~Handbook.md",
    ],
)  # fmt: skip
def test_temporaries_and_hidden_files_are_not_even_mentioned(tmp_path: Path, name: str) -> None:
    world = begun(tmp_path)
    world.write(name, b"text\n")
    assert world.settle() == ()
    assert world.mirror.unsynced() == ()
    world.apply()
    assert world.read(name) == b"text\n"


def test_a_link_is_reported_and_never_followed(tmp_path: Path) -> None:
    world = begun(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.md").write_bytes(b"private\n")
    world.path("link.md").symlink_to(outside / "private.md")
    world.path("folder").symlink_to(outside)
    assert {item.path for item in some(Unsynced, world.settle())} == {"link.md", "folder"}
    world.commit({"folder/new.md": b"from the hub\n"})
    world.apply()
    assert [path.name for path in outside.iterdir()] == ["private.md"]
    assert {item.path for item in world.mirror.unsynced()} == {"link.md", "folder", "folder/new.md"}
    world.path("folder").unlink()
    world.apply()
    assert world.read("folder/new.md") == b"from the hub\n"


def test_a_note_replaced_by_a_link_does_not_leak_what_it_points_to(tmp_path: Path) -> None:
    world = begun(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret\n")
    world.path(HANDBOOK).unlink()
    world.path(HANDBOOK).symlink_to(tmp_path / "secret")
    assert only(Unsynced, world.settle()).path == HANDBOOK
    world.commit({HANDBOOK: b"# New\n"})
    world.apply()
    assert (world.read(HANDBOOK), (tmp_path / "secret").read_bytes()) == (b"# New\n", b"secret\n")


def test_a_link_to_the_very_bytes_is_still_replaced_by_a_file(tmp_path: Path) -> None:
    world = begun(tmp_path)
    (tmp_path / "outside.md").write_bytes(b"# New\n")
    world.path(DASHBOARD).unlink()
    world.path(DASHBOARD).symlink_to(tmp_path / "outside.md")
    world.commit({DASHBOARD: b"# New\n"})
    world.apply()
    assert not world.path(DASHBOARD).is_symlink()


def test_a_name_that_is_no_text_blocks_nothing(tmp_path: Path) -> None:
    world = begun(tmp_path)
    Path(os.fsdecode(os.fsencode(world.folder) + b"/caf\xe9.md")).write_bytes(b"x\n")
    world.write("Notes.md", b"fine\n")
    found = world.settle()
    assert [item.path for item in some(Edited, found)] == ["Notes.md"]
    assert some(Unsynced, found)[0].path == "caf\ufffd.md"


def test_a_note_that_is_too_large_is_reported(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write("Large.md", b"x" * (1024 * 1024 + 1))
    assert "at most 1024 KiB" in only(Unsynced, world.settle()).reason


@pytest.mark.parametrize("name", [DASHBOARD, "Briefings/2026-11-23.md", "Approvals/x.json"])
def test_an_edit_of_the_assistants_notes_becomes_a_copy(tmp_path: Path, name: str) -> None:
    world = begun(tmp_path)
    world.commit({name: b"theirs\n"})
    world.apply()
    world.write(name, b"mine\n")
    assert world.settle() == ()
    kept = only(Conflict, world.apply())
    assert (world.read(name), world.read(kept.copy)) == (b"theirs\n", b"mine\n")


def test_a_vanished_dashboard_returns(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.path(DASHBOARD).unlink()
    assert only(Vanished, world.settle_and_apply()).path == DASHBOARD


def test_an_emptied_folder_is_a_lost_folder_and_not_a_hundred_deletions(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.folder.rename(tmp_path / "elsewhere")
    world.folder.mkdir()
    assert world.settle() == ()
    world.apply()
    assert world.files() == world.at_head()


def test_a_dropped_file_of_any_type_is_offered_and_leaves_when_it_is_taken(tmp_path: Path) -> None:
    world = begun(tmp_path)
    content = b"%PDF-1.7\n" + bytes(range(256)) * 8000
    world.write("Inbox/scan.pdf", content)
    assert world.look() == ()
    item = only(Dropped, world.settle())
    assert item == Dropped("Inbox/scan.pdf", len(content), sha256(content).hexdigest())
    assert world.mirror.read(item.path) == content
    assert world.mirror.discard(item)
    assert world.files() == world.at_head()
    assert world.hidden() == []


def test_a_dropped_file_that_changed_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write("Inbox/list.txt", b"one\n")
    item = only(Dropped, world.settle())
    world.write("Inbox/list.txt", b"one\ntwo\n")
    assert not world.mirror.discard(item)
    assert world.read("Inbox/list.txt") == b"one\ntwo\n"
    assert only(Dropped, world.settle()).size == 8


def test_a_drop_that_grows_is_not_offered(tmp_path: Path) -> None:
    world = begun(tmp_path)
    for size in range(1, 6):
        world.write("Inbox/scan.pdf", b"x" * size)
        world.tick(2)
        assert world.look() == ()
    only(Dropped, world.settle())


def test_a_task_in_the_inbox_goes_back_and_becomes_no_second_task(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.move(NOTE, f"Inbox/{Path(NOTE).name}")
    assert world.settle() == ()
    only(PutBack, world.apply())


def test_a_note_that_changed_its_case_alone_goes_before_it_comes(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.write("notes/a.md", b"# A\n")
    world.write("notes/b.md", b"# B\n")
    world.publish(*world.settle())
    world.apply()
    (world.folder / "notes").rename(world.folder / "Notes")
    items = world.settle()
    assert [(type(item), item.path) for item in items] == [
        (Removed, "notes/a.md"), (Removed, "notes/b.md"), (Edited, "Notes/a.md"), (Edited, "Notes/b.md"),
    ]  # fmt: skip
