"""The owner's approvals over one network of the tests: an executor, a ledger, and a clock that moves when told."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.local_agent.tests.networks.bluesky import BlueskyServer
from services.local_agent.tests.networks.graph import PAGE, USER, GraphServer
from services.local_agent.tests.networks.linkedin import AUTHOR, LinkedInServer
from services.local_agent.tests.networks.x import KEYS, XServer

from demo.mastodon import MastodonServer
from demo.network import Outside
from local_agent.attachments import NoSuchFile
from local_agent.effects import Answer, Executor, Ledger
from local_agent.limits import MANY
from local_agent.mcp.social_connector import SocialConnector
from local_agent.networks.account import SocialAccount
from local_agent.networks.network import Network
from local_agent.networks.opening import open_network
from vault_protocol import keys, sshsig
from vault_protocol.action import Media, PublishPost
from vault_protocol.approval import NAMESPACE, SignedApproval, grant
from vault_protocol.testing import TestClock

OWNER_KEY = keys.new()
SERVERS: dict[str, type[Outside]] = {
    "linkedin": LinkedInServer, "facebook": GraphServer, "instagram": GraphServer, "x": XServer,
    "mastodon": MastodonServer, "bluesky": BlueskyServer,
}  # fmt: skip
WHO = {"linkedin": AUTHOR, "facebook": PAGE, "instagram": USER, "bluesky": "able.example"}
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 10


def account_at(folder: Path, network: str, url: str, **changes: Any) -> SocialAccount:
    """`able` on this network, which answers at `url`; its secret lies in the folder."""
    secret = folder / "secret"
    if not secret.exists():
        four = {name: getattr(KEYS, name) for name in ("consumer_key", "consumer_secret", "token", "token_secret")}
        secret.write_text(json.dumps(four) if network == "x" else Outside.token, encoding="utf-8")
    fields: dict[str, Any] = {
        "name": "able", "network": network, "url": url, "user": WHO.get(network, ""),
        "page": PAGE if network == "instagram" else "", "secret_file": secret, "timeout_seconds": 5,
    }  # fmt: skip
    return SocialAccount.model_validate({**fields, **changes})


class Died(BaseException):
    """The process is gone at this step."""


@dataclass
class Desk:
    """One account on one network. `waited` are the seconds that a connector wanted to wait."""

    folder: Path
    network: str
    server: Outside
    clock: TestClock = field(default_factory=TestClock)
    die_at: str = ""
    ledgers: list[Ledger] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    opened: Network | None = None

    def account(self, **changes: Any) -> SocialAccount:
        return account_at(self.folder, self.network, changes.pop("url", self.server.url), **changes)

    def picture(self, content: bytes = JPEG, **changes: Any) -> Media:
        digest = hashlib.sha256(content).hexdigest()
        self.files[digest] = content
        fields = {"name": "shop.jpg", "media_type": "image/jpeg", "size": len(content), "sha256": digest, "alt": "Shop"}
        return Media.model_validate({**fields, **changes})

    def post(self, text: str = "We moved. Come and see.\n", **changes: Any) -> PublishPost:
        fields: dict[str, Any] = {"account": "able", "network": self.network, "text": text}
        if self.network == "instagram" and "media" not in changes and "reply_to" not in changes:
            fields["media"] = (self.picture(),)
        return PublishPost.model_validate({**fields, **changes})

    def approve(self, action: PublishPost, task: str = "a" * 16, executor: str = "exec-1") -> SignedApproval:
        now = self.clock.now()
        return grant(
            action, vault="v1", executor=executor, task=task, revision=1, by="owner", now=now, not_before=now,
            nonce=secrets.token_hex(16), sign=lambda m: sshsig.sign(OWNER_KEY, m, namespace=NAMESPACE),
        )  # fmt: skip

    def execute(self, action: PublishPost, signed: SignedApproval, **how: Any) -> Answer:
        """In a process of its own, so to speak: with a new connection to the ledger."""
        ledger = Ledger(self.folder / "ledger.sqlite")
        self.ledgers.append(ledger)
        return self.executor(ledger).execute(action, signed, **how)

    def executor(self, ledger: Ledger) -> Executor[PublishPost]:
        return Executor(
            SocialConnector(
                lambda _name: self.account(), self._open, self._bytes_of, self.clock.now,
                known=lambda: frozenset(word for detail in ledger.details("social") for word in detail.split()),
                wait=self.waited.append,
            ),
            ledger=ledger, vault="v1", id="exec-1", key=sshsig.PublicKey.of(OWNER_KEY), secret=b"s" * 32,
            now=self.clock.now, limit=lambda: MANY, dry_run=lambda: False, reached=self._reached,
        )  # fmt: skip

    def open(self) -> Network:
        return self._open(self.account())

    def _open(self, account: SocialAccount) -> Network:
        """Once: a connection of its own for each effect costs more than the effect."""
        if self.opened is None:
            self.opened = open_network(account, wait=self.waited.append)
        return self.opened

    def _bytes_of(self, media: Media) -> bytes:
        if media.sha256 not in self.files:
            raise NoSuchFile(f"the bytes of {media.name} are not on this machine")
        return self.files[media.sha256]

    def _reached(self, step: str) -> None:
        if step == self.die_at:
            raise Died(step)

    def close(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        if self.opened is not None:
            self.opened.close()


@contextmanager
def desk_of(folder: Path, network: str, **faults: Any) -> Iterator[Desk]:
    """A desk with its network's server running. `faults`: fields of the server."""
    made: Callable[..., Outside] = SERVERS[network]
    with made(**faults) as server:
        desk = Desk(folder, network, server)
        server.clock = desk.clock.now
        try:
            yield desk
        finally:
            desk.close()
