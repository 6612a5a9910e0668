"""What every network can do for us, and what can go wrong, in the words of a caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from vault_protocol.social_action import Network as Name


class NotPublished(Exception):
    """Whatever was asked for surely did not happen. This one may be tried again: unreachable, or too many calls."""


class BadLogin(NotPublished):
    """The network does not take this token, or there is none. The owner has to look."""


class RefusedThere(NotPublished):
    """The network will not have it, now or later."""


class AnswerLost(Exception):
    """It may have happened: the connection broke, the answer made no sense, or it says that it is there already."""


@dataclass(frozen=True)
class Picture:
    """One file, ready to go."""

    content: bytes = field(repr=False)
    media_type: str
    name: str
    alt: str


@dataclass(frozen=True, kw_only=True)
class Post:
    """One post as a network gets it. `pictures` are what `upload` answered, `key` is the same for every try."""

    text: str
    key: str
    at: datetime
    pictures: Sequence[tuple[str, Picture]] = ()
    link: str | None = None
    answers: str | None = None
    language: str | None = None

    @property
    def title(self) -> str:
        """What the card of a link is called: the first line of the text."""
        return next((line.strip() for line in self.text.split("\n") if line.strip()), self.link or "")[:200]


@dataclass(frozen=True)
class OwnPost:
    """One of ours, as the network shows it now."""

    id: str
    text: str
    at: datetime
    url: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """What somebody said to us. `id` is what an answer answers; `about` the post of ours, if it is a comment on one."""

    id: str
    kind: str
    who: str
    text: str
    at: datetime
    about: str = ""
    url: str = ""


class Network(Protocol):
    """Each method raises NotPublished, or a kind of it, or AnswerLost."""

    name: Name
    absence_is_sure: bool
    """Whether a post that `published` does not find after a while surely never came to be."""

    def upload(self, picture: Picture) -> str:
        """Bring one picture there; what `create` needs of it. Shows it to nobody."""
        ...

    def create(self, post: Post) -> str:
        """Publish it, once; its id there."""
        ...

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        """What is on our own timeline that could be this post, however old the one with its `key` is."""
        ...

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        """Our posts with their figures, the newest first."""
        ...

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        """Mentions of us and comments on our posts, the newest first."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
