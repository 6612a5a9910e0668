"""YAML front matter that keeps what it does not know: only the keys that change are rewritten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import yaml

LIMIT = 32 * 1024
"""Bytes of front matter a note may have."""

Scalar: TypeAlias = str | int | bool | None
Value: TypeAlias = Scalar | list[str]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]*|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_BREAK = re.compile("[\r\x85\u2028\u2029]")
"""Line ends to YAML, but to no editor."""

_OWN = re.compile(
    r"""([a-z_][a-z0-9_]{0,63}):[ ](?:
        "([ !\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*)"
        |([A-Za-z][A-Za-z_-]*|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)
        |(0|[1-9][0-9]{0,17})
    )\n""",
    re.VERBOSE | re.ASCII,
)
"""A line as `put` writes it, when nothing in it is escaped: key, quoted text, word or time, number."""

_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_PLAIN_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile("-?(?:0|[1-9][0-9]{0,17})")


class FrontMatterError(ValueError):
    """Front matter that is not one flat mapping of known YAML; the message names the line or key."""


@dataclass(frozen=True)
class FrontMatter:
    """The text between the two `---` lines, as pieces: one for each key, comments kept with the key after them."""

    pieces: tuple[tuple[str, str], ...] = ()
    values: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> FrontMatter:
        """Raises FrontMatterError for duplicate keys, anchors, tags, nesting that is not a list, or broken YAML."""
        return _parse(text)

    @property
    def text(self) -> str:
        return "".join(piece for _, piece in self.pieces)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def words(self, key: str) -> str:
        """The value as text, empty when absent or not a scalar."""
        value = self.values.get(key)
        return "" if value is None or isinstance(value, list) else str(value)

    def number(self, key: str) -> int:
        """The value as a whole number ≥ 0, 0 when absent; FrontMatterError for anything else."""
        value = self.values.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
            raise FrontMatterError(f"{key} is {value!r}, not a whole number")
        return value

    def put(self, **changes: Value) -> FrontMatter:
        """With these keys set in place, new ones at the end; a value of None takes the key out."""
        pieces, values = list(self.pieces), dict(self.values)
        for key, value in changes.items():
            at = next((i for i, (name, _) in enumerate(pieces) if name == key), None)
            if value is None:
                if at is not None:
                    kept = _comments(pieces[at][1])
                    pieces[at : at + 1] = [("", kept)] if kept else []
                    del values[key]
            elif at is None:
                if pieces and not pieces[-1][1].endswith("\n"):
                    pieces[-1] = (pieces[-1][0], pieces[-1][1] + "\n")
                pieces.append((key, f"{key}: {_dump(value)}\n"))
                values[key] = value
            elif values[key] != value or isinstance(values[key], bool) != isinstance(value, bool):
                pieces[at] = (key, f"{_comments(pieces[at][1])}{key}: {_dump(value)}\n")
                values[key] = value
        return FrontMatter(tuple(pieces), values)


@lru_cache(maxsize=512)
def _parse(text: str) -> FrontMatter:
    """A claim has the same note read by the vault, by the judge and by every follower."""
    if len(text.encode("utf-8", "surrogatepass")) > LIMIT:
        raise FrontMatterError(f"the front matter is over {LIMIT} bytes")
    if _BREAK.search(text):
        raise FrontMatterError("the front matter holds a line end that editors do not show")
    own = _read_own(text)
    if own is not None:
        return own
    try:
        entries = list(_entries(text))
    except (yaml.YAMLError, UnicodeError) as error:
        raise FrontMatterError(f"the front matter is not YAML: {_first_line(error)}") from None
    keys = [entry.key for entry in entries]
    if len(set(keys)) != len(keys):
        raise FrontMatterError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is there twice")
    return FrontMatter(tuple(_split(text, entries)), {entry.key: entry.value for entry in entries})


@dataclass(frozen=True)
class _Entry:
    """A key with its value, and the last of the lines it stands on."""

    key: str
    value: Any
    last: int


def _read_own(text: str) -> FrontMatter | None:
    """What YAML would make of lines that an agent wrote, twenty times as fast; None when one of them is another."""
    pieces: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    at = 0
    while at < len(text):
        found = _OWN.match(text, at)
        if found is None or found[1] in values:
            return None
        key, quoted, word, number = found.groups()
        if quoted is not None:
            values[key] = quoted
        elif word is not None:
            values[key] = _PLAIN_WORDS.get(word, word)
        else:
            values[key] = int(number)
        pieces.append((key, found[0]))
        at = found.end()
    return FrontMatter(tuple(pieces), values)


def _entries(text: str) -> Iterator[_Entry]:
    """The keys of one flat block mapping. YAML 1.2 core scalars: `no` is a word, a date stays text."""
    events = _events(text)
    begin = next(events, None)
    if begin is None:
        return
    if not isinstance(begin, yaml.MappingStartEvent) or begin.flow_style or _marked(begin):
        raise FrontMatterError("the front matter is not a list of `key: value` lines")
    for key in events:
        if isinstance(key, yaml.MappingEndEvent):
            break
        line, column = key.start_mark.line, key.start_mark.column
        if not isinstance(key, yaml.ScalarEvent) or _marked(key) or column:
            raise FrontMatterError(f"line {line + 1} of the front matter is no `key: value` line")
        value = next(events)
        if isinstance(value, yaml.SequenceStartEvent) and not _marked(value):
            listed, last = _list(events, key.value)
            yield _Entry(key.value, listed, max(line, last))
        else:
            yield _Entry(key.value, _scalar(value, key.value), max(line, _last_line(value)))
    if next(events, None) is not None:
        raise FrontMatterError("the front matter goes on after its last key")


def _events(text: str) -> Iterator[Any]:
    """What stands in the one document there may be."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, (yaml.DocumentStartEvent, yaml.DocumentEndEvent)):
            if event.explicit:
                raise FrontMatterError("the front matter holds a YAML document marker or directive")
        elif not isinstance(event, (yaml.StreamStartEvent, yaml.StreamEndEvent)):
            yield event


def _list(events: Iterator[Any], key: str) -> tuple[list[Scalar], int]:
    """The items and the last line they stand on."""
    found: list[Scalar] = []
    last = 0
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            return found, max(last, _last_line(event) if _is_bracket(event) else 0)
        found.append(_scalar(event, key))
        last = _last_line(event)
    raise FrontMatterError(f"the list of {key!r} does not end")


def _scalar(event: Any, key: str) -> Scalar:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise FrontMatterError(f"{key!r} uses a YAML anchor or alias")
    if getattr(event, "tag", None):
        raise FrontMatterError(f"{key!r} has the YAML tag {event.tag!r}")
    if not isinstance(event, yaml.ScalarEvent):
        raise FrontMatterError(f"{key!r} holds a nested value; a text, a number or a list of them is what goes there")
    text: str = event.value
    if event.style or text not in _PLAIN_WORDS:
        return int(text) if not event.style and _INTEGER.fullmatch(text) else text
    return _PLAIN_WORDS[text]


def _marked(event: Any) -> bool:
    return bool(getattr(event, "anchor", None) or getattr(event, "tag", None))


def _is_bracket(end: Any) -> bool:
    """Whether a list ends with `]`; a block list has no mark of its own at its end."""
    return bool(end.end_mark.index > end.start_mark.index)


def _last_line(event: Any) -> int:
    mark = event.end_mark
    line: int = mark.line
    return line - 1 if mark.column == 0 else line


def _split(text: str, entries: Sequence[_Entry]) -> Iterator[tuple[str, str]]:
    """A piece begins right after the value before it, so comments go with the key they stand above."""
    lines, at = text.splitlines(keepends=True), 0
    for entry in entries:
        yield entry.key, "".join(lines[at : entry.last + 1])
        at = entry.last + 1
    if at < len(lines):
        yield "", "".join(lines[at:])


def _comments(piece: str) -> str:
    """The comment and blank lines that stand above the key of a piece."""
    kept = ""
    for line in piece.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            break
        kept += line
    return kept


def _dump(value: Value) -> str:
    if value is None:  # in a list a person wrote
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_dump(item) for item in value) + "]"
    if value and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = yaml.dump(value, Dumper=yaml.CSafeDumper, default_style='"', allow_unicode=True, width=2**30)
    return str(quoted).rstrip("\n")


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)
