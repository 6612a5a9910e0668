"""Meta's Graph: a Facebook Page and an Instagram account that belongs to it; errors are numbers in the body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from demo.network import Answer, Asked, Outside

PAGE, USER = "55", "17"


def error(code: int, message: str, status: int = 400, **more: Any) -> Answer:
    return Answer(status, {"error": {"message": message, "type": "OAuthException", "code": code, **more}})


@dataclass
class GraphServer(Outside):
    """Page 55 and account 17."""

    photos: dict[str, str] = field(default_factory=dict)
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fails: str = ""
    """The state that containers end in, when not FINISHED."""

    def acts(self, asked: Asked) -> bool:
        return asked.verb == "POST" and asked.path.rpartition("/")[2] in (
            "feed", "comments", "media_publish", "replies"
        )  # fmt: skip

    def limited(self) -> Answer:
        return error(32, "Page request limit reached", 400)

    def broken(self) -> Answer:
        return error(2, "An unexpected error has occurred. Please retry your request later.", 500, is_transient=True)

    def answer(self, asked: Asked) -> Answer:
        if not self.has_token(asked):
            return error(190, "Error validating access token: the session has been invalidated")
        parts = asked.path.strip("/").split("/")
        if not parts[0].startswith("v"):
            return error(2635, "You are calling a deprecated version")
        match (asked.verb, parts[1:]):
            case ("POST", ["55", "photos"]):
                assert b'name="published"\r\n\r\nfalse' in asked.raw
                id_ = f"90{len(self.photos)}"
                self.photos[id_] = f"{self.url}/cdn/{id_}.jpg"
                return Answer(200, {"id": id_})
            case ("POST", ["55", "feed"]):
                return self._post(asked.form)
            case ("GET", ["55", "published_posts"]):
                return Answer(200, {"data": [one["row"] for one in reversed(self.effects) if "row" in one]})
            case ("GET", ["55", "tagged"] | ["17", "tags"]):
                return error(10, "Application does not have permission for this action", 403)
            case ("POST", ["17", "media"]):
                return self._container(asked.form)
            case ("POST", ["17", "media_publish"]):
                return self._publish(asked.form["creation_id"])
            case ("GET", ["17", "media"]):
                rows = [one["row"] for one in reversed(self.effects) if "row" in one]
                return Answer(200, {"data": rows})
            case ("POST", [about, "comments" | "replies"]):
                return self._comment(about, asked.form["message"])
            case ("GET", [about, "comments" | "replies"]):
                return Answer(200, {"data": self.comments.get(about, [])})
            case ("GET", [id_]) if id_ in self.photos:
                return Answer(200, {"images": [{"source": self.photos[id_]}], "id": id_})
            case ("GET", [id_]) if id_ in self.containers:
                container = self.containers[id_]
                container["looks"] += 1
                state = "IN_PROGRESS" if container["looks"] < 2 else self.fails or "FINISHED"
                return Answer(200, {"status_code": state, "id": id_})
        return error(100, f"Unsupported request: {asked.verb} {asked.path}")

    def commented(self, about: str, who: str, text: str, id_: str = "77") -> None:
        """Somebody writes below a post of ours."""
        row = {
            "id": id_, "message": text, "text": text, "created_time": self.time(), "timestamp": self.time(),
            "from": {"id": who, "name": who}, "username": who,
        }  # fmt: skip
        self.comments.setdefault(about, []).append(row)

    def _post(self, form: dict[str, str]) -> Answer:
        shown = [one["media_fbid"] for one in json.loads(form.get("attached_media", "[]"))]
        if any(id_ not in self.photos for id_ in shown):
            return error(100, "Invalid parameter: attached_media")
        if any(one["text"] == form.get("message") and one["id"].startswith("55_") for one in self.effects):
            return error(506, "Duplicate status message", error_subcode=1455006)
        id_ = f"{PAGE}_{len(self.effects)}"
        row = {
            "id": id_, "message": form.get("message", ""), "created_time": self.time().replace("Z", "+0000"),
            "permalink_url": f"https://www.facebook.com/{id_}", "shares": {"count": 2},
            "comments": {"data": [], "summary": {"total_count": 1}},
            "reactions": {"data": [], "summary": {"total_count": 5}},
        }  # fmt: skip
        self.effects.append({
            "id": id_, "text": form.get("message", ""), "answers": None, "pictures": shown, "link": form.get("link"),
            "row": row,
        })  # fmt: skip
        return Answer(200, {"id": id_})

    def _container(self, form: dict[str, str]) -> Answer:
        children = [one for one in form.get("children", "").split(",") if one]
        if not children and not form.get("image_url", "").startswith(f"{self.url}/cdn/"):
            return error(9004, "Only photo or video can be accepted as media type.")
        if any(one not in self.containers for one in children):
            return error(9007, "Media ID is not available")
        id_ = f"60{len(self.containers)}"
        self.containers[id_] = {"form": form, "looks": 0, "used": False, "pictures": children or [form["image_url"]]}
        return Answer(200, {"id": id_})

    def _publish(self, container: str) -> Answer:
        made = self.containers.get(container)
        if made is None or made["looks"] < 2:
            return error(9007, "Media ID is not available: the media is not ready for publishing")
        if made["used"]:
            return error(9007, "Media has been published already")
        made["used"] = True
        id_ = f"18{len(self.effects)}"
        text = made["form"].get("caption", "")
        row = {
            "id": id_, "caption": text, "timestamp": self.time().replace("Z", "+0000"), "like_count": 6,
            "comments_count": 1, "permalink": f"https://www.instagram.com/p/{id_}/",
        }  # fmt: skip
        self.effects.append({"id": id_, "text": text, "answers": None, "pictures": made["pictures"], "row": row})
        return Answer(200, {"id": id_})

    def _comment(self, about: str, text: str) -> Answer:
        id_ = f"{about}_{len(self.effects)}"
        self.commented(about, PAGE, text, id_)
        self.effects.append({"id": id_, "text": text, "answers": about, "pictures": []})
        return Answer(200, {"id": id_})
