"""Any order of owner, assistant, kills and time: no text is lost, and in the end the folder is the head."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.mirror.world import DASHBOARD, HANDBOOK, World, begun, on_a_fast_disk

from vault_protocol import layout, moves
from vault_protocol.errors import IllegalMove, MalformedNote, StaleRevision
from vault_protocol.mirror import STEPS, Decided, Dropped, Edited, Removed
from vault_protocol.task import Stage

FOLDERS = ("Approved", "Rejected", "Needs_Action/email", "Done", "Pending_Approval/email", "Projects", "Inbox")
NAMES = st.sampled_from(
    [HANDBOOK, DASHBOARD, "Projects/a.md", "Projects/b.md", "Plans/p.md", "photo.jpg", "Inbox/f.txt"]
)
PICK = st.integers(0, 1000)


class Killed(BaseException):
    """The process ends here."""


class OwnerAndAssistant(RuleBasedStateMachine):
    """`alive`: a word of each text the owner saved and did not take back themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        on_a_fast_disk(self.patch)
        self.home = tempfile.TemporaryDirectory()
        self.world: World = begun(Path(self.home.name), made.pending(0), made.pending(1))
        self.world.path("Projects").mkdir()
        self.alive: set[bytes] = set()
        self.words = 0

    def teardown(self) -> None:
        try:
            self.world.step = lambda _name: None
            for _ in range(8):
                self.assistant_works(publish=True)
                self.world.tick(4)
            self.nothing_is_lost()
            self.converged()
        finally:
            self.world.mirror.close()
            self.patch.undo()
            self.home.cleanup()

    @rule(name=NAMES)
    def owner_writes(self, name: str) -> None:
        self.save(name, b"# %s\n" % self.word())

    @rule(pick=PICK, how=st.sampled_from(["text", "front", "broken", "truncated", "older"]))
    def owner_edits_a_task(self, pick: int, how: str) -> None:
        name = self.chosen(pick, tasks=True)
        content = self.world.read(name) if name else b""
        if name is None or b"---\n" not in content:
            return
        word = self.word()
        if how == "text":
            content = content.replace(b"yes, on Monday.", b"yes, on Monday. " + word)
            content = content if word in content else content + word + b"\n"
        elif how == "front":
            content = content.replace(b"---\n", b"---\nremark: %s\n" % word, 1)
        elif how == "broken":
            content = content.replace(b"## Action", word)
            content = content if word in content else word + content
        else:
            content = word + content[: len(content) // 2]
        self.save(name, content)

    @rule(pick=PICK, folder=st.sampled_from(FOLDERS), rename=st.sampled_from(["", " 1", "x"]), copy=st.booleans())
    def owner_moves(self, pick: int, folder: str, rename: str, copy: bool) -> None:
        name = self.chosen(pick)
        if name is None:
            return
        at = Path(name)
        target = f"{folder}/{at.stem}{rename}{at.suffix}"
        if self.world.path(target).exists():
            return
        self.world.path(folder).mkdir(parents=True, exist_ok=True)
        if copy:
            self.world.write(target, self.world.read(name))
        else:
            self.world.move(name, target)

    @rule(pick=PICK)
    def owner_deletes(self, pick: int) -> None:
        name = self.chosen(pick)
        if name:
            content = self.world.read(name)
            self.world.path(name).unlink()
            self.take_back(content)

    @rule(publish=st.booleans())
    def assistant_works(self, publish: bool) -> None:
        for item in self.world.look():
            if isinstance(item, Decided):
                self.is_what_the_owner_moved(item)
                if publish:
                    self.publish(item)
            elif isinstance(item, Edited | Removed) and publish:
                self.world.publish(item)
            elif isinstance(item, Dropped) and publish:
                content = self.world.mirror.read(item.path)
                assert content is not None
                self.take_back(content)
                self.world.mirror.discard(item)
        self.world.apply()

    @rule(seconds=st.sampled_from([1, 2, 4]))
    def time_passes(self, seconds: int) -> None:
        self.world.look()
        self.world.tick(seconds)

    @rule(step=st.sampled_from(STEPS), nth=st.integers(0, 3))
    def killed_in_apply(self, step: str, nth: int) -> None:
        left = nth

        def kill(name: str) -> None:
            nonlocal left
            if name == step:
                if left == 0:
                    raise Killed
                left -= 1

        self.world.step = kill
        with suppress(Killed):
            self.world.apply()
        self.world.step = lambda _name: None
        self.world.restart()

    @rule(step=st.sampled_from(STEPS), nth=st.integers(0, 3), pick=PICK, folder=st.sampled_from(FOLDERS))
    def owner_acts_in_the_middle_of_apply(self, step: str, nth: int, pick: int, folder: str) -> None:
        left = nth

        def act(name: str) -> None:
            nonlocal left
            if name == step:
                if left == 0:
                    self.owner_moves(pick, folder, "", False) if pick % 2 else self.owner_edits_a_task(pick, "text")
                left -= 1

        self.world.step = act
        self.world.apply()
        self.world.step = lambda _name: None

    @rule(number=st.integers(0, 1), how=st.sampled_from(["back", "submit", "finish", "reopen"]))
    def assistant_moves_a_task(self, number: int, how: str) -> None:
        path = next(path for path in self.world.at_head() if f"/{made.task_id(number)}" in path)
        task = self.world.task(path)
        try:
            if how == "back":
                self.world.put(moves.send_back(task, remark=""))
            elif how == "submit" and task.stage is Stage.NEEDS_ACTION:
                self.world.put(task.evolve(stage=Stage.PENDING_APPROVAL, revision=task.revision + 1))
            elif how == "finish":
                self.world.put(moves.finish(task, result="sent", now=self.world.clock.now()))
            elif how == "reopen":
                self.world.put(moves.reopen(task, because="it expired"))
        except IllegalMove:
            pass

    @rule(name=st.sampled_from([DASHBOARD, "Plans/p.md", HANDBOOK]), gone=st.booleans())
    def assistant_writes(self, name: str, gone: bool) -> None:
        there = name in self.world.at_head()
        self.world.commit({name: None if gone and there else b"by the assistant %d\n" % self.words})
        self.words += 1

    @precondition(lambda self: self.words % 5 == 4)
    @rule()
    def restart(self) -> None:
        self.world.restart()

    @invariant()
    def nothing_is_lost(self) -> None:
        disk = b"".join(path.read_bytes() for path in self.world.folder.rglob("*") if path.is_file())
        for word in {word for word in self.alive if word not in disk}:
            assert any(word in content for content in self.committed()), word

    def is_what_the_owner_moved(self, item: Decided) -> None:
        assert self.world.read(item.path) == item.content
        head = {place.id: path for path in self.world.at_head() if (place := layout.place_of(path))}
        task = self.world.task(head[item.task])
        assert task.revision == item.revision
        if not item.edited:
            assert self.world.at_head()[head[item.task]] == item.content

    def publish(self, item: Decided) -> None:
        try:
            self.world.publish(item)
        except (IllegalMove, StaleRevision, MalformedNote) as error:
            self.world.mirror.refuse(item, str(error))

    def converged(self) -> None:
        """Every file is as the head has it, or the owner is told that it is not."""
        files, head = self.world.files(), self.world.at_head()
        told = {item.path for item in self.world.mirror.unsynced()}
        untold = {path for path in files.keys() | head.keys() if files.get(path) != head.get(path)} - told
        assert not untold, {path: (files.get(path), head.get(path)) for path in untold}
        assert self.world.hidden() == []

    def committed(self) -> list[bytes]:
        blobs = {blob for commit in self.world.history() for _, blob in self.world.store.paths(commit.id)}
        return [self.world.store.blob(blob) for blob in blobs]

    def word(self) -> bytes:
        self.words += 1
        return b"word%04d" % self.words

    def save(self, name: str, content: bytes) -> None:
        """What the owner overwrites, they took back themselves."""
        path = self.world.path(name)
        before = path.read_bytes() if path.is_file() else b""
        self.world.write(name, content)
        self.take_back(before)
        self.alive |= {word for word in content.split() if word.startswith(b"word")}

    def take_back(self, content: bytes) -> None:
        self.alive -= {word for word in self.alive if word in content}

    def chosen(self, pick: int, *, tasks: bool = False) -> str | None:
        found = sorted(name for name in self.world.files() if not tasks or layout.task_named(name))
        return found[pick % len(found)] if found else None


OwnerAndAssistant.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
test_owner_and_assistant = OwnerAndAssistant.TestCase
