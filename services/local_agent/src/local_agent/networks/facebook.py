"""A Facebook Page: posts in its feed, answers as comments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local_agent.networks.graph import Graph
from local_agent.networks.http import within
from local_agent.networks.network import OwnPost, Picture, Post, RefusedThere, Said
from local_agent.networks.texts import same
from local_agent.networks.times import parsed
from vault_protocol.social_action import Network as Name

WATCHED = 10
_FIELDS = (
    "id,message,created_time,permalink_url,shares,comments.summary(true).limit(0),reactions.summary(true).limit(0)"
)
_WHO = "id,message,from,created_time,permalink_url"


def unpublished_photo(graph: Graph, page: str, picture: Picture) -> str:
    """A photo that nobody is shown, to be put into a post."""
    made = graph.harmless(
        within(page, "photos"), data={"published": "false", "alt_text_custom": picture.alt},
        files={"source": (picture.name, picture.content, picture.media_type)},
    )  # fmt: skip
    return made.text("id")


class Facebook:
    """Implements `Network` for one Page, with a token of that Page."""

    name: Name = "facebook"
    absence_is_sure = False

    def __init__(self, graph: Graph, *, page: str) -> None:
        self._graph, self._page = graph, page

    def upload(self, picture: Picture) -> str:
        return unpublished_photo(self._graph, self._page, picture)

    def create(self, post: Post) -> str:
        body: dict[str, str] = {"message": post.text} if post.text else {}
        if post.answers:
            return self._graph.post(within(post.answers, "comments"), data=body).text("id")
        if post.link:
            body["link"] = post.link
        if post.pictures:
            body["attached_media"] = json.dumps([{"media_fbid": id_} for id_, _ in post.pictures])
        return self._graph.post(within(self._page, "feed"), data=body).text("id")

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        if post.answers:
            comments = self._comments(post.answers)
            found = [OwnPost(one.id, one.text, one.at, one.url) for one, who in comments if who == self._page]
        else:
            found = list(self.own(since=since, most=50))
        return [one for one in found if one.at >= since and same(one.text, post.text)]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        rows = self._graph.get(
            within(self._page, "published_posts"), fields=_FIELDS, since=int(since.timestamp()), limit=min(most, 100)
        ).rows("data")
        return [one for one in map(_own, rows) if one.at >= since][:most]

    def close(self) -> None:
        self._graph.http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        found = [
            one
            for post in self.own(since=since, most=WATCHED)
            for one, who in self._comments(post.id)
            if who != self._page
        ]
        try:
            tagged = self._graph.get(within(self._page, "tagged"), fields=_WHO, limit=min(most, 50)).rows("data")
        except RefusedThere:
            tagged = []  # needs a permission of its own, which not every app has
        found += [_said(row, "mention", "")[0] for row in tagged]
        return sorted((one for one in found if one.at >= since), key=lambda one: one.at, reverse=True)[:most]

    def _comments(self, post: str) -> list[tuple[Said, str]]:
        rows = self._graph.get(
            within(post, "comments"), fields=_WHO, filter="stream", order="reverse_chronological", limit=50
        ).rows("data")
        return [_said(row, "comment", post) for row in rows]


def _own(row: dict[str, Any]) -> OwnPost:
    figures = {
        "likes": _total(row.get("reactions")), "answers": _total(row.get("comments")),
        "shares": row["shares"].get("count") if isinstance(row.get("shares"), dict) else None,
    }  # fmt: skip
    return OwnPost(
        str(row.get("id", "")), str(row.get("message", "")), parsed(row.get("created_time")),
        str(row.get("permalink_url") or ""), {name: count for name, count in figures.items() if isinstance(count, int)},
    )  # fmt: skip


def _total(part: Any) -> Any:
    summary = part.get("summary") if isinstance(part, dict) else None
    return summary.get("total_count") if isinstance(summary, dict) else None


def _said(row: dict[str, Any], kind: str, about: str) -> tuple[Said, str]:
    """The words, and the id of who said them."""
    who = row.get("from")
    sender = who if isinstance(who, dict) else {}
    said = Said(
        str(row.get("id", "")), kind, str(sender.get("name") or sender.get("id") or "somebody"),
        str(row.get("message", "")), parsed(row.get("created_time")), about, str(row.get("permalink_url") or ""),
    )  # fmt: skip
    return said, str(sender.get("id", ""))
