"""X: signed requests, its own shortened links, and no patience for the same words twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from demo.network import Answer, Asked, Outside
from local_agent.networks.oauth1 import Keys, OAuth1

KEYS = Keys("consumer", "consumer-secret", "token", "token-secret")


@dataclass
class XServer(Outside):
    """User 42."""

    media: dict[str, str] = field(default_factory=dict)
    mentions: list[dict[str, Any]] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)

    def acts(self, asked: Asked) -> bool:
        return (asked.verb, asked.path) == ("POST", "/2/tweets")

    def limited(self) -> Answer:
        return Answer(429, {"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429})

    def broken(self) -> Answer:
        return Answer(503, {"title": "Service Unavailable", "detail": "Service Unavailable", "status": 503})

    def answer(self, asked: Asked) -> Answer:
        if not self._is_signed(asked):
            return Answer(401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401})
        match (asked.verb, asked.path.strip("/").split("/")):
            case ("POST", ["2", "tweets"]):
                return self._publish(asked.json)
            case ("POST", ["2", "media", "upload"]):
                id_ = str(700 + len(self.media))
                self.media[id_] = ""
                return Answer(200, {"data": {"id": id_, "media_key": f"3_{id_}"}})
            case ("POST", ["2", "media", "metadata"]):
                self.media[asked.json["id"]] = asked.json["metadata"]["alt_text"]["text"]
                return Answer(200, {"data": {"id": asked.json["id"]}})
            case ("GET", ["2", "users", "me"]):
                return Answer(200, {"data": {"id": "42", "username": "able"}})
            case ("GET", ["2", "users", "42", "tweets"]):
                rows = [one["row"] for one in reversed(self.effects)]
                return Answer(200, {"data": rows[: int(asked.query["max_results"])], "meta": {}})
            case ("GET", ["2", "users", "42", "mentions"]):
                users = [{"id": "8", "username": "ann"}]
                return Answer(200, {"data": self.mentions, "includes": {"users": users}})
        return Answer(404, {"title": "Not Found Error", "detail": "Not Found", "status": 404})

    def mentioned(self, _who: str, text: str, id_: str = "901") -> None:
        """Ann writes to us."""
        self.mentions.append({"id": id_, "author_id": "8", "text": text, "created_at": self.time()})

    def _is_signed(self, asked: Asked) -> bool:
        """By the keys of this user, over this very call, and not seen before."""
        given = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers.get("authorization", "")))
        nonce, at = given.get("oauth_nonce", ""), given.get("oauth_timestamp", "0")
        if not nonce or nonce in self.nonces:
            return False
        self.nonces.add(nonce)
        query = "&".join(f"{name}={value}" for name, value in asked.query.items())
        url = f"{self.url}{asked.path}{'?' if query else ''}{query}"
        wanted = OAuth1(KEYS, nonce=lambda: nonce, now=lambda: int(at)).header(asked.verb, url)
        return asked.headers["authorization"] == wanted

    def _publish(self, body: dict[str, Any]) -> Answer:
        text = body.get("text", "")
        if any(one["text"] == text for one in self.effects):
            told = "You are not allowed to create a Tweet with duplicate content."
            return Answer(403, {"title": "Forbidden", "detail": told, "status": 403, "type": "about:blank"})
        shown = body.get("media", {}).get("media_ids", [])
        if any(id_ not in self.media for id_ in shown) or not (text or shown):
            return Answer(
                400, {"title": "Invalid Request", "detail": "One or more parameters was invalid.", "status": 400}
            )
        id_ = str(100 + len(self.effects))
        urls = re.findall(r"https?://\S+?(?=[.,)]?(?:\s|$))", text)
        short = text
        entities = []
        for number, url in enumerate(urls):
            made = f"https://t.co/{id_}x{number}"
            short = short.replace(url, made, 1)
            entities.append({"url": made, "expanded_url": url})
        if shown:
            short += f" https://t.co/{id_}m"
            entities.append({"url": f"https://t.co/{id_}m", "expanded_url": "https://x.com/p", "media_key": "3_1"})
        row = {
            "id": id_, "text": short.replace("&", "&amp;").replace("<", "&lt;"), "created_at": self.time(),
            "entities": {"urls": entities},
            "public_metrics": {"like_count": 3, "retweet_count": 2, "reply_count": 1, "impression_count": 99},
        }  # fmt: skip
        self.effects.append({
            "id": id_, "text": text, "answers": body.get("reply", {}).get("in_reply_to_tweet_id"), "pictures": shown,
            "row": row,
        })  # fmt: skip
        return Answer(201, {"data": {"id": id_, "text": short}})
