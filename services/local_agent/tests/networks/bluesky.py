"""A Bluesky server: sessions, blobs, and records under keys; a key is taken once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from demo.network import Answer, Asked, Outside

DID = "did:plc:able"
TID = re.compile("[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


@dataclass
class BlueskyServer(Outside):
    """One account, `able.example`; `expire` makes the session a thing of the past."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 0
    blobs: int = 0

    def acts(self, asked: Asked) -> bool:
        return asked.path == "/xrpc/com.atproto.repo.createRecord" and self._in_session(asked)

    def expire(self) -> None:
        self.sessions += 1

    def limited(self) -> Answer:
        return Answer(429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"})

    def _in_session(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer session-{self.sessions}"

    def answer(self, asked: Asked) -> Answer:
        method = asked.path.removeprefix("/xrpc/")
        if method == "com.atproto.server.createSession":
            if asked.json != {"identifier": "able.example", "password": self.token}:
                return Answer(401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"})
            return Answer(200, {"did": DID, "accessJwt": f"session-{self.sessions}", "refreshJwt": "r"})
        if not self._in_session(asked):
            return Answer(400, {"error": "ExpiredToken", "message": "Token has expired"})
        match method:
            case "com.atproto.repo.uploadBlob":
                self.blobs += 1
                kind = asked.headers["content-type"]
                blob = {
                    "$type": "blob",
                    "ref": {"$link": f"bafy{self.blobs}"},
                    "mimeType": kind,
                    "size": len(asked.raw),
                }
                return Answer(200, {"blob": blob})
            case "com.atproto.repo.createRecord":
                return self._create(asked.json)
            case "com.atproto.repo.getRecord":
                found = self.records.get(asked.query["rkey"]) if asked.query["repo"] == DID else None
                return Answer(200, found) if found else Answer(400, {"error": "RecordNotFound", "message": "no"})
            case "com.atproto.identity.resolveHandle":
                known = asked.query["handle"] == "ann.example"
                return Answer(200, {"did": "did:plc:ann"}) if known else Answer(400, {"error": "InvalidRequest"})
            case "app.bsky.feed.getPosts":
                wanted = [one for one in self._posts() if one["uri"] == asked.query["uris"]]
                return Answer(200, {"posts": wanted})
            case "app.bsky.feed.getAuthorFeed":
                return Answer(200, {"feed": [{"post": one} for one in reversed(self._posts())]})
            case "app.bsky.notification.listNotifications":
                return Answer(200, {"notifications": self.notifications})
        return Answer(501, {"error": "MethodNotImplemented"})

    def mentioned(self, who: str, text: str, id_: str = "3mention") -> None:
        """Somebody writes to us."""
        self.notifications.append({
            "uri": f"at://did:plc:x/app.bsky.feed.post/{id_}", "reason": "mention", "author": {"handle": who},
            "record": {"text": text}, "indexedAt": self.time(),
        })  # fmt: skip

    def _create(self, body: dict[str, Any]) -> Answer:
        key, record = body["rkey"], body["record"]
        assert TID.fullmatch(key), key
        if key in self.records:
            return Answer(400, {"error": "InvalidRequest", "message": f"Could not find a place for {key}: it is taken"})
        if len(record["text"]) > 3000:
            return Answer(
                400, {"error": "InvalidRequest", "message": "Record/text must not be longer than 300 graphemes"}
            )
        reply = record.get("reply")
        if reply and not all(end["cid"] for end in reply.values()):
            return Answer(400, {"error": "InvalidRequest", "message": "Record/reply/parent/cid must be a cid"})
        uri = f"at://{DID}/app.bsky.feed.post/{key}"
        self.records[key] = {"uri": uri, "cid": f"bafyrei{len(self.records)}", "value": record}
        embed = record.get("embed", {})
        self.effects.append({
            "id": uri, "text": record["text"], "answers": reply and reply["parent"]["uri"],
            "root": reply and reply["root"]["uri"], "pictures": embed.get("images", []), "record": record,
        })  # fmt: skip
        return Answer(200, {"uri": uri, "cid": self.records[key]["cid"]})

    def _posts(self) -> list[dict[str, Any]]:
        return [
            {
                "uri": one["uri"], "cid": one["cid"], "record": one["value"], "author": {"handle": "able.example"},
                "likeCount": 3, "repostCount": 2, "replyCount": 1,
            }
            for one in self.records.values()
        ]  # fmt: skip
