"""Tasks that are set aside: no two agents are named the same one, nobody keeps any for long, and it is advice alone."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW, OTHER, task, task_id
from services.vault_hub.tests.hubworld import READER, HubWorld

from demo.processes import eventually
from vault_hub import reservations
from vault_hub.reservations import EACH, SECONDS, Reservations
from vault_protocol import notes
from vault_protocol.hub import CommitId, Edits
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId, Domain, TaskId

MAIL = [Domain.EMAIL]
ONE, TWO, THREE = CLOUD.agent, OTHER.agent, AgentId("cloud-3")


class Desk:
    """A repository with waiting tasks, its reservations, and a clock."""

    def __init__(self, folder: Path, waiting: int, kind: type[Reservations]) -> None:
        self.store, self.head, self.now = GitStore(folder), None, 0.0
        self.change(dict(notes.write(task(number)) for number in range(waiting)))
        self.told = kind(folder, lambda: self.head, monotonic=lambda: self.now)

    head: CommitId | None

    def change(self, edits: Edits) -> None:
        self.head = self.store.commit(self.head, edits, message="x", author=LOCAL.agent, at=NOW)
        self.store.keep()

    def land(self, edits: Edits) -> None:
        """A commit is on the line, and the reservations hear of it."""
        self.change(edits)
        self.told.take(edits)

    def ask(self, agent: AgentId, count: int, domains: Sequence[Domain] = MAIL) -> list[str]:
        return list(self.told.reserve(agent, domains, count)[0])


Make = Callable[[int], Desk]


def path(number: int) -> str:
    return notes.write(task(number))[0]


def paths(*numbers: int) -> list[str]:
    return [path(number) for number in numbers]


def no_two_are_named_the_same_one(make: Make) -> None:
    desk = make(12)
    found = [desk.ask(agent, 4) for agent in (ONE, TWO, THREE)]
    assert found == [paths(0, 1, 2, 3), paths(4, 5, 6, 7), paths(8, 9, 10, 11)]


def what_is_not_claimed_in_time_is_anybodys(make: Make) -> None:
    desk = make(4)
    assert desk.ask(ONE, 4) == paths(0, 1, 2, 3)
    desk.now = SECONDS - 0.1
    assert desk.ask(TWO, 4) == []
    desk.now = SECONDS
    assert desk.ask(TWO, 4) == paths(0, 1, 2, 3)


def asking_again_prolongs_nothing(make: Make) -> None:
    desk = make(4)
    desk.ask(ONE, 4)
    desk.now = SECONDS - 1
    assert desk.told.reserve(ONE, MAIL, 4) == (tuple(paths(0, 1, 2, 3)), 1.0)
    desk.now = SECONDS
    assert desk.ask(ONE, 4) == []
    assert desk.ask(TWO, 4) == paths(0, 1, 2, 3)


def giving_back_and_taking_again_prolongs_nothing(make: Make) -> None:
    desk = make(4)
    desk.ask(ONE, 4)
    assert desk.ask(ONE, 1, [Domain.SOCIAL]) == []
    assert desk.ask(ONE, 4) == []
    assert desk.ask(TWO, 4) == paths(0, 1, 2, 3)


def one_agent_gets_so_many_and_no_more(make: Make) -> None:
    desk = make(EACH + 3)
    assert len(desk.ask(ONE, 10**9)) == EACH
    assert len(desk.ask(ONE, 10**9)) == EACH
    assert len(desk.ask(TWO, 10)) == 3


def what_is_left_out_of_the_next_answer_is_free(make: Make) -> None:
    desk = make(4)
    desk.ask(ONE, 4)
    assert desk.ask(ONE, 1) == paths(0)
    assert desk.ask(TWO, 4) == paths(1, 2, 3)


def what_was_claimed_is_named_no_more(make: Make) -> None:
    desk = make(4)
    desk.ask(ONE, 1)
    desk.land({path(0): None, path(2): None})
    assert desk.ask(TWO, 4) == paths(1, 3)


def what_arrives_is_named(make: Make) -> None:
    desk = make(1)
    desk.ask(ONE, 1)
    desk.land({path(5): notes.write(task(5))[1]})
    assert desk.ask(TWO, 4) == paths(5)


def what_was_given_back_is_named_to_others(make: Make) -> None:
    desk = make(2)
    desk.ask(ONE, 1)
    desk.land({path(0): None})
    desk.land({path(0): notes.write(task(0))[1]})
    assert desk.ask(TWO, 4) == paths(0, 1)


def only_tasks_of_the_domains_are_named(make: Make) -> None:
    desk = make(2)
    social = task(7, domain=Domain.SOCIAL)
    desk.change(dict([notes.write(social)]))
    assert desk.ask(ONE, 4) == paths(0, 1)
    assert desk.ask(TWO, 4, [Domain.SOCIAL]) == [notes.write(social)[0]]


def the_most_urgent_comes_first(make: Make) -> None:
    desk = make(3)
    high = task(9)
    high = high.evolve(note=high.note.put(priority="high"))
    desk.change(dict([notes.write(high)]))
    assert desk.ask(ONE, 2) == [path(9), path(0)]


def a_note_that_does_not_parse_keeps_nobody_waiting(make: Make) -> None:
    desk = make(2)
    desk.change({path(5): b"---\nid: other\n---\n"})
    desk.ask(ONE, 1)
    desk.land({path(6): b"---\n"})
    assert desk.ask(ONE, 4) == paths(0, 1)


def after_a_new_root_everything_is_read_anew(make: Make) -> None:
    desk = make(3)
    desk.ask(ONE, 2)
    desk.change({path(0): None})
    desk.told.forget()
    assert desk.ask(TWO, 4) == paths(1, 2)


def what_nobody_asks_for_takes_no_room(make: Make) -> None:
    desk = make(2)
    desk.ask(ONE, 1)
    for number in range(5, 10):
        desk.land({path(number): notes.write(task(number))[1]})
    assert desk.told._fresh_bytes <= reservations.FRESH_BYTES
    assert desk.ask(TWO, 9) == paths(*range(2), *range(5, 10))


CHECKS: dict[str, Callable[[Make], None]] = {
    check.__name__: check
    for check in (
        no_two_are_named_the_same_one, what_is_not_claimed_in_time_is_anybodys, asking_again_prolongs_nothing,
        giving_back_and_taking_again_prolongs_nothing, one_agent_gets_so_many_and_no_more,
        what_is_left_out_of_the_next_answer_is_free, what_was_claimed_is_named_no_more, what_arrives_is_named,
        what_was_given_back_is_named_to_others, only_tasks_of_the_domains_are_named, the_most_urgent_comes_first,
        a_note_that_does_not_parse_keeps_nobody_waiting, after_a_new_root_everything_is_read_anew,
        what_nobody_asks_for_takes_no_room,
    )
}  # fmt: skip

BUGS = {
    "a task is set aside for two": (
        "free = held is None or now >= held.until", "free = True", "no_two_are_named_the_same_one",
    ),
    "it is set aside for ever": (
        "free = held is None or now >= held.until", "free = held is None", "what_is_not_claimed_in_time_is_anybodys",
    ),
    "asking again prolongs it": (
        "if held_now is None or held_now.agent != agent or now >= held_now.until:", "if True:",
        "asking_again_prolongs_nothing",
    ),
    "who had it last may have it next": (
        "free = now < held.until or now >= held.until + SECONDS", "free = True", "asking_again_prolongs_nothing",
    ),
    "giving back is forgotten": (
        "self._hold(path, _Held(agent, now))", "self._held.pop(path)", "giving_back_and_taking_again_prolongs_nothing",
    ),
    "one agent may have all": ("min(count, EACH)", "count", "one_agent_gets_so_many_and_no_more"),
    "what is left out stays taken": (
        "if held.agent == agent and path not in found and now < held.until:", "if False:",
        "what_is_left_out_of_the_next_answer_is_free",
    ),
    "what was claimed waits still": ("            self._drop(path)\n", "", "what_was_claimed_is_named_no_more"),
    "what arrives is not heard of": ("self._fresh[path] = content", "pass", "what_arrives_is_named"),
    "who held it once holds it still": (
        "        self._held.pop(path, None)\n        waiting = ", "        waiting = ",
        "what_was_given_back_is_named_to_others",
    ),
    "any domain will do": (
        "self._queues.get(domain, []) for domain in domains", "self._queues.get(domain, []) for domain in Domain",
        "only_tasks_of_the_domains_are_named",
    ),
    "a new root is not heard of": ("self._built.clear()", "pass", "after_a_new_root_everything_is_read_anew"),
    "what nobody asks for has no bound": (
        "if self._fresh_bytes > FRESH_BYTES:", "if False:", "what_nobody_asks_for_takes_no_room",
    ),
}  # fmt: skip


@pytest.fixture
def make(tmp_path: Path) -> Callable[[type[Reservations]], Make]:
    made = iter(range(100))
    return lambda kind: lambda waiting: Desk(tmp_path / f"{next(made)}.git", waiting, kind)


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservations, "FRESH_BYTES", 500)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_what_is_set_aside(check: Callable[[Make], None], make: Callable[[type[Reservations]], Make]) -> None:
    check(make(Reservations))


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_of_the_reservations_is_caught(name: str, make: Callable[[type[Reservations]], Make]) -> None:
    old, new, check = BUGS[name]
    source = inspect.getsource(Reservations)
    assert source.count(old) == 1
    made: dict[str, Any] = {}
    exec(source.replace(old, new), {**vars(reservations)}, made)  # noqa: S102 - our own text
    with pytest.raises((AssertionError, KeyError)):
        CHECKS[check](make(made["Reservations"]))


def test_the_planted_bugs_are_those_of_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs" / "proof.md").read_text(encoding="utf-8")
    table = text.partition("<!-- table:reservations -->")[2].partition("<!-- /table:reservations -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    assert rows == [[name, check.replace("_", " ")] for name, (_, _, check) in BUGS.items()]


def test_what_changes_while_what_waits_is_read_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path / "d.git", 3, Reservations)
    reading, go_on, real = threading.Event(), threading.Event(), reservations._read

    def slow(where: str, content: bytes | None) -> Any:
        reading.set()
        assert go_on.wait(20)
        return real(where, content)

    monkeypatch.setattr(reservations, "_read", slow)
    monkeypatch.setattr(reservations, "PATIENCE", 0.0)
    assert desk.ask(ONE, 3) == []
    assert reading.wait(20)
    desk.land({path(0): None, path(5): notes.write(task(5))[1]})
    go_on.set()
    assert desk.told._built.wait(20)

    assert desk.ask(ONE, 9) == paths(1, 2, 5)


def test_the_hub_answers_with_the_tasks_and_with_what_it_takes_to_see_them(hub: HubWorld) -> None:
    first = hub.begin()
    added = dict(notes.write(task(number)) for number in range(3))
    second = hub.author.commit(LOCAL, added)
    hub.publish(LOCAL.agent, second)
    ask = {"have": first, "domains": ["email"], "count": 2}

    one, two = (hub.ask(who, "/v1/reserve", ask).said for who in (CLOUD.agent, OTHER.agent))

    assert (one["reserved"], two["reserved"]) == (paths(0, 1), paths(2))
    assert one["head"] == second
    assert [said["id"] for said in one["commits"]] == [second]
    assert 0 < one["seconds"] <= SECONDS
    assert hub.head == second
    assert hub.metric("countersign_hub_reserved_tasks") == 3
    hub.tick(SECONDS)
    assert hub.metric("countersign_hub_reserved_tasks") == 0


@pytest.mark.parametrize(
    "body", [
        {}, {"count": 0, "domains": ["email"]}, {"count": True, "domains": ["email"]}, {"count": 1, "domains": ["x"]},
        {"count": 1, "domains": [[]]}, {"count": 1, "domains": ["email"], "have": "x"},
    ]
)  # fmt: skip
def test_a_question_of_no_known_form_is_turned_away(hub: HubWorld, body: object) -> None:
    answer = hub.ask(CLOUD.agent, "/v1/reserve", body)
    assert (answer.status, answer.said["rule"]) == (400, "wire")


def test_a_reader_has_nothing_set_aside(hub: HubWorld) -> None:
    answer = hub.ask(READER, "/v1/reserve", {"count": 1, "domains": ["email"]})
    assert (answer.status, answer.said["rule"]) == (403, "reader")


def test_a_claim_without_a_reservation_is_judged_by_the_same_rules(hub: HubWorld) -> None:
    """Also of what is set aside for another: it is advice about order and no right."""
    hub.begin()
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, dict(notes.write(task(number)) for number in range(3))))
    assert hub.ask(OTHER.agent, "/v1/reserve", {"domains": ["email"], "count": 3}).said["reserved"] == paths(0, 1, 2)

    claimed = hub.vault(CLOUD).claim(MAIL, 3)

    assert [one.id for one in claimed] == [task_id(0), task_id(1), task_id(2)]


def test_a_restart_forgets_what_was_set_aside_and_that_is_no_harm(hub: HubWorld) -> None:
    hub.begin()
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, dict(notes.write(task(number)) for number in range(3))))
    ask = {"domains": ["email"], "count": 3}
    assert hub.ask(CLOUD.agent, "/v1/reserve", ask).said["reserved"] == paths(0, 1, 2)
    hub.running.stop()
    hub.running.start()

    assert hub.ask(OTHER.agent, "/v1/reserve", ask).said["reserved"] == paths(0, 1, 2)


def test_agents_that_claim_what_was_set_aside_for_them_never_meet(hub: HubWorld) -> None:
    """Each claims in turn and has not seen what the other claimed just before: no publish is told that it moved on."""
    hub.begin()
    total = 32
    hub.publish(LOCAL.agent, hub.author.commit(LOCAL, dict(notes.write(task(number)) for number in range(total))))
    one, two = hub.vault(CLOUD), hub.vault(OTHER)
    mine: dict[AgentId, list[TaskId]] = {CLOUD.agent: [], OTHER.agent: []}
    for name, vault in ((CLOUD.agent, one), (OTHER.agent, two)) * 2:  # nobody knows of the other yet
        mine[name] += [held.id for held in vault.claim(MAIL, 1)]
    lost = moved_on(hub)
    while len(mine[CLOUD.agent]) + len(mine[OTHER.agent]) < total - 4:
        for name, vault in ((CLOUD.agent, one), (OTHER.agent, two)):
            mine[name] += [held.id for held in vault.claim(MAIL, 1)]

    assert moved_on(hub) == lost
    both = mine[CLOUD.agent] + mine[OTHER.agent]
    assert len(set(both)) == len(both) == total - 4
    eventually(lambda: hub.metric("countersign_hub_reserved_tasks") <= 2 * EACH, "what is set aside has its bound")


def moved_on(hub: HubWorld) -> int:
    assert hub.running.hub is not None
    return int(hub.running.hub.metrics.publishes.labels("moved_on")._value.get())
