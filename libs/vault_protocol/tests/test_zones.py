from collections.abc import Mapping

import pytest
from libs.vault_protocol.tests import made

from vault_protocol import layout, notes, zones
from vault_protocol.errors import Refused
from vault_protocol.front_matter import FrontMatter
from vault_protocol.hub import REGULAR, Change, blob_id
from vault_protocol.identity import Identity
from vault_protocol.moves import MOVES
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Lease, Role, Stage, Task
from vault_protocol.zones import LARGEST, Writer

S = Stage
ME, OTHER, OWNER = made.CLOUD, made.OTHER, made.LOCAL

Place = tuple[Stage, str] | tuple[None, str]
"""A stage, and for In_Progress whose folder: `own` or `other`."""

PLACES: list[Place] = [(stage, "") for stage in Stage if stage is not S.IN_PROGRESS]
PLACES += [(S.IN_PROGRESS, "own"), (S.IN_PROGRESS, "other")]

WAITS, MINE, ASKS = (S.NEEDS_ACTION, ""), (S.IN_PROGRESS, "own"), (S.PENDING_APPROVAL, "")
HERS, DONE, ASIDE = (S.IN_PROGRESS, "other"), (S.DONE, ""), (S.QUARANTINE, "")
SIGNED, REFUSED, NOWHERE = (S.APPROVED, ""), (S.REJECTED, ""), (None, "")

BY_AN_AGENT = {
    (NOWHERE, WAITS), (NOWHERE, ASIDE),
    (WAITS, MINE), (WAITS, ASIDE),
    (MINE, MINE), (MINE, WAITS), (MINE, ASKS), (MINE, ASIDE), (MINE, DONE),
    (HERS, WAITS),
}  # fmt: skip
FOR_THE_OWNER = BY_AN_AGENT | {
    (WAITS, WAITS), (WAITS, DONE),
    (ASKS, ASKS), (ASKS, SIGNED), (ASKS, REFUSED), (ASKS, WAITS), (ASKS, ASIDE), (ASKS, DONE),
    (SIGNED, DONE), (SIGNED, ASKS),
    (REFUSED, REFUSED), (REFUSED, WAITS),
    (DONE, DONE), (ASIDE, ASIDE), (ASIDE, WAITS), (ASIDE, DONE),
}  # fmt: skip
"""The zone table of the design, written down a second time: what a key of this role may do, and nothing else."""


def standing(place: Place, writer: Identity, *, attempt: int, revision: int) -> Task | None:
    stage, whose = place
    if stage is None:
        return None
    lease = None
    if stage is S.IN_PROGRESS:
        lease = Lease(owner=writer.agent if whose == "own" else AgentId("somebody"), attempt=attempt, until=made.NOW)
    finished = made.NOW if stage in layout.BY_MONTH else None
    return made.task(stage=stage, attempt=attempt, revision=revision, lease=lease, finished=finished)


def verdict(
    writer: Identity, before: Mapping[str, bytes], after: Mapping[str, bytes | None], mode: int = REGULAR
) -> str:
    """The rule that refuses these edits, or an empty word."""
    changes = [
        Change(path, blob_id(before[path]) if path in before else None, None if new is None else blob_id(new), mode)
        for path, new in after.items()
    ]
    where = {place.id: path for path in before if (place := layout.place_of(path))}
    who = Writer(writer.agent, writer.role)
    try:
        zones.judge(
            who, changes, before=before.get, after=lambda path: after.get(path, before.get(path)), where=where,
            names=made.names(before),
        )  # fmt: skip
    except Refused as error:
        return error.rule
    return ""


def moved(writer: Identity, old: Task | None, new: Task) -> str:
    before = dict([notes.write(old)]) if old else {}
    path, content = notes.write(new)
    return verdict(writer, before, {**dict.fromkeys(before), path: content})


@pytest.mark.parametrize("source", [NOWHERE, *PLACES], ids=str)
@pytest.mark.parametrize("target", PLACES, ids=str)
@pytest.mark.parametrize("role", Role)
def test_a_move_is_allowed_exactly_where_the_table_says(role: Role, source: Place, target: Place) -> None:
    writer = ME if role is Role.CLOUD else OWNER
    old = standing(source, writer, attempt=2, revision=0)
    claims = target[0] is S.IN_PROGRESS and source[0] is not S.IN_PROGRESS
    submits = target[0] is S.PENDING_APPROVAL and source[0] in (S.IN_PROGRESS, S.PENDING_APPROVAL)
    new = standing(target, writer, attempt=(2 if old else 0) + claims, revision=int(submits))
    assert new is not None

    rule = moved(writer, old, new)

    if (source, target) in (BY_AN_AGENT if role is Role.CLOUD else FOR_THE_OWNER):
        assert rule == ""
    else:
        assert rule in ("zone", "move")


def test_the_table_of_moves_has_every_move_somebody_may_make_but_staying() -> None:
    made_by_someone = {(one[0], other[0]) for one, other in FOR_THE_OWNER if one[0] is not other[0]}
    listed = {(source, target) for source, targets in MOVES.items() for target in targets if source is not target}

    assert made_by_someone == listed


def test_cloud_ends_no_task_that_carries_or_carried_an_action() -> None:
    held = made.in_progress(ME)
    with_action = made.drafted(held)

    for ended in ({"note": with_action}, {"revision": 1}):
        old = held.evolve(**ended)
        assert moved(ME, old, old.evolve(stage=S.DONE, lease=None, finished=made.NOW)) == "zone"
    assert moved(ME, held, held.evolve(stage=S.DONE, lease=None, finished=made.NOW)) == ""


@pytest.mark.parametrize("jump", [-1, 0, 2])
def test_a_claim_raises_the_attempt_by_exactly_one(jump: int) -> None:
    waits = made.task(attempt=4)
    claimed = made.in_progress(ME, attempt=4 + jump)

    assert moved(ME, waits, claimed) == "attempt"
    assert moved(ME, waits, made.in_progress(ME, attempt=5)) == ""


@pytest.mark.parametrize("to", [1, 3, 0])
def test_nothing_but_a_claim_changes_the_attempt(to: int) -> None:
    held = made.in_progress(ME, attempt=2)

    assert moved(ME, held, held.evolve(attempt=to, stage=S.NEEDS_ACTION, lease=None)) == "attempt"
    assert moved(ME, None, made.task(attempt=to)) == ("attempt" if to else "")


@pytest.mark.parametrize("jump", [-1, 0, 2])
def test_a_submission_raises_the_revision_by_exactly_one(jump: int) -> None:
    held = made.in_progress(ME, revision=3)
    submitted = made.pending(revision=3 + jump)

    assert moved(ME, held, submitted) == "revision"
    assert moved(ME, held, made.pending(revision=4)) == ""


def test_the_owners_edit_in_place_is_the_next_revision() -> None:
    shown = made.pending(revision=2)

    assert moved(OWNER, shown, shown.evolve(note=shown.note.put(priority="high"))) == "revision"
    assert moved(OWNER, shown, shown.evolve(revision=3)) == ""


def test_an_approval_of_changed_text_is_the_next_revision() -> None:
    shown = made.pending(revision=2)
    changed = shown.note.with_body(shown.note.body.replace("Monday", "Tuesday"))

    assert moved(OWNER, shown, shown.evolve(stage=S.APPROVED)) == ""
    assert moved(OWNER, shown, shown.evolve(stage=S.APPROVED, note=changed)) == "revision"
    assert moved(OWNER, shown, shown.evolve(stage=S.APPROVED, note=changed, revision=3)) == ""
    assert moved(OWNER, shown, shown.evolve(stage=S.APPROVED, note=changed, revision=4)) == "revision"


def test_a_task_id_stands_in_one_place_never_in_two_and_never_in_none() -> None:
    path, content = notes.write(made.task())
    elsewhere, again = notes.write(made.task(slug="other-words"))

    assert verdict(ME, {path: content}, {elsewhere: again}) == "one place"
    assert verdict(ME, {}, {path: content, elsewhere: again}) == "one place"
    assert verdict(OWNER, {path: content}, {path: None}) == "one place"
    assert verdict(OWNER, {path: content}, {path: None, elsewhere: again}) == ""


@pytest.mark.parametrize(
    "path", ["Plans/{}.md", "Needs_Action/{}.md", "Needs_Action/email/deeper/{}-x.md", "{}.md", "Done/{}.r1.md",
             "Done/2026/13/{}.md", "In_Progress/Cloud-1/{}.md", "needs_action/email/{}.md",
             "Pending_Approval/email/x/{}.r2.md"],
)  # fmt: skip
def test_a_tasks_name_stands_nowhere_but_in_the_places_of_tasks(path: str) -> None:
    assert verdict(OWNER, {}, {path.format(made.task_id(3)): b"---\n---\n"}) == "place"


def test_a_commit_may_move_several_tasks_and_is_refused_for_the_worst() -> None:
    one, two = made.task(1), made.task(2)
    before = dict(map(notes.write, (one, two)))
    both = dict(map(notes.write, (made.in_progress(ME, 1), made.in_progress(ME, 2))))
    hers = dict(map(notes.write, (made.in_progress(ME, 1), made.in_progress(OTHER, 2))))

    assert verdict(ME, before, {**dict.fromkeys(before), **both}) == ""
    assert verdict(ME, before, {**dict.fromkeys(before), **hers}) == "zone"


@pytest.mark.parametrize("content", [b"", b"\xff", b"---\nid: other\n---\n", b"no front matter"])
def test_a_note_no_parser_takes_is_refused_everywhere_but_in_quarantine(content: bytes) -> None:
    waits, _ = notes.write(made.task())
    aside = f"Quarantine/{made.task_id(0)}.md"

    assert verdict(ME, {}, {waits: content}) == "note"
    assert verdict(ME, {}, {aside: content}) == ""
    assert verdict(ME, {waits: content}, {waits: None, aside: content}) == ""
    assert verdict(OWNER, {aside: content}, {aside: None, **dict([notes.write(made.task())])}) == ""


def test_a_mode_of_a_task_changes_as_little_as_its_bytes() -> None:
    path, content = notes.write(made.pending())

    for mode in (0o100755, 0o120000, 0o160000, 0o100664, 0o100600):
        assert verdict(OWNER, {path: content}, {path: content}, mode) == "mode"
    assert verdict(ME, {path: content}, {path: content}) != ""


EVERYONES = ["Plans/plan.md", "Briefings/2026-11-23.md"]
SIGNAL = "Signals/withdraw-x-1.json"
OWN = ["Updates/{}/recent.md", "Logs/{}/2026-11/23.jsonl"]
THE_OWNERS = [
    "Dashboard.md", "dashboard.md", "Company_Handbook.md", "Business_Goals.md", "Schedules/weekly.md", "Vault.json",
    "Approvals/2026/11/x.json", "Updates/recent.md", "Logs/all.jsonl", "Needs_Action/email/notes.md", "Rates.md",
    "Pending_Approval/email/draft.md", "Updates/cloud-10/recent.md", "plans/plan.md",
]  # fmt: skip


@pytest.mark.parametrize("path", EVERYONES)
def test_plans_and_briefings_are_written_by_agents(path: str) -> None:
    assert verdict(ME, {}, {path: b"x"}) == ""
    assert verdict(ME, {path: b"x"}, {path: b"y"}) == ""


def test_a_signal_is_given_by_an_agent_and_taken_away_by_local_alone() -> None:
    assert verdict(ME, {}, {SIGNAL: b"x"}) == ""
    assert verdict(OTHER, {SIGNAL: b"x"}, {SIGNAL: None}) == "signal"
    assert verdict(OTHER, {SIGNAL: b"x"}, {SIGNAL: b"y"}) == "signal"
    assert verdict(OWNER, {SIGNAL: b"x"}, {SIGNAL: None}) == ""


@pytest.mark.parametrize("path", OWN)
def test_an_agent_writes_its_own_updates_and_log_and_no_others(path: str) -> None:
    assert verdict(ME, {}, {path.format(ME.agent): b"x"}) == ""
    for other in (OTHER.agent, OWNER.agent, "cloud-1x", "cloud"):
        assert verdict(ME, {}, {path.format(other): b"x"}) == "zone"
    assert verdict(OWNER, {}, {path.format(ME.agent): b"x"}) == "zone"


@pytest.mark.parametrize("path", THE_OWNERS)
def test_everything_else_is_the_owners(path: str) -> None:
    for before, after in (({}, b"x"), ({path: b"x"}, b"y"), ({path: b"x"}, None)):
        assert verdict(ME, before, {path: after}) == "zone"


def test_the_owner_writes_what_is_the_owners() -> None:
    written = ["Dashboard.md", "Schedules/weekly.md", "Rates/Ä ö (2026).md", "Git.md", "git/notes.md", "Legit notes.md"]

    assert [path for path in written if verdict(OWNER, {}, {path: b"x"})] == []


def test_a_log_only_grows() -> None:
    log = f"Logs/{ME.agent}/2026-11/23.jsonl"

    assert verdict(ME, {log: b"one\n"}, {log: b"one\ntwo\n"}) == ""
    for shorter in (b"", b"two\n", b"One\ntwo\n", b"on", None):
        assert verdict(ME, {log: b"one\n"}, {log: shorter}) == "append only"


def test_an_approval_never_changes_and_never_goes() -> None:
    path = "Approvals/2026/11/x.json"

    assert verdict(OWNER, {}, {path: b"{}"}) == ""
    for later in (b"{ }", None):
        assert verdict(OWNER, {path: b"{}"}, {path: later}) == "create only"


def test_a_file_has_an_end() -> None:
    assert verdict(ME, {}, {"Plans/plan.md": b"x" * LARGEST}) == ""
    assert verdict(ME, {}, {"Plans/plan.md": b"x" * (LARGEST + 1)}) == "size"


NO_NAMES = [
    ".git/config.md", ".GIT/x.md", "Plans/.git/x.md", "Plans/.git.md", "Plans/.gitattributes", "Plans/.gitmodules",
    ".gitattributes", ".obsidian/app.json", "Plans/.obsidian/app.json", ".hidden.md", "git~1/x.md", "GIT~1/x.md",
    "Git~2/x.md", "gi7eba~1/x.md", "GI250A~1/x.md", ".git\u200c/x.md", ".g\u200dit/x.md", "\u200c.git/x.md",
    ".git\ufeff/x.md",
    "%2egit/x.md", "\u2024git/x.md", "\uff0egit/x.md", ".git /x.md", ".git./x.md", ".git::$INDEX_ALLOCATION/x.md",
    ".git:x/x.md",
    "Plans\\.git\\x.md", "Plans/a\\b.md", "a/../b.md", "./a.md", "a//b.md", "/a.md", "a/.md", "..", "",
    "Plans/a .md/x.md", "a./b.md",
    " a.md", "a.md ", "Plans/a\n.md", "Plans/a\t.md", "Plans/a\x00.md", "Plans/a\x85.md", "Plans/a\u2028.md",
    "Plans/a\udcff.md",
    "Plans/a\u202edm.exe.md", "Plans/a?.md", "Plans/a*.md", "Plans/a|b.md", "Plans/<a>.md", 'Plans/"a".md', "C:/x.md",
    "Plans/a.txt", "Plans/a", "Plans/a.MD", "Plans/a.md.exe", "Plans/run.sh", "Plans/a.html", "Plans/a.js", "a.canvas",
    "Plans/a.md/b.md", "Plans/A.Json/b.md", "Plans/" + "x" * 198 + ".md", "/".join(["x" * 99] * 4) + "/x.md",
    "x/" * 12 + "x.md", "ä" * 100 + ".md",
    "Plans/nul.md", "Plans/NUL.r2.md", "con/x.md", "Plans/Aux.tar.md", "prn.json", "COM1.md", "lpt9.md",
    "Plans/com0/x.md",
    "Plans/com\u00b2.md", "Plans/nul .md", "CONIN$.md", "conout$/x.md",
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["Plans/null.md", "Plans/com10.md", "Plans/con-1.md", "Plans/auxiliary/x.md", "Plans/com.md"]
)
def test_a_name_that_only_begins_like_a_device_of_windows_is_like_any_other(name: str) -> None:
    assert verdict(ME, {}, {name: b"x"}) == ""


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_a_name_that_means_something_to_git_or_a_file_system_is_refused_to_everybody(name: str) -> None:
    for writer in (ME, OWNER):
        assert verdict(writer, {}, {name: b"x"}) == "name"


@pytest.mark.parametrize("name", ["Plans/ä.md", "Plans/two words.md", "Plans/漢.md", "Plans/-a.md", "Plans/a(1).md"])
def test_agents_write_plain_ascii_names_only(name: str) -> None:
    assert verdict(ME, {}, {name: b"x"}) == "name"
    assert verdict(OWNER, {}, {name: b"x"}) == ""


def test_what_should_never_have_been_there_may_be_taken_out_by_the_owner() -> None:
    assert verdict(OWNER, {"a.txt": b"x"}, {"a.txt": None}) == ""


def test_a_note_of_a_task_is_never_too_long_a_name() -> None:
    path, content = notes.write(made.task(slug="x" * 150, note=Note(FrontMatter(), "")))

    assert verdict(ME, {}, {path: content}) == ""
