"""Agents that claim as fast as they can, each a process with its own key and clone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.bench import resident, vaults
from tests.bench.claims import copied
from tests.bench.resident import Seat
from tests.bench.rows import Row
from vault_protocol.hub import CommitId
from vault_protocol.store import GitStore
from vault_protocol.task import Stage

By = Literal["vault", "push"]
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Race:
    """Claims each agent got, and how long the whole took."""

    claims: tuple[int, ...]
    seconds: float
    cpu: float
    """Seconds of processor time that the agents took, without the programs they started."""

    @property
    def per_second(self) -> float:
        return sum(self.claims) / self.seconds

    @property
    def jain(self) -> float:
        """Jain's index of fairness: 1 when all got the same, 1/n when one got all."""
        squares = sum(one * one for one in self.claims)
        return sum(self.claims) ** 2 / (len(self.claims) * squares) if squares else 0.0


def claims_per_s(agents: int, most: int, folder: Path, *, quick: bool = False) -> tuple[Row, Row]:
    """Claims per second of so many agents, `most` in one changeset, until nothing waits; how evenly they fall (Jain).
    In tens, `git push` claims in tens too, and one by one.

    Raises AssertionError when a task was owned twice, or by somebody else than the vault says.
    """
    pool = 40 * most if quick else 150 * agents * (4 if most > 1 else 1)
    few = (10 if quick else 40) * most
    ours = _ours(agents, most, vaults.hub(folder / "pool.git", pool, waiting=pool), folder / "ours", 120.0)
    pushed = _pushed(agents, most, vaults.hub(folder / "few.git", few, waiting=few), folder / "pushed", 60.0)
    name = f"{agents}" + ("_batched" if most > 1 else "")
    peers = {"git_push": pushed.per_second}
    if most > 1:
        singly = vaults.hub(folder / "singly.git", few // most, waiting=few // most)
        peers["git_push_one_by_one"] = _pushed(agents, 1, singly, folder / "pushed-singly", 60.0).per_second
    return (
        Row(f"claims_per_s_{name}", "/s", ours.per_second, None, peers),
        Row(f"claims_jain_{name}", "index", ours.jain, None, {"git_push": pushed.jain}),
    )


def _ours(agents: int, most: int, template: Path, folder: Path, seconds: float) -> Race:
    names = _names(agents)
    with resident.resident(folder, template, names) as hub:
        return _race(list(hub.seats.values()), "vault", most, seconds, folder / "vault.git")


def _pushed(agents: int, most: int, template: Path, folder: Path, seconds: float) -> Race:
    folder.mkdir()
    hub = copied(template, folder / "remote")
    seats = []
    for name in _names(agents):
        resident.seat_clone(template, folder / name)
        seats.append(Seat(name, folder / name, str(hub)))
    return _race(seats, "push", most, seconds, hub)


def _names(agents: int) -> list[str]:
    return [f"cloud-{number}" for number in range(1, agents + 1)]


def _race(seats: Sequence[Seat], by: By, most: int, seconds: float, hub: Path) -> Race:
    running = []
    for seat in seats:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.claimer"], cwd=REPOSITORY, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        running.append(process)
        _tell(process, json.dumps({**asdict(seat), "home": str(seat.home), "by": by, "most": most, "seconds": seconds}))
    for process in running:
        assert _hear(process) == "ready"
    for process in running:
        _tell(process, "go")
    answers = [json.loads(_hear(process)) for process in running]
    for process in running:
        process.wait(30)
    _hold_against(hub, {seat.agent: answer["mine"] for seat, answer in zip(seats, answers, strict=True)})
    return Race(
        tuple(len(answer["mine"]) for answer in answers), max(answer["seconds"] for answer in answers),
        sum(answer["cpu"] for answer in answers),
    )  # fmt: skip


def _hold_against(hub: Path, mine: dict[str, list[str]]) -> None:
    """What each agent believes it owns, against the head of the hub."""
    store, head = GitStore(hub), CommitId(resident.head_of(hub))
    believed = [task for tasks in mine.values() for task in tasks]
    assert len(set(believed)) == len(believed), "a task was owned twice"
    for agent, tasks in mine.items():
        there = {path.rpartition("/")[2][:16] for path, _ in store.paths(head, f"{Stage.IN_PROGRESS.value}/{agent}")}
        assert there == set(tasks), f"{agent} believes it owns {len(tasks)} tasks, the hub says {len(there)}"


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
