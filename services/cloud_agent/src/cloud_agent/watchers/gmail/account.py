"""What Cloud asks of one Gmail account: where its history stands, what is new since, what is there, one message."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self

from cloud_agent.watchers.faults import LoginRefused, Unreachable
from cloud_agent.watchers.gmail.access import Access
from cloud_agent.watchers.gmail.asking import Expired, Line, NotThere, TooLarge
from cloud_agent.watchers.mailbox_settings import GmailSettings

ME = "/gmail/v1/users/me"
PAGE = 500
"""The most that Gmail puts on one."""
MESSAGE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class HistoryGone(Exception):
    """Gmail has forgotten that far back (it keeps about a week): everything has to be looked at again."""


@dataclass(frozen=True)
class Step:
    """One entry of the history: when all its messages are handed over, `reached` is how far we are."""

    reached: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Fetched:
    raw: bytes
    received_at: datetime
    oversized: bool


class Account:
    """An open connection. Every call raises LoginRefused, GrantTooWide, Busy or Unreachable."""

    def __init__(self, settings: GmailSettings, access: Access, line: Line) -> None:
        self._settings, self._access, self._line = settings, access, line

    @classmethod
    @contextmanager
    def open(cls, settings: GmailSettings, access: Access) -> Iterator[Self]:
        with Line(
            settings.api_url, way_out=settings.way_out, timeout=settings.timeout_seconds, mailbox=settings.name
        ) as line:
            yield cls(settings, access, line)

    def now(self) -> int:
        """The id of the newest entry of the history."""
        with self._unfit():
            return int(self._get("/profile", {})["historyId"])

    def since(self, history: int) -> Iterator[Step]:
        """What came under the label after that entry, oldest first; the last step may hold no message.

        Raises HistoryGone.
        """
        query = {"startHistoryId": history, "labelId": self._settings.label, "maxResults": PAGE,
                 "historyTypes": ["messageAdded", "labelAdded"]}  # fmt: skip
        reached = history
        for page in self._pages("/history", query):
            with self._unfit():
                steps = [self._step(entry) for entry in page.get("history", ())]
                newest = int(page.get("historyId", reached))
            for step in steps:
                yield step
                reached = max(reached, step.reached)
            if "nextPageToken" not in page and newest > reached:
                yield Step(newest, ())

    def everything(self, since: date | None) -> list[str]:
        """The id of each message under the label that arrived on or after that day, oldest first."""
        query: dict[str, object] = {"labelIds": self._settings.label, "maxResults": PAGE}
        if since is not None:
            query["q"] = f"after:{int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp()) - 1}"
        found: dict[str, None] = {}
        for page in self._pages("/messages", query):
            with self._unfit():
                found |= dict.fromkeys(_id(entry) for entry in page.get("messages", ()))
        return list(reversed(found))

    def message(self, name: str) -> Fetched | None:
        """As it was received, or only its headers when it is too large; None when it is gone."""
        largest = self._settings.largest_bytes
        try:
            try:
                # base64 makes four of three; the rest of the answer is a few hundred bytes.
                said = self._get(f"/messages/{name}", {"format": "raw"}, largest=largest * 4 // 3 + 65536)
                with self._unfit():
                    raw = base64.b64decode(said["raw"] + "=" * (-len(said["raw"]) % 4), altchars=b"-_", validate=True)
                if len(raw) <= largest:
                    return Fetched(raw, self._arrival(said), oversized=False)
            except TooLarge:
                pass
            said = self._get(f"/messages/{name}", {"format": "metadata"})
        except NotThere:
            return None
        except TooLarge:
            raise Unreachable(f"mailbox {self._settings.name}: {name} has headers without end") from None
        with self._unfit():
            pairs = [(str(pair["name"]), str(pair["value"])) for pair in said["payload"]["headers"]]
        lines = [f"{key}: {' '.join(value.split())}" for key, value in pairs]
        return Fetched("\r\n".join([*lines, "", ""]).encode("utf-8", "replace"), self._arrival(said), oversized=True)

    def _arrival(self, said: dict[str, Any]) -> datetime:
        with self._unfit():
            return datetime.fromtimestamp(int(said["internalDate"]) / 1000, UTC)

    def _step(self, entry: dict[str, Any]) -> Step:
        label, found = self._settings.label, dict[str, None]()
        for added in entry.get("messagesAdded", ()):
            if label in added["message"].get("labelIds", (label,)):
                found[_id(added["message"])] = None
        for labelled in entry.get("labelsAdded", ()):
            if label in labelled.get("labelIds", ()):
                found[_id(labelled["message"])] = None
        return Step(int(entry["id"]), tuple(found))

    def _pages(self, path: str, query: dict[str, object]) -> Iterator[dict[str, Any]]:
        seen = set[str]()
        while True:
            try:
                page = self._get(path, query)
            except NotThere:
                raise HistoryGone from None
            except TooLarge:
                raise Unreachable(f"mailbox {self._settings.name}: an answer without end") from None
            yield page
            following = page.get("nextPageToken")
            if following is None:
                return
            if not isinstance(following, str) or following in seen:
                raise Unreachable(f"mailbox {self._settings.name}: its pages go round in a circle")
            seen.add(following)
            query = {**query, "pageToken": following}

    def _get(self, path: str, query: dict[str, object], **bounds: int) -> dict[str, Any]:
        """With a token; one that is not taken any more is renewed, once."""
        try:
            return self._line.get(ME + path, query, token=self._access.token(), **bounds)
        except Expired:
            self._access.void()
        try:
            return self._line.get(ME + path, query, token=self._access.token(), **bounds)
        except Expired:
            self._access.void()
            raise LoginRefused(f"mailbox {self._settings.name}: Gmail does not take its grant; log in again") from None

    @contextmanager
    def _unfit(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, binascii.Error) as error:
            raise Unreachable(
                f"mailbox {self._settings.name}: an answer that is none of Gmail's ({type(error).__name__})"
            ) from None


def _id(message: dict[str, Any]) -> str:
    """Raises ValueError for what would be another path."""
    name = message["id"]
    if not MESSAGE_ID.fullmatch(name):
        raise ValueError("no message id")
    return str(name)
