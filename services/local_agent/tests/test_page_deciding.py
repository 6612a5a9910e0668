"""Decisions on the page: about what was shown, by whoever may, and by the code of every other way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World
from services.local_agent.tests.office import Outside, Server
from services.local_agent.tests.page_world import Office, office, setting, with_mailbox

from local_agent.taking_back import approvals
from vault_protocol import layout, request
from vault_protocol.action import SendMail
from vault_protocol.task import Stage


@pytest.fixture
def desk(world: World) -> Iterator[Office]:
    with office(world) as found:
        yield found


def test_a_draft_stands_on_the_page_in_full(desk: Office) -> None:
    text = "".join(f"Line {number} of the answer.\n" for number in range(200))
    desk.world.ask_for("Your offer", text=text, warnings=("the sender is new",), unknowns=("which date",))
    shown = desk.paired().see()
    assert shown.status == 200
    for words in ("Your offer", "jane@customer.example", "Line 0 of", "Line 199 of", "the sender is new", "which date"):
        assert words in shown.text


def test_a_draft_is_approved_with_the_passphrase_and_by_the_page(desk: Office) -> None:
    task = desk.world.ask_for()
    browser = desk.paired()
    answer = browser.do(f"task/{task}/approve", on=f"task/{task}", passphrase=PASSPHRASE)
    assert (answer.status, answer.location) == (303, f"{browser.door}/waiting")
    assert desk.world.stage(task) is Stage.APPROVED
    record = desk.world.run("log", "--json", "--task", task).json["records"][-1]
    assert (record["parameters"]["how"], record["approved_by"]) == ("page", "Ann Owner")
    assert desk.poked


def test_a_locked_key_or_a_wrong_passphrase_approves_nothing(desk: Office) -> None:
    task = desk.world.ask_for()
    browser = desk.paired()
    assert browser.do(f"task/{task}/approve").status == 403
    assert browser.do(f"task/{task}/approve", passphrase="wrong horse").status == 403
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_a_draft_that_changed_since_it_was_shown_is_not_approved(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    browser = desk.paired()
    fields = browser.see(f"task/{task}").form("/approve")
    ran = desk.world.run("edit", task, "--text-file", str(_file(desk, "Something else.\n")), "--no-approve")
    assert ran.code == 0
    answer = browser.post(f"{browser.door}/task/{task}/approve", fields)
    assert answer.status == 409
    assert "changed since you were shown it" in answer.text
    assert "Something else." in answer.text
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL
    assert browser.do(f"task/{task}/approve").status == 303


def test_the_owner_s_own_text_is_shown_as_a_change_and_then_signed(desk: Office) -> None:
    task = desk.world.ask_for(text="Hello Jane,\nthe offer follows.\n")
    desk.unlock()
    browser = desk.paired()
    preview = browser.do(f"task/{task}/edit", text="Hello Jane,\r\nthe offer is attached.\r\n")
    assert preview.status == 200
    assert "<del>" in preview.text
    assert "the offer is attached." in preview.text
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL
    answer = browser.post(f"{browser.door}/task/{task}/approve-edited", preview.form("/approve-edited"))
    assert answer.status == 303
    approved = desk.world.local.vault.get(task)
    asked = request.read(approved.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert (approved.stage, approved.revision) == (Stage.APPROVED, 2)
    assert asked.action.text == "Hello Jane,\nthe offer is attached.\n"


def test_other_words_than_those_whose_changes_were_shown_are_not_signed(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    browser = desk.paired()
    preview = browser.do(f"task/{task}/edit", text="My own words.\n")
    fields = {**preview.form("/approve-edited"), "text": "Other words.\n"}
    assert browser.post(f"{browser.door}/task/{task}/approve-edited", fields).status == 409
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_rejecting_and_asking_again_need_no_key(desk: Office) -> None:
    first, second = desk.world.ask_for("One"), desk.world.ask_for("Two")
    browser = desk.paired()
    assert browser.do(f"task/{first}/reject", why="not now").status == 303
    assert browser.do(f"task/{second}/again", remark="shorter, please").status == 303
    assert desk.world.stage(first) is Stage.REJECTED
    assert desk.world.local.vault.get(second).note.front.words("remark") == "shorter, please"
    assert desk.world.local.vault.get(first).note.front.words("rejected_because") == "not now"


def test_a_snoozed_draft_is_out_of_sight_and_still_there(desk: Office) -> None:
    task = desk.world.ask_for("Not today")
    browser = desk.paired()
    assert browser.do(f"task/{task}/snooze", until="day").status == 303
    shown = browser.see().text
    assert f'id="{task}"' not in shown
    assert "Put off" in shown
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL
    assert "Show it again" in browser.see(f"task/{task}").text
    assert browser.do(f"task/{task}/snooze", on=f"task/{task}", until="now").status == 303
    assert f'id="{task}"' in browser.see().text
    assert "Show it again" not in browser.see(f"task/{task}").text


def test_never_for_this_sender_is_a_rule_in_the_handbook_and_a_no(desk: Office) -> None:
    task = desk.world.ask_for()
    before = desk.world.local.vault.journal.read(layout.HANDBOOK) or b""
    browser = desk.paired()
    assert browser.do(f"task/{task}/never").status == 303
    after = desk.world.local.vault.journal.read(layout.HANDBOOK) or b""
    added = [line for line in after.decode().splitlines() if line not in before.decode().splitlines()]
    assert "- Never draft for: jane@customer.example" in added
    assert before.decode() in after.decode() or len(added) == 1
    assert desk.world.stage(task) is Stage.REJECTED


def test_an_approval_is_taken_back_within_its_undo_window(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    browser = desk.paired()
    assert browser.do(f"task/{task}/approve").status == 303
    assert "leaves at" in browser.see().text
    assert browser.do(f"task/{task}/undo").status == 303
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_what_has_begun_is_not_taken_back_and_the_page_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init("--undo-seconds", "0", "--no-dry-run").code == 0
    with office(world) as desk:
        task = world.ask_for()
        desk.unlock()
        browser = desk.paired()
        assert browser.do(f"task/{task}/approve").status == 303
        fields = browser.see().form("/undo")
        _send(desk, task)
        shown = browser.see().text
        assert "/undo" not in shown
        assert "done; its receipt is being published" in shown
        late = browser.post(f"{browser.door}/task/{task}/undo", fields)
        assert late.status == 409
        assert "too late" in late.text
        assert world.stage(task) is Stage.APPROVED


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    """A desk whose drafts can be held against the mailbox."""
    world = World(tmp_path, capsys.readouterr)
    with_mailbox(world)
    with office(world) as found:
        yield found


def test_several_are_approved_together_and_each_stands_there_in_full(checked: Office) -> None:
    tasks = [checked.ask_about(f"Offer {number}", f"This is answer {number}.\n") for number in range(3)]
    checked.unlock()
    browser = checked.paired()
    shown = browser.see()
    assert all(f"This is answer {number}." in shown.text for number in range(3))
    assert shown.text.count("Checked: recipients, thread and quote are what the original") == 3
    fields = [("csrf", shown.form("/approve")["csrf"]), *_picks(shown.text)]
    assert len(fields) == 4
    assert browser.post(f"{browser.door}/approve", fields).status == 303
    assert all(checked.world.stage(task) is Stage.APPROVED for task in tasks)


def test_of_several_what_changed_since_it_was_shown_is_left_out_and_said(checked: Office) -> None:
    first, second = checked.ask_about("First"), checked.ask_about("Second")
    checked.unlock()
    browser = checked.paired()
    shown = browser.see()
    fields = [("csrf", shown.form("/approve")["csrf"]), *_picks(shown.text)]
    edited = checked.world.run("edit", second, "--text-file", str(_file(checked, "Other.\n")), "--no-approve")
    assert edited.code == 0
    answer = browser.post(f"{browser.door}/approve", fields)
    assert answer.status == 409
    assert "1 of 2 approved" in answer.text
    assert checked.world.stage(first) is Stage.APPROVED
    assert checked.world.stage(second) is Stage.PENDING_APPROVAL


def test_what_could_not_be_checked_is_approved_alone_or_not_at_all(desk: Office) -> None:
    tasks = [desk.world.ask_for(f"Offer {number}") for number in range(2)]
    desk.unlock()
    browser = desk.paired()
    shown = browser.see()
    assert _picks(shown.text) == []
    seen = [shown.form(f"{task}/approve")["seen"] for task in tasks]
    picks = [("pick", f"{task}.{mark}") for task, mark in zip(tasks, seen, strict=True)]
    answer = browser.post(f"{browser.door}/approve", [("csrf", shown.form("/lock")["csrf"]), *picks])
    assert answer.status == 409
    assert all(desk.world.stage(task) is Stage.PENDING_APPROVAL for task in tasks)
    assert browser.do(f"task/{tasks[0]}/approve").status == 303


def test_a_draft_that_the_mailbox_contradicts_needs_so_many_words(checked: Office) -> None:
    task = checked.ask_about()
    letter = next(iter(checked.letters))
    checked.letters[letter] = checked.letters[letter].replace(b"jane@customer.example", b"real@customer.example")
    checked.unlock()
    browser = checked.paired()
    assert "Do not trust this draft" in browser.see().text
    refused = browser.do(f"task/{task}/approve")
    assert refused.status == 422
    assert "the recipients are not what the original in your mailbox says" in refused.text
    assert checked.world.stage(task) is Stage.PENDING_APPROVAL
    assert browser.do(f"task/{task}/approve", despite="yes").status == 303


def test_an_edit_in_the_folder_is_what_is_shown_and_approved_only_when_meant(desk: Office) -> None:
    task = desk.world.ask_for(text="As it was drafted.\n")
    path = layout.path_of(desk.world.local.vault.get(task))
    content = desk.world.local.vault.journal.read(path) or b""
    file = desk.world.notes / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.replace(b"As it was drafted.", b"As I typed it."))
    desk.unlock()
    browser = desk.paired()
    shown = browser.see().text
    assert "Your folder holds an edited text" in shown
    assert "As I typed it." in shown
    assert browser.do(f"task/{task}/approve").status == 422
    assert browser.do(f"task/{task}/approve", edited="yes").status == 303
    asked = request.read(desk.world.local.vault.get(task).note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert asked.action.text == "As I typed it.\n"


def test_with_no_time_to_stay_open_each_approval_wants_the_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    setting(world, "unlock_minutes", "0")
    with office(world) as desk:
        first, second = world.ask_for("One"), world.ask_for("Two")
        browser = desk.paired()
        assert browser.do(f"task/{first}/approve", passphrase=PASSPHRASE).status == 303
        assert desk.sign.until() is None
        assert browser.do(f"task/{second}/approve").status == 403
        assert world.stage(second) is Stage.PENDING_APPROVAL


def test_the_original_is_read_from_the_owner_s_own_mailbox(desk: Office) -> None:
    """There is none here, and that is what it says, instead of showing what Cloud wrote as if it were."""
    task = desk.world.ask_for(original="What Cloud says that Jane wrote")
    answer = desk.paired().see(f"task/{task}/original")
    assert "Your mailbox could not be read" in answer.text
    assert "What Cloud says" not in answer.text


def _picks(text: str) -> list[tuple[str, str]]:
    return [("pick", found) for found in re.findall(r'form="batch" name="pick" value="([^"]+)"', text)]


def _file(desk: Office, text: str) -> Path:
    path = desk.world.folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    return path


def _send(desk: Office, task: str) -> None:
    local = desk.world.local
    found = local.vault.get(task)
    asked = request.read(found.note)
    assert asked is not None
    server = Server(local, Outside())
    try:
        assert server.act(asked, next(approvals(local, found)), []).status == "done"
    finally:
        server.ledger.close()
