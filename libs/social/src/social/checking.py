"""A post held against its network's rules: what it would refuse, and what an owner should look at twice."""

from __future__ import annotations

from collections.abc import Iterator

from social import length, words
from social.limits import LIMITS, Limits
from vault_protocol.plain import one_line
from vault_protocol.social_action import Media, PublishPost


def faults(action: PublishPost) -> tuple[str, ...]:
    """Why the network would not take it, a sentence each; empty when nothing is known against it."""
    return tuple(dict.fromkeys(_faults(action, LIMITS[action.network])))


def cautions(action: PublishPost) -> tuple[str, ...]:
    """What is allowed and still worth a look, a plain line each."""
    return tuple(one_line(line) for line in _cautions(action, LIMITS[action.network]))


def _faults(action: PublishPost, limits: Limits) -> Iterator[str]:
    posts, reply = action.posts, action.reply_to is not None
    if len(posts) > 1 and not limits.threads:
        yield f"{limits.name} has no threads"
    for number, text in enumerate(posts, 1):
        where = f"post {number}: " if len(posts) > 1 else ""
        too_long = length.fault(text, action.network, reply=reply)
        if too_long:
            yield where + too_long
        yield from (where + fault for fault in _tag_faults(text, limits, reply=reply))
        yield from (where + fault for fault in _picture_faults(action.media_of(number), limits, reply=reply))
    if action.link is not None:
        yield from _link_faults(action, action.link, limits)


def _tag_faults(text: str, limits: Limits, *, reply: bool) -> Iterator[str]:
    tags, named = words.hashtags(text), words.mentions(text)
    most = limits.reply_hashtags if reply and limits.reply_hashtags is not None else limits.hashtags
    if most is not None and len(tags) > most:
        yield f"{len(tags)} hashtags; {limits.name} takes {most}"
    if limits.mentions is not None and len(named) > limits.mentions:
        yield f"{len(named)} mentions; {limits.name} takes {limits.mentions}"
    if reply and limits.reply_links is not None and len(words.links(text)) > limits.reply_links:
        yield f"{len(words.links(text))} links; {limits.name} takes {limits.reply_links} in an answer"


def _picture_faults(media: tuple[Media, ...], limits: Limits, *, reply: bool) -> Iterator[str]:
    most = limits.reply_pictures if reply and limits.reply_pictures is not None else limits.pictures
    if len(media) > most:
        yield f"{len(media)} pictures; {limits.name} takes {most or 'none'}{' in an answer' if reply else ''}"
    if limits.pictures_needed and not media and not reply:
        yield f"{limits.name} takes no post without a picture"
    if len(media) > 1 and limits.name == "X" and any(one.media_type == "image/gif" for one in media):
        yield "X takes a GIF only alone"
    for one in media:
        name = one_line(one.name, 60)
        if one.media_type.startswith("video/"):
            yield f"{name} is a film, and only pictures are published from here"
        elif one.media_type not in limits.types:
            yield f"{name} is {one.media_type}; {limits.name} takes {', '.join(limits.types)}"
        elif one.size > limits.types[one.media_type]:
            yield f"{name} has {one.size} bytes; {limits.name} takes {limits.types[one.media_type]}"
        if limits.alt is not None and len(one.alt) > limits.alt:
            yield f"the description of {name} has {len(one.alt)} characters; {limits.name} takes {limits.alt}"


def _link_faults(action: PublishPost, link: str, limits: Limits) -> Iterator[str]:
    if limits.pictures_needed:
        yield f"{limits.name} shows no links"
    elif not limits.cards or action.reply_to is not None:
        if not any(link in words.links(text) for text in action.posts):
            yield f"{limits.name} shows no card here: the link has to stand in the text"
    elif action.media_of(1):
        yield f"{limits.name} shows either pictures or the card of a link"


def _cautions(action: PublishPost, limits: Limits) -> Iterator[str]:
    named = dict.fromkeys(name for text in action.posts for name in words.mentions(text))
    if named:
        yield f"it names {', '.join(named)}, who will be told of it"
    targets = dict.fromkeys(link for text in action.posts for link in words.links(text))
    for link in (*targets, *((action.link,) if action.link and action.link not in targets else ())):
        yield f"it links to {link}"
        if link.lower().startswith("http://"):
            yield "that link is not encrypted"
    bare = [one.name for one in action.media if not one.alt]
    if bare and limits.alt is not None:
        yield f"no description of {', '.join(bare)} for people who cannot see it"
    if action.reply_to is not None:
        yield f"it answers the post {action.reply_to}"
