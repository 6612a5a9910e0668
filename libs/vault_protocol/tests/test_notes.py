import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import layout, note, notes, request
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.task import AgentId, Domain, Lease, Stage, Task, TaskId

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001 - hypothesis wants its bounds without a zone
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
AGENTS = st.from_regex("[a-z][a-z0-9-]{0,30}", fullmatch=True).map(AgentId)
BODIES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    stage = draw(st.sampled_from(Stage))
    attempt, revision = draw(st.integers(0, 10**6)), draw(st.integers(0, 999_999))
    lease = Lease(owner=draw(AGENTS), attempt=attempt, until=draw(MOMENTS)) if stage is Stage.IN_PROGRESS else None
    front = FrontMatter().put(subject=draw(st.text(max_size=40)), keep=draw(st.lists(st.text(max_size=9), max_size=3)))
    return Task(
        id=TaskId(draw(st.from_regex("[a-z2-7]{16}", fullmatch=True))), stage=stage,
        domain=draw(st.sampled_from(Domain)),
        slug=draw(st.from_regex("([a-z0-9]+(-[a-z0-9]+)*)?", fullmatch=True)), attempt=attempt, revision=revision,
        lease=lease, finished=draw(MOMENTS) if stage in layout.BY_MONTH else None, note=Note(front, draw(BODIES)),
    )  # fmt: skip


@given(tasks())
def test_a_task_of_any_stage_is_read_back_from_its_note(task: Task) -> None:
    path, content = notes.write(task)

    again = notes.read(path, content)

    assert again.evolve(note=task.note) == task
    assert notes.write(again) == (path, content)
    assert notes.read(*notes.write(again)) == again


@given(tasks())
def test_the_owners_text_outlives_a_rewrite_byte_for_byte(task: Task) -> None:
    content = notes.write(task)[1].decode()

    _, _, body = content.removeprefix("---\n").partition("\n---\n")

    assert body in (task.note.body, task.note.body + "\n")
    assert all(piece in content for key, piece in task.note.front.pieces if key in ("subject", "keep"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_malformed(content: bytes) -> None:
    for prefix in (b"", b"---\n", b"---\nid: x\n---\n"):
        try:
            parsed = Note.parse(prefix + content)
        except MalformedNote:
            continue
        assert Note.parse(parsed.content()).content() == parsed.content()


@lru_cache
def _pending() -> tuple[Task, str, bytes]:
    body = "\n# Bob asks\n\nMy own words: ä漢🙂\n\n## Original\n\n" + made.plain_original()
    note = request.put(Note(made.task().note.front, body), request.Request(made.TOKEN, made.mail(), ("Look here",)))
    task = made.pending(note=note)
    return (task, *notes.write(task))


def test_a_note_cut_at_any_byte_is_the_same_request_or_malformed() -> None:
    task, path, content = _pending()
    whole = request.read(task.note)
    same = 0

    for length in range(len(content)):
        try:
            cut = notes.read(path, content[:length])
            asked = request.read(cut.note, path)
        except MalformedNote:
            continue
        assert asked == whole
        assert cut.evolve(note=task.note) == task
        same += 1

    assert 0 < same < len(content) - content.index(b"<!-- /countersign:request")


def test_editors_that_write_crlf_or_a_byte_order_mark_write_the_same_note() -> None:
    _, path, content = _pending()

    assert notes.read(path, b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")) == notes.read(path, content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the front matter is missing"),
        (b"no front matter\n", "the front matter is missing"),
        (b"\xef\xbb\xbf\xef\xbb\xbf---\na: 1\n---\n", "the front matter is missing"),
        (b"---\na: 1\n", "no closing `---` line"),
        (b"---\na: 1\n ---\n", "no closing `---` line"),
        (b"---\na: \xff\n---\n", "not UTF-8 at byte 7"),
        ("---\na: ä\n---\n".encode("utf-16"), "not UTF-8"),
        (b"---\na: 1\n---\nfirst\nsecond\rhidden\n", "line 5 holds a bare carriage return"),
        (b"---\r\ra: 1\r---\r", "line 1 holds a bare carriage return"),
        (b"x" * (note.LIMIT + 1), f"over the limit of {note.LIMIT}"),
        (b"---\na: 1\na: 2\n---\n", "the key 'a' is there twice"),
        (b"---\na:\n  b: 1\n---\n", "holds a nested value"),
        (b"---\na: &x [1]\n---\n", "YAML anchor or alias"),
        (b"---\na: !!set {x}\n---\n", "has the YAML tag"),
    ],
)  # fmt: skip
def test_a_malformed_note_says_what_is_wrong_with_it(content: bytes, reason: str) -> None:
    with pytest.raises(MalformedNote, match=re.escape(reason)):
        Note.parse(content, "somewhere.md")


def test_a_yaml_bomb_is_refused_before_it_unfolds() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]

    with pytest.raises(MalformedNote, match="anchor or alias"):
        Note.parse(("---\n" + "\n".join(lines) + "\n---\n").encode())


ID = str(made.task_id(7))
FRONT = f'---\nid: "{ID}"\ndomain: email\nattempt: 2\nrevision: 3\nfinished: 2026-11-23T09:00:00Z\n'
LEASE = "owner: cloud-1\nlease_until: 2026-11-23T09:00:00Z\n"


@pytest.mark.parametrize(
    ("path", "extra"),
    [
        (f"Pending_Approval/email/{ID}.r2.md", ""),
        (f"Pending_Approval/email/{ID}.md", ""),
        (f"Pending_Approval/files/{ID}.r3.md", ""),
        (f"Needs_Action/email/{ID}.r3.md", ""),
        (f"In_Progress/cloud-2/{ID}.md", LEASE),
        (f"In_Progress/cloud-1/{ID}.r3.md", LEASE),
        (f"In_Progress/cloud-1/{ID}.md", ""),
        (f"In_Progress/cloud-1/{ID}.md", LEASE.replace("09:00:00Z", "9:00Z")),
        (f"Done/2026/10/{ID}.r3.md", ""),
        (f"Approved/{made.task_id(8)}.r3.md", ""),
        (f"Approved/deeper/{ID}.r3.md", ""),
        (f"Elsewhere/{ID}.md", ""),
    ],
)  # fmt: skip
def test_a_note_whose_path_tells_another_story_is_malformed(path: str, extra: str) -> None:
    with pytest.raises(MalformedNote):
        notes.read(path, f"{FRONT}{extra}---\n".encode())


@pytest.mark.parametrize(
    "line", ["attempt: -1", "attempt: many", "attempt: 1.5", "revision: true", "domain: mail", "finished: yesterday",
             "finished: 2026-11-23", "finished: 2026-1-2T3:4:5Z", "id: other"],
)  # fmt: skip
def test_a_field_outside_its_rules_is_malformed_and_never_guessed(line: str) -> None:
    key = line.partition(":")[0]
    front = "".join(kept for kept in FRONT.splitlines(keepends=True) if not kept.startswith(key)) + line + "\n"

    with pytest.raises(MalformedNote):
        notes.read(f"Done/2026/11/{ID}.r3.md", f"{front}---\n".encode())


def test_a_task_ends_in_the_month_it_ended_in_utc() -> None:
    late = datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    task = made.task(stage=Stage.DONE, finished=late)

    path, content = notes.write(task)

    assert path.startswith("Done/2026/11/")
    assert notes.read(path, content).finished == late
