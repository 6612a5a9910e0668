"""Posts from the owner's goals and finished work: their words, once, never more often than the cadence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.plans_world import the_plan
from services.cloud_agent.tests.test_posts import action_of, drop_picture
from services.cloud_agent.tests.world import OTHER, World, mail

from cloud_agent.posts import goals, proposing
from social.calendar import Place
from vault_protocol.canonical import moment
from vault_protocol.task import Domain, Stage, Task, TaskId

ONE = "| mastodon able | once a week | 9:00 UTC |"
WEEKLY = "| mastodon able | 2 a week | 9:00 UTC |"
THEMES = """
### Repairs

- We repair bicycles of every make.
- Most of it is done while you wait,
  and you may watch.

### Our street

Language: de
Wir sind seit vierzig Jahren hier.
"""


def section(*rows: str, themes: str = THEMES) -> bytes:
    table = "\n".join(("| Where | How often | At |", "|---|---|---|", *rows))
    return f"# Goals\n\n## Targets\n\n| a | b |\n|---|---|\n| x | y |\n\n## Posts\n\n{table}\n{themes}".encode()


def owner_wants(world: World, content: bytes, **others: str) -> None:
    world.local.refresh()
    texts = {name: words.encode() for name, words in others.items()}
    world.local.write("owner_edit", "goals", {"Business_Goals.md": content, **texts})


def posts(world: World, *stages: Stage) -> list[Task]:
    found = [task for stage in stages or (Stage.PENDING_APPROVAL,) for task in world.tasks(stage)]
    return sorted(
        (task for task in found if task.domain is Domain.SOCIAL), key=lambda task: task.note.front.words("due")
    )


def days(world: World, count: int) -> None:
    """An agent that looks round every day."""
    for _ in range(count):
        world.works()
        world.waits(86_400)
    world.works()


def test_the_owners_words_are_drafted_once_each_and_never_more_often_than_the_cadence(tmp_path: Path) -> None:
    """Monday: two weeks bring four moments, and there are three texts."""
    world = World(tmp_path)
    owner_wants(world, section(WEEKLY))
    for _ in range(14):
        days(world, 1)
        world.start()
    found = posts(world)
    assert [action_of(task).text for task in found] == [
        "We repair bicycles of every make.\n", "Wir sind seit vierzig Jahren hier.\n",
        "Most of it is done while you wait,\nand you may watch.\n",
    ]  # fmt: skip
    weeks = [moment(task.note.front.words("due")).isocalendar()[:2] for task in found]
    assert max(map(weeks.count, weeks)) == 2
    assert [action_of(task).language for task in found] == [None, "de", None]
    assert {(action_of(task).network, action_of(task).account) for task in found} == {("mastodon", "able")}
    assert [task.note.front.words("not_before") for task in found] == [task.note.front.words("due") for task in found]
    assert "goals-used-up network=mastodon account=able" in world.read("Updates/cloud/notes.md")
    assert {task.note.front.words("drafted_by") for task in found} == {"the words of Business_Goals.md"}


def test_a_changed_cadence_gives_no_second_budget_in_the_same_week(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_wants(world, section(WEEKLY))
    days(world, 3)
    assert len(posts(world)) == 2
    owner_wants(world, section("| mastodon able | 2 a week | 17:30 UTC |"))
    days(world, 2)
    assert len(posts(world)) == 2


def test_what_the_owner_rejected_is_not_proposed_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_wants(world, section(WEEKLY))
    world.works()
    world.local.reject(posts(world)[0], why="not that")
    days(world, 10)
    texts = [action_of(task).text for task in posts(world)]
    assert "We repair bicycles of every make.\n" not in texts
    assert texts


def test_two_agents_of_a_fleet_raise_one_post_for_a_moment(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_wants(world, section(ONE))
    world.works()
    world.start(OTHER)
    world.works()
    assert len(posts(world)) == 1


def test_finished_work_is_told_in_the_owners_sentence_when_the_handbook_says_it_may(tmp_path: Path) -> None:
    told = "tell: The new workshop is open."
    world = World(tmp_path)
    owner_wants(world, section(ONE), **{"Objectives/shop.md": _objective("The workshop", told)})
    world.works()
    assert [action_of(task).text for task in posts(world)] == ["We repair bicycles of every make.\n"]
    world.local.acknowledge(the_plan(world)[0])
    days(world, 5)
    assert len(posts(world)) == 2, "it is done, and the Handbook does not let it be told"
    world.local.write(
        "owner_edit", "handbook", {"Company_Handbook.md": b"# H\n\n## Rules\n\n- May be told: finished work\n"}
    )
    days(world, 8)
    newest = posts(world)[-1]
    assert action_of(newest).text == "The new workshop is open.\n"
    assert newest.note.front.words("source") == "Objectives/shop.md"


def _objective(title: str, *more: str) -> str:
    front = "\n".join(("type: plan", "status: ready", f"objective: {title}", *more))
    return f"---\n{front}\n---\n- ask: Is it done?\n"


def test_work_that_is_not_done_is_not_told(tmp_path: Path) -> None:
    world = World(tmp_path, handbook="# H\n\n## Rules\n\n- May be told: finished work\n")
    owner_wants(world, section(WEEKLY), **{"Objectives/shop.md": _objective("The workshop", "tell: It is open.")})
    days(world, 9)
    assert "It is open.\n" not in [action_of(task).text for task in posts(world)]


def test_a_plan_that_the_owner_stopped_is_not_told_as_finished(tmp_path: Path) -> None:
    world = World(tmp_path, handbook="# H\n\n## Rules\n\n- May be told: finished work\n")
    steps = "---\ntype: plan\nstatus: ready\nobjective: Shop\ntell: The shop is open.\n---\n- ask: Shall it be built?\n"
    owner_wants(world, section(ONE), **{"Objectives/shop.md": steps})
    world.works()
    world.local.send_back(the_plan(world)[0], remark="stop")
    world.works()
    world.local.acknowledge(the_plan(world)[0])
    days(world, 8)
    assert "The shop is open.\n" not in {action_of(task).text for task in posts(world)}


def test_words_that_were_taken_out_are_taken_back_and_never_posted(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_wants(world, section(ONE))
    world.works()
    (task,) = posts(world)
    owner_wants(world, section(ONE, themes="\n### Repairs\n\nSomething else.\n"))
    world.works()
    assert [path for path in world.paths("Signals/") if task.id in path]


def test_a_task_that_only_looks_like_a_post_of_the_goals_is_no_order(tmp_path: Path) -> None:
    """Its words, place and time are held against the owner's note and its id."""
    world = World(tmp_path)
    owner_wants(world, section(ONE))
    world.works()
    (task,) = posts(world)
    later = task.note.put(due="2026-12-24T09:00:00Z", type="post", reason=None, remark="x")
    world.local.send_back(task, remark="Say it louder.")
    world.works()
    (task,) = posts(world)
    assert action_of(task).text == "Say it louder.\n"
    other = Task(
        id=TaskId(task.id[:-1] + ("a" if task.id[-1] != "a" else "b")), stage=Stage.NEEDS_ACTION, domain=Domain.SOCIAL,
        slug="post", note=later,
    )  # fmt: skip
    world.local.add(other)
    world.works()
    world.local.refresh()
    asked = world.local.get(other.id)
    assert asked.note.front.words("type") == "question"
    assert "where and when" in asked.note.front.words("reason")


def test_the_same_words_at_two_moments_are_posted_once(tmp_path: Path) -> None:
    """Two agents of a fleet that saw different heads can raise such a pair."""
    world = World(tmp_path)
    owner_wants(world, section(ONE))
    world.works()
    (first,) = posts(world)
    vault, place = world.local, Place("mastodon", "able")
    words = goals.read(section(ONE)).words[0]
    slot = moment(first.note.front.words("due")) + timedelta(days=7)
    id_ = proposing.id_of(vault, place, slot)
    vault.add(proposing.task_for(id_, words, place, slot, world.clock.now()))
    world.works()
    vault.refresh()
    second = vault.get(id_)
    assert (second.has_action, vault.get(first.id).has_action) == (False, True)
    assert f"task {first.id} posts the same words" in second.note.front.words("reason")


def test_a_strangers_subject_that_reads_like_the_name_of_a_post_holds_none_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    key = goals.read(section(ONE)).words[0].key(Place("mastodon", "able"))
    for number in (1, 2):
        world.receives(mail(f"Mastodon {key} offer", message_id=f"<{number}@elsewhere.example>"))
    world.works()
    strangers = [task for task in world.tasks(Stage.PENDING_APPROVAL) if task.domain is Domain.EMAIL]
    assert [task.slug for task in strangers] == [f"mastodon-{key}-offer"] * 2
    owner_wants(world, section(ONE))
    world.works()
    (task,) = posts(world)
    assert task.note.front.words("goal") == key
    assert task.has_action, "no mail posts the same words"
    days(world, 8)
    assert len(posts(world)) == 2


def test_a_post_has_its_themes_link_and_picture(tmp_path: Path) -> None:
    world = World(tmp_path)
    drop_picture(world, "a" * 64)
    themes = "\n### Shop\n\nLink: https://able.example/shop\nPicture: shop.jpg | Our shop\n\nCome and see us.\n"
    owner_wants(world, section("| mastodon able | once a month | 9:00 UTC |", themes=themes))
    days(world, 20)
    (task,) = posts(world)
    action = action_of(task)
    assert (action.text, action.link) == (
        "Come and see us.\n\nhttps://able.example/shop\n",
        "https://able.example/shop",
    )
    assert [one.alt for one in action.media] == ["Our shop"]


def test_an_empty_cadence_rests_and_a_line_that_is_not_understood_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = ("| linkedin | | 9:00 UTC |", "| myspace | 1 a week | 9:00 UTC |", "| x | hourly | 9:00 UTC |",
            "| bluesky | 1 a week | 9:00 Mars/Olympus |", WEEKLY, WEEKLY)  # fmt: skip
    owner_wants(world, section(*rows, themes="\n### A\n\nLink: here\n"))
    world.works()
    told = world.read("Updates/cloud/notes.md")
    assert [line.split(" ", 3)[3] for line in told.splitlines() if "unread" in line] == [
        "line=14 why=unknown-network", "line=15 why=unknown-cadence", "line=16 why=unknown-time",
        "line=18 why=named-twice", "line=22 why=unknown-value",
    ]  # fmt: skip
    owner_wants(world, section("| linkedin | | 9:00 UTC |"))
    days(world, 3)
    assert world.read("Updates/cloud/notes.md").strip() == ""
    assert posts(world) == []


def test_an_objective_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.local.write("owner_edit", "x", {"Objectives/Move house.md": b"no front matter"})
    world.works()
    assert "objective-unread name=move-house why=no-note" in world.read("Updates/cloud/notes.md")


@pytest.mark.parametrize(
    ("around", "hours"), [(datetime(2026, 3, 29, tzinfo=UTC), (8, 7)), (datetime(2026, 10, 25, tzinfo=UTC), (7, 8))]
)
def test_a_post_keeps_its_time_of_day_when_the_clocks_change(around: datetime, hours: tuple[int, int]) -> None:
    found = goals.read(section("| mastodon able | 7 a week | 9:00 Europe/Berlin |"))
    (cadence,) = found.cadences
    assert cadence.place == Place("mastodon", "able")
    slots = list(cadence.slots(around - timedelta(days=2), around + timedelta(days=2)))
    assert [slot.hour for slot in slots] == [hours[0], hours[0], hours[1], hours[1]]
