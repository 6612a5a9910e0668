"""The block of a note that asks the owner: the action, the draft and its quote, read by one strict parser.

    <!-- countersign:request TOKEN -->
    > [!warning] what to look at
    ## Open          (a fence: what the draft leaves open, a line each)
    ## Summary       (a fence, for acts on the books: the action in words, which must be these very words)
    ## Action
    ```json
    ```
    ## Draft
    <!-- draft TOKEN -->
    ```text
    ```
    <!-- /draft TOKEN -->
    ## Quote          (same form, `quote`)
    <!-- /countersign:request TOKEN -->

The front matter names the token (`request`), so that no text of a stranger passes for the block, whatever fence
it gets out of. Everything that came from outside, or from a model, stands inside a fence: a viewer shows it as it
is and renders none of it, and text that a viewer would hide cannot hide in a draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import plain, summary
from .action import Action, BadAction, action_of
from .canonical import strict_json
from .errors import MalformedNote
from .fences import closes, outside
from .note import Note

_OPEN = re.compile(r"<!-- countersign:request ([0-9a-f]{16}) -->")
_CALLOUT = "> [!warning] Look twice"
_HIDES = re.compile(r"%%|\$\$|<[A-Za-z!/?]")
"""What would make a viewer hide the lines after it, or show them otherwise: a comment, a formula or HTML."""


@dataclass(frozen=True)
class Request:
    """A draft with the action it would be. `token` is random and belongs to this note."""

    token: str
    action: Action
    warnings: tuple[str, ...] = ()
    unknowns: tuple[str, ...] = ()


def render(request: Request) -> str:
    """The block. Raises BadAction when a text holds the note's own token, or a warning more than plain text."""
    token, action = request.token, request.action
    prose = {name: getattr(action, name) for name in action.prose if getattr(action, name)}
    if any(token in text for text in (*prose.values(), *request.unknowns)):
        raise BadAction("the draft holds the note's own marker; render it with another token")
    if any("\n" in line for line in request.unknowns):
        raise BadAction("what is unknown is one line each")
    lines = [f"<!-- countersign:request {token} -->"]
    if request.warnings:
        if any(not warning or plain.one_line(warning) != warning for warning in request.warnings):
            raise BadAction("a warning is one line of plain text (plain.one_line)")
        lines += [_CALLOUT, *(f"> - {warning}" for warning in request.warnings), ""]
    if request.unknowns:
        lines += ["## Open", "", *_fence("".join(f"{line}\n" for line in request.unknowns), "text"), ""]
    if told := summary.text(action):
        lines += ["## Summary", "", *_fence(told, "text"), ""]
    fields = json.dumps(action.fields(), indent=2, ensure_ascii=False)
    lines += ["## Action", "", *_fence(fields + "\n", "json")]
    for name in action.prose:
        if name in prose:
            label = LABELS[name]
            lines += ["", f"## {label.title()}", "", f"<!-- {label} {token} -->"]
            lines += [*_fence(prose[name], "text"), f"<!-- /{label} {token} -->"]
    lines.append(f"<!-- /countersign:request {token} -->")
    return "\n".join(lines) + "\n"


LABELS = {"text": "draft", "quote": "quote"}
"""The field of an action, and the name of its section in the note."""


def put(note: Note, request: Request) -> Note:
    """The note with this block in the place of the one it has, or before its original."""
    lines = _lines(note.body)
    span = _own_span(note, lines)
    if span is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        at = next((i for i, line, _ in outside(lines) if line.startswith("## Original")), len(lines))
        lines[at:at] = [render(request), "\n"]
    else:
        lines[span[0] : span[1] + 1] = [render(request)]
    front = {"action": request.action.type, "request": request.token, "warnings": len(request.warnings) or None}
    return note.with_body("".join(lines)).put(**front)


def take_out(note: Note) -> Note:
    """The note without its request block: what goes back to be drafted anew."""
    lines = _lines(note.body)
    span = _own_span(note, lines)
    if span is not None:
        del lines[span[0] : span[1] + 1]
    return note.with_body("".join(lines)).put(action=None, request=None, warnings=None)


def read(note: Note, path: str = "") -> Request | None:
    """The request in a note, None when it has none. Raises MalformedNote for everything in between."""
    lines = _lines(note.body)
    span = _span(lines, path)
    if span is None:
        if "action" in note.front:
            raise MalformedNote(path, "it names an action, but holds no request block")
        return None
    if any(_HIDES.search(line) for i, line, _ in outside(lines) if i < span[0]):
        raise MalformedNote(path, "HTML or a %% comment above the request could hide it; your words go below the block")
    found = _OPEN.fullmatch(lines[span[0]].rstrip("\n"))
    assert found is not None
    if note.front.words("request") != found[1]:
        raise MalformedNote(path, "the request block in it is not the one that its front matter names")
    reader = _Reader([line.removesuffix("\n") for line in lines[span[0] + 1 : span[1]]], found[1], path)
    warnings = tuple(reader.callout())
    unknowns = tuple(reader.open_points())
    told = reader.summary()
    reader.expect("## Action")
    try:
        fields = strict_json("\n".join(reader.fence("json")))
        if not isinstance(fields, dict):
            raise MalformedNote(path, "the action block is not a JSON object")
        prose = {name: text for name, label in LABELS.items() if (text := reader.section(label))}
        reader.end()
        action = action_of(fields, **prose)
    except (BadAction, ValueError) as error:
        raise MalformedNote(path, f"the action does not hold: {error}") from None
    if note.front.words("action") != action.type:
        raise MalformedNote(path, f"the front matter says {note.front.words('action')!r}, the block {action.type!r}")
    if told != summary.text(action):
        raise MalformedNote(path, "the summary does not say what the action says")
    return Request(found[1], action, warnings, unknowns)


class _Reader:
    """Walks the lines of a block; blank lines between the parts do not count."""

    def __init__(self, lines: Sequence[str], token: str, path: str) -> None:
        self.lines, self.token, self.path, self.at = lines, token, path, 0

    def fail(self, reason: str) -> MalformedNote:
        return MalformedNote(self.path, f"request block, line {self.at + 1}: {reason}")

    def peek(self) -> str | None:
        while self.at < len(self.lines) and not self.lines[self.at].strip():
            self.at += 1
        return self.lines[self.at] if self.at < len(self.lines) else None

    def expect(self, line: str) -> None:
        if self.peek() != line:
            raise self.fail(f"expected {line!r}")
        self.at += 1

    def end(self) -> None:
        if self.peek() is not None:
            raise self.fail("unexpected text; your own words belong above or below the block")

    def callout(self) -> Iterator[str]:
        if self.peek() != _CALLOUT:
            return
        self.at += 1
        while (line := self.peek()) is not None and line.startswith(">"):
            warning = line.removeprefix("> - ")
            if warning == line or plain.one_line(warning) != warning:
                raise self.fail("this is no line of a warning")
            self.at += 1
            yield warning

    def open_points(self) -> list[str]:
        if self.peek() != "## Open":
            return []
        self.at += 1
        return self.fence("text")

    def summary(self) -> str:
        if self.peek() != "## Summary":
            return ""
        self.at += 1
        return "".join(f"{line}\n" for line in self.fence("text"))

    def fence(self, kind: str, until: str | None = None) -> list[str]:
        """The lines of the next fence. With `until`, the fence ends right before that line and nowhere else."""
        opening = self.peek() or ""
        found = re.fullmatch("(`{3,})" + kind, opening)
        if not found:
            raise self.fail(f"expected a fence that opens with ```{kind}")
        fence, start = found[1], self.at + 1
        closer = next((i for i in range(start, len(self.lines)) if closes(self.lines[i], fence)), None)
        if closer is None:
            raise self.fail("the fence is not closed")
        if until is not None and closer != self.lines.index(until) - 1:
            raise self.fail("a line inside the text closes its fence; indent or remove that line")
        self.at = closer + 1
        return list(self.lines[start:closer])

    def section(self, label: str) -> str | None:
        if self.peek() != f"## {label.title()}":
            return None
        self.at += 1
        last = f"<!-- /{label} {self.token} -->"
        self.expect(f"<!-- {label} {self.token} -->")
        if last not in self.lines:
            raise self.fail(f"the line {last!r} is missing")
        lines = self.fence("text", until=last)
        self.expect(last)
        return "\n".join(lines).rstrip("\n") + "\n" if lines else ""


def _own_span(note: Note, lines: Sequence[str]) -> tuple[int, int] | None:
    """The lines of the block the front matter names. Any other is a stranger's that some text let out of its fence."""
    span = _span(lines, "") if "request" in note.front else None
    return span if span is not None and note.front.words("request") in lines[span[0]] else None


def _span(lines: Sequence[str], path: str) -> tuple[int, int] | None:
    """First and last line of the one request block outside every fence."""
    opened = [(i, found[1], sure) for i, line, sure in outside(lines) if (found := _OPEN.fullmatch(line))]
    if not opened:
        return None
    if len(opened) > 1:
        raise MalformedNote(path, "it holds two request blocks")
    start, token, sure = opened[0]
    if not sure:
        raise MalformedNote(path, "an indented fence above the request leaves open whether the request stands in it")
    closing = f"<!-- /countersign:request {token} -->"
    ends = [i for i in range(start, len(lines)) if lines[i].rstrip("\n") == closing]
    if len(ends) != 1:
        raise MalformedNote(path, f"its request block has {len(ends)} closing lines instead of one (is it cut off?)")
    return start, ends[0]


def _lines(body: str) -> list[str]:
    """The lines with their LF. Nothing else ends a line here: editors do not show other line ends as such."""
    return re.findall("[^\n]*\n|[^\n]+", body)


def _fence(text: str, kind: str) -> list[str]:
    fence = plain.fence_for(text)
    return [fence + kind, *text.removesuffix("\n").split("\n"), fence]
