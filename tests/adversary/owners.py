"""Bad commits of the owner's own machine: what nobody may write, whatever key they hold."""

from __future__ import annotations

from collections.abc import Iterator

from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import LOCAL, NOW

from tests.adversary.ground import APPROVAL, ASKS, DONE, HER_LOG, HERS, REFUSED, SIGNED, WAITS, Ground
from tests.adversary.kind import Kind, Make
from tests.adversary.names import DEVICES, HIDDEN, LIKE_GIT
from vault_protocol import notes
from vault_protocol.hub import CommitId
from vault_protocol.task import Stage, Task


def kinds() -> Iterator[Kind]:
    yield Kind("the owner replaces an approval", "create only", writing(APPROVAL, b"{}\n"))
    yield Kind("the owner deletes an approval", "create only", writing(APPROVAL, None))
    yield Kind("the owner deletes a task", "one place", writing(notes.write(WAITS)[0], None))
    yield Kind("the owner has a task twice", "one place", writing(*notes.write(WAITS.evolve(slug="twin"))))
    yield Kind("the owner brings a done task back", "move", moving(DONE, DONE.evolve(stage=Stage.NEEDS_ACTION)))
    yield Kind("the owner approves what waits", "move", moving(WAITS, WAITS.evolve(stage=Stage.APPROVED)))
    yield Kind("the owner rejects what was approved", "move", moving(SIGNED, ended(SIGNED, Stage.REJECTED)))
    yield Kind("the owner approves what they rejected", "move", moving(REFUSED, REFUSED.evolve(stage=Stage.APPROVED)))
    yield Kind(
        "the owner takes what another holds", "zone", moving(HERS, HERS.evolve(stage=Stage.QUARANTINE, lease=None))
    )
    yield Kind("the owner changes a draft and no number", "revision", moving(ASKS, other(ASKS, 1)))
    yield Kind(
        "the owner approves another text than was shown", "revision", moving(ASKS, other(ASKS, 1, Stage.APPROVED))
    )
    yield Kind("the owner approves two revisions on", "revision", moving(ASKS, other(ASKS, 3, Stage.APPROVED)))
    yield Kind("the owner writes a cloud agent's log", "zone", writing(HER_LOG, b"{}\n"))
    yield Kind("the owner writes a cloud agent's updates", "zone", writing("Updates/cloud-2/recent.md", b"x\n"))
    yield Kind("the owner publishes an .env", "name", writing("Notes/x.env", b"x\n"))
    yield Kind("the owner publishes a script", "name", writing("Notes/x.sh", b"x\n"))
    yield Kind("the owner publishes an executable", "mode", _mode(b"100755"))
    yield Kind("the owner publishes a symlink", "mode", _mode(b"120000"))
    yield Kind(
        "the owner publishes a submodule", "mode", lambda at: _put(at, at.graft({b"Notes/x.md": (b"160000", at.head)}))
    )
    yield Kind("the owner has a note twice, by case", "name", writing("notes/own.md", b"x\n"))
    yield Kind("the owner has a dashboard beside the dashboard", "name", writing("dashboard.md", b"x\n"))
    yield Kind("the owner has a folder beside a stage's", "name", writing("in_progress/x.md", b"x\n"))
    yield Kind(
        "the owner has a note twice, by how it is accented", "name",
        lambda at: _put(at, at.write({"Notes/Gr\u00fc\u00dfe.md": b"x\n", "Notes/GRU\u0308\u00dfE.md": b"y\n"})),
    )  # fmt: skip
    for name in (*LIKE_GIT, *HIDDEN, *DEVICES):
        yield Kind(f"the owner has a folder named {name!r}", "name", writing(f"Notes/{name}/x.md", b"x\n"))


def moving(old: Task, new: Task) -> Make:
    return lambda at: _put(at, at.move(old, new))


def writing(path: str, content: bytes | None) -> Make:
    return lambda at: _put(at, at.write({path: content}))


def ended(task: Task, stage: Stage) -> Task:
    return task.evolve(stage=stage, finished=NOW)


def other(task: Task, revision: int, stage: Stage = Stage.PENDING_APPROVAL) -> Task:
    note = made.drafted(task, made.mail(text="Other words.\n"))
    return task.evolve(stage=stage, revision=revision, note=note)


def _mode(mode: bytes) -> Make:
    return lambda at: _put(at, at.graft({b"Notes/x.md": (mode, at.blob())}))


def _put(at: Ground, top: str) -> CommitId:
    return at.commit(top, who=LOCAL)
