"""Mastodon: statuses with an Idempotency-Key, which the server honours for an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from local_agent.networks.http import Http, within
from local_agent.networks.network import NotPublished, OwnPost, Picture, Post, Said
from local_agent.networks.texts import of_html, same
from local_agent.networks.times import parsed
from vault_protocol.social_action import Network as Name

LOOKS = 30
"""How often a picture is looked at until the server has worked on it, a second between."""


class Mastodon:
    """Implements `Network` over one instance."""

    name: Name = "mastodon"
    absence_is_sure = False

    def __init__(self, http: Http, *, wait: Callable[[float], object]) -> None:
        self._http, self._wait = http, wait
        self._me = ""

    def upload(self, picture: Picture) -> str:
        made = self._http.harmless(
            "POST", "/api/v2/media", data={"description": picture.alt},
            files={"file": (picture.name, picture.content, picture.media_type)},
        )  # fmt: skip
        id_ = made.text("id")
        for _ in range(LOOKS if made.status == 202 else 0):
            if self._http.get(within("api", "v1", "media", id_)).status == 200:
                return id_
            self._wait(1)
        if made.status == 202:
            raise NotPublished("the server has not worked on the picture in time")
        return id_

    def create(self, post: Post) -> str:
        body: dict[str, Any] = {"status": post.text, "visibility": "public"}
        if post.pictures:
            body["media_ids"] = [id_ for id_, _ in post.pictures]
        if post.answers:
            body["in_reply_to_id"] = post.answers
        if post.language:
            body["language"] = post.language.partition("-")[0]
        return self._http.post("/api/v1/statuses", json=body, headers={"Idempotency-Key": post.key}).text("id")

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        return [one for one in self.own(since=since, most=40) if same(one.text, post.text)]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        if not self._me:
            self._me = self._http.get("/api/v1/accounts/verify_credentials").text("id")
        path = within("api", "v1", "accounts", self._me, "statuses")
        rows = self._http.get(path, exclude_reblogs="true", limit=min(most, 40))
        return [one for one in map(_own, rows.rows()) if one.at >= since][:most]

    def close(self) -> None:
        self._http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        rows = self._http.get("/api/v1/notifications?types[]=mention", limit=min(most, 40)).rows()
        return [one for one in _said(rows) if one.at >= since][:most]


def _own(row: dict[str, Any]) -> OwnPost:
    figures = {
        "likes": row.get("favourites_count"), "shares": row.get("reblogs_count"), "answers": row.get("replies_count")
    }  # fmt: skip
    return OwnPost(
        str(row.get("id", "")), of_html(str(row.get("content", ""))), parsed(row.get("created_at")),
        str(row.get("url") or ""), {name: count for name, count in figures.items() if isinstance(count, int)},
    )  # fmt: skip


def _said(rows: Sequence[dict[str, Any]]) -> Iterator[Said]:
    for row in rows:
        status, who = row.get("status"), row.get("account")
        if row.get("type") == "mention" and isinstance(status, dict) and isinstance(who, dict):
            yield Said(
                str(status.get("id", "")), "mention", str(who.get("acct", "")), of_html(str(status.get("content", ""))),
                parsed(status.get("created_at")), str(status.get("in_reply_to_id") or ""), str(status.get("url") or ""),
            )  # fmt: skip
