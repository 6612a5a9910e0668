"""A budget at work in the agent: who drafted, said in the note; what it cost, told to the vault and to monitors."""

from decimal import Decimal
from pathlib import Path

import pytest
from services.cloud_agent.tests.world import CLOUD, ToldDrafter, World, mail

from cloud_agent.settings import BadSettings
from cloud_agent.spending import BETWEEN_WORDS, Spending
from cloud_agent.surface import metrics, state
from drafting import Draft, Letter, Triage
from drafting.budget import meter
from drafting.budget.caps import Tokens
from drafting.budget.ledger import Ledger
from drafting.budget.settings import BudgetSettings
from drafting.budget.thrifty import Thrifty, Tier
from drafting.offline import OfflineDrafter
from vault_protocol import updates
from vault_protocol.request import read as request_of
from vault_protocol.task import Stage


class Paid(ToldDrafter):
    """Each judgement and each draft costs a hundred tokens and a thousandth, from the purse that is open."""

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        pay()
        return super().triage(letter, handbook=handbook)

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        pay()
        return super().draft(letter, handbook=handbook, remark=remark, previous=previous)


def pay() -> None:
    purse = meter.OPEN.get()
    assert purse is not None
    kept = purse.ledger.reserve(
        purse.task, purse.model, tokens=100, money=1_000, caps=purse.caps, zone=purse.zone, share=purse.share
    )
    purse.ledger.settle(kept, Tokens(90, 10, cached=40), 1_000)


def world_with(folder: Path, budget: BudgetSettings) -> tuple[World, Ledger]:
    world = World(folder)
    ledger = Ledger(folder / "spending", world.clock.now)
    world.drafter = Thrifty(  # type: ignore[assignment] # the world takes any drafter
        [Tier(Paid(), "dear")], OfflineDrafter(), ledger, budget.caps, budget.zone, late_goes_offline=False
    )
    world.spending = Spending(ledger, budget, CLOUD, world.clock)
    world.start()
    world.health.spending = world.spending.today
    return world, ledger


def receive(world: World, *names: str) -> None:
    for name in names:
        world.receives(mail(name, message_id=f"<{name}@elsewhere.example>"))
    world.works()


def drafted(world: World) -> list[tuple[str, str]]:
    found = sorted(world.tasks(Stage.PENDING_APPROVAL), key=lambda task: task.note.front.words("received"))
    assert all(request_of(task.note) for task in found)
    return [(task.note.front.words("drafted_by"), task.note.front.words("drafted_because")) for task in found]


def test_past_the_days_cap_the_offline_drafter_goes_on_and_the_note_says_who_wrote_and_why(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings(tokens_a_day=350))
    receive(world, "One", "Two", "Three")
    assert drafted(world) == [
        ("told", ""),
        ("offline", "the day's tokens is used up"),
        ("offline", "the day's tokens is used up"),
    ]
    assert "budget bad\n" in state(world.health)
    assert 'budget_refused_today{cap="tokens-a-day"} 3\n' in metrics(world.health)
    assert "spent_today_tokens 300\n" in metrics(world.health)
    assert "spent_today_tokens_cached 120\n" in metrics(world.health)
    assert "spent_today_money 0.003000\n" in metrics(world.health)


def test_a_draft_that_another_one_follows_says_no_more_why_the_first_was_offline(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings(tokens_a_day=350))
    receive(world, "One", "Two")
    assert drafted(world)[1] == ("offline", "the day's tokens is used up")
    world.waits(24 * 3600)
    (second,) = (task for task in world.tasks(Stage.PENDING_APPROVAL) if task.note.front["subject"] == "Two")
    world.local.send_back(second, remark="Say yes.")
    world.works()
    assert drafted(world) == [("told", ""), ("told", "")]


def test_each_task_pays_for_itself_and_a_task_that_is_through_stops_no_other(tmp_path: Path) -> None:
    world, ledger = world_with(tmp_path, BudgetSettings(tokens_a_task=200))
    receive(world, "One", "Two")
    tasks = world.tasks(Stage.PENDING_APPROVAL)
    assert [ledger.of_task(task.id) for task in tasks] == [(200, 2_000)] * 2
    world.local.send_back(tasks[0], remark="Say yes.")
    world.works()
    assert sorted(drafted(world)) == [("offline", "the task's tokens is used up"), ("told", "")]
    assert "budget ok\n" in state(world.health)


def test_the_vault_is_told_at_once_of_a_cap_and_of_a_new_day_and_of_figures_now_and_then(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings(tokens_a_day=350, money_a_task=Decimal(5)))

    def told() -> dict[str, str]:
        return updates.spending(world.read(updates.spending_path(CLOUD)).encode())

    world.works()
    assert told()["tokens"] == "0"
    receive(world, "One")
    assert told()["tokens"] == "0"
    world.waits(BETWEEN_WORDS + 1)
    world.works()
    assert told() == {
        "day": "2026-11-23", "tokens": "200", "cached": "80", "money": "2000", "money-a-task": "5000000",
        "tokens-a-day": "350",
    }  # fmt: skip
    receive(world, "Two")
    assert told()["refused-tokens-a-day"] == "1"
    world.waits(24 * 3600)
    world.works()
    assert told()["day"] == "2026-11-24"
    assert "refused-tokens-a-day" not in told()
    assert "budget ok\n" in state(world.health)


def test_a_restart_knows_what_was_spent(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings(tokens_a_day=350))
    receive(world, "One")
    again = Ledger(tmp_path / "spending", world.clock.now)
    assert again.spent(BudgetSettings().zone).tokens == 200


def test_an_agent_with_a_damaged_ledger_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings())
    receive(world, "One")
    (file,) = (tmp_path / "spending").iterdir()
    file.write_text("what is this\n", encoding="utf-8")
    with pytest.raises(BadSettings, match="line 1 is damaged; move the file away"):
        Spending(Ledger(tmp_path / "spending", world.clock.now), BudgetSettings(), CLOUD, world.clock)


def test_the_day_begins_in_the_zone_of_the_handbooks_working_hours(tmp_path: Path) -> None:
    world, _ = world_with(tmp_path, BudgetSettings(tokens_a_day=350))
    hours = b"- Working hours: Monday to Sunday, 0:00 to 23:59 Pacific/Kiritimati\n"
    text = b"## Rules\n\n" + hours + b"- Tokens at most: 150 a day\n"
    world.local.write("edit", "handbook", {"Company_Handbook.md": text})
    world.waits(13 * 3600)
    receive(world, "One")
    assert drafted(world)[0][0] == "offline"
    world.waits(3600)
    world.works()
    told = updates.spending(world.read(updates.spending_path(CLOUD)).encode())
    assert told["day"] == "2026-11-24"
    assert told["tokens-a-day"] == "150"
