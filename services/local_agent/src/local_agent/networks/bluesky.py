"""Bluesky: records under a key that we choose, so that a second try finds the first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from local_agent.networks.bluesky_text import facets
from local_agent.networks.http import Http, Reply
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished, OwnPost, Picture, Post, RefusedThere, Said
from local_agent.networks.times import parsed, spelled
from vault_protocol.social_action import Network as Name

POSTS = "app.bsky.feed.post"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH = 1_767_225_600_000_000
"""Microseconds: 2026-01-01. Our keys lie in the twelve days after it, so that they never sort among the future's."""


def record_key(key: str) -> str:
    """A record key of the form that posts have (a TID), made from the effect's key alone."""
    bits = int(key[:16], 16)
    number = ((_EPOCH + (bits & ((1 << 40) - 1))) << 10) | (bits >> 40 & 1023)
    return "".join(_SORTABLE[number >> 5 * place & 31] for place in range(12, -1, -1))


class Bluesky:
    """Implements `Network` over the server that holds the account's data."""

    name: Name = "bluesky"
    absence_is_sure = True
    """The server that takes the record is the one that is asked for it."""

    def __init__(self, http: Http, *, handle: str, password: str) -> None:
        self._http, self._handle, self._password = http, handle, password
        self._did = self._token = ""

    def upload(self, picture: Picture) -> str:
        made = self._renewed(
            lambda: self._http.harmless(
                "POST", "/xrpc/com.atproto.repo.uploadBlob", content=picture.content,
                headers={**self._login(), "Content-Type": picture.media_type},
            )
        )  # fmt: skip
        blob = made.body.get("blob") if isinstance(made.body, dict) else None
        if not isinstance(blob, dict):
            raise NotPublished("the answer to the upload names no blob")
        return json.dumps(blob)

    def create(self, post: Post) -> str:
        body = {
            "repo": self._me(), "collection": POSTS, "rkey": record_key(post.key), "validate": True,
            "record": self._record(post),
        }  # fmt: skip
        try:
            made = self._renewed(
                lambda: self._http.post("/xrpc/com.atproto.repo.createRecord", json=body, headers=self._login())
            )
        except RefusedThere:
            there = self._get_record(self._me(), record_key(post.key))
            if there is None:
                raise
            return str(there.get("uri", ""))  # an earlier try of ours, which took its time
        return made.text("uri")

    def published(self, post: Post, *, since: datetime) -> Sequence[OwnPost]:
        found = self._get_record(self._me(), record_key(post.key))
        if found is None:
            return []
        record = found.get("value")
        text, at = (record.get("text"), record.get("createdAt")) if isinstance(record, dict) else ("", "")
        return [OwnPost(str(found.get("uri", "")), str(text or ""), parsed(at))]

    def own(self, *, since: datetime, most: int) -> Sequence[OwnPost]:
        rows = self._read(
            "app.bsky.feed.getAuthorFeed", actor=self._me(), limit=min(most, 100), filter="posts_with_replies"
        ).rows("feed")
        posts = [row.get("post") for row in rows if "reason" not in row]
        found = [_own(one) for one in posts if isinstance(one, dict)]
        return [one for one in found if one.at >= since][:most]

    def close(self) -> None:
        self._http.close()

    def said(self, *, since: datetime, most: int) -> Sequence[Said]:
        rows = self._read("app.bsky.notification.listNotifications", limit=min(most, 100)).rows("notifications")
        found = [_said(row) for row in rows if row.get("reason") in ("mention", "reply", "quote")]
        return [one for one in found if one.at >= since][:most]

    def _record(self, post: Post) -> dict[str, Any]:
        record: dict[str, Any] = {"$type": POSTS, "text": post.text, "createdAt": spelled(post.at)}
        if post.language:
            record["langs"] = [post.language]
        if found := facets(post.text, self._resolve):
            record["facets"] = found
        if post.pictures:
            record["embed"] = {
                "$type": "app.bsky.embed.images",
                "images": [{"image": json.loads(blob), "alt": picture.alt} for blob, picture in post.pictures],
            }
        elif post.link:
            record["embed"] = {
                "$type": "app.bsky.embed.external",
                "external": {"uri": post.link, "title": post.title, "description": ""},
            }
        if post.answers:
            record["reply"] = self._reply(post.answers)
        return record

    def _reply(self, uri: str) -> dict[str, Any]:
        """Both ends of a thread, by address and content: its beginning and the post that is answered."""
        rows = self._read("app.bsky.feed.getPosts", uris=uri).rows("posts")
        parent: dict[str, Any] | None = None
        if rows:
            record = rows[0].get("record")
            parent = {"cid": rows[0].get("cid"), "value": record}
        else:  # what was published a moment ago may not have come round yet; its own server has it
            parts = uri.removeprefix("at://").split("/")
            parent = self._get_record(parts[0], parts[2]) if len(parts) == 3 else None
        if parent is None or not isinstance(parent.get("cid"), str):
            raise RefusedThere("the post that it answers is not there")
        value = parent.get("value")
        above = value.get("reply") if isinstance(value, dict) else None
        here = {"uri": uri, "cid": parent["cid"]}
        root = above.get("root") if isinstance(above, dict) else None
        return {"root": root if isinstance(root, dict) else here, "parent": here}

    def _get_record(self, repo: str, key: str) -> dict[str, Any] | None:
        reply = self._http_get("com.atproto.repo.getRecord", repo=repo, collection=POSTS, rkey=key)
        if reply.status in (400, 404) and isinstance(reply.body, dict) and reply.body.get("error") == "RecordNotFound":
            return None
        body = self._http.checked(reply).body
        return body if isinstance(body, dict) else None

    def _resolve(self, handle: str) -> str | None:
        reply = self._http_get("com.atproto.identity.resolveHandle", handle=handle)
        found = reply.body.get("did") if reply.status == 200 and isinstance(reply.body, dict) else None
        return found if isinstance(found, str) else None

    def _read(self, method: str, **params: str | int) -> Reply:
        return self._renewed(lambda: self._http.checked(self._http_get(method, **params)))

    def _http_get(self, method: str, **params: str | int) -> Reply:
        try:
            return self._http.ask("GET", f"/xrpc/{method}", params=params, headers=self._login())
        except AnswerLost as error:
            raise NotPublished(str(error)) from None

    def _me(self) -> str:
        self._login()
        return self._did

    def _login(self) -> dict[str, str]:
        if not self._token:
            given = {"identifier": self._handle, "password": self._password}
            made = self._http.harmless("POST", "/xrpc/com.atproto.server.createSession", json=given)
            try:
                self._did, self._token = made.text("did"), made.text("accessJwt")
            except AnswerLost as error:
                raise NotPublished(str(error)) from None
        return {"Authorization": f"Bearer {self._token}"}

    def _renewed(self, act: Callable[[], Reply]) -> Reply:
        """A session lasts two hours: what is refused for that is asked once more with a new one."""
        try:
            return act()
        except (BadLogin, RefusedThere) as error:
            if "xpired" not in str(error) and not isinstance(error, BadLogin):
                raise
            self._token = ""
            return act()


def _own(row: dict[str, Any]) -> OwnPost:
    record = row.get("record")
    value = record if isinstance(record, dict) else {}
    figures = {"likes": row.get("likeCount"), "shares": row.get("repostCount"), "answers": row.get("replyCount")}
    return OwnPost(
        str(row.get("uri", "")), str(value.get("text", "")), parsed(value.get("createdAt")), _url(row),
        {name: count for name, count in figures.items() if isinstance(count, int)},
    )  # fmt: skip


def _said(row: dict[str, Any]) -> Said:
    author, record = row.get("author"), row.get("record")
    who = author if isinstance(author, dict) else {}
    value = record if isinstance(record, dict) else {}
    return Said(
        str(row.get("uri", "")), str(row.get("reason", "")), str(who.get("handle", "")), str(value.get("text", "")),
        parsed(row.get("indexedAt")), str(row.get("reasonSubject") or ""), _url(row),
    )  # fmt: skip


def _url(row: dict[str, Any]) -> str:
    author = row.get("author")
    handle = author.get("handle", "") if isinstance(author, dict) else ""
    return f"https://bsky.app/profile/{handle}/post/{str(row.get('uri', '')).rpartition('/')[2]}" if handle else ""
