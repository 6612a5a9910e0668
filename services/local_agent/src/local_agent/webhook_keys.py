"""What a webhook of Meta's is known by, and knows itself by."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field

from local_agent.networks.network import BadLogin


@dataclass(frozen=True)
class Keys:
    """The app's secret, which signs, and the word of ours that Meta says when it asks who we are."""

    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)

    @classmethod
    def of(cls, secret: str, whose: str) -> Keys:
        """Of a JSON object with both. Raises BadLogin."""
        try:
            found = json.loads(secret)
            keys = cls(str(found["app_secret"]), str(found["verify_token"]))
        except (ValueError, KeyError, TypeError):
            raise BadLogin(f"{whose}: its webhook's secret is no JSON object with app_secret, verify_token") from None
        if min(len(keys.app_secret), len(keys.verify_token)) < 16:
            raise BadLogin(f"{whose}: app_secret and verify_token need 16 characters each")
        return keys

    def signed(self, body: bytes, header: str) -> bool:
        """Whether `header` (X-Hub-Signature-256) is this body's."""
        return _same(f"sha256={hmac.new(self.app_secret.encode(), body, 'sha256').hexdigest()}", header)

    def challenge(self, query: dict[str, list[str]]) -> str | None:
        """What to answer to the question who we are; None when it was not Meta that asked."""
        said = {name: values[0] for name, values in query.items()}
        known = said.get("hub.mode") == "subscribe" and _same(self.verify_token, said.get("hub.verify_token", ""))
        return said.get("hub.challenge") if known else None


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
