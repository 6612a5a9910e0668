"""Publishing as an effect: every word as approved, once; after a lost answer our own timeline is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from local_agent.attachments import NoSuchFile
from local_agent.effects.execute import Outcome, Policy
from local_agent.effects.ledger import State
from local_agent.networks.account import SocialAccount
from local_agent.networks.network import (
    AnswerLost,
    BadLogin,
    Network,
    NotPublished,
    OwnPost,
    Picture,
    Post,
    RefusedThere,
)
from local_agent.networks.texts import same
from social import faults
from vault_protocol.action import Media, PublishPost
from vault_protocol.approval import Approved
from vault_protocol.canonical import sha256
from vault_protocol.errors import VaultError

SKEW = timedelta(minutes=2)
"""By how much a network's clock may be behind ours."""

UNDER_WAY = timedelta(minutes=10)
"""How long a call whose answer was lost may still be at work there."""

TRIES = 3
"""For a later post of a thread that surely did not come to be: half a thread is nobody's wish."""


class SocialConnector:
    """Implements `effects.Connector` for PublishPost."""

    name = "social"
    policy = Policy(
        dedupe="Bluesky: a record key from the effect; Mastodon: an Idempotency-Key, for an hour; else none",
        probe="our own timeline: Bluesky by the record key, else by the words since the effect began",
        retries=True,
    )

    def __init__(
        self, account: Callable[[str], SocialAccount], network: Callable[[SocialAccount], Network],
        bytes_of: Callable[[Media], bytes], now: Callable[[], datetime], *, known: Callable[[], frozenset[str]],
        wait: Callable[[float], object],
    ) -> None:  # fmt: skip
        """`network` opens an account; `bytes_of` has the bytes of a picture (it raises NoSuchFile); `known` are the ids
        of posts that other effects published: none of them is this one."""
        self._account, self._network, self._bytes_of, self._now = account, network, bytes_of, now
        self._known, self._wait = known, wait

    def perform(self, what: Approved[PublishPost], *, key: str, at: datetime) -> Outcome:
        action = what.action
        try:
            account = self._account(action.account)
            if account.network != action.network:
                return Outcome(State.REFUSED, f"the account {account.name} is one of {account.network}")
            if against := faults(action):
                return Outcome(State.REFUSED, "; ".join(against))
            pictures = [self._picture(one) for one in action.media]
            network = self._network(account)
            uploaded = [_uploaded(network, one) for one in pictures]
        except BadLogin as error:
            return Outcome(State.NOT_DONE, str(error), pause=f"login failed: {error}")
        except (RefusedThere, NoSuchFile) as error:
            return Outcome(State.REFUSED, str(error))
        except NotPublished as error:
            return Outcome(State.NOT_DONE, str(error))
        except VaultError as error:
            return Outcome(State.REFUSED, str(error))
        return self._publish(network, posts_of(action, key, at, uploaded))

    def probe(self, action: PublishPost, *, key: str, at: datetime, tried: datetime) -> Outcome:
        """All posts of the action on our own timeline prove it. None there proves it only where keys are ours."""
        try:
            network = self._network(self._account(action.account))
            posts = posts_of(action, key, at, ())
            found = [self._find(network, post, at) for post in posts]
        except (NotPublished, AnswerLost, VaultError) as error:
            return Outcome(State.UNKNOWN, f"our own timeline cannot be read: {error}")
        there = [one for one in found if one is not None]
        if len(there) == len(posts):
            return Outcome(State.CONFIRMED, _ids(there), seen=True)
        if there:
            return Outcome(
                State.UNKNOWN, f"{len(there)} of {len(posts)} posts are published ({_ids(there)}), the others are not",
                seen=True,
            )  # fmt: skip
        if network.absence_is_sure and self._now() - tried >= UNDER_WAY:
            return Outcome(State.NOT_DONE, "our own timeline has no post under its key")
        return Outcome(State.UNKNOWN, "our own timeline does not show it, which proves nothing")

    def afterwards(self, action: PublishPost, *, key: str, at: datetime) -> None:
        return

    def _publish(self, network: Network, posts: Sequence[Post]) -> Outcome:
        ids: list[str] = []
        for post in posts:
            linked = post if not ids else _answering(post, ids[-1])
            try:
                ids.append(self._create(network, linked, tries=TRIES if ids else 1))
            except BadLogin as error:
                if ids:
                    return _broken_off(ids, posts, error)
                return Outcome(State.NOT_DONE, str(error), pause=f"login failed: {error}")
            except RefusedThere as error:
                return _broken_off(ids, posts, error) if ids else Outcome(State.REFUSED, str(error))
            except NotPublished as error:
                return _broken_off(ids, posts, error) if ids else Outcome(State.NOT_DONE, str(error))
            except AnswerLost as error:
                return Outcome(State.UNKNOWN, f"post {len(ids) + 1} of {len(posts)}: the answer was lost: {error}")
        return Outcome(State.CONFIRMED, " ".join(ids))

    def _create(self, network: Network, post: Post, *, tries: int) -> str:
        for number in range(1, tries + 1):
            try:
                return network.create(post)
            except (BadLogin, RefusedThere):
                raise
            except NotPublished:
                if number == tries:
                    raise
                self._wait(2.0**number)
        raise AssertionError("unreachable")

    def _find(self, network: Network, post: Post, at: datetime) -> OwnPost | None:
        known = self._known()
        return next(
            (
                one
                for one in network.published(post, since=at - SKEW)
                if one.id not in known and (network.absence_is_sure or same(one.text, post.text))
            ),
            None,
        )

    def _picture(self, media: Media) -> Picture:
        return Picture(self._bytes_of(media), media.media_type, media.name, media.alt)


def posts_of(action: PublishPost, key: str, at: datetime, uploaded: Sequence[tuple[str, Picture]]) -> tuple[Post, ...]:
    """The posts of the action as the network gets them; each has a key of its own."""
    return tuple(
        Post(
            text=text, key=key if number == 1 else sha256(f"{key} {number}".encode())[:32], at=at,
            pictures=[sent for sent, media in zip(uploaded, action.media, strict=False) if media.post == number],
            link=action.link if number == 1 else None, answers=action.reply_to if number == 1 else None,
            language=action.language,
        )
        for number, text in enumerate(action.posts, 1)
    )  # fmt: skip


def _answering(post: Post, before: str) -> Post:
    return Post(
        text=post.text, key=post.key, at=post.at, pictures=post.pictures, answers=before, language=post.language
    )


def _uploaded(network: Network, picture: Picture) -> tuple[str, Picture]:
    try:
        return network.upload(picture), picture
    except AnswerLost as error:  # nobody is shown what was uploaded
        raise NotPublished(str(error)) from None


def _broken_off(ids: Sequence[str], posts: Sequence[Post], error: Exception) -> Outcome:
    """A thread of which a part is out is never begun again: the owner goes on by hand, or takes it down."""
    return Outcome(State.UNKNOWN, f"{len(ids)} of {len(posts)} posts are published ({' '.join(ids)}), then: {error}")


def _ids(posts: Sequence[OwnPost]) -> str:
    return " ".join(one.id for one in posts)
