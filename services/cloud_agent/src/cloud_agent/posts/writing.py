"""The owner's words made to fit a network: whole, or with sentences left out at the end, never cut within one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from social import LIMITS, length
from social.length import fault
from vault_protocol.social_action import NEXT_POST, Network

_SENTENCES = re.compile(r"(?<=[.!?…])[\"'»”’)\]]*\s+|\n{2,}")
_NO_END = re.compile(
    r"(?:^|[\s(\"'«„“])(?:\d+|[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|"
    r"abs|art|approx|av|bspw|bzw|ca|dept|dr|dra|ej|etc|evtl|ex|excl|exkl|fig|gem|ggf|hr|inc|incl|inkl|inkl|jr|lic|mag|max|min|mme|"
    r"mr|mrs|ms|mwst|nr|no|núm|op|pág|prof|resp|sog|sr|sra|st|sta|ste|str|tel|u|usw|vgl|vs|zzgl)\.$",
    re.IGNORECASE,
)
"""A dot that may end no sentence: after a number, a letter, or what is often cut short. In doubt nothing ends."""


class TooLong(ValueError):
    """Not even the first sentence fits; the message says what and which."""


@dataclass(frozen=True)
class Written:
    """A text that fits, and how many sentences of it were left out."""

    text: str
    left_out: int = 0

    @property
    def told(self) -> list[str]:
        """For the owner, when something was left out."""
        what = "1 sentence at the end was" if self.left_out == 1 else f"{self.left_out} sentences at the end were"
        return [f"{what} left out to fit."] if self.left_out else []


def fitting(words: str, network: Network, *, link: str = "", reply: bool = False) -> Written:
    """The text of one post, or of a thread that the owner cut with `---`. The link is put below it where the network
    shows no card; it is never what is left out. Raises TooLong."""
    words = words.strip()
    below = f"\n\n{link}" if link and not LIMITS[network].cards and link not in words else ""
    posts = [part.strip() for part in re.split(rf"(?m)^{NEXT_POST}$", words)]
    if len(posts) > 1 and LIMITS[network].threads:
        posts[-1] += below
        for number, text in enumerate(posts, 1):
            if why := fault(text, network, reply=reply):
                raise TooLong(f"post {number} of the thread is too long: {why}")
        return Written(f"\n{NEXT_POST}\n".join(posts))
    words = "\n\n".join(posts)
    if fault(words + below, network, reply=reply) is None:
        return Written((words + below).strip())
    ends = [
        found.start()
        for found in _SENTENCES.finditer(words)
        if "\n\n" in found.group() or not _NO_END.search(words[: found.start()])
    ]
    for count in range(len(ends), 0, -1):
        text = _closed(words, ends[count - 1]) + below
        if fault(text, network, reply=reply) is None:
            return Written(text, left_out=len(ends) + 1 - count)
    first = words[: ends[0]] if ends else words
    raise TooLong(
        f"the first sentence alone is too long for {LIMITS[network].name}: {length(first + below, network)} "
        f"{LIMITS[network].unit.value}; write shorter words below a heading `## {LIMITS[network].name}`"
    )


def _closed(words: str, end: int) -> str:
    """Up to this end of a sentence, with the quotation marks and brackets that close it."""
    closing = re.match(r"[\"'»”’)\]]*", words[end:])
    return (words[:end] + (closing.group() if closing else "")).rstrip()
