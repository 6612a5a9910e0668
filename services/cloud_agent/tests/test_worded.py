"""What a model writes in the worker: posts said anew, steps proposed, and what is done when it cannot."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from libs.drafting.tests.model_server import ModelServer, Reply, served
from services.cloud_agent.tests.plans_world import carried_out, steps_drafted, the_plan
from services.cloud_agent.tests.plans_world import owner_writes as owner_plans
from services.cloud_agent.tests.test_goals import ONE, owner_wants, posts, section
from services.cloud_agent.tests.test_posts import action_of, entry, owner_writes, soon
from services.cloud_agent.tests.world import World, mail

from cloud_agent.plans.plan import At
from cloud_agent.plans.steps import Kind
from drafting.posts import Writer
from drafting.settings import DrafterSettings, build
from vault_protocol import request
from vault_protocol.task import Stage, Task

SKILLS = Path(__file__).parents[3] / "skills"
OWN = "We repair bicycles of every make."
ANEW = "Bicycles of every make: we repair them."


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with served() as said:
        yield said


def world_with(model: ModelServer, folder: Path) -> World:
    key = folder / "key"
    key.write_text("sk-loopback\n", encoding="utf-8")
    settings = DrafterSettings(provider="openai", model="qwen3:8b", base_url=f"{model.url}/v1", api_key_file=key)
    writer = build(settings, SKILLS)
    assert isinstance(writer, Writer)
    world = World(folder / "cloud")
    world.writer = writer
    world.start()
    return world


def warnings_of(task: Task) -> tuple[str, ...]:
    asked = request.read(task.note)
    assert asked is not None
    return asked.warnings


def test_a_model_says_the_owners_words_anew_and_the_draft_says_so(tmp_path: Path, model: ModelServer) -> None:
    world = world_with(model, tmp_path)
    owner_wants(world, section(ONE))
    model.will({"text": ANEW})
    world.works()
    (task,) = posts(world)
    assert action_of(task).text == ANEW + "\n"
    assert task.note.front.words("drafted_by") == "openai:qwen3:8b"
    assert "A model said it anew; your words, from Business_Goals.md, stand below." in warnings_of(task)
    assert OWN in task.note.body.partition("## Original")[2]


def test_a_model_that_invents_is_not_posted_and_the_owners_words_are(tmp_path: Path, model: ModelServer) -> None:
    world = world_with(model, tmp_path)
    owner_wants(world, section(ONE))
    model.will(*[{"text": "We repaired 400 bicycles for the museum."}] * 3)
    world.works()
    (task,) = posts(world)
    assert action_of(task).text == OWN + "\n"
    assert task.note.front.words("drafted_by") == "the words of Business_Goals.md"
    assert "These are your own words, as the model gave nothing usable." in warnings_of(task)


def test_a_post_waits_for_a_model_that_is_down_until_it_is_due_within_a_day(tmp_path: Path, model: ModelServer) -> None:
    world = world_with(model, tmp_path)
    at = soon(world)
    owner_writes(world, entry(at, OWN, networks="[mastodon able]", write="true"))
    model.will(*[Reply(status=500)] * 30)
    world.works()
    assert posts(world) == []
    world.clock.tick(at - world.clock.now() - timedelta(hours=20))
    world.works()
    (task,) = posts(world)
    assert action_of(task).text == OWN + "\n"
    assert any(told.startswith("These are your own words, as HTTP 500") for told in warnings_of(task))


def test_the_words_of_an_entry_are_posted_as_they_stand_unless_it_says_write(
    tmp_path: Path, model: ModelServer
) -> None:
    world = world_with(model, tmp_path)
    owner_writes(world, entry(soon(world), OWN, networks="[mastodon able]"))
    world.works()
    assert action_of(posts(world)[0]).text == OWN + "\n"
    assert model.asked == []
    owner_writes(world, entry(soon(world), OWN, networks="[bluesky]", write="true"), "other")
    model.will({"text": ANEW})
    world.works()
    assert {action_of(task).text for task in posts(world)} == {OWN + "\n", ANEW + "\n"}


def test_a_model_proposes_steps_and_none_is_tried_before_the_owner_says_yes(tmp_path: Path, model: ModelServer) -> None:
    world = world_with(model, tmp_path)
    world.receives(mail())
    world.works()
    note = (
        b"---\ntype: plan\nstatus: ready\nobjective: Answer Jana\n---\nTell jana@elsewhere.example yes, about Friday.\n"
    )
    world.local.refresh()
    world.local.write("owner_edit", "jana", {"Objectives/jana.md": note})
    model.will({"steps": ["pay: 5"]}, {"steps": ["read: from jana@elsewhere.example", "reply: step 2: Say yes."]})
    world.works()
    task, plan = the_plan(world)
    assert task.stage is Stage.PENDING_APPROVAL
    assert [(step.kind, step.at) for step in plan.steps] == [
        (Kind.ASK, At.ASKED), (Kind.READ, At.OPEN), (Kind.REPLY, At.OPEN)
    ]  # fmt: skip
    assert "only the remark 'yes' lets them begin" in task.note.front.words("reason")
    assert task.note.body.endswith(
        "\n## Proposed steps\n\n```text\n2. read: from jana@elsewhere.example\n3. reply: step 2: Say yes.\n```\n"
    )
    world.local.send_back(task, remark="yes")
    world.works()
    assert [step.at for step in the_plan(world)[1].steps] == [At.DONE, At.DONE, At.DRAFTED]


def proposed(world: World, model: ModelServer, *steps: str) -> Task:
    """The question whether these steps shall begin."""
    text = f"---\ntype: plan\nstatus: ready\nobjective: News\n---\nPost {' '.join(steps)}\n"
    world.local.refresh()
    world.local.write("owner_edit", "news", {"Objectives/news.md": text.encode()})
    model.will({"steps": list(steps)})
    world.works()
    return world.only(Stage.PENDING_APPROVAL)


@pytest.mark.parametrize("remark", ["No! Do not write to her.", "", "skip", "yes, but not to her", "ja", "go on"])
def test_no_remark_but_yes_begins_what_a_model_proposed(tmp_path: Path, model: ModelServer, remark: str) -> None:
    world = world_with(model, tmp_path)
    world.local.send_back(proposed(world, model, "post: mastodon: One"), remark=remark)
    world.works()
    task, plan = the_plan(world)
    assert [step.at for step in plan.steps] == [At.ASKED, At.OPEN]
    assert (task.stage, steps_drafted(world)) == (Stage.PENDING_APPROVAL, [])
    assert task.note.front.words("reason").startswith("your remark was no 'yes'; ")
    assert task.note.front.words("reason").endswith("'stop' ends the plan")
    assert task.note.body.count("2. post: mastodon: One\n") == 1
    world.local.send_back(task, remark=" Yes.")
    world.works()
    assert [step.at for step in the_plan(world)[1].steps] == [At.DONE, At.DRAFTED]


def test_an_owner_sees_every_word_that_they_agree_to_and_nothing_of_it_is_live(
    tmp_path: Path, model: ModelServer
) -> None:
    world = world_with(model, tmp_path)
    steps = [f"post: mastodon: ``` [[Link]] {'so it goes ' * 40}{number} ends" for number in ("one", "two", "three")]
    task = proposed(world, model, *steps)
    assert task.note.body.endswith(
        "\n````text\n" + "".join(f"{at}. {step}\n" for at, step in enumerate(steps, 2)) + "````\n"
    )
    plan = world.read(f"Plans/files/plan-{task.id}.md").partition("## Course")[0]
    listed = [line for line in plan.splitlines() if "so it goes" in line]
    assert [line.split()[-2:] for line in listed] == [["one", "ends"], ["two", "ends"], ["three", "ends"]]
    world.local.send_back(task, remark="yes")
    world.works()
    for draft in steps_drafted(world):
        carried_out(world, draft)
    world.works()
    ended = the_plan(world)[0]
    assert ended.note.front.words("reason") == "every step of this plan is done: end it"
    assert "so it goes" not in ended.note.body, "what was agreed to is not asked again"


def test_stop_ends_what_a_model_proposed(tmp_path: Path, model: ModelServer) -> None:
    world = world_with(model, tmp_path)
    world.local.send_back(proposed(world, model, "post: mastodon: One"), remark="Stop!")
    world.works()
    task, plan = the_plan(world)
    assert task.note.front.words("reason") == "you stopped this plan: end it"
    assert [step.at for step in plan.steps] == [At.SKIPPED, At.SKIPPED]
    world.local.send_back(task, remark="yes")
    world.works()
    assert steps_drafted(world) == [], "what was stopped is not begun again"


def test_without_a_model_or_with_one_that_is_no_use_the_owner_is_asked_for_the_steps(
    tmp_path: Path, model: ModelServer
) -> None:
    world = world_with(model, tmp_path)
    owner_plans(world, "none")
    model.will(*[{"steps": ["pay: 5"]}] * 3)
    world.works()
    (task,) = world.tasks(Stage.PENDING_APPROVAL)
    assert "no step is listed that a plan can have" in task.note.front.words("reason")
