"""Plans: which tasks get one, how far it is ticked, and that no stranger writes in it."""

from pathlib import Path

import pytest
from services.cloud_agent.tests.world import ToldDrafter, World, mail

from cloud_agent.planner import Step, tick
from drafting import DrafterUnavailable, Kind, Letter
from vault_protocol import approval, keys, request, sshsig
from vault_protocol.note import Note
from vault_protocol.task import Stage, Task

TWO_QUESTIONS = "Could you come on Friday? And could you send me a copy of the contract?"


def plan(world: World) -> str:
    (path,) = world.paths("Plans/")
    return world.read(path)


def ticked(text: str) -> list[str]:
    return [line.removeprefix("- [x] ") for line in text.splitlines() if line.startswith("- [x] ")]


def approve(world: World, task: Task) -> Task:
    found, key, now = request.read(task.note), keys.new(), world.clock.now()
    assert found is not None
    signed = approval.grant(
        found.action, vault="v1", executor="here", task=task.id, revision=task.revision, by="owner", now=now,
        not_before=now, nonce="0" * 32, sign=lambda text: sshsig.sign(key, text, namespace=approval.NAMESPACE),
    )  # fmt: skip
    return world.local.approve(task, signed)


def test_one_question_needs_no_plan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.works()
    assert world.paths("Plans/") == []


def test_a_mail_that_asks_for_several_things_gets_a_plan_in_the_commit_of_its_draft(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail(text=TWO_QUESTIONS))
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    assert world.paths("Plans/") == [f"Plans/email/plan-{task.id}.md"]
    text = plan(world)
    assert ticked(text) == [Step.READ, Step.DRAFT]
    assert [f"- [ ] {step}" in text for step in (Step.FILL_IN, Step.ATTACH, Step.APPROVE, Step.SENT)] == [True] * 4
    front = Note.parse(text.encode()).front
    assert (front["type"], front["status"], front["task"]) == ("plan", "open", task.id)
    assert front["approvals_needed"] == ["send_mail"]
    commit = world.store.history(None, world.local.journal.head or pytest.fail("no head"))[-1]
    assert commit.message.startswith("submit: ")


def test_an_invoice_gets_a_plan_whose_bill_only_the_owner_ticks(tmp_path: Path) -> None:
    world = World(tmp_path, ToldDrafter({"Bill": Kind.INVOICE}))
    world.receives(mail("Bill", "Attached."))
    world.works()
    world.local.finish(approve(world, world.only(Stage.PENDING_APPROVAL)), result="sent")
    world.works()
    assert f"- [ ] {Step.CHECK_BILL}" in plan(world)
    assert ticked(plan(world)) == [Step.READ, Step.DRAFT, Step.APPROVE, Step.SENT]


def test_nothing_from_outside_stands_in_a_plan(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail("Zebra?", TWO_QUESTIONS.replace("Friday", "Zebra"), sender="Zebra <zebra@zebra.example>"))
    world.works()
    assert "zebra" not in plan(world).lower()


def test_a_plan_shows_how_far_its_task_came_while_the_drafter_is_down(tmp_path: Path) -> None:
    def down(letter: Letter) -> None:
        raise DrafterUnavailable("down")

    world = World(tmp_path, ToldDrafter(before_draft=down))
    world.receives(mail(text=TWO_QUESTIONS))
    world.works()
    assert ticked(plan(world)) == [Step.READ]


def test_a_plan_follows_what_the_owner_does_and_ends_with_its_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail(text=TWO_QUESTIONS))
    world.works()
    task = approve(world, world.only(Stage.PENDING_APPROVAL))
    world.works()
    assert ticked(plan(world)) == [Step.READ, Step.DRAFT, Step.FILL_IN, Step.ATTACH, Step.APPROVE]
    world.local.finish(task, result="sent")
    world.works()
    assert Step.SENT in ticked(plan(world))
    assert Note.parse(plan(world).encode()).front["status"] == "done"
    world.start()
    before = world.hub.head
    world.works()
    assert world.hub.head == before


def test_the_plan_of_a_rejected_task_is_over_and_claims_no_approval(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail(text=TWO_QUESTIONS))
    world.works()
    world.local.reject(world.only(Stage.PENDING_APPROVAL), why="no")
    world.works()
    assert ticked(plan(world)) == [Step.READ, Step.DRAFT]
    assert Note.parse(plan(world).encode()).front["status"] == "rejected"


def test_what_the_owner_wrote_into_a_plan_stays() -> None:
    mine = f"---\ntype: plan\nmood: good\n---\n\n- [ ] {Step.DRAFT.value}\n- [ ] call Jana\n".encode()
    assert tick(mine, Step.DRAFT).decode() == mine.decode().replace(f"[ ] {Step.DRAFT}", f"[x] {Step.DRAFT}")
