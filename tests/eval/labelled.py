"""The labelled mails: written here, in no drafter's training data, split by a hash that nobody chose.

A block of mails/KIND.txt: `languages | sender | subject`; the text, in which ¶ parts it and ` | att: auto: q:` at its
end stand for an attachment, the header of a machine, a quote; a line `? words` for each question to be taken up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drafting import Kind, Letter
from drafting.language import Language

MAILS = Path(__file__).parent / "mails"
OWNER = "Sam Rivers"
HELD_SHARE = 3
"""One mail in three is held out: nothing was changed in the program after looking at one of these."""

_SENDER = re.compile(r"(.*) <(.*)>")
_EXTRA = re.compile(r"(?:^|\s)\| (att|auto|q):([^|]*)")


@dataclass(frozen=True)
class Mail:
    """One mail and what is right about it."""

    kind: Kind
    languages: tuple[Language, ...]
    letter: Letter
    questions: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.letter.text.encode()).digest()[0] % HELD_SHARE == 0

    @property
    def by_person(self) -> bool:
        """Whether the sender is somebody with two names, and so somebody to be addressed by them."""
        return re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", self.letter.sender_name) is not None


def mails() -> list[Mail]:
    return [mail for kind in Kind for mail in _read(kind)]


def _read(kind: Kind) -> Iterator[Mail]:
    text = (MAILS / f"{kind.value}.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n\s*\n", text.strip()):
        head, body, *asked = block.split("\n")
        languages, sender, subject = head.split(" | ", 2)
        found = _SENDER.fullmatch(sender)
        assert found, sender
        extra = dict(_EXTRA.findall(body))
        letter = Letter(
            sender_name=found[1], sender_address=found[2], to_account="business", account_name=OWNER, subject=subject,
            text=_EXTRA.sub("", body).replace(" ¶ ", "\n\n").strip() + "\n", quoted=extra.get("q", "").strip(),
            attachments=tuple(extra["att"].strip().split(",")) if "att" in extra else (),
            automatic=extra["auto"].strip() if "auto" in extra else None,
        )  # fmt: skip
        yield Mail(
            kind, tuple(map(Language, languages.split("/"))), letter, tuple(line.removeprefix("? ") for line in asked)
        )
