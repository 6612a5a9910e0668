"""LinkedIn's REST interface: versioned by month, posts as a member or an organisation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from local_agent.networks.http import Http, Reply, within
from local_agent.networks.network import AnswerLost, NotPublished, OwnPost, Picture, Post, RefusedThere, Said
from local_agent.networks.texts import same
from local_agent.networks.times import parsed
from vault_protocol.social_action import Network as Name

_RESERVED = re.compile(r"[|{}@\[\]()<>\\*_~]|#(?![^\W_])")
"""What the little text format of a post would read as a mention, a tag or markup; a hashtag stays one."""
_ESCAPED = re.compile(r"\\(.)")
WATCHED = 10
"""Of so many of our newest posts figures and comments are read, each with calls of its own."""


def escaped(text: str) -> str:
    return _RESERVED.sub(r"\\\g<0>", text)


class LinkedIn:
    """Implements `Network` for one author, `urn:li:person:…` or `urn:li:organization:…`."""

    name: Name = "linkedin"
    absence_is_sure = False

    def __init__(self, http: Http, *, author: str) -> None:
        self._http, self._author = http, author

    def upload(self, picture: Picture) -> str:
        asked = {"initializeUploadRequest": {"owner": self._author}}
        made = self._http.harmless("POST", "/rest/images?action=initializeUpload", json=asked)
        try:
            where, image = made.text("value", "uploadUrl"), made.text("value", "image")
        except AnswerLost as error:
            raise NotPublished(str(error)) from None
        if not self._is_theirs(where):
            raise NotPublished("the address to upload to is not LinkedIn's")
        self._http.harmless("PUT", where, content=picture.content, headers={"Content-Type": picture.media_type})
        return image

    def create(self, post: Post) -> str:
        if post.answers:
            body = {"actor": self._author, "object": post.answers, "message": {"text": post.text}}
            made = self._sent(within("rest", "socialActions", post.answers, "comments"), body)
        else:
            made = self._sent("/rest/posts", self._post(post))
        id_ = made.headers.get("x-restli-id", "")
        if not id_:
            raise AnswerLost("the answer names no id")
        return id_

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        if post.answers:
            said = self._comments(post.answers)
            return [
                OwnPost(one.id, one.text, one.at)
                for one in said
                if one.who == self._author and one.at >= since and same(one.text, post.text)
            ]
        return [one for one in self._posts(50) if one.at >= since and same(one.text, post.text)]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        found = [one for one in self._posts(most) if one.at >= since]
        return [OwnPost(one.id, one.text, one.at, one.url, self._figures(one.id)) for one in found[:WATCHED]]

    def close(self) -> None:
        self._http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        found = [one for post in self._posts(WATCHED) for one in self._comments(post.id)]
        ours = [one for one in found if one.who != self._author and one.at >= since]
        return sorted(ours, key=lambda one: one.at, reverse=True)[:most]

    def _post(self, post: Post) -> dict[str, Any]:
        body: dict[str, Any] = {
            "author": self._author, "commentary": escaped(post.text), "visibility": "PUBLIC",
            "distribution": {
                "feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []
            },
            "lifecycleState": "PUBLISHED", "isReshareDisabledByAuthor": False,
        }  # fmt: skip
        shown = [{"id": id_, "altText": picture.alt} for id_, picture in post.pictures]
        if len(shown) == 1:
            body["content"] = {"media": shown[0]}
        elif shown:
            body["content"] = {"multiImage": {"images": shown}}
        elif post.link:
            body["content"] = {"article": {"source": post.link, "title": post.title}}
        return body

    def _sent(self, path: str, body: dict[str, Any]) -> Reply:
        reply = self._http.ask("POST", path, json=body)
        if reply.status == 422 and "DUPLICATE" in str(reply.body).upper():
            raise AnswerLost("LinkedIn says that it has such a post already")
        return self._http.checked(reply)

    def _posts(self, most: int) -> list[OwnPost]:
        reply = self._http.get(
            "/rest/posts", headers={"X-RestLi-Method": "FINDER"}, q="author", author=self._author,
            count=min(most, 100), sortBy="CREATED",
        )  # fmt: skip
        return [
            OwnPost(
                str(row.get("id", "")), _ESCAPED.sub(r"\1", str(row.get("commentary", ""))),
                parsed(row.get("publishedAt") or row.get("createdAt")),
                f"https://www.linkedin.com/feed/update/{row.get('id', '')}/",
            )
            for row in reply.rows("elements")
        ]  # fmt: skip

    def _figures(self, urn: str) -> dict[str, int]:
        try:
            body = self._http.get(within("rest", "socialActions", urn)).body
        except RefusedThere:
            return {}
        likes, comments = (body or {}).get("likesSummary"), (body or {}).get("commentsSummary")
        found = {
            "likes": likes.get("totalLikes") if isinstance(likes, dict) else None,
            "answers": comments.get("aggregatedTotalComments") if isinstance(comments, dict) else None,
        }
        return {name: count for name, count in found.items() if isinstance(count, int)}

    def _comments(self, urn: str) -> list[Said]:
        rows = self._http.get(within("rest", "socialActions", urn, "comments"), count=50).rows("elements")
        return [_comment(row, urn) for row in rows]

    def _is_theirs(self, address: str) -> bool:
        parts, ours = urlsplit(address), urlsplit(self._http.base)
        host = parts.hostname or ""
        return (parts.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com"))) or (
            (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)
        )


def _comment(row: dict[str, Any], urn: str) -> Said:
    message, created = row.get("message"), row.get("created")
    return Said(
        str(row.get("commentUrn") or row.get("id") or ""), "comment", str(row.get("actor", "")),
        str(message.get("text", "")) if isinstance(message, dict) else "",
        parsed(created.get("time") if isinstance(created, dict) else None), urn,
    )  # fmt: skip
