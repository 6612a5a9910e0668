"""Gmail's API as its documentation describes it, as far as sending goes: tokens, send, search, read, labels."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

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
    lose_sent: bool = False
    """What was sent does not show in the mailbox."""

    def acts(self, call: Call) -> bool:
        return call.path.endswith("/send")

    def reply(self, call: Call) -> Reply:
        if call.path == "/token":
            return self._token(call)
        if call.headers.get("authorization") != f"Bearer access-{self.tokens}":
            return error(401, "authError", "Invalid Credentials")
        if call.path.endswith(f"{MESSAGES}/send"):
            return self._send(call)
        if not self.reads:
            return error(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        if call.path == MESSAGES:
            return self._list(call)
        if call.path == "/gmail/v1/users/me/labels":
            return Reply(200, {"labels": [{"id": "Label_7", "name": "Countersigned"}, {"id": "SENT", "name": "SENT"}]})
        if found := re.fullmatch(rf"{MESSAGES}/([^/]+)(/modify)?", call.path):
            labels, raw = self.boxes[found[1]]
            if found[2]:
                labels += call.body["addLabelIds"]
            return Reply(200, {"id": found[1], "labelIds": labels, "raw": urlsafe_b64encode(raw).decode()})
        return error(404, "notFound", "Not Found")

    def _token(self, call: Call) -> Reply:
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
        wanted = call.query["q"].removeprefix("rfc822msgid:")
        found: list[dict[str, Any]] = [
            {"id": id_, "threadId": id_}
            for id_, (labels, raw) in self.boxes.items()
            if str(message_from_bytes(raw)["Message-ID"]).strip("<>") == wanted
            and call.query.get("labelIds", "") in ("", *labels)
        ]
        return Reply(200, {"messages": found, "resultSizeEstimate": len(found)} if found else {"resultSizeEstimate": 0})
