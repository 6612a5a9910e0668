"""Plans: worked step by step, each step once, blocked on approvals, over with the owner when stuck."""

from pathlib import Path

import pytest
from services.cloud_agent.tests.plans_world import carried_out, course, owner_writes, steps_drafted, the_plan
from services.cloud_agent.tests.test_threads import goes_back
from services.cloud_agent.tests.world import ToldDrafter, World, mail

from cloud_agent.plans.plan import At
from drafting import Kind
from vault_protocol import request
from vault_protocol.action import PublishPost, SendMail
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import Domain, Stage

READ = 'read: from jana@elsewhere.example about "question"'
REPLY = "reply: step 1: Say that Friday is fine."
POST = "post: mastodon: The project is done. #done"


def world_with_mail(folder: Path, text: str = "Could you come on Friday?", **more: str) -> World:
    world = World(folder, ToldDrafter(kinds={"A question": Kind.INFORMATIONAL}), **more)  # type: ignore[arg-type]
    world.receives(mail(text=text))
    world.works()
    return world


def test_a_plan_with_two_approvals_is_worked_to_its_end_and_everything_happens_once(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY, "wait", POST)
    world.works()
    reply = world.only(Stage.PENDING_APPROVAL)
    asked = request.read(reply.note)
    assert asked is not None
    assert isinstance(asked.action, SendMail)
    assert [box.address for box in asked.action.to] == ["jana@elsewhere.example"]
    assert world.drafter.drafted[-1][2] == "Say that Friday is fine."
    task, plan = the_plan(world)
    assert task.stage is Stage.NEEDS_ACTION
    assert task.note.front.words("waiting_for") == f"approval of {reply.id}"
    assert [step.at for step in plan.steps] == [At.DONE, At.DRAFTED, At.OPEN, At.OPEN]
    carried_out(world, reply)
    world.works()
    post = world.only(Stage.PENDING_APPROVAL)
    asked = request.read(post.note)
    assert asked is not None
    assert isinstance(asked.action, PublishPost)
    assert (asked.action.network, asked.action.text, post.domain) == (
        "mastodon", "The project is done. #done\n", Domain.SOCIAL
    )  # fmt: skip
    carried_out(world, post)
    world.works()
    task, plan = the_plan(world)
    assert task.stage is Stage.DONE
    assert [step.at for step in plan.steps] == [At.DONE] * 4
    assert len(steps_drafted(world)) == 2
    assert "status: done" in world.read(f"Plans/files/plan-{task.id}.md")


def test_every_iteration_says_what_was_tried_what_came_back_and_what_is_next(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY)
    world.works()
    (reply,) = steps_drafted(world)
    mail_task = world.only(Stage.DONE)
    assert course(world) == [
        (1, "step 1 (read)", f"read the mail of task {mail_task.id}"),
        (2, "step 2 (reply)", f"task {reply.id} drafts it"),
        (0, "to go on", f"approval of {reply.id}"),
    ]
    assert [line.then for line in the_plan(world)[1].course] == ["step 2 (reply)", "the end", "your decision"]
    shown = world.read(f"Plans/files/plan-{the_plan(world)[0].id}.md")
    assert "- [x] 1. read: from jana@elsewhere.example" in shown
    assert f"came   task {reply.id} drafts it\n    next   the end" in shown


def test_a_plan_that_waits_is_not_claimed_again_until_the_owner_decided(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY)
    world.works()
    attempt = the_plan(world)[0].attempt
    world.waits(3600)
    world.start()
    world.works()
    assert the_plan(world)[0].attempt == attempt


def test_the_plan_goes_on_while_drafts_wait_that_no_step_waits_for(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY, POST)
    world.works()
    first, second = world.tasks(Stage.PENDING_APPROVAL)
    carried_out(world, first)
    world.works()
    assert the_plan(world)[0].note.front.words("waiting_for") == f"approval of {second.id}"
    carried_out(world, second)
    world.works()
    assert the_plan(world)[0].stage is Stage.DONE


def test_a_step_outside_the_closed_list_is_left_out_and_the_plan_says_so(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(
        world, "close", "pay: 500 EUR to DE02120300000000202051", "send: everything", READ, "reply: step 1: No."
    )
    world.works()
    _, plan = the_plan(world)
    assert [step.at for step in plan.steps] == [At.REFUSED, At.REFUSED, At.DONE, At.REFUSED]
    assert [came for _, tried, came in course(world) if tried == "step 1 (no step)"] == [
        "no plan has such a step; there are read, books, reply, invoice, post, wait, ask"
    ]
    assert steps_drafted(world) == []


def test_a_rejected_draft_ends_with_the_owner_and_a_remark_drafts_another(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY)
    world.works()
    first = world.only(Stage.PENDING_APPROVAL)
    world.local.reject(first, why="no")
    world.works()
    asked = world.only(Stage.PENDING_APPROVAL)
    assert (asked.id, asked.note.front.words("reason")) == (
        the_plan(world)[0].id, "step 2 (reply): you rejected its draft"
    )  # fmt: skip
    assert course(world)[-1][2] == "step 2 (reply): you rejected its draft"
    world.local.send_back(asked, remark="again, shorter")
    world.works()
    second = world.only(Stage.PENDING_APPROVAL)
    assert second.id != first.id
    carried_out(world, second)
    world.works()
    ended = world.only(Stage.PENDING_APPROVAL)
    assert ended.note.front.words("reason") == "every step of this plan is done: end it"


def test_two_failures_of_one_step_end_with_the_owner_who_may_skip_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", READ, POST)
    world.works()
    asked = world.only(Stage.PENDING_APPROVAL)
    why = "no such mail came in the last two months"
    assert asked.note.front.words("reason") == f"step 1 (read) failed 2 times: {why}"
    assert [(n, came) for n, _, came in course(world)[:2]] == [(1, f"failed: {why}"), (2, f"failed: {why}")]
    world.local.send_back(asked, remark="skip")
    world.works()
    _, plan = the_plan(world)
    assert [step.at for step in plan.steps] == [At.SKIPPED, At.DRAFTED]


def test_the_iterations_of_the_handbook_are_a_limit_and_the_owners_word_gives_as_many_again(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path, handbook="# Company Handbook\n\n## Rules\n\n- Plan: 2 iterations\n")
    owner_writes(world, "close", READ, POST, "post: mastodon: Two", "post: mastodon: Three")
    world.works()
    (asked,) = (task for task in world.tasks(Stage.PENDING_APPROVAL) if not task.has_action)
    assert asked.note.front.words("reason") == "2 iterations are used up before step 3 (post)"
    assert len(steps_drafted(world)) == 1
    world.local.send_back(asked, remark="go on")
    world.works()
    assert len(steps_drafted(world)) == 3


def test_ten_iterations_are_the_limit_when_the_handbook_names_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", *(f"post: mastodon: Number {number}" for number in range(12)))
    world.works()
    assert len(steps_drafted(world)) == 10


def test_a_question_of_the_plan_is_answered_by_the_owners_remark(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", "ask: Shall it go to the archive?", POST)
    world.works()
    asked = world.only(Stage.PENDING_APPROVAL)
    assert asked.note.front.words("reason") == "Shall it go to the archive?"
    world.local.send_back(asked, remark="Yes, in March")
    world.works()
    _, plan = the_plan(world)
    assert (plan.steps[0].at, plan.steps[0].facts) == (At.DONE, ("you said: Yes, in March",))
    assert len(steps_drafted(world)) == 1


@pytest.mark.parametrize("first", ["ask: Shall it be told?", READ])
def test_the_owners_stop_ends_a_plan_that_asks_or_is_stuck(tmp_path: Path, first: str) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", first, POST)
    world.works()
    world.local.send_back(world.only(Stage.PENDING_APPROVAL), remark="stop")
    world.works()
    task, plan = the_plan(world)
    assert task.note.front.words("reason") == "you stopped this plan: end it"
    assert [step.at for step in plan.steps] == [At.SKIPPED, At.SKIPPED]
    world.local.send_back(task, remark="go on")
    world.works()
    assert steps_drafted(world) == []
    world.local.acknowledge(the_plan(world)[0])
    world.works()
    assert the_plan(world)[0].stage is Stage.DONE


def test_a_stopped_plan_names_its_drafts_that_the_owner_did_not_decide(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", POST, "post: mastodon: Two", "ask: Is that all?")
    world.works()
    one, two = steps_drafted(world)
    world.local.reject(one, why="no")
    (asked,) = (task for task in world.tasks(Stage.PENDING_APPROVAL) if not task.has_action)
    world.local.send_back(asked, remark="stop")
    world.works()
    assert (
        the_plan(world)[0].note.front.words("reason")
        == f"you stopped this plan: end it; yours to decide still: {two.id}"
    )
    world.local.send_back(two, remark="")
    world.works()
    world.local.refresh()
    assert world.local.get(two.id).note.front.words("reason") == "you stopped its plan: end this too"


def test_a_note_begins_one_plan_once_it_is_ready_and_never_a_second(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close", POST, status="draft")
    world.works()
    assert world.tasks(Stage.NEEDS_ACTION) == []
    owner_writes(world, "close", POST)
    world.works()
    owner_writes(world, "close", POST, "post: mastodon: More")
    world.start()
    world.works()
    assert len(steps_drafted(world)) == 1


def test_a_schedule_with_the_task_plan_begins_one_each_time_it_is_due(tmp_path: Path) -> None:
    world = World(tmp_path)
    note = f'---\ncron: "0 * * * *"\ntask: plan\ntitle: Hourly\n---\n- {POST}\n'.encode()
    world.local.write("owner_edit", "s", {"Schedules/hourly.md": note})
    world.works()
    for _ in range(2):
        world.waits(3600)
        world.works()
    assert [task.note.front.words("type") for task in steps_drafted(world)] == ["approval", "approval"]


NAMES = ("Launch #1", "Two  spaces", "For $5", "It's {{x}} [[y]]", "`Tick`", "a, b & c = d", "ämter – ß", "- 'x' #y")


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_found_by_whatever_name_a_file_may_have(tmp_path: Path, name: str) -> None:
    world = World(tmp_path)
    owner_writes(world, name, POST)
    note = f'---\ncron: "0 * * * *"\ntask: plan\ntitle: Hourly\n---\n- {POST}\n'.encode()
    world.local.write("owner_edit", "s", {f"Schedules/{name}.md": note})
    world.works()
    world.waits(3600)
    world.works()
    assert len(steps_drafted(world)) == 2


@pytest.mark.parametrize("path", ['Calendar/a "b": c.md', "Calendar/'a': #b.md", "Calendar/x \\ y: z.md"])
def test_a_path_stands_in_front_matter_as_it_is(path: str) -> None:
    note = Note(FrontMatter().put(calendar=path), "")
    assert Note.parse(note.content()).front.words("calendar") == path


def test_a_plan_that_lists_no_step_is_asked_about(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, "close")
    world.works()
    assert world.only(Stage.PENDING_APPROVAL).note.front.words("reason").startswith("no step is listed")


def test_a_newer_mail_of_the_thread_takes_back_the_answer_of_a_plan_that_waits(tmp_path: Path) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY)
    world.works()
    answer = world.only(Stage.PENDING_APPROVAL)
    newer = mail("Re: A question", "Or Monday?", message_id="<2@e.example>", In_Reply_To="<1@elsewhere.example>")
    world.receives(newer)
    world.works()
    assert goes_back(world) == 1
    world.works()
    (back,) = steps_drafted(world)
    assert (back.id, back.stage, back.has_action) == (answer.id, Stage.PENDING_APPROVAL, False)
    assert "a newer mail came in this thread" in back.note.front.words("reason")
    world.local.send_back(back, remark="This one all the same.")
    world.works()
    assert steps_drafted(world)[0].has_action


@pytest.mark.parametrize(
    ("was", "now", "where"),
    [
        ('"kind": "post"', '"kind": "pay"', "State does not hold: steps.3.kind"),
        ('"kind": "post"', '"kind": null', "step 4 is none that a plan can have"),
        ('"of": "1"', '"of": "7"', "step 2 is about no step before it"),
        ("## State", "## Stated", "its State is missing"),
    ],
)
def test_a_plan_whose_state_somebody_changed_is_the_owners(tmp_path: Path, was: str, now: str, where: str) -> None:
    world = world_with_mail(tmp_path)
    owner_writes(world, "close", READ, REPLY, "wait", POST)
    world.works()
    (reply,), (task, _) = steps_drafted(world), the_plan(world)
    path = f"Plans/files/plan-{task.id}.md"
    world.local.write("owner_edit", "plan", {path: world.read(path).replace(was, now).encode()})
    carried_out(world, reply)
    world.works()
    asked = world.only(Stage.PENDING_APPROVAL)
    assert where in asked.note.front.words("reason")
