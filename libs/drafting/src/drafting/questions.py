"""The questions a mail asks, as its sender wrote them."""

import re

from drafting.letter import Letter
from drafting.plain import clean, line

READ = 8_000
LIMIT = 6
LENGTH = 200
_PARAGRAPH = re.compile(r"\n\s*\n|\n\s*(?=[-*•]|\d{1,2}[.)]\s)")
_BREAK = re.compile(r"(?<=[.!?…])(?<!\b\w\.)\s+")
"""Between sentences; 'z. B.' and 'am 3. Mai' are none."""
_LEAD = re.compile(r"^(?:[\s>*•–-]|\d{1,2}[.)]\s)+")
_GREETING = re.compile(
    r"^(?:hi|hey|hello|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?|bonjour|bonsoir|salut|ch[eè]re?|hola|buen[oa]s (?:d[ií]as|tardes)|estimad[oa])\b"
    r"[^,!.?¿]{0,40}[,!]\s*",
    re.I,
)


def questions(letter: Letter) -> tuple[str, ...]:
    """At most six, each on one line of at most 200 characters; a longer one ends in '…'."""
    parts = [letter.subject[:LENGTH], *_PARAGRAPH.split(clean(letter.text[:READ]))]
    found: dict[str, None] = {}
    for part in parts:
        for sentence in _BREAK.split(" ".join(part.split())):
            asked = _GREETING.sub("", _LEAD.sub("", sentence))
            if asked.rstrip('"”») ').endswith("?") and any(sign.isalpha() for sign in asked):
                found.setdefault(line(asked, LENGTH))
    return tuple(found)[:LIMIT]
