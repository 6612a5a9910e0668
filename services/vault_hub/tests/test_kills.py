"""The hub killed at each named step of a publish, of a merge of packs and of a start, and again while it comes back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, TRUST
from services.vault_hub.tests.program import Program, program

from demo.processes import eventually
from vault_protocol import remote
from vault_protocol.clock import SystemClock
from vault_protocol.errors import HubUnreachable
from vault_protocol.hub_client import HubClient
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore

KILLED = -9


@dataclass
class Case:
    """One hub and one agent that publishes to it. `told` is what it was told is there; `asked` all it ever wanted."""

    hub: Program
    folder: Path
    journal: Journal | None = None
    client: HubClient | None = None
    asked: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def connect(self) -> Journal:
        """The agent started anew, on the clone it had."""
        self.leave()
        store, self.client = self.hub.client(LOCAL.agent, self.folder / "clone.git")
        self.journal = Journal(store, self.client, LOCAL, SystemClock(), trust=TRUST)
        self.journal.refresh()
        return self.journal

    def publish(self) -> bool:
        """One more note; whether the agent was told that it is there."""
        assert self.journal is not None
        path = f"Plans/{len(self.asked)}.md"
        self.asked.append(path)
        try:
            self.journal.publish("write", path, lambda head: {path: b"x\n"})
        except HubUnreachable:
            return False
        self.told.add(path)
        return True

    def is_whole(self) -> None:
        """A hub left alone has all that was told, nothing by halves, and takes the next."""
        journal = self.connect()
        assert journal.head is not None
        store, head = journal.store, journal.head
        there = [path for path, _ in store.paths(head, "Plans")]
        assert self.told <= set(there) <= set(self.asked)
        mine = [commit for commit in store.history(None, head) if commit.author == LOCAL.agent]
        assert len(mine) == len(there), "each is there once"
        assert remote.fsck(self.hub.repository) == ()
        folders = (self.hub.repository / "objects", self.hub.repository / "refs")
        found = [path for folder in folders for path in folder.rglob("*")]
        left = [path for path in found if path.name.startswith(("tmp_", "push-")) or path.suffix == ".lock"]
        assert left == []
        assert self.publish()
        reader = GitStore(self.folder / f"reader-{len(self.asked)}.git")
        client = HubClient(reader, self.hub.url, self.hub.tokens[CLOUD.agent])
        newest = client.refresh()
        client.close()
        assert newest is not None
        assert self.asked[-1] in [path for path, _ in reader.paths(newest, "Plans")]

    def leave(self) -> None:
        if self.client is not None:
            self.client.close()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("kills")
    with program(folder / "hub", CLOUD, LOCAL) as hub:
        hub.module = "services.vault_hub.tests.stepping"
        found = Case(hub, folder)
        hub.start()
        found.connect()
        assert found.publish()
        hub.stop()
        yield found
        found.leave()


STEPS = {
    "judged": 1, "written, not synced": 2, "pack written": 1, "pack durable": 1, "before swap": 1,
    "swapped, not synced": 1, "swapped": 1, "answered": 1,
}  # fmt: skip
"""Each step of a publish, and how often one publish passes it."""

MERGE = {"merging": 1, "merged, not cleared": 1, "one file cleared": 6}
"""And of merging three packs, which every third publish does here."""

START = ("cleared", "followed")


def dies(case: Case, step: str, passed: int, merged_at: int = 64) -> None:
    """A hub that comes back well, and is killed when it passes this step for the n-th time after that."""
    case.hub.kill()
    case.hub.start(step, str(passed), str(merged_at))
    case.is_whole()
    for _ in range(20):
        if not case.publish() or case.hub.ended is not None:
            break
    eventually(lambda: case.hub.ended == KILLED, f"it dies at {step!r}")


def comes_back(case: Case) -> None:
    case.hub.start()
    case.is_whole()
    assert case.hub.stop() == 0


def test_killed_at_any_step_of_a_publish_it_lost_nothing_that_was_told(case: Case) -> None:
    for step, times in STEPS.items():
        for passed in range(1, times + 1):
            dies(case, step, times + passed)
    comes_back(case)


@pytest.mark.prove
def test_killed_while_it_merges_packs_it_lost_no_object(case: Case) -> None:
    for step, times in MERGE.items():
        for passed in sorted({1, 2, times} & set(range(1, times + 1))):
            dies(case, step, passed, merged_at=3)
    comes_back(case)


@pytest.mark.prove
def test_killed_again_while_it_comes_back_it_comes_back_all_the_same(case: Case) -> None:
    dies(case, "swapped, not synced", 2)
    for again in START:
        with pytest.raises(AssertionError):
            case.hub.start(again)
        assert case.hub.ended == KILLED
    comes_back(case)
