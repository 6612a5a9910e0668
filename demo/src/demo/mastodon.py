"""A Mastodon server: statuses with an Idempotency-Key, media that takes a moment, notifications."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

from demo.network import Answer, Asked, Outside


@dataclass
class MastodonServer(Outside):
    """One account, number 7."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: dict[str, int] = field(default_factory=dict)
    notifications: list[dict[str, Any]] = field(default_factory=list)

    def acts(self, asked: Asked) -> bool:
        return (asked.verb, asked.path) == ("POST", "/api/v1/statuses")

    def answer(self, asked: Asked) -> Answer:
        if not self.has_token(asked):
            return Answer(401, {"error": "The access token is invalid"})
        match (asked.verb, asked.path.strip("/").split("/")):
            case ("POST", ["api", "v1", "statuses"]):
                return self._publish(asked)
            case ("POST", ["api", "v2", "media"]):
                assert b"filename=" in asked.raw
                self.media[str(len(self.media) + 1)] = 0
                return Answer(202, {"id": str(len(self.media)), "url": None})
            case ("GET", ["api", "v1", "media", id_]):
                self.media[id_] += 1
                return Answer(206 if self.media[id_] < 2 else 200, {"id": id_})
            case ("GET", ["api", "v1", "accounts", "verify_credentials"]):
                return Answer(200, {"id": "7", "acct": "able"})
            case ("GET", ["api", "v1", "accounts", "7", "statuses"]):
                return Answer(200, [effect["row"] for effect in reversed(self.effects)][: int(asked.query["limit"])])
            case ("GET", ["api", "v1", "notifications"]):
                return Answer(200, self.notifications)
        return Answer(404, {"error": "Record not found"})

    def mentioned(self, who: str, text: str, id_: str = "900") -> None:
        """Somebody writes to us."""
        status = {"id": id_, "content": f"<p>{html.escape(text)}</p>", "created_at": self.time(), "url": None}
        self.notifications.append({"id": id_, "type": "mention", "account": {"acct": who}, "status": status})

    def _publish(self, asked: Asked) -> Answer:
        key, body = asked.headers.get("idempotency-key", ""), asked.json
        if key in self.keys:
            return Answer(200, self.keys[key])
        if len(body["status"]) > 5000:
            return Answer(422, {"error": "Validation failed: Text limit of 500 exceeded"})
        if any(self.media.get(id_, 0) < 2 for id_ in body.get("media_ids", [])):
            return Answer(422, {"error": "Cannot attach files that have not finished processing"})
        id_ = str(100 + len(self.effects))
        text = html.escape(body["status"]).replace("\n\n", "</p><p>").replace("\n", "<br>")
        row = {
            "id": id_, "content": f"<p>{text}</p>", "created_at": self.time(), "url": f"{self.url}/@able/{id_}",
            "favourites_count": 3, "reblogs_count": 2, "replies_count": 1,
        }  # fmt: skip
        self.effects.append({
            "id": id_, "text": body["status"], "answers": body.get("in_reply_to_id"),
            "pictures": body.get("media_ids", []), "row": row,
        })  # fmt: skip
        if key:
            self.keys[key] = row
        return Answer(200, row)
