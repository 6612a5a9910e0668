"""Instagram in two steps: a container with the pictures, then its publishing.

Instagram fetches pictures from an address. Ours lie on no server, so each goes as a photo that nobody is shown to the
Facebook Page that belongs to the account, whose address of it Instagram can fetch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from local_agent.networks.facebook import unpublished_photo
from local_agent.networks.graph import Graph
from local_agent.networks.http import within
from local_agent.networks.network import AnswerLost, NotPublished, OwnPost, Picture, Post, RefusedThere, Said
from local_agent.networks.texts import same
from local_agent.networks.times import parsed
from vault_protocol.social_action import Network as Name

WATCHED = 10
LOOKS = 30
"""How often a container is looked at until Instagram has fetched its picture, two seconds between."""


class Instagram:
    """Implements `Network` for one professional account and the Page that it belongs to."""

    name: Name = "instagram"
    absence_is_sure = False

    def __init__(self, graph: Graph, *, user: str, page: str, wait: Callable[[float], object]) -> None:
        self._graph, self._user, self._page, self._wait = graph, user, page, wait

    def upload(self, picture: Picture) -> str:
        photo = unpublished_photo(self._graph, self._page, picture)
        images = self._graph.get(within(photo), fields="images").rows("images")
        if not images or not isinstance(images[0].get("source"), str):
            raise NotPublished("the Page gives no address of the picture")
        return str(images[0]["source"])

    def create(self, post: Post) -> str:
        if post.answers:
            return self._graph.post(within(post.answers, "replies"), data={"message": post.text}).text("id")
        container = self._container(post)
        return self._graph.post(within(self._user, "media_publish"), data={"creation_id": container}).text("id")

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        if post.answers:
            rows = self._graph.get(within(post.answers, "replies"), fields="id,text,timestamp", limit=50).rows("data")
            found = [
                OwnPost(str(row.get("id", "")), str(row.get("text", "")), parsed(row.get("timestamp"))) for row in rows
            ]
        else:
            found = list(self.own(since=since, most=50))
        return [one for one in found if one.at >= since and same(one.text, post.text)]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        fields = "id,caption,timestamp,permalink,like_count,comments_count"
        rows = self._graph.get(within(self._user, "media"), fields=fields, limit=min(most, 100)).rows("data")
        return [one for one in map(_own, rows) if one.at >= since][:most]

    def close(self) -> None:
        self._graph.http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        found = []
        for post in self.own(since=since, most=WATCHED):
            path = within(post.id, "comments")
            rows = self._graph.get(path, fields="id,text,username,timestamp", limit=50).rows("data")
            found += [_said(row, "comment", "text", post.id) for row in rows]
        try:
            tags = self._graph.get(
                within(self._user, "tags"), fields="id,caption,username,timestamp,permalink", limit=min(most, 50)
            ).rows("data")
        except RefusedThere:
            tags = []
        found += [_said(row, "mention", "caption", "") for row in tags]
        return sorted((one for one in found if one.at >= since), key=lambda one: one.at, reverse=True)[:most]

    def _container(self, post: Post) -> str:
        """Made and ready; nothing is shown yet, so whatever goes wrong here, nothing happened."""
        try:
            if len(post.pictures) == 1:
                address, picture = post.pictures[0]
                made = self._made({"image_url": address, "alt_text": picture.alt, "caption": post.text})
            else:
                children = [
                    self._made({"image_url": address, "alt_text": picture.alt, "is_carousel_item": "true"})
                    for address, picture in post.pictures
                ]
                made = self._made({"media_type": "CAROUSEL", "children": ",".join(children), "caption": post.text})
        except AnswerLost as error:
            raise NotPublished(str(error)) from None
        return made

    def _made(self, fields: dict[str, str]) -> str:
        given = {name: value for name, value in fields.items() if value}
        container = self._graph.harmless(within(self._user, "media"), data=given).text("id")
        for _ in range(LOOKS):
            state = self._graph.get(within(container), fields="status_code").text("status_code")
            if state == "FINISHED":
                return container
            if state in ("ERROR", "EXPIRED"):
                raise RefusedThere(f"Instagram could not take the picture ({state.lower()})")
            self._wait(2)
        raise NotPublished("Instagram has not fetched the picture in time")


def _own(row: dict[str, Any]) -> OwnPost:
    figures = {"likes": row.get("like_count"), "answers": row.get("comments_count")}
    return OwnPost(
        str(row.get("id", "")), str(row.get("caption", "")), parsed(row.get("timestamp")),
        str(row.get("permalink") or ""), {name: count for name, count in figures.items() if isinstance(count, int)},
    )  # fmt: skip


def _said(row: dict[str, Any], kind: str, words: str, about: str) -> Said:
    return Said(
        str(row.get("id", "")), kind, str(row.get("username") or "somebody"), str(row.get(words, "")),
        parsed(row.get("timestamp")), about, str(row.get("permalink") or ""),
    )  # fmt: skip
