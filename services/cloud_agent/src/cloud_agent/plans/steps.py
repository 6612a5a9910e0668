"""The closed list of what a step of a plan may be, and the reading of the owner's list of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from vault_protocol import plain
from vault_protocol.social_action import Network
from vault_protocol.task import TASK_ID

MOST = 30
"""Steps of one plan; what comes after is left out."""
LONGEST = 1_000
"""Characters of one step."""
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,2}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.+)")
_KIND = re.compile(r"([A-Za-z]{1,20})[ \t]*(?::[ \t]*(.*))?")
_STEP = re.compile(r"step (\d{1,2})", re.IGNORECASE)
_MAIL = re.compile(r"from ([\w.+-]+@[\w.-]+)(?: about [\"“„«'](.{1,200})[\"”“»'])?\.?", re.IGNORECASE)


class Kind(StrEnum):
    """All that a step can do. Nothing that acts is among it: those that draft end before the owner."""

    READ = "read"
    BOOKS = "books"
    REPLY = "reply"
    INVOICE = "invoice"
    POST = "post"
    WAIT = "wait"
    ASK = "ask"


DRAFTS = frozenset({Kind.REPLY, Kind.INVOICE, Kind.POST})


@dataclass(frozen=True)
class Step:
    """One step as the owner, or a drafter that proposes, wished it. `of` is the step or task that it is about.

    `refused` says why it is left out; then `kind` is None or cannot be had so. `agrees`: a question that only a yes
    answers.
    """

    kind: Kind | None
    words: str
    of: str = ""
    network: str = ""
    refused: str = ""
    agrees: bool = False


class NoMail(ValueError):
    """The words name no mail."""


def parse(text: str) -> tuple[Step, ...]:
    """Each item of each list in the text; every other line is for people. Pure."""
    found: list[Step] = []
    for line in plain.visible(text).splitlines():
        item = _ITEM.fullmatch(line)
        if item is not None and len(found) < MOST:
            found.append(step_of(item[1].strip(), found))
    return tuple(found)


def step_of(item: str, before: Sequence[Step]) -> Step:
    """One item, held to the closed list and to the steps before it."""
    found = _KIND.fullmatch(item)
    words = (found[2] or "").strip() if found else ""
    try:
        kind = Kind(found[1].lower()) if found else None
    except ValueError:
        kind = None
    if kind is None:
        return Step(None, item[:LONGEST], refused=f"no plan has such a step; there are {', '.join(Kind)}")
    if len(words) > LONGEST:
        return Step(kind, words[:LONGEST], refused=f"it has {len(words)} characters, more than {LONGEST}")
    return _READERS[kind](kind, words, before)


def mail_named(words: str) -> tuple[str, str]:
    """(address in small letters, words of the subject). Raises NoMail."""
    found = _MAIL.fullmatch(words)
    if found is None:
        raise NoMail(words)
    return found[1].lower(), (found[2] or "").strip()


def _read(kind: Kind, words: str, _before: Sequence[Step]) -> Step:
    if TASK_ID.fullmatch(words) or _MAIL.fullmatch(words):
        return Step(kind, words)
    return Step(kind, words, refused='say which mail: a task\'s id, or: from ADDRESS about "WORDS"')


def _reply(kind: Kind, words: str, before: Sequence[Step]) -> Step:
    of, _, wish = (part.strip() for part in words.partition(":"))
    if not wish:
        return Step(kind, words, refused="say to which mail and what: step N: WISH, or TASK: WISH")
    if TASK_ID.fullmatch(of):
        return Step(kind, wish, of)
    number = _number(of)
    if number is None or not 1 <= number <= len(before) or before[number - 1].kind is not Kind.READ:
        return Step(kind, words, refused=f"{of[:40]!r} is no step before it that reads a mail")
    return Step(kind, wish, str(number))


def _post(kind: Kind, words: str, _before: Sequence[Step]) -> Step:
    network, _, text = (part.strip() for part in words.partition(":"))
    if network.lower() not in get_args(Network) or not text:
        return Step(
            kind, words, refused=f"say where and what: NETWORK: TEXT, with one of {', '.join(get_args(Network))}"
        )
    return Step(kind, text, network=network.lower())


def _wait(kind: Kind, words: str, before: Sequence[Step]) -> Step:
    if not words:
        return Step(kind, "")
    number = _number(words)
    if number is None or not 1 <= number <= len(before) or before[number - 1].kind not in DRAFTS:
        return Step(kind, words, refused=f"{words[:40]!r} is no step before it that drafts")
    return Step(kind, words, str(number))


def _said(kind: Kind, words: str, _before: Sequence[Step]) -> Step:
    return Step(kind, words) if words else Step(kind, words, refused=f"say what after {kind.value}:")


def _number(words: str) -> int | None:
    found = _STEP.fullmatch(words.rstrip("."))
    return int(found[1]) if found else None


_READERS = {
    Kind.READ: _read, Kind.BOOKS: _said, Kind.REPLY: _reply, Kind.INVOICE: _said, Kind.POST: _post, Kind.WAIT: _wait,
    Kind.ASK: _said,
}  # fmt: skip
