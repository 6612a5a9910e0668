"""YAML front matter that keeps what it does not know: only the keys that change are rewritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

LIMIT = 32 * 1024
"""Bytes of front matter a note may have."""

Value: TypeAlias = str | int | bool | list[str] | None

_KEY = re.compile(r"""(?:"([^"\\]+)"|'([^']+)'|([^\s#'"\[\]{},&*!|>%@`?:-][^:#]*?))[ ]*:(?=\s|$)""")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]*|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class FrontMatterError(ValueError):
    """Front matter that is not one flat mapping of known YAML; the message names the line or key."""


class _Loader(yaml.CSafeLoader):
    """YAML 1.2 core scalars: `no` is a word, a date stays text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^-?(?:0|[1-9][0-9]{0,17})$", "-0123456789"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


@dataclass(frozen=True)
class FrontMatter:
    """The text between the two `---` lines, as pieces: one for each key, comments kept with the key after them."""

    pieces: tuple[tuple[str, str], ...] = ()
    values: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> FrontMatter:
        """Raises FrontMatterError for duplicate keys, anchors, nesting that is not a list, or broken YAML."""
        if len(text.encode("utf-8", "surrogatepass")) > LIMIT:
            raise FrontMatterError(f"the front matter is over {LIMIT} bytes")
        try:
            if ("&" in text or "*" in text) and any(
                isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)
            ):
                raise FrontMatterError("the front matter uses a YAML alias")
            values = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with fewer types
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            if isinstance(error, FrontMatterError):
                raise
            raise FrontMatterError(f"the front matter is not YAML: {_first_line(error)}") from None
        pieces = tuple(_split(text))
        keys = [key for key, _ in pieces if key]
        if len(set(keys)) != len(keys):
            raise FrontMatterError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is there twice")
        if values is None:
            values = {}
        if not isinstance(values, dict) or {str(k) for k in values} != set(keys):
            raise FrontMatterError("the front matter is not a list of `key: value` lines")
        return cls(pieces, {str(k): v for k, v in values.items()})

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
        return "" if value is None or isinstance(value, (dict, list)) else str(value)

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
            elif values[key] != value:
                pieces[at] = (key, f"{_comments(pieces[at][1])}{key}: {_dump(value)}\n")
                values[key] = value
        return FrontMatter(tuple(pieces), values)


def _split(text: str) -> Iterator[tuple[str, str]]:
    """A piece begins at a top-level key, or at the comments right above it."""
    key, lines, held = "", "", ""
    for line in text.splitlines(keepends=True):
        found = _KEY.match(line)
        if found:
            if lines:
                yield key, lines
            key, lines, held = next(g for g in found.groups() if g is not None), held + line, ""
        elif line.startswith("#") or not line.strip():
            held += line
        else:
            lines, held = lines + held + line, ""
    if lines:
        yield key, lines
    if held:
        yield "", held


def _comments(piece: str) -> str:
    """The comment and blank lines that stand above the key of a piece."""
    kept = ""
    for line in piece.splitlines(keepends=True):
        if line.strip() and not line.startswith("#"):
            break
        kept += line
    return kept


def _dump(value: Value) -> str:
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
