"""*Now*, *History* and *Rules*: what they say is what is so, and the Handbook is the file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.page_world import Office, office, with_mailbox

from demo.processes import eventually
from local_agent.approvals import page
from vault_protocol import layout
from vault_protocol.action import PublishPost
from vault_protocol.errors import HubUnreachable
from vault_protocol.task import Domain, Stage
from vault_protocol.vault import Vault


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Office]:
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    with office(world) as found:
        yield found


def test_now_counts_what_stands_where_and_who_holds_what(desk: Office) -> None:
    desk.world.ask_for("One that waits for you")
    desk.world.add("One that an agent works on")
    assert desk.world.cloud.claim_next([*Domain]) is not None
    shown = desk.paired().see("now").text
    assert "<strong>1</strong> wait for you" in shown
    assert "<strong>1</strong> are being worked on" in shown
    assert "One that an agent works on" in shown


def test_now_says_when_the_hub_is_away(desk: Office) -> None:
    inside = desk.paired()
    assert inside.see("now").status == 200
    desk.world.hub_away()
    shown = inside.see("now")
    assert shown.status == 200
    assert "The hub does not answer" in shown.text
    assert "well" not in shown.text.partition("<main")[2]


def test_history_finds_what_ended_and_tells_its_story_with_the_chain(desk: Office) -> None:
    task = desk.world.ask_for("About the brand pages")
    other = desk.world.ask_for("Something else")
    inside = desk.paired()
    assert inside.do(f"task/{task}/reject", why="too dear").status == 303
    shown = inside.see("history").text
    assert "About the brand pages" in shown
    assert "Something else" not in shown
    assert other[:6] in inside.see("history?q=something+ELSE").text
    story = inside.see(f"history/{task}").text
    assert "was decided" in story
    assert "reject" in story
    assert "The audit chain of local is whole" in story


def test_the_handbook_is_saved_as_the_file_and_only_over_what_was_shown(desk: Office) -> None:
    inside = desk.paired()
    fields = inside.see("rules").form("/rules")
    before = (desk.world.local.vault.journal.read(layout.HANDBOOK) or b"").decode()
    assert fields["text"].replace("\r\n", "\n") == before
    answer = inside.post(f"{inside.door}/rules", {**fields, "text": before + "\r\n- One rule more.\r\n"})
    assert answer.status == 303
    assert (desk.world.local.vault.journal.read(layout.HANDBOOK) or b"").decode() == before + "\n- One rule more.\n"
    late = inside.post(f"{inside.door}/rules", {**fields, "text": "All else is gone.\n"})
    assert late.status == 409
    assert "All else is gone." in late.text
    assert b"One rule more" in (desk.world.local.vault.journal.read(layout.HANDBOOK) or b"")


def test_the_limits_that_count_are_shown_and_the_rows_that_say_nothing_named(desk: Office) -> None:
    home = desk.world.home
    config = home.config.read_text(encoding="utf-8")
    home.config.write_text(f"{config}\n[limits]\nmail_per_hour = 3\n", encoding="utf-8")
    home.handbook.parent.mkdir(parents=True, exist_ok=True)
    rows = "## Limits\n\n| What | An hour | A day |\n|---|---|---|\n| posts | none | none |\n| pigeons | 1 | 2 |\n"
    home.handbook.write_text(rows, encoding="utf-8")
    shown = desk.paired().see("rules").text
    assert "<dt>mails</dt><dd>3 an hour, 100 a day</dd>" in shown
    assert "<dt>posts</dt><dd>no limit</dd>" in shown
    assert "limit of “pigeons” is not understood" in shown


def test_the_switches_turn_and_are_in_the_audit(desk: Office) -> None:
    inside = desk.paired()
    assert inside.do("rules/pause", on="rules", why="on holiday").status == 303
    assert "Paused: on holiday" in inside.see("rules").text
    assert "nothing goes out" in inside.see().text
    assert inside.do("rules/resume", on="rules").status == 303
    was = desk.world.home.settings().dry_run
    fields = inside.see("rules").form("/rules/dry-run")
    assert inside.post(f"{inside.door}/rules/dry-run", fields).status == 303
    assert desk.world.home.settings().dry_run is not was
    assert {"effects.paused", "effects.resumed"} <= set(desk.world.audit())


def test_a_task_that_is_in_done_decides_nothing_more(desk: Office) -> None:
    task = desk.world.ask_for()
    inside = desk.paired()
    fields = inside.see().form("/reject")
    assert desk.world.run("reject", task).code == 0
    answer = inside.post(f"{inside.door}/task/{task}/reject", fields)
    assert answer.status == 409
    assert desk.world.stage(task) is Stage.REJECTED


def test_the_page_says_when_a_post_is_to_go_out_and_of_a_mail_it_is_not_asked(desk: Office) -> None:
    post = PublishPost(account="able", network="mastodon", text="We moved.\n")
    browser = desk.paired()
    planned = desk.world.ask_for(action=post, not_before="2026-12-24T09:00:00Z")
    assert "Thursday, 2026-12-24 09:00 UTC" in browser.see(f"task/{planned}").text
    mail = desk.world.ask_for("Another", not_before="2026-12-24T09:00:00Z")
    assert "2026-12-24 09:00 UTC" not in browser.see(f"task/{mail}").text


@pytest.mark.parametrize("shown", ["waiting", "task"])
def test_a_mailbox_that_takes_its_time_keeps_no_other_device_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shown: str
) -> None:
    world = World(tmp_path, capsys.readouterr)
    with_mailbox(world)
    with office(world) as desk:
        task = desk.ask_about("Your offer")
        phone, laptop = desk.paired("phone"), desk.paired("laptop")
        desk.gate.clear()
        seen: list[str] = []
        path = f"task/{task}" if shown == "task" else shown
        slow = threading.Thread(target=lambda: seen.append(phone.see(path).text))
        slow.start()
        try:
            assert desk.knocked.wait(30), "the mailbox is asked"
            assert "<strong>1</strong> wait for you" in laptop.see("now").text
            assert not seen
        finally:
            desk.gate.set()
            slow.join(30)
        assert "Your offer" in seen[0]


def test_a_hub_that_does_not_answer_is_not_asked_by_every_request(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    inside = desk.paired()
    assert inside.see("now").status == 200

    def away(_vault: object) -> None:
        asked.append(1)
        raise HubUnreachable("no answer within 60 s")

    monkeypatch.setattr(Vault, "refresh", away)
    for _ in range(5):
        assert "The hub does not answer" in inside.see("now").text
    assert len(asked) == 1
    monkeypatch.undo()
    monkeypatch.setattr(page, "AWAY_SECONDS", 0.0)
    eventually(lambda: "The hub does not answer" not in inside.see("now").text, "it is asked again", seconds=30)
