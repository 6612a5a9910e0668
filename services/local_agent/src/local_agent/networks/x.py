"""X, version 2 of its interface. It has no idempotency; it refuses the same words twice, which proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local_agent.networks.http import Http, Reply, reason
from local_agent.networks.network import AnswerLost, NotPublished, OwnPost, Picture, Post, Said
from local_agent.networks.texts import same
from local_agent.networks.times import parsed
from vault_protocol.social_action import Network as Name

_FIELDS = "created_at,entities,note_tweet,public_metrics"


class X:
    """Implements `Network` for the user whose keys these are."""

    name: Name = "x"
    absence_is_sure = False

    def __init__(self, http: Http) -> None:
        self._http = http
        self._me = ""

    def upload(self, picture: Picture) -> str:
        kind = "tweet_gif" if picture.media_type == "image/gif" else "tweet_image"
        made = self._http.harmless(
            "POST", "/2/media/upload", data={"media_category": kind},
            files={"media": (picture.name, picture.content, picture.media_type)},
        )  # fmt: skip
        try:
            id_ = made.text("data", "id")
        except AnswerLost as error:
            raise NotPublished(str(error)) from None
        if picture.alt:
            described = {"id": id_, "metadata": {"alt_text": {"text": picture.alt}}}
            self._http.harmless("POST", "/2/media/metadata", json=described)
        return id_

    def create(self, post: Post) -> str:
        body: dict[str, Any] = {"text": post.text} if post.text else {}
        if post.pictures:
            body["media"] = {"media_ids": [id_ for id_, _ in post.pictures]}
        if post.answers:
            body["reply"] = {"in_reply_to_tweet_id": post.answers}
        reply = self._http.ask("POST", "/2/tweets", json=body)
        if reply.status == 403 and "duplicate" in reason(reply.body).lower():
            raise AnswerLost("X says that it has these words from us already")
        return self._http.checked(reply).text("data", "id")

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        return [one for one in self.own(since=since, most=100) if same(one.text, post.text)]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        rows = self._listed("tweets", since, most).rows("data")
        return [one for one in (_own(row) for row in rows) if one.at >= since][:most]

    def close(self) -> None:
        self._http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        reply = self._listed("mentions", since, most, expansions="author_id", **{"user.fields": "username"})
        names = {str(user.get("id")): str(user.get("username", "")) for user in reply.rows("includes", "users")}
        found = [
            Said(
                str(row.get("id", "")), "mention", names.get(str(row.get("author_id")), str(row.get("author_id", ""))),
                _text(row), parsed(row.get("created_at")), "", f"https://x.com/i/status/{row.get('id', '')}",
            )
            for row in reply.rows("data")
        ]  # fmt: skip
        return [one for one in found if one.at >= since][:most]

    def _listed(self, what: str, since: datetime, most: int, **more: str) -> Reply:
        if not self._me:
            try:
                self._me = self._http.get("/2/users/me").text("data", "id")
            except AnswerLost as error:
                raise NotPublished(str(error)) from None
        asked = {
            "max_results": str(max(5, min(most, 100))), "tweet.fields": _FIELDS,
            "start_time": since.strftime("%Y-%m-%dT%H:%M:%SZ"), **more,
        }  # fmt: skip
        return self._http.harmless("GET", f"/2/users/{self._me}/{what}", params=asked)


def _own(row: dict[str, Any]) -> OwnPost:
    metrics = row.get("public_metrics")
    counted = metrics if isinstance(metrics, dict) else {}
    figures = {
        "likes": counted.get("like_count"), "shares": counted.get("retweet_count"),
        "answers": counted.get("reply_count"), "seen": counted.get("impression_count"),
    }  # fmt: skip
    return OwnPost(
        str(row.get("id", "")), _text(row), parsed(row.get("created_at")),
        f"https://x.com/i/status/{row.get('id', '')}",
        {name: count for name, count in figures.items() if isinstance(count, int)},
    )  # fmt: skip


def _text(row: dict[str, Any]) -> str:
    """The words with the addresses that were meant, not those of X's shortener; those of pictures are left out."""
    note = row.get("note_tweet")
    long = note if isinstance(note, dict) and note.get("text") else row
    text, entities = str(long.get("text", "")), long.get("entities")
    for url in entities.get("urls", []) if isinstance(entities, dict) else []:
        if isinstance(url, dict) and url.get("url"):
            meant = "" if "media_key" in url else str(url.get("expanded_url", ""))
            text = text.replace(str(url["url"]), meant)
    return text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
