"""The text of one post: said anew by a model where there is one and the owner lets it, else the owner's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from cloud_agent.posts import writing
from drafting import DrafterRefused, DrafterUnavailable
from drafting.background import Fact
from drafting.posts import OWN, Brief, Writer
from social import LIMITS
from vault_protocol import plain
from vault_protocol.clock import Clock
from vault_protocol.social_action import Network

log = structlog.get_logger()

SOON = timedelta(days=1)
"""A post that is due sooner does not wait for a model that does not answer."""


@dataclass(frozen=True)
class Worded:
    """A text that fits. `told` is for the owner, `by` says whose words they are."""

    text: str
    by: str
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What is to be said where. `source` names the note of the owner's that `words` and `theme` stand in."""

    network: Network
    words: str
    source: str
    theme: str = ""
    link: str = ""
    language: str = ""

    def as_they_stand(self, *, by: str = "") -> Worded:
        """Raises writing.TooLong."""
        written = writing.fitting(self.words, self.network, link=self.link)
        return Worded(written.text, by or plain.one_line(f"the words of {self.source}", 200), written.told)

    @property
    def brief(self) -> Brief:
        limits = LIMITS[self.network]
        facts = [Fact("the owner's words", self.words, self.source)]
        facts += [Fact("theme", self.theme, self.source)] if self.theme else []
        return Brief(
            network=limits.name, longest=limits.longest, unit=limits.unit.value, words=self.words, facts=tuple(facts),
            language=self.language,
        )  # fmt: skip

    def whole(self, text: str) -> str:
        """The text with its link. Raises ValueError when it does not fit as it is."""
        written = writing.fitting(text, self.network, link=self.link)
        if written.left_out:
            raise ValueError(f"it is too long for {LIMITS[self.network].name}: leave {written.left_out} sentences out")
        return written.text


class Wording:
    """`writer` None: nobody but the owner writes."""

    def __init__(self, writer: Writer | None, clock: Clock) -> None:
        self._writer, self._clock = writer, clock

    def of(self, wanted: Wanted, handbook: str, *, due: datetime) -> Worded:
        """Raises TooLong, and DrafterUnavailable while there is time to wait for the model."""
        if self._writer is None or not wanted.words:
            return wanted.as_they_stand()
        try:
            found = self._writer.post(wanted.brief, handbook=handbook, fits=wanted.whole)
        except DrafterRefused:
            return _instead(wanted, "the model gave nothing usable")
        except DrafterUnavailable as error:
            if due - self._clock.now() > SOON:
                raise
            return _instead(wanted, error.reason)
        if found.by == OWN:
            return _instead(wanted, found.because) if found.because else wanted.as_they_stand()
        log.info("post.worded", network=wanted.network)
        told = [f"A model said it anew; your words, from {wanted.source}, stand below."]
        told += [f"By {found.by}: {found.because}"] if found.because else []
        return Worded(wanted.whole(found.text), plain.one_line(found.by, 200), told)


def _instead(wanted: Wanted, why: str) -> Worded:
    own = wanted.as_they_stand()
    return Worded(own.text, own.by, [f"These are your own words, as {plain.one_line(why, 120)}.", *own.told])
