"""What a viewer would run, load or follow is found, wherever it stands; what only shows is left alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made

from vault_protocol import fences, plain, zones
from vault_protocol.errors import Refused
from vault_protocol.hub import Change, blob_id
from vault_protocol.task import AgentId, Role

ACTIVE = [
    "```dataviewjs\napp.vault.delete()\n```",
    "~~~dataview\nLIST\n~~~",
    "> ```dataviewjs\n> x\n> ```",
    "- ```dataview\n  LIST\n  ```",
    "1. ~~~tasks\n   not done\n   ~~~",
    "   ```query\nx\n   ```",
    "````button\nx\n````",
    "```{.dataviewjs}\nx\n```",
    "<img src=x onerror=alert(1)>",
    "<script>x</script>",
    "text <!-- hidden --> text",
    "%% hidden %%",
    "![](https://tracker.example/x.png)",
    "![[Dashboard]]",
    "see [the invoice](https://evil.example)",
    "see [the invoice](javascript:alert(1))",
    "`$= dv.pages()`",
    "`= this.file`",
    "<% tp.system.prompt() %>",
    "{{title}}",
    "```text\nx\n```\n<b>after the fence</b>",
    "~~~ text\r~~~\r<b>after a CR</b>\r",
    "$$\n~~~\n$$\n<b>in no fence, for a viewer that shows formulas</b>",
    "` $= dv.pages() `",
    "`` =this.file ``",
    "`\n$= dv.pages()`",
    "[c](https&colon;//evil.example)",
    "[c](//evil.example)",
    "[c](/\\evil.example)",
    "[c](\nmailto:a@evil.example)",
    "[fo\\]o]: //evil.example",
    "[fo\no]: //evil.example",
]

QUIET = [
    "# A plan\n\n- [x] read the mail\n- [ ] draft\n\nSee [[Needs_Action/email/abc]].",
    plain.fenced("<img src=x>\n```dataviewjs\nx\n```\n![](http://x)\n"),
    '```json\n{"a": 1}\n```',
    "<!-- countersign:request 0123456789abcdef -->\n<!-- /countersign:request 0123456789abcdef -->",
    "> [!warning] Look twice\n> - Answers go to another address.",
    "a < b and c > d, 5 % of it",
]


@pytest.mark.parametrize("body", ACTIVE)
def test_what_a_viewer_would_run_load_or_follow_is_found(body: str) -> None:
    assert fences.active(f"before\n{body}\nafter\n")


@pytest.mark.parametrize("body", QUIET)
def test_what_only_shows_is_left_alone(body: str) -> None:
    assert fences.active(f"before\n{body}\nafter\n") == ()


def judged(role: Role, path: str, old: str | None, new: str) -> None:
    before = old.encode() if old is not None else None
    change = Change(path, blob_id(before) if before is not None else None, blob_id(new.encode()))
    zones.judge(
        zones.Writer(AgentId("cloud" if role is Role.CLOUD else "local"), role), [change],
        before=lambda _: before, after=lambda _: new.encode(), where={}, names=lambda _: (),
    )  # fmt: skip


@pytest.mark.parametrize("body", ACTIVE)
def test_cloud_may_not_put_it_into_any_note_of_its_own(body: str) -> None:
    with pytest.raises(Refused, match="active content"):
        judged(Role.CLOUD, "Plans/email/plan-x.md", None, body)


@pytest.mark.parametrize(
    "content",
    [b"---\n~~~\n---\n<b>behind what no parser takes for front matter</b>\n", b"---\r~~~\r...\r<b>x</b>\r",
     "\ufeff<b>in UTF-16</b>".encode("utf-16-le"), "<b>in UTF-16</b>".encode("utf-16")],
)  # fmt: skip
def test_nor_hide_it_where_the_note_does_not_read(content: bytes) -> None:
    for path in ("Plans/x.md", f"Quarantine/{made.task_id(1)}.md"):
        with pytest.raises(Refused, match="active content"):
            zones.judge(
                zones.Writer(AgentId("cloud"), Role.CLOUD), [Change(path, None, blob_id(content))],
                before=lambda _: None, after=lambda _: content, where={}, names=lambda _: (),
            )  # fmt: skip


def test_the_owner_may_write_what_they_like() -> None:
    judged(Role.LOCAL, "Notes/mine.md", None, "```dataview\nLIST\n```\n![](https://x.example/a.png)\n")


def test_what_the_owner_wrote_into_a_note_does_not_stop_cloud_from_rewriting_it() -> None:
    mine = "```dataview\nLIST\n```\n"
    judged(Role.CLOUD, "Plans/email/plan-x.md", mine, mine + "- [x] done\n")
    with pytest.raises(Refused, match="active content"):
        judged(Role.CLOUD, "Plans/email/plan-x.md", mine, mine + "```dataviewjs\nx\n```\n")


_AS_ONE_PATTERN = re.compile(
    r"<[A-Za-z!/?%]|!\[|`\s*\$?=|%%|\$\$|\]\([^)]*[:&]|\]\(\s*(?:[</\\]|$)|\{\{|://|\bwww\.|\]:\s*//"
    r"|^[ \t>*+0-9.)-]*\[(?:\\.|[^\]\\])+\]:",
    re.IGNORECASE,
)


def _by_one_pattern(body: str) -> set[str]:
    """Each line in each reading of the fences, held against what says it shortest, and takes the square of a line."""
    found = set[str]()
    for indented in (True, False):
        reading = fences._Fences(indented=indented)
        for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            closed = not reading.fence
            shown = reading.outside(line)
            bare = fences._OWN_COMMENT.sub("", line)
            if (closed and fences._runs(line)) or (shown and (_AS_ONE_PATTERN.search(bare) or fences._goes_on(bare))):
                found.add(line)
    return found


@given(st.text(st.sampled_from(list("](): <!w.W[a\n`~ %{=$>-/x\r\u2028&\\\\")), max_size=60))
def test_what_is_found_is_what_the_one_pattern_finds(body: str) -> None:
    assert set(fences.active(body)) == _by_one_pattern(body)


@pytest.mark.parametrize("part", ["](", "](x", "[", "<", "`", "~", ">", "!", "]( ", "www", "<!-- ", "```\n", "[a]\n"])
def test_a_note_as_large_as_there_may_be_is_read_once_whatever_it_holds(part: str) -> None:
    """By the square of its length this would take hours."""
    fences.active(part * (1_000_000 // len(part)))
