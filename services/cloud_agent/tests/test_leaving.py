"""What several agents do with mail that only one of them has."""

from __future__ import annotations

from pathlib import Path

from services.cloud_agent.tests.world import OFFICE, World, mail

from cloud_agent.keeping import RawMail
from cloud_agent.leaving import MOST, Leaving
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import Domain, Stage, Task, TaskId

WAITING = Stage.PENDING_APPROVAL


def leaving(world: World, raw: RawMail, *, mailboxes: tuple[str, ...] = (OFFICE.name,)) -> Leaving:
    return Leaving(mailboxes, raw, seconds=60, monotonic=world.clock.monotonic)


def waiting(id_: str, domain: Domain, front: FrontMatter) -> Task:
    return Task(id=TaskId(id_), stage=Stage.NEEDS_ACTION, domain=domain, note=Note(front, ""))


def test_a_mail_that_another_agent_has_is_left_to_it_for_a_while_and_then_asked_about(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.worker._takes = leaving(world, RawMail(tmp_path / "another-machine")).takes
    world.works()
    assert world.tasks(WAITING) == []
    world.waits(59)
    world.works()
    assert world.tasks(WAITING) == []
    world.waits(2)
    world.works()
    assert world.only(WAITING).revision == 1, "nobody came for it: the owner is told"


def test_a_mail_of_another_agents_mailbox_is_left_to_it_though_its_words_are_here(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.worker._takes = leaving(world, world.raw, mailboxes=("private",)).takes
    world.works()
    assert world.tasks(WAITING) == []


def test_a_mail_that_is_here_is_taken_at_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.worker._takes = leaving(world, world.raw).takes
    world.works()
    assert world.only(WAITING).has_action


def test_work_that_is_no_mail_is_anybodys(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = leaving(world, world.raw)
    for domain in (Domain.FILES, Domain.EMAIL):
        assert found.takes(waiting("ab" * 8, domain, FrontMatter()))


def test_what_was_left_is_remembered_up_to_a_bound(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = leaving(world, world.raw)
    front = FrontMatter().put(mailbox="private", sha256="ab" * 32)
    for number in range(MOST + 10):
        found.takes(waiting(f"{number:016x}", Domain.EMAIL, front))
    assert len(found._seen) == MOST


def test_when_more_wait_than_are_remembered_the_first_are_taken_and_then_the_others(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = leaving(world, world.raw)
    front = FrontMatter().put(mailbox="private", sha256="ab" * 32)
    tasks = [waiting(f"{number:016x}", Domain.EMAIL, front) for number in range(MOST + 10)]
    assert not any(found.takes(task) for task in tasks)
    world.waits(61)
    assert [found.takes(task) for task in tasks] == [True] * MOST + [False] * 10
    world.waits(61)
    assert not any(found.takes(task) for task in tasks[MOST:]), "those that are gone are forgotten"
    world.waits(61)
    assert all(found.takes(task) for task in tasks[MOST:])


def test_a_mail_that_the_owner_sends_back_later_is_left_to_who_has_it_once_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.worker._takes = leaving(world, RawMail(tmp_path / "another-machine")).takes
    world.works()
    world.waits(61)
    world.works()
    world.waits(3600)
    world.local.refresh()
    world.local.send_back(world.only(WAITING), remark="Say yes.")
    world.works()
    assert world.tasks(WAITING) == []
    world.waits(61)
    world.works()
    assert world.only(WAITING).revision == 2


def test_an_agent_takes_work_of_its_own_domains_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receives(mail())
    world.worker._domains = (Domain.FILES,)
    world.works()
    assert world.tasks(WAITING) == []
