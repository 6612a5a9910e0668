"""`list`, `show`, `status`, `log`: what the owner sees, also when somebody wants them to see something else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World

from local_agent.dashboard import of_vault
from vault_protocol import audit, updates
from vault_protocol.task import AgentId

HOSTILE = "\x1b]0;owned\x07\x1b[31mPAY\x9b2J[bold red]now[/] :smile: \u202eevil"


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("COLUMNS", "160")
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    return world


def test_nothing_waiting_is_said_and_is_no_error(world: World) -> None:
    ran = world.run("list")
    assert (ran.code, ran.out) == (0, "Nothing waits for you.\n")
    assert world.run("list", "--json").json == {"tasks": [], "unreadable": []}


def test_list_shows_the_most_urgent_first_with_short_ids_that_work(world: World) -> None:
    world.ask_for("Later", priority="low")
    urgent = world.ask_for("Now", priority="high", sender="Kim <kim@customer.example>")
    lines = world.run("list").out.splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["high", "low"]
    assert "kim@customer.example" in lines[1]
    short = lines[1].split()[0]
    assert urgent.startswith(short)
    assert world.run("show", short).code == 0


def test_a_narrow_terminal_cuts_the_subject_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    task = world.ask_for("A very long subject " * 10, sender="Somebody with a long name <long@customer.example>")
    heading, row = world.run("list").out.splitlines()
    assert row.split()[:2] == [task[:6], "normal"]
    assert row.split()[-1] == "unchecked"
    assert "…" in row
    assert heading.split()[-1] == "Check"


def test_an_old_request_is_stale_and_can_still_be_decided(world: World) -> None:
    task = world.ask_for(age=timedelta(hours=25))
    world.ask_for("Fresh", age=timedelta(hours=23))
    rows = {row["id"]: row for row in world.run("list", "--json").json["tasks"]}
    assert [row["stale"] for row in rows.values()].count(True) == 1
    assert rows[task]["stale"]
    assert "stale" in world.run("list").out
    assert world.approve(task, "--yes").code == 0


@pytest.mark.parametrize("command", ["list", "show"])
def test_hostile_text_steers_no_terminal(world: World, command: str) -> None:
    task = world.ask_for(HOSTILE, sender=f"{HOSTILE} <a@b.example>", original=HOSTILE, reason=HOSTILE)
    arguments = [command] if command == "list" else [command, task]
    ran = world.spawn(*arguments)
    assert ran.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ran.out + ran.err)
    assert "[bold red]now[/]" in ran.out
    assert ":smile:" in ran.out


def test_in_colour_only_our_own_colours_reach_the_terminal(world: World) -> None:
    task = world.ask_for(HOSTILE, original=HOSTILE, warnings=("Look [red]here[/]",))
    ran = world.spawn("show", task, FORCE_COLOR="1", TERM="xterm-256color")
    rest = re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
    assert "\x1b" in ran.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", rest)
    assert "\x1b[31mPAY" not in ran.out
    assert "Look [red]here[/]" in rest


def test_json_is_plain_ascii_whatever_the_mail_says(world: World) -> None:
    task = world.ask_for("Grüße \u202e", original=HOSTILE)
    for arguments in (["list"], ["show", task]):
        ran = world.run(*arguments, "--json")
        assert ran.out.isascii()
        assert json.loads(ran.out)
        assert "\x1b" not in ran.out


def test_show_leaves_nothing_out_of_what_would_be_sent(world: World) -> None:
    text = "First line\n\n" + "long " * 60 + "end\n"
    task = world.ask_for(text=text, warnings=("The reply goes elsewhere.",), unknowns=("The price",))
    out = world.run("show", task).out
    for part in (
        text.strip(), "> Could you send me an offer?", "Jane <jane@customer.example>", "Re: Your offer",
        "The reply goes elsewhere.", "The price", "Could you send me an offer?\n", "account business",
    ):  # fmt: skip
        assert part in out
    assert "Not checked against the original" in out


def test_show_says_that_the_folder_holds_an_undecided_edit(world: World) -> None:
    task = world.ask_for()
    place = world.run("show", task, "--json").json["path"]
    file = world.notes / place
    file.parent.mkdir(parents=True)
    content = world.local.vault.journal.read(place) or b""
    file.write_bytes(content)
    assert not world.run("show", task, "--json").json["edited_in_folder"]
    file.write_bytes(content.replace(b"the offer follows", b"my own words"))
    out = world.run("show", task).out
    assert "Your edit in the folder" in out
    assert "+Thank you, my own words." in out
    assert world.run("list", "--json").json["tasks"][0]["edited_in_folder"]


def test_an_unknown_id_and_an_ambiguous_one_end_with_one_line(world: World) -> None:
    world.ask_for()
    for wrong in ("zzzz", "not an id"):
        ran = world.run("show", wrong)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"countersign: no task begins with {wrong!r}\n"


def test_looking_goes_on_with_the_last_known_head_when_the_hub_is_away(world: World) -> None:
    task = world.ask_for()
    world.run("list")
    world.hub_away()
    for arguments in (["list"], ["show", task]):
        ran = world.run(*arguments)
        assert ran.code == 0
        assert "The hub does not answer; this is the vault as last known" in ran.out
        assert "Your offer" in ran.out
    status = world.run("status", "--json").json
    assert "does not answer" in status["hub"]
    assert status["stages"]["Pending_Approval"] == 1


def test_decisions_end_with_one_line_when_the_hub_is_away(world: World) -> None:
    task = world.ask_for()
    world.run("list")
    world.hub_away()
    for arguments in (["approve", task, "--yes"], ["reject", task], ["undo", task], ["ack", task]):
        ran = world.run(*arguments)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
        assert "does not answer" in ran.err


def test_an_untrusted_head_is_shown_and_the_last_good_one_used(world: World) -> None:
    task = world.ask_for()
    world.run("list")
    world.hostile_cloud.write("forge", "dashboard", {"Dashboard.md": b"# forged\n"})
    ran = world.run("list")
    assert ran.code == 0
    assert "DANGER" in ran.out
    assert "Your offer" in ran.out
    assert "may not write here" in world.run("status", "--json").json["untrusted"]
    refused = world.approve(task, "--yes")
    assert refused.code == 1
    assert "is not applied" in refused.err


def test_status_counts_what_stands_where(world: World) -> None:
    world.ask_for()
    world.add("Waiting")
    found = world.run("status", "--json").json
    assert found["stages"]["Pending_Approval"] == 1
    assert found["stages"]["Needs_Action"] == 1
    assert found["service"] is False
    assert found["dry_run"] is True
    assert found["head_age_seconds"] < 60
    out = world.run("status").out
    assert "not running" in out
    assert "on: nothing is sent" in out


def test_the_log_has_the_decision_and_says_that_its_chain_is_whole(world: World) -> None:
    task = world.ask_for()
    other = world.ask_for("Another")
    world.run("reject", task, "--why", "no")
    world.run("reject", other)
    ran = world.run("log", "--task", task[:6], "--json").json
    assert [record["action_type"] for record in ran["records"]] == ["approval.decided"]
    assert ran["records"][0]["target"] == task
    assert ran["chains"] == {"local": 3}
    assert "The chain of local is whole: 3 records." in world.run("log").out
    assert world.run("log", "--task", "nothing").code == 1


def test_a_broken_chain_is_an_error_and_the_others_are_shown(world: World) -> None:
    at = world.local.clock.now()
    unchained = audit.Record.of("draft", actor=AgentId("cloud"), target="x", at=at)
    world.cloud.write("log", "x", {audit.path(AgentId("cloud"), at): unchained.line().encode()})
    ran = world.run("log")
    assert ran.code == 1
    assert "cloud: record 0 does not follow" in ran.err
    assert "The chain of local is whole" in ran.out


def test_status_says_what_cloud_opens_each_mailbox_with(world: World) -> None:
    assert world.run("status", "--json").json["mailboxes"] == {}
    held = {"office": "reads-only", "shop": "could-send", "later": "by-a-way-of-its-own"}
    now = world.cloud.journal.clock.now()
    world.cloud.refresh()
    path = updates.mailboxes_path(AgentId("cloud"))
    world.cloud.write("mailboxes", "cloud", {path: updates.told_credentials(held, now)})
    assert world.run("status", "--json").json["mailboxes"] == held
    out = world.run("status").out
    assert "office by Gmail, by a grant that only reads" in out
    assert "shop by an IMAP password that could send, and nothing holds it" in out
    assert "later by by-a-way-of-its-own" in out


def test_status_and_the_dashboard_say_what_models_cost_and_what_was_used_up(world: World) -> None:
    assert world.run("status", "--json").json["spending"] == {}
    facts: dict[str, str | int] = {"day": "2026-11-26", "tokens": 120345, "money": 4_980_000, "money-a-day": 5_000_000}
    path, now = updates.spending_path(AgentId("cloud")), world.cloud.journal.clock.now()

    def told(**more: str | int) -> None:
        world.cloud.refresh()
        line = updates.Update.of("spending", now, **{**facts, **more})
        world.cloud.write("spending", "cloud", {path: updates.add(None, line)})
        world.cloud.refresh()

    told()
    assert world.run("status", "--json").json["spending"]["cloud"]["money"] == "4980000"
    assert "cloud on 2026-11-26: 120,345 tokens, 4.98 of 5.00" in world.run("status").out
    assert "used up" not in world.run("status").out + of_vault(world.cloud)
    told(**{"refused-money-a-day": 3})
    assert "4.98 of 5.00; used up: the day's money, so the offline drafter wrote" in world.run("status").out
    assert "> [!warning] cloud used up money-a-day on 2026-11-26: past that it drafts offline\n" in of_vault(
        world.cloud
    )


def test_figures_that_are_none_are_shown_as_none_and_break_nothing(world: World) -> None:
    path, now = updates.spending_path(AgentId("cloud")), world.cloud.journal.clock.now()
    world.cloud.refresh()
    line = updates.Update.of("spending", now, tokens="many", money="-5")
    world.cloud.write("spending", "cloud", {path: updates.add(None, line)})
    assert "cloud on ?: 0 tokens, 0.00" in world.run("status").out
