"""Schedules: what is due becomes a task once, whatever the clocks do and whatever stands in the notes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.world import CLOUD, OTHER, World

from cloud_agent.scheduling.schedule import BadSchedule, Unreadable, parse
from cloud_agent.scheduling.scheduler import Scheduler, parse_told, path_of
from vault_protocol.task import Stage

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def schedule(**front: str) -> bytes:
    lines = "".join(f'{key}: "{value}"\n' for key, value in {"task": "remind", **front}.items())
    return f"---\n{lines}---\nCall Anna.\n".encode()


def owner_writes(world: World, **notes: bytes) -> None:
    world.local.refresh()
    world.local.write("owner_edit", "schedules", {f"Schedules/{name}.md": content for name, content in notes.items()})


def runs(content: bytes, first: datetime, last: datetime) -> list[str]:
    """Every moment at which it was due, as an agent that looks every half hour finds them."""
    found, now, read = [], first, parse(content)
    while now <= last:
        due = read.latest(now, since=now - timedelta(minutes=30))
        found += [f"{due:%d %H:%M}"] if due else []
        now += timedelta(minutes=30)
    return found


def test_what_is_due_becomes_one_reminder_that_the_owner_ends(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, call=schedule(cron="0 * * * *", title="Call Anna"))
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []
    world.waits(3600)
    world.works()
    world.start()
    world.works()
    task = world.only(Stage.PENDING_APPROVAL)
    assert (task.slug, task.note.front.words("subject"), task.note.front.words("type")) == (
        "call",
        "Call Anna",
        "question",
    )
    assert "Call Anna." in task.note.body
    world.local.acknowledge(task)
    world.works()
    assert world.only(Stage.DONE).id == task.id


def test_runs_that_were_missed_are_caught_up_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, call=schedule(cron="0 * * * *"))
    world.works()
    world.waits(3 * 86400 + 1800)
    world.start()
    world.works()
    due = world.only(Stage.PENDING_APPROVAL).note.front.words("due")
    assert due == f"{world.clock.now().replace(minute=0, second=0, microsecond=0):%Y-%m-%dT%H:%M:%SZ}"


def test_a_new_or_changed_schedule_has_missed_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, call=schedule(cron="0 0 1 1 *"))
    world.works()
    world.waits(86400)
    owner_writes(world, call=schedule(cron="0 * * * *"))
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []


def test_two_agents_of_a_fleet_raise_one_task(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, call=schedule(cron="0 * * * *"))
    other = world.other_vault()
    mine, theirs = Scheduler(CLOUD, world.clock), Scheduler(OTHER, world.clock)
    for vault, one in ((other, theirs),):
        vault.refresh()
        one.round(vault)
    with world.desk.vault() as vault:
        vault.refresh()
        mine.round(vault)
        world.waits(3600)
        raised = mine.round(vault)
    other.refresh()
    assert (raised, theirs.round(other), len(world.tasks(Stage.NEEDS_ACTION))) == (1, 0, 1)


def test_a_run_in_the_hour_that_spring_leaves_out_comes_right_after_it() -> None:
    daily = schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    first, last = datetime(2026, 3, 28, 0, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC)
    assert runs(daily, first, last) == ["28 01:30", "29 01:00", "30 00:30"]


def test_a_run_in_the_hour_that_autumn_has_twice_comes_once() -> None:
    daily = schedule(cron="30 2 * * *", time_zone="Europe/Berlin")
    first, last = datetime(2026, 10, 24, 1, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC)
    assert runs(daily, first, last) == ["25 00:30", "26 01:30"]


def test_eight_in_the_morning_stays_eight_in_the_morning() -> None:
    daily = parse(schedule(cron="0 8 * * *", time_zone="Europe/Berlin"))
    summer, winter = (daily.latest(datetime(2026, m, 9, 12, tzinfo=UTC), since=LONG_AGO) for m in (7, 12))
    assert summer == datetime(2026, 7, 9, 6, tzinfo=UTC)
    assert winter == datetime(2026, 12, 9, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no front matter", Unreadable.NOTE),
        (schedule(cron="0 8 * * *") + b"x" * 20_000, Unreadable.SIZE),
        (schedule(), Unreadable.WHEN),
        (schedule(cron="0 8 * * *", at="2026-12-01 09:00"), Unreadable.WHEN),
        (schedule(cron="every morning"), Unreadable.CRON),
        (schedule(cron="61 8 * * *"), Unreadable.CRON),
        (schedule(cron="0 8 * * " + "1," * 5000 + "1"), Unreadable.CRON),
        (schedule(cron="* * * * * *"), Unreadable.CRON),
        (schedule(cron="* * * * *"), Unreadable.OFTEN),
        (schedule(cron="0,5 8 * * *"), Unreadable.OFTEN),
        (schedule(cron="0 8 30 2 *"), Unreadable.CRON),
        (schedule(cron="0 8 * * *", time_zone="Mars/Olympus"), Unreadable.ZONE),
        (schedule(cron="0 8 * * *", time_zone="../../etc/passwd"), Unreadable.ZONE),
        (schedule(cron="0 8 * * *", time_zone="Europe"), Unreadable.ZONE),
        (schedule(at="tomorrow"), Unreadable.AT),
        (schedule(at="0001-01-01 00:00", time_zone="Asia/Tokyo"), Unreadable.AT),
        (schedule(cron="0 8 * * *", task="pay"), Unreadable.TASK),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(content: bytes, why: Unreadable) -> None:
    with pytest.raises(BadSchedule) as caught:
        parse(content)
    assert caught.value.why is why


def test_a_schedule_that_cannot_be_read_is_told_of_and_stops_no_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, abc=schedule(cron="every morning"), call=schedule(cron="0 * * * *"))
    world.works()
    world.waits(3600)
    world.works()
    assert world.only(Stage.PENDING_APPROVAL).slug == "call"
    assert list(parse_told(world.read(path_of(CLOUD)).encode())) == [("abc", "bad-cron")]
    owner_writes(world, abc=schedule(cron="0 8 * * *"))
    world.works()
    assert list(parse_told(world.read(path_of(CLOUD)).encode())) == []


def test_what_is_put_off_to_a_moment_comes_back_then_and_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    later = world.clock.now() + timedelta(hours=2)
    owner_writes(world, snooze=schedule(at=f"{later:%Y-%m-%d %H:%M}", about="abcdefghijklmnop"))
    world.works()
    assert world.tasks(Stage.PENDING_APPROVAL) == []
    for _ in range(3):
        world.waits(7200)
        world.works()
    assert world.only(Stage.PENDING_APPROVAL).note.front.words("about") == "abcdefghijklmnop"


def test_what_the_owner_wrote_renders_nothing_in_the_note_that_an_agent_writes(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = b"---\ncron: '0 * * * *'\ntitle: '[[x]] ![[y]]'\n---\n```dataviewjs\nx\n```\n![](https://a.example/b)\n"
    owner_writes(world, call=text)
    world.works()
    world.waits(3600)
    world.works()
    assert "dataviewjs" in world.only(Stage.PENDING_APPROVAL).note.body


def test_the_digest_says_what_waits_and_ends_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    owner_writes(world, call=schedule(cron="0 * * * *"), digest=schedule(cron="30 * * * *", task="digest"))
    world.works()
    world.waits(3600)
    world.works()
    world.waits(1800)
    world.works()
    (path,) = world.paths("Briefings/")
    assert "1 wait for you: 1 files." in world.read(path)
    assert "|call]]" in world.read(path)
    assert {task.slug for task in world.tasks(Stage.DONE)} == {"digest"}


def test_the_schedules_that_a_new_vault_begins_with_can_all_be_read() -> None:
    folder = Path(__file__).parents[2] / "local_agent/src/local_agent/setup/notes/schedules"
    read = {path.stem: parse(path.read_bytes().replace(b"@@ZONE@@", b"Europe/Vienna")) for path in folder.glob("*.md")}
    assert len(read) == 6
    assert read["daily-digest"].duty == "digest"
    rotated = read["key-rotation"].latest(datetime(2026, 6, 1, tzinfo=UTC), since=LONG_AGO)
    assert rotated == datetime(2026, 4, 1, 8, tzinfo=UTC)
