"""Every skill: valid by the open format, naming tools that exist and only read or draft, with an example that holds.

The examples' calls are made by an MCP client over stdio, as their document says, against servers that run here.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_string
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from mcp import Client, StdioServerParameters
from mcp.types import Tool
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks import home as networks

from books.memory.odoo import MemoryOdoo
from books.testing import DATABASE, Server, serving
from cloud_agent.plans.steps import parse
from demo.launch import MailWorld, mail_world
from demo.mastodon import MastodonServer
from demo.week_letters import before
from drafting import Kind, Letter, guard, rules
from drafting.model import TriageAnswer
from drafting.posts import Brief, checked_post
from drafting.questions import questions
from drafting.skill import load
from social import calendar, checking
from vault_protocol.action import PublishPost
from vault_protocol.note import Note

SKILLS = Path(__file__).parents[2] / "skills"
NAMES = ("draft-invoice", "draft-post", "draft-reply", "follow-up", "plan-task", "triage-mail", "weekly-briefing")
ACCOUNTS = """
[[accounts]]
name = "business"
address = "{provider.address}"
user = "{provider.acting.user}"
password_file = "{provider.acting.password_file}"
imap_host = "127.0.0.1"
imap_port = {provider.imap_port}
imap_tls = "none"
submission_host = "127.0.0.1"
submission_port = {provider.submission_port}
submission_tls = "none"
"""
OWNER = "Robin Weber"


@dataclass(frozen=True)
class Office:
    """The owner's home with mail and Mastodon, and a draft-only way into books."""

    home: Path
    odoo_mcp: Path
    mail: MailWorld
    books: Server

    def server(self, name: str) -> StdioServerParameters:
        """As docs/skills.md has it, with the commands of this environment."""
        env = {
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "COUNTERSIGN_HOME": str(self.home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }  # fmt: skip
        if "PYTHONPATH" in os.environ:
            env["PYTHONPATH"] = os.environ["PYTHONPATH"]
        if name == "countersign-drafts":
            args = ["-m", "odoo_mcp", "--config", str(self.odoo_mcp)]
        else:
            args = ["-m", "local_agent", "mcp", name.removeprefix("countersign-")]
        return StdioServerParameters(command=sys.executable, args=args, env=env)

    def tools(self, name: str) -> dict[str, Tool]:
        async def ask() -> dict[str, Tool]:
            async with Client(self.server(name)) as client:
                return {tool.name: tool for tool in (await client.list_tools()).tools}

        return anyio.run(ask)

    def call(self, server: str, *wanted: tuple[str, dict[str, Any]]) -> list[Any]:
        """What each tool answers, called one after the other by one client."""

        async def ask() -> list[Any]:
            async with Client(self.server(server)) as client:
                told = [await client.call_tool(tool, arguments) for tool, arguments in wanted]
                assert not any(answer.is_error for answer in told), told
                return [answer.structured_content for answer in told]

        return anyio.run(ask)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("skills")
    with (
        mail_world(folder / "mail") as mail,
        MastodonServer() as mastodon,
        serving(Server(MemoryOdoo(), {"agent-key": "agent"})) as books,
    ):
        world = World(folder, lambda: ("", ""))
        accounts = folder / "accounts.toml"
        accounts.write_text(ACCOUNTS.format(provider=mail.provider), encoding="utf-8")
        assert world.init("--account-file", str(accounts), "--no-dry-run").code == 0
        networks.add(world, mastodon, "mastodon")
        (folder / "agent-key").write_text("agent-key\n", encoding="utf-8")
        config = folder / "odoo-mcp.toml"
        config.write_text(
            f'url = "{books.url}"\ndatabase = "{DATABASE}"\nlogin = "agent"\n'
            'key_file = "agent-key"\ninterface = "json-2"\n',
            encoding="utf-8",
        )
        yield Office(world.home.path, config, mail, books)


def example(name: str, kind: str) -> str:
    """The last block of this kind in the skill's example."""
    text = (SKILLS / name / "references" / "example.md").read_text(encoding="utf-8")
    return str(re.findall(rf"(?ms)^```{kind}\n(.*?)^```$", text)[-1])


def calls(name: str) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
    """The server that the example asks, and each tool with its arguments, in order; nothing for one without."""
    text = (SKILLS / name / "references" / "example.md").read_text(encoding="utf-8")
    blocks = [json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```$", text)]
    told = [call for block in blocks if isinstance(block, list) for call in block]
    assert len({call["server"] for call in told}) <= 1
    return told[0]["server"] if told else "", [(call["tool"], call["arguments"]) for call in told]


def allowed(name: str) -> list[tuple[str, str]]:
    """Server and tool of each that the skill names."""
    front = yaml.safe_load((SKILLS / name / "SKILL.md").read_text(encoding="utf-8").split("---\n")[1])
    named = (tool.split("__") for tool in str(front.get("allowed-tools", "")).split())
    return [(server, tool) for _, server, tool in named]


def letter(text: str, sender: str = "Jana Novák", address: str = "jana@elsewhere.example", subject: str = "") -> Letter:
    return Letter(
        sender_name=sender,
        sender_address=address,
        to_account="business",
        account_name=OWNER,
        subject=subject,
        text=text,
    )


def the_mail(name: str) -> Letter:
    """The mail of an example."""
    mail = message_from_string(example(name, "text"))
    return letter(str(mail.get_payload()), subject=str(mail["Subject"]))


def test_the_skills_are_these() -> None:
    assert tuple(sorted(path.name for path in SKILLS.iterdir())) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_skill_is_valid_by_the_open_format_and_has_an_example(name: str) -> None:
    skill = load(SKILLS, name)
    assert len(skill.body.splitlines()) < 500
    assert "never" in skill.description.lower()
    links = re.findall(r"\]\(([^)]+)\)", skill.body)
    assert "references/example.md" in links
    assert all((SKILLS / name / link).is_file() for link in links)


def test_each_tool_that_a_skill_names_exists_and_none_of_them_acts(office: Office) -> None:
    named = {tool for name in NAMES for tool in allowed(name)}
    listed = {server: office.tools(server) for server in {server for server, _ in named}}
    missing = {(server, tool) for server, tool in named if tool not in listed[server]}
    assert missing == set()
    for server, tool in named:
        hints = listed[server][tool].annotations
        assert hints is not None
        assert not hints.destructive_hint, tool


@pytest.mark.parametrize("name", NAMES)
def test_an_example_calls_only_what_its_skill_allows(name: str) -> None:
    server, wanted = calls(name)
    assert {(server, tool) for tool, _ in wanted} <= set(allowed(name))


def test_the_triage_of_the_example_is_one_that_a_model_may_give() -> None:
    note, kind, priority, reason = (part.strip() for part in example("triage-mail", "result").split("|"))
    answer = TriageAnswer(kind=Kind(kind), priority=priority, reason=reason)  # type: ignore[arg-type]
    assert rules.allowed(answer.kind, the_mail("triage-mail"))
    assert len(reason) <= 150
    assert note.endswith(".md")


def test_the_reply_of_the_example_passes_the_guard_of_real_drafts() -> None:
    body, _, unknowns = example("draft-reply", "result").partition("---\n")
    checked = guard.check(body, letter=the_mail("draft-reply"), remark=None, handbook="")
    assert checked.warnings == ()
    assert all(line.startswith("- ") for line in unknowns.splitlines())
    assert OWNER in body


def test_the_post_of_the_example_is_one_that_the_network_takes(office: Office) -> None:
    server, wanted = calls("draft-post")
    assert office.call(server, *wanted) == [{"result": []}]
    told = json.loads(example("draft-post", "json"))
    assert datetime.fromisoformat(told.pop("not_before")) > datetime(2026, 11, 1, tzinfo=UTC)
    action = PublishPost(account="able", **told)
    assert checking.faults(action) == ()
    entry = calendar.parse(example("draft-post", "markdown").encode())
    assert (entry.write, [place.account for place in entry.places]) == (True, ["able"])
    assert action.text.endswith(f"\n\n{entry.link}\n")
    brief = Brief(network="Mastodon", longest=500, unit="characters", words=entry.words, facts=(), language="en")
    words = action.text.removesuffix(f"\n\n{entry.link}\n")
    assert checked_post(words, brief, handbook="") == f"{words}\n", "the example invents nothing"


def test_the_invoice_of_the_example_stands_in_the_books_once_as_a_draft(office: Office) -> None:
    server, wanted = calls("draft-invoice")
    found = office.call(server, *wanted, *wanted)[-1]["result"]
    asked = ("read_invoice", {"invoice": found["id"]}), ("search_invoices", {"partner": 1})
    read, listed = office.call(server, *asked)
    told = json.loads(example("draft-invoice", "json"))
    assert read["state"] == "draft"
    assert (read["untaxed"]["amount"], read["untaxed"]["currency"]) == (told["untaxed"], told["currency"])
    shown = [(line["label"], Decimal(line["quantity"])) for line in read["lines"]]
    assert shown == [(line["label"], Decimal(line["quantity"])) for line in told["lines"]]
    assert sum(Decimal(line["quantity"]) * Decimal(line["unit_price"]) for line in told["lines"]) == Decimal(
        told["untaxed"]
    )
    assert [move["id"] for move in listed["result"]].count(found["id"]) == 1


def test_the_reminder_of_the_example_asks_what_was_asked_and_nothing_new(office: Office) -> None:
    one = before(1, datetime(2026, 11, 20, tzinfo=UTC))
    office.mail.provider.deliver(one.raw, sender=one.sender)
    server, wanted = calls("follow-up")
    (found,) = office.call(server, *wanted)
    assert "Workshop number 1" in str(found["result"])
    sent, body = letter(example("follow-up", "text")), example("follow-up", "result")
    assert guard.check(body, letter=sent, remark=None, handbook="").warnings == ()
    assert questions(letter(body))


def test_the_briefing_of_the_example_has_its_four_parts_and_no_number_of_its_own(office: Office) -> None:
    server, wanted = calls("weekly-briefing")
    assert "unsure" in office.call(server, *wanted)[0]
    held, told = letter(example("weekly-briefing", "text")), example("weekly-briefing", "markdown")
    parts = re.split(r"(?m)^## ", told)[1:]
    assert [part.splitlines()[0] for part in parts] == ["Done", "Waiting for you", "Money", "Next week"]
    assert all(sum(line.startswith("- ") for line in part.splitlines()) <= 5 for part in parts)
    assert guard.check(told, letter=held, remark=None, handbook="").warnings == ()


def test_the_plan_of_the_example_has_steps_that_cloud_works_and_waits_for_the_owner() -> None:
    note = Note.parse(example("plan-task", "markdown").encode())
    assert (note.front.words("type"), note.front.words("status")) == ("plan", "draft")
    steps = parse(note.body)
    assert [step.refused for step in steps if step.refused] == []
    assert len(steps) == 7
