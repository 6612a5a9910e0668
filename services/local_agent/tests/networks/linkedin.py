"""LinkedIn's REST interface: versioned, with a two-step upload; the same words twice are refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from demo.network import Answer, Asked, Outside

AUTHOR = "urn:li:organization:5"
RESERVED = re.compile(r"(?<!\\)[|{}@\[\]()<>*_~]")


@dataclass
class LinkedInServer(Outside):
    """One organisation."""

    images: dict[str, bytes] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def acts(self, asked: Asked) -> bool:
        return asked.verb == "POST" and (asked.path == "/rest/posts" or asked.path.endswith("/comments"))

    def limited(self) -> Answer:
        return Answer(429, {"status": 429, "code": "TOO_MANY_REQUESTS", "message": "Resource level throttle limit"})

    def broken(self) -> Answer:
        return Answer(500, {"status": 500, "message": "Internal Server Error"})

    def answer(self, asked: Asked) -> Answer:
        if asked.verb == "PUT":
            self.images[asked.path.rpartition("/")[2]] = asked.raw
            return Answer(201)
        if not self.has_token(asked):
            return Answer(401, {"status": 401, "code": "REVOKED_ACCESS_TOKEN", "message": "The token is revoked"})
        if not re.fullmatch("20[0-9]{4}", asked.headers.get("linkedin-version", "")):
            return Answer(400, {"status": 400, "code": "VERSION_MISSING", "message": "A version must be present"})
        match (asked.verb, asked.path.strip("/").split("/")):
            case ("POST", ["rest", "images"]):
                assert asked.json["initializeUploadRequest"]["owner"] == AUTHOR
                image = f"urn:li:image:{len(self.images)}"
                self.images[image] = b""
                return Answer(200, {"value": {"uploadUrl": f"{self.url}/upload/{image}", "image": image}})
            case ("POST", ["rest", "posts"]):
                return self._publish(asked.json)
            case ("GET", ["rest", "posts"]):
                rows = [effect["row"] for effect in reversed(self.effects) if "row" in effect]
                return Answer(200, {"elements": rows[: int(asked.query["count"])]})
            case ("POST", ["rest", "socialActions", urn, "comments"]):
                return self._comment(urn, asked.json)
            case ("GET", ["rest", "socialActions", urn, "comments"]):
                return Answer(200, {"elements": self.comments.get(urn, [])})
            case ("GET", ["rest", "socialActions", urn]):
                counted = {"aggregatedTotalComments": len(self.comments.get(urn, []))}
                return Answer(200, {"likesSummary": {"totalLikes": 4}, "commentsSummary": counted})
        return Answer(404, {"status": 404, "message": "No virtual resource found"})

    def commented(self, about: str, who: str, text: str, id_: str = "urn:li:comment:9") -> None:
        """Somebody writes below a post of ours."""
        row = {"commentUrn": id_, "actor": who, "message": {"text": text}, "created": {"time": self._time()}}
        self.comments.setdefault(about, []).append(row)

    def _time(self) -> int:
        return int(self.clock().timestamp() * 1000)

    def _publish(self, body: dict[str, Any]) -> Answer:
        words = body["commentary"]
        if RESERVED.search(words):
            return Answer(400, {"status": 400, "message": "commentary: unescaped reserved character"})
        plain = re.sub(r"\\(.)", r"\1", words)
        if any(effect["text"] == plain for effect in self.effects):
            return Answer(
                422, {"status": 422, "code": "DUPLICATE_POST", "message": "Content is a duplicate of urn:li:share:1"}
            )
        content = body.get("content", {})
        single = content.get("media")
        shown = content.get("multiImage", {}).get("images", [single] if single else [])
        if any(not self.images.get(one["id"]) for one in shown):
            return Answer(400, {"status": 400, "message": "content: the image was not uploaded"})
        id_ = f"urn:li:share:{1000 + len(self.effects)}"
        row = {"id": id_, "author": body["author"], "commentary": words, "publishedAt": self._time()}
        self.effects.append({
            "id": id_, "text": plain, "answers": None, "pictures": shown, "link": content.get("article"), "row": row,
        })  # fmt: skip
        return Answer(201, None, {"x-restli-id": id_})

    def _comment(self, urn: str, body: dict[str, Any]) -> Answer:
        id_ = f"urn:li:comment:({urn},{len(self.effects)})"
        self.commented(urn, body["actor"], body["message"]["text"], id_)
        self.effects.append({"id": id_, "text": body["message"]["text"], "answers": urn, "pictures": []})
        return Answer(201, None, {"x-restli-id": id_})
