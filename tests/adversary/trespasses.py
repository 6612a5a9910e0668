"""Bad commits that a note of a task is in: moves out of the table, numbers out of order, places, areas of others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW, OTHER

from tests.adversary.ground import (
    AGAIN,
    APPROVAL,
    ASIDE,
    ASKS,
    DONE,
    HER_LOG,
    HERS,
    MINE,
    MY_LOG,
    PLAN,
    REFUSED,
    SIGNED,
    STANDING,
    TRIED,
    WAITS,
    Ground,
)
from tests.adversary.kind import Kind, Make
from tests.sim import reading
from vault_protocol import layout, notes
from vault_protocol.hub import CommitId
from vault_protocol.note import Note
from vault_protocol.task import Domain, Lease, Stage, Task

UNTIL = NOW + timedelta(minutes=10)
TARGETS = [*((stage, "") for stage in Stage if stage is not Stage.IN_PROGRESS), (Stage.IN_PROGRESS, CLOUD.agent)]
TARGETS += [(Stage.IN_PROGRESS, OTHER.agent)]


def moving(old: Task | None, new: Task) -> Make:
    return lambda at: at.commit(at.move(old, new), attempt=old.attempt if old and old.lease else 0)


def writing(path: str, content: bytes | None = b"x\n") -> Make:
    return lambda at: at.commit(at.write({path: content}))


def rewriting(old: Task, *swaps: tuple[bytes, bytes], path: str = "") -> Make:
    """The note as it stands after a legal renewal or claim, with these bytes in it replaced."""

    def make(at: Ground) -> CommitId:
        new = claimed(old) if old.stage is Stage.NEEDS_ACTION else old.evolve(lease=lease(old.attempt))
        to, content = notes.write(new)
        for what, instead in swaps:
            assert what in content
            content = content.replace(what, instead)
        return at.commit(at.write({notes.write(old)[0]: None, path or to: content}))

    return make


def lease(attempt: int, by: str = CLOUD.agent) -> Lease:
    return Lease(owner=type(CLOUD.agent)(by), attempt=attempt, until=UNTIL)


def claimed(task: Task, rise: int = 1) -> Task:
    attempt = task.attempt + rise
    return task.evolve(stage=Stage.IN_PROGRESS, attempt=attempt, lease=lease(attempt))


def submitted(task: Task, rise: int = 1, **changes: object) -> Task:
    fields = {
        "stage": Stage.PENDING_APPROVAL,
        "lease": None,
        "revision": task.revision + rise,
        "note": made.drafted(task),
    }
    return task.evolve(**{**fields, **changes})


def kinds() -> Iterator[Kind]:
    yield from _moves()
    yield from _numbers()
    yield from _places()
    yield from _areas()


def _moves() -> Iterator[Kind]:
    """Every move that the table in docs/protocol.md does not give to Cloud."""
    for source, old in [("nothing", None), *STANDING.items()]:
        for stage, holder in TARGETS:
            was = old.stage.value if old else "(new)"
            whose = reading.rights().get(("cloud", was, stage.value), "—")
            theirs = holder == OTHER.agent or (old is HERS and stage is not Stage.NEEDS_ACTION)
            if whose != "—" and not theirs:
                continue
            if old is not None and old.stage is stage and stage not in (Stage.PENDING_APPROVAL, Stage.IN_PROGRESS):
                continue  # staying as it is changes nothing
            into = f"{stage.value}/{holder}" if holder else stage.value
            legal = stage.value in reading.moves()[was] or was == stage.value
            yield Kind(f"moves {source} to {into}", "zone" if legal else "move", _move(old, stage, holder))
    yield Kind("rewrites one that waits", "zone", moving(WAITS, WAITS.evolve(note=WAITS.note.put(priority="high"))))
    yield Kind("rewrites one set aside", "zone", moving(ASIDE, ASIDE.evolve(note=ASIDE.note.put(priority="high"))))
    yield Kind("rewrites a done one", "zone", moving(DONE, DONE.evolve(note=DONE.note.put(result="paid"))))
    yield Kind("rewrites a rejected one", "zone", moving(REFUSED, REFUSED.evolve(note=REFUSED.note.put(x="y"))))
    yield Kind("rewrites an approved one", "zone", moving(SIGNED, SIGNED.evolve(note=other_text(SIGNED))))
    yield Kind("swaps the draft of one that asks", "zone", moving(ASKS, ASKS.evolve(note=other_text(ASKS))))
    again = ASKS.evolve(revision=2, note=other_text(ASKS))
    yield Kind("swaps the draft of one that asks, next number", "zone", moving(ASKS, again))
    yield Kind("sets aside what another holds", "zone", moving(HERS, HERS.evolve(stage=Stage.QUARANTINE, lease=None)))
    yield Kind("renames one that waits", "zone", moving(WAITS, WAITS.evolve(slug="other")))
    yield Kind("moves one that waits to another domain", "zone", moving(WAITS, WAITS.evolve(domain=Domain.SOCIAL)))
    yield Kind("swaps the notes of two that ask and that were approved", "zone", _swap(ASKS, SIGNED))
    yield Kind("closes a task with an action", "zone", _closes(MINE.evolve(note=made.drafted(MINE))))
    yield Kind("closes a task that was put up once", "zone", _closes(AGAIN))
    yield Kind("renews the lease of another", "zone", moving(HERS, HERS.evolve(lease=lease(1, OTHER.agent))))
    yield Kind("takes a task out of another's hands", "zone", moving(HERS, HERS.evolve(lease=lease(1))))


def other_text(task: Task) -> Note:
    return made.drafted(task, made.mail(text="Pay the thief.\n"))


def _move(old: Task | None, stage: Stage, holder: str) -> Make:
    task = old or made.task(30)
    submits = stage is Stage.PENDING_APPROVAL and task.stage in (Stage.IN_PROGRESS, Stage.PENDING_APPROVAL)
    attempt = task.attempt + (stage is Stage.IN_PROGRESS and task.stage is not Stage.IN_PROGRESS)
    new = task.evolve(
        stage=stage, attempt=attempt, lease=lease(attempt, holder) if holder else None,
        revision=task.revision + submits, finished=NOW if stage in layout.BY_MONTH else None,
    )  # fmt: skip
    return moving(old, new)


def _swap(one: Task, other: Task) -> Make:
    (first, first_note), (second, second_note) = notes.write(one), notes.write(other)
    return lambda at: at.commit(at.write({first: second_note, second: first_note}))


def _closes(held: Task) -> Make:
    def make(at: Ground) -> CommitId:
        base = MINE if held.id == MINE.id else AGAIN
        return at.commit(at.move(base, held.evolve(stage=Stage.DONE, lease=None, finished=NOW)), attempt=base.attempt)

    return make


def _numbers() -> Iterator[Kind]:
    for rise in (0, 2, -1, 1000):
        yield Kind(f"claims with the attempt up by {rise}", "attempt", moving(TRIED, claimed(TRIED, rise)))
    freed = MINE.evolve(stage=Stage.NEEDS_ACTION, lease=None)
    yield Kind("renews under the next attempt", "attempt", moving(MINE, MINE.evolve(attempt=2, lease=lease(2))))
    yield Kind("renews under attempt 0", "attempt", moving(MINE, MINE.evolve(attempt=0, lease=lease(0))))
    yield Kind("releases and sets the attempt back", "attempt", moving(AGAIN, again_free(attempt=0)))
    yield Kind("releases and raises the attempt", "attempt", moving(MINE, freed.evolve(attempt=2)))
    yield Kind("submits under another attempt", "attempt", moving(MINE, submitted(MINE, attempt=3)))
    yield Kind("reaps and raises the attempt", "attempt", moving(HERS, reaped(attempt=2)))
    yield Kind("reaps and sets the attempt back", "attempt", moving(HERS, reaped(attempt=0)))
    yield Kind("a new task that was tried before", "attempt", moving(None, made.task(31, attempt=1)))
    yield Kind("a new task that was submitted before", "revision", moving(None, made.task(31, revision=1)))
    for rise in (0, 2, -1):
        yield Kind(f"submits with the revision up by {rise}", "revision", moving(AGAIN, submitted(AGAIN, rise)))
    yield Kind("claims and raises the revision", "revision", moving(WAITS, claimed(WAITS).evolve(revision=1)))
    yield Kind("renews and sets the revision back", "revision", moving(AGAIN, AGAIN.evolve(revision=0, lease=lease(2))))
    yield Kind("releases and raises the revision", "revision", moving(AGAIN, again_free(revision=2)))
    yield Kind("reaps and changes the text", "reap", moving(HERS, reaped(note=made.drafted(HERS))))
    yield Kind("reaps and takes the original out", "reap", moving(HERS, reaped(note=HERS.note.with_body("\n"))))
    for under in (0, 2):
        yield Kind(f"renews its attempt 1 under attempt {under}", "attempt", _under(under))
    yield Kind("submits its attempt 2 under attempt 1", "attempt", _submits_under(1))
    yield Kind("writes a plan under an attempt below nothing", "trailers", _plan_under(-1))


def again_free(**changes: object) -> Task:
    return AGAIN.evolve(**{"stage": Stage.NEEDS_ACTION, "lease": None, **changes})


def reaped(**changes: object) -> Task:
    return HERS.evolve(**{"stage": Stage.NEEDS_ACTION, "lease": None, **changes})


def _under(attempt: int) -> Make:
    return lambda at: at.commit(at.move(MINE, MINE.evolve(lease=lease(1))), verb="renew", attempt=attempt)


def _submits_under(attempt: int) -> Make:
    return lambda at: at.commit(at.move(AGAIN, submitted(AGAIN)), verb="submit", attempt=attempt)


def _plan_under(attempt: int) -> Make:
    return lambda at: at.commit(at.write({PLAN: b"- [ ] later\n"}), attempt=attempt)


def _places() -> Iterator[Kind]:
    copy = notes.write(claimed(WAITS))
    yield Kind("claims and leaves the task where it was", "one place", writing(*copy))
    yield Kind("has a task twice in one stage", "one place", _copies(notes.write(WAITS.evolve(slug="twin"))))
    yield Kind("sets aside a copy", "one place", _copies(notes.write(WAITS.evolve(stage=Stage.QUARANTINE))))
    yield Kind("a new task in two places", "one place", _two_new)
    for name, task in STANDING.items():
        yield Kind(f"deletes {name}", "one place", writing(notes.write(task)[0], None))
    yield Kind("deletes every task", "one place", _deletes_all)
    id_ = made.task_id(32)
    for path in (
        f"Plans/{id_}.md", f"Plans/email/{id_}-x.md", f"Needs_Action/{id_}.md", f"Needs_Action/pigeon/{id_}.md",
        f"Needs_Action/email/sub/{id_}.md", f"needs_action/email/{id_}.md", f"In_Progress/{id_}.md",
        f"In_Progress/cloud-1/sub/{id_}.md", f"In_Progress/Cloud-1/{id_}.md", f"Pending_Approval/{id_}.r1.md",
        f"Approved/2026/{id_}.r1.md", f"Done/{id_}.md", f"Done/2026/13/{id_}.md", f"Quarantine/email/{id_}.md",
        f"Updates/cloud-1/{id_}.md", f"Signals/{id_}.md", f"{id_}.md",
    ):  # fmt: skip
        yield Kind(f"a task at {path}", "place", writing(path, notes.write(made.task(32))[1]))
    yield Kind(
        "its own claim under another's name", "note", rewriting(WAITS, (b'owner: "cloud-1"', b'owner: "cloud-2"'))
    )
    yield Kind("a claim without a lease", "note", rewriting(WAITS, (b"lease_until", b"lease_untold")))
    yield Kind(
        "a lease until never", "note", rewriting(WAITS, (b"lease_until: 2026-11-23T09", b"lease_until: 2026-13-99T09"))
    )
    yield Kind(
        "a note that names another task", "note", rewriting(WAITS, (WAITS.id.encode(), made.task_id(33).encode()))
    )
    yield Kind("a note of no known domain", "note", rewriting(WAITS, (b"domain: email", b"domain: pigeon")))
    yield Kind("an attempt that is a word", "note", rewriting(WAITS, (b"attempt: 1", b"attempt: one")))
    yield Kind("an attempt of a billion", "note", rewriting(WAITS, (b"attempt: 1", b"attempt: 1000000000")))
    yield Kind(
        "an attempt that stands there twice", "note", rewriting(WAITS, (b"attempt: 1\n", b"attempt: 1\nattempt: 1\n"))
    )
    yield Kind("front matter with an anchor", "note", rewriting(WAITS, (b"attempt: 1\n", b"attempt: &a 1\n")))
    yield Kind("front matter with a tag", "note", rewriting(WAITS, (b"attempt: 1\n", b"attempt: !!int 1\n")))
    yield Kind("front matter that does not end", "note", rewriting(WAITS, (b"\n---\n", b"\n")))
    yield Kind("front matter of another kind of line end", "note", rewriting(WAITS, (b"attempt: 1\n", b"attempt: 1\r")))
    yield Kind("no front matter", "note", rewriting(WAITS, (b"---\nsubject", b"subject")))
    yield Kind("a note that is not UTF-8", "note", rewriting(WAITS, (b"## Original", b"\xff\xfe")))
    yield Kind("a done task that does not say when", "note", _done_without_a_time)


def _copies(copy: tuple[str, bytes]) -> Make:
    return writing(*copy)


def _two_new(at: Ground) -> CommitId:
    one, other = notes.write(made.task(34)), notes.write(made.task(34, slug="twin"))
    return at.commit(at.write(dict((one, other))))


def _deletes_all(at: Ground) -> CommitId:
    return at.commit(at.write({notes.write(task)[0]: None for task in STANDING.values()}))


def _done_without_a_time(at: Ground) -> CommitId:
    done = MINE.evolve(stage=Stage.DONE, lease=None, finished=NOW)
    path, content = notes.write(done)
    cut = b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(b"finished"))
    return at.commit(at.write({notes.write(MINE)[0]: None, path: cut}))


def _areas() -> Iterator[Kind]:
    for path in (
        "Dashboard.md", "Company_Handbook.md", "Business_Goals.md", "Vault.json", "Notes/own.md",
        "Schedules/weekly.md",
        "Inbox/x.md", "x.md", "Secrets.json", "plans/x.md", "Plans.md", "Updates/x.md", "Updates/recent.md",
        "Updates/cloud-2/recent.md", "Updates/cloud-10/recent.md", "Updates/Cloud-1/recent.md",
        "Updates/local/recent.md",
        "Logs/x.jsonl", HER_LOG, "Logs/cloud-2/2026-11/24.jsonl", "Logs/local/2026-11/23.jsonl", "signals/x.json",
        "Approvals/2026/11/x.json", "Approvals/x.json", "approvals/2026/11/x.json", "Receipts/x.json",
    ):  # fmt: skip
        yield Kind(f"writes {path}", "zone", writing(path))
    signal = f"Signals/withdraw-{ASKS.id}-1.json"
    yield Kind("takes away another's signal", "signal", writing(signal, None))
    yield Kind("rewrites another's signal", "signal", writing(signal, b'{"x": 1}\n'))
    yield Kind("replaces an approval", "zone", writing(APPROVAL, b"{}\n"))
    for path in ("Dashboard.md", "Company_Handbook.md", APPROVAL, HER_LOG, "Notes/own.md", "Updates/cloud-2/recent.md"):
        yield Kind(f"deletes {path}", "zone", writing(path, None))
    yield Kind("approves with the approval beside it", "zone", _approves)
    yield Kind("rewrites its own log", "append only", writing(MY_LOG, b"{}\n"))
    yield Kind("empties its own log", "append only", writing(MY_LOG, b""))
    yield Kind(
        "cuts the last byte off its own log", "append only", lambda at: at.commit(at.write({MY_LOG: _log(at)[:-1]}))
    )
    yield Kind(
        "puts a line before its own log", "append only", lambda at: at.commit(at.write({MY_LOG: b"{}\n" + _log(at)}))
    )
    yield Kind("deletes its own log", "append only", writing(MY_LOG, None))
    yield Kind("moves its own log to another day", "append only", _moves_its_log)
    yield Kind("a file in the place of the folder of its log", "append only", _file_for_folder)
    yield Kind("a good note and one of the owner's", "zone", _with("Company_Handbook.md"))
    yield Kind("a claim and another's log", "zone", _with(HER_LOG, *notes.write(claimed(WAITS))))
    yield Kind("a claim, and another task deleted", "one place", _claim_and_delete)
    yield Kind("an owner's change under the owner's name", "signature", _as_local)


def _log(at: Ground) -> bytes:
    return at.store.read(at.head, MY_LOG) or b""


def _approves(at: Ground) -> CommitId:
    approved = ASKS.evolve(stage=Stage.APPROVED)
    signed = made.approved(ASKS)
    path, content = notes.write(approved)
    edits = {notes.write(ASKS)[0]: None, path: content, signed.path(): signed.model_dump_json().encode()}
    return at.commit(at.write(edits))


def _moves_its_log(at: Ground) -> CommitId:
    return at.commit(at.write({MY_LOG: None, MY_LOG.replace("23.jsonl", "24.jsonl"): _log(at)}))


def _file_for_folder(at: Ground) -> CommitId:
    folder = MY_LOG.rpartition("/")[0]
    return at.commit(at.graft({folder.encode() + b".md": (b"100644", at.blob()), folder.encode(): None}))


def _with(path: str, *good: object) -> Make:
    first, content = (str(good[0]), good[1]) if good else (PLAN, b"- [ ] later\n")
    assert isinstance(content, bytes)
    return lambda at: at.commit(at.write({first: content, path: b"x\n"}))


def _claim_and_delete(at: Ground) -> CommitId:
    path, content = notes.write(claimed(WAITS))
    return at.commit(at.write({notes.write(WAITS)[0]: None, path: content, notes.write(TRIED)[0]: None}))


def _as_local(at: Ground) -> CommitId:
    return at.commit(at.write({"Dashboard.md": b"x\n"}), who=LOCAL, sign_as=CLOUD)
