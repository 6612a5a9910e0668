"""Gmail's API as its documentation describes it, for who sends: consent, tokens, send, search, read, list, labels."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from typing import Any
from urllib.parse import urlencode

from services.local_agent.tests.outside import Call, Provider, Reply

MESSAGES = "/gmail/v1/users/me/messages"
SECRET = json.dumps({"client_id": "id", "client_secret": "a client secret", "refresh_token": "a refresh token"})


def error(status: int, reason: str, words: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": words, "errors": [{"reason": reason}]}})


@dataclass
class GmailServer(Provider):
    """`sent` is everything that went out, in order; the mailbox shows it under SENT. `reads`: the token may read."""

    reads: bool = True
    refresh_token: str = "a refresh token"
    tokens: int = 0
    sent: list[bytes] = field(default_factory=list)
    boxes: dict[str, tuple[list[str], bytes]] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    """Of the messages in the inbox: Gmail's internalDate, in milliseconds."""
    scope: str = ""
    """What the owner grants when it is not all that is asked for."""
    address: str = "me@home.example"
    refused: str = ""
    asked_about: list[str] = field(default_factory=list)
    """Of which messages the headers were asked for."""
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    lose_sent: bool = False
    """What was sent does not show in the mailbox."""

    def arrive(self, id_: str, raw: bytes, at: datetime, *labels: str) -> None:
        """A message comes in."""
        self.boxes[id_], self.arrived[id_] = (list(labels or ("INBOX",)), raw), int(at.timestamp() * 1000)

    def acts(self, call: Call) -> bool:
        return call.path.endswith("/send")

    def reply(self, call: Call) -> Reply:
        if call.path == "/token":
            return self._token(call)
        if call.path == "/consent":
            return self._consent(call)
        if call.headers.get("authorization") != f"Bearer access-{self.tokens}":
            return error(401, "authError", "Invalid Credentials")
        if call.path.endswith(f"{MESSAGES}/send"):
            return self._send(call)
        if not self.reads:
            return error(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        if call.path == "/gmail/v1/users/me/profile":
            return Reply(200, {"emailAddress": self.address, "messagesTotal": len(self.boxes)})
        if call.path == MESSAGES:
            return self._list(call)
        if call.path == "/gmail/v1/users/me/labels":
            return Reply(200, {"labels": [{"id": "Label_7", "name": "Countersigned"}, {"id": "SENT", "name": "SENT"}]})
        if found := re.fullmatch(rf"{MESSAGES}/([^/]+)(/modify)?", call.path):
            if found[1] not in self.boxes:
                return error(404, "notFound", "Requested entity was not found.")
            labels, raw = self.boxes[found[1]]
            if call.query.get("format") == "metadata":
                return self._about(found[1], raw)
            if found[2]:
                labels += call.body["addLabelIds"]
            return Reply(200, {"id": found[1], "labelIds": labels, "raw": urlsafe_b64encode(raw).decode()})
        return error(404, "notFound", "Not Found")

    def _about(self, id_: str, raw: bytes) -> Reply:
        self.asked_about.append(id_)
        named = message_from_bytes(raw)["Message-ID"]
        headers = [] if named is None else [{"name": "Message-Id", "value": str(named)}]
        at = str(self.arrived.get(id_, 0))
        return Reply(200, {"id": id_, "internalDate": at, "payload": {"headers": headers}})

    def _consent(self, call: Call) -> Reply:
        """The browser of an owner who says yes, or `refused`."""
        back, state = call.query["redirect_uri"], call.query["state"]
        if self.refused:
            return Reply(302, {}, {"Location": f"{back}/?{urlencode({'error': self.refused, 'state': state})}"})
        code = f"4/code-{len(self.codes)}"
        self.codes[code] = call.query
        return Reply(302, {}, {"Location": f"{back}/?{urlencode({'code': code, 'state': state})}"})

    def _exchange(self, form: Mapping[str, str]) -> Reply:
        """A code is good once, for who has the verifier, at the address that was named."""
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return Reply(400, {"error": "invalid_grant", "error_description": "Malformed auth code."})
        self.tokens += 1
        said = {"access_token": f"access-{self.tokens}", "expires_in": 3599, "token_type": "Bearer"}
        return Reply(200, {**said, "refresh_token": self.refresh_token, "scope": self.scope or asked["scope"]})

    def _token(self, call: Call) -> Reply:
        if call.body["grant_type"] == "authorization_code":
            return self._exchange(call.body)
        if call.body["refresh_token"] != self.refresh_token or call.body["grant_type"] != "refresh_token":
            return Reply(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        self.tokens += 1
        return Reply(200, {"access_token": f"access-{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})

    def _send(self, call: Call) -> Reply:
        raw = call.raw if call.path.startswith("/upload") else urlsafe_b64decode(call.body["raw"])
        parsed = message_from_bytes(raw)
        if "@bad.example" in str(parsed["To"]):
            return error(400, "invalidArgument", "Invalid To header")
        self.sent.append(raw)
        name = f"m{len(self.sent)}"
        if not self.lose_sent:
            stored = b"Received: by gmailapi.google.com\r\n" + re.sub(rb"(?m)^Bcc: .*\r\n(?:[ \t].*\r\n)*", b"", raw)
            self.boxes[name] = (["SENT"], stored)
        return Reply(200, {"id": name, "threadId": name, "labelIds": ["SENT"]})

    def _list(self, call: Call) -> Reply:
        """The newest first, in pages of two where the inbox is listed."""
        if call.query["q"].startswith("after:"):
            after = int(call.query["q"].removeprefix("after:")) * 1000
            known = [id_ for id_, (labels, _) in self.boxes.items() if call.query["labelIds"] in labels]
            ids = sorted((id_ for id_ in known if self.arrived[id_] > after), key=lambda id_: -self.arrived[id_])
            start = int(call.query.get("pageToken", "0"))
            page: dict[str, Any] = {"messages": [{"id": id_, "threadId": id_} for id_ in ids[start : start + 2]]}
            more = {"nextPageToken": str(start + 2)} if len(ids) > start + 2 else {}
            return Reply(200, {**page, **more} if ids else {"resultSizeEstimate": 0})
        wanted = call.query["q"].removeprefix("rfc822msgid:")
        found: list[dict[str, Any]] = [
            {"id": id_, "threadId": id_}
            for id_, (labels, raw) in self.boxes.items()
            if str(message_from_bytes(raw)["Message-ID"]).strip("<>") == wanted
            and call.query.get("labelIds", "") in ("", *labels)
        ]
        return Reply(200, {"messages": found, "resultSizeEstimate": len(found)} if found else {"resultSizeEstimate": 0})
