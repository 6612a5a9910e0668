"""A post on a social network: every word and picture of it, on which account, in answer to what."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, Field, model_validator

from .action_base import ActionBase, Body, Hex64, Line, Strict

Network = Literal["linkedin", "facebook", "instagram", "x", "mastodon", "bluesky"]
NETWORKS: tuple[Network, ...] = get_args(Network)

NEXT_POST = "---"
"""A line that is only this ends one post of a thread and begins the next."""

THREAD_LIMIT = 25

_LINK = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:[/?#][!-;=?-~]{0,1900})?")
_POST_ID = re.compile(r"[!-;=?-~]{1,500}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def _link(text: str) -> str:
    if not _LINK.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not a plain http or https address")
    return text


def _post_id(text: str) -> str:
    if not _POST_ID.fullmatch(text):
        raise ValueError("it is not the id of a post")
    return text


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is not spelled as in en or pt-BR")
    return text


class Media(Strict):
    """A picture or a film by its content. `alt` says what it shows; `post` is which of the thread it belongs to."""

    name: Line
    media_type: Annotated[str, Field(pattern="^(?:image|video)/[a-z0-9.+-]{1,60}$")]
    size: Annotated[int, Field(ge=1)]
    sha256: Hex64
    alt: Annotated[Line, Field(max_length=998)] = ""
    post: Annotated[int, Field(ge=1, le=THREAD_LIMIT)] = 1


class PublishPost(ActionBase):
    """One post, or a thread of them: its text in parts, with a line `---` between."""

    prose: ClassVar[tuple[str, ...]] = ("text",)
    type: Literal["publish_post"] = "publish_post"
    network: Network
    link: Annotated[str, AfterValidator(_link)] | None = None
    """Shown as a card where the network has cards; where it has none, it has to stand in the text."""
    media: Annotated[tuple[Media, ...], Field(max_length=40, strict=False)] = ()
    reply_to: Annotated[str, AfterValidator(_post_id)] | None = None
    """The network's own id (or URI) of the post or comment that this answers."""
    language: Annotated[str, AfterValidator(_language)] | None = None
    text: Body = ""

    @property
    def posts(self) -> tuple[str, ...]:
        """The texts of the thread in order, without the newline at their ends; one text for a single post."""
        return tuple(part.strip("\n") for part in re.split(rf"(?m)^{NEXT_POST}$", self.text))

    def media_of(self, post: int) -> tuple[Media, ...]:
        """What is shown with the post of this number, from 1."""
        return tuple(one for one in self.media if one.post == post)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        posts = self.posts
        if len(posts) > THREAD_LIMIT:
            raise ValueError(f"a thread has {THREAD_LIMIT} posts at most")
        for number, text in enumerate(posts, 1):
            if not text.strip() and not self.media_of(number):
                raise ValueError("the text is empty" if len(posts) == 1 else f"post {number} of the thread is empty")
        if any(one.post > len(posts) for one in self.media):
            raise ValueError("a picture belongs to a post that the thread does not have")
        return self
