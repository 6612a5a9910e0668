"""Commits that are right, put together by the same hands as the bad ones: they keep the attacks honest."""

from __future__ import annotations

from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import LOCAL, NOW

from tests.adversary.ground import AGAIN, ASIDE, ASKS, HERS, MINE, MY_LOG, PLAN, REFUSED, SIGNED, TRIED, WAITS, Ground
from tests.adversary.kind import Kind, Make
from tests.adversary.trespasses import claimed, lease, moving, reaped, submitted, writing
from vault_protocol import notes
from vault_protocol.hub import CommitId
from vault_protocol.task import Stage, Task


def _by_local(old: Task, new: Task) -> Make:
    return lambda at: at.commit(at.move(old, new), who=LOCAL)


def _log_grows(at: Ground) -> CommitId:
    return at.commit(at.write({MY_LOG: (at.store.read(at.head, MY_LOG) or b"") + b"{}\n"}))


def _approves(at: Ground) -> CommitId:
    path, content = notes.write(ASKS.evolve(stage=Stage.APPROVED))
    signed = made.approved(ASKS)
    edits = {notes.write(ASKS)[0]: None, path: content, signed.path(): signed.model_dump_json().encode()}
    return at.commit(at.write(edits), who=LOCAL)


def _respelled(old: str, new: str) -> Make:
    return lambda at: at.commit(at.write({old: None, new: b"mine\n"}), who=LOCAL)


def _two_in_a_line(at: Ground) -> CommitId:
    first = at.grown(at.commit(at.move(WAITS, claimed(WAITS))))
    held = claimed(WAITS)
    return first.commit(first.move(held, submitted(held)), attempt=held.attempt)


def _commits_of_two(at: Ground) -> CommitId:
    first = at.grown(at.commit(at.write({PLAN: b"- [ ] later\n"})))
    return first.commit(first.write({"Dashboard.md": b"# Later\n"}), who=LOCAL)


LEGAL: dict[str, Kind] = {
    name: Kind(name, "", make)
    for name, make in {
        "a new task": moving(None, made.task(40)),
        "a new task that no parser takes, set aside": writing(f"Quarantine/{made.task_id(41)}.md", b"\xff no note\n"),
        "a claim": moving(WAITS, claimed(WAITS)),
        "a second claim": moving(TRIED, claimed(TRIED)),
        "a renewal": moving(MINE, MINE.evolve(lease=lease(1))),
        "a release": moving(MINE, MINE.evolve(stage=Stage.NEEDS_ACTION, lease=None)),
        "a submission": moving(MINE, submitted(MINE)),
        "the next submission": moving(AGAIN, submitted(AGAIN)),
        "an end without an action": moving(MINE, MINE.evolve(stage=Stage.DONE, lease=None, finished=NOW)),
        "a task set aside": moving(MINE, MINE.evolve(stage=Stage.QUARANTINE, lease=None)),
        "a waiting task set aside": moving(WAITS, WAITS.evolve(stage=Stage.QUARANTINE)),
        "a reaping": moving(HERS, reaped()),
        "a plan": writing("Plans/email/plan-new.md", b"# Plan\n\n- [ ] write\n"),
        "a plan that is gone": writing(PLAN, None),
        "the owner's HTML in a plan, left as it is": writing("Plans/email/plan-owner.md", b"- [ ] new\n<b>mine</b>\n"),
        "text of a stranger in its fence": writing(PLAN, b"```text\n<b>x</b> ![x](https://thief.example)\n```\n"),
        "a note that the owner spells otherwise": _respelled("Notes/own.md", "Notes/Own.md"),
        "a folder that the owner spells otherwise": _respelled("Notes/own.md", "notes/own.md"),
        "an update": writing("Updates/cloud-1/recent.md", b"- 2026-11-23T09:00:00Z alive held=2\n"),
        "a log that grows": _log_grows,
        "a withdrawal": writing(f"Signals/withdraw-{SIGNED.id}-1.json", b"{}\n"),
        "a briefing": writing("Briefings/2026-11-24.md", b"# Tuesday\n"),
        "an approval by the owner": _approves,
        "a rejection by the owner": _by_local(ASKS, ASKS.evolve(stage=Stage.REJECTED, finished=NOW)),
        "a second thought of the owner": _by_local(REFUSED, REFUSED.evolve(stage=Stage.NEEDS_ACTION, finished=None)),
        "an approval that comes back": _by_local(SIGNED, SIGNED.evolve(stage=Stage.PENDING_APPROVAL)),
        "an end by the owner": _by_local(SIGNED, SIGNED.evolve(stage=Stage.DONE, finished=NOW)),
        "a task brought back": _by_local(ASIDE, ASIDE.evolve(stage=Stage.NEEDS_ACTION)),
        "a claim and a submission in a line": _two_in_a_line,
        "commits of two agents in a line": _commits_of_two,
    }.items()
}  # fmt: skip
