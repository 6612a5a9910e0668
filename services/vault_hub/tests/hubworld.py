"""A running hub, four agents who may talk to it, and what they say to it by hand."""

from __future__ import annotations

import http.client
import json
import subprocess
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pygit2
from libs.vault_protocol.tests.made import CLOUD, LOCAL, NOW, OTHER, OWNER_KEY, TRUST, VAULT, Author
from libs.vault_protocol.tests.through import Through

from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import changeset, wire
from vault_protocol.changeset import Trail
from vault_protocol.hub import Change, CommitId, Edits, blob_id
from vault_protocol.hub_client import HubClient
from vault_protocol.identity import Identity
from vault_protocol.journal import Journal
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId
from vault_protocol.testing import TestClock
from vault_protocol.vault import Vault

READER = "monitor"


@dataclass(frozen=True)
class Answer:
    status: int
    said: dict[str, Any]
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True)
class Side:
    """One agent's clone and its line to the hub."""

    store: GitStore
    hub: HubClient


@dataclass
class HubWorld:
    """`author` writes commits by hand into `store`, which no hub has seen."""

    folder: Path
    changes: Mapping[str, object] = field(default_factory=dict)
    clock: TestClock = field(default_factory=TestClock)
    steps: list[str] = field(default_factory=list)
    author: Author = field(init=False)
    clients: list[HubClient] = field(default_factory=list)
    at_the_end: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.running = RunningHub(
            self.folder / "hub", VAULT, PublicKey.of(OWNER_KEY), clock=self.clock, step=self.steps.append,
            changes=self.changes,
        )  # fmt: skip
        keys: dict[str, tuple[Standing, PublicKey | None]] = {
            one.agent: (Standing(one.role.value), PublicKey.of(one.key)) for one in (CLOUD, OTHER, LOCAL)
        }
        self.running.make({**keys, READER: (Standing.READER, None)})
        self.running.start()
        self.store = Through(self.folder / "by-hand.git")
        self.author = Author(self.store)

    def close(self) -> None:
        self.at_the_end.close()
        for client in self.clients:
            client.close()
        self.running.stop()

    @property
    def head(self) -> CommitId | None:
        assert self.running.hub is not None
        return self.running.hub.line.head

    def token(self, who: str) -> str:
        return self.running.tokens[who]

    def ask(self, who: str, path: str, body: object = None, **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.asked("POST", path, content, {"Authorization": f"Bearer {self.token(who)}", **headers})

    def asked(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=20)
        try:
            line.request(method, path, body, dict(headers))
            response = line.getresponse()
            raw = response.read()
            said = json.loads(raw) if response.headers.get_content_type() == "application/json" else {}
            return Answer(response.status, said, dict(response.headers), raw)
        finally:
            line.close()

    def publish(self, who: str, *commits: CommitId, exact: bool = False, **changes: Any) -> Answer:
        """These commits, a line, onto the parent of the first."""
        line = [packed(self.store, commit) for commit in commits]
        return self.ask(who, "/v1/publish", {"onto": line[0]["parent"], "exact": exact, "commits": line, **changes})

    def begin(self) -> CommitId:
        """A first commit by Local on the hub."""
        first = self.author.commit(LOCAL, {"Company_Handbook.md": b"# Rules\n"})
        assert self.publish(LOCAL.agent, first).said["answer"] == "accepted"
        return first

    def side(self, who: str, name: str = "", url: str = "") -> Side:
        store = Through(self.folder / f"clone-{name or who}.git")
        self.clients.append(HubClient(store, url or self.running.url, self.token(who), timeout=20))
        return Side(store, self.clients[-1])

    def vault(self, who: Identity, name: str = "") -> Vault:
        side = self.side(who.agent, name)
        vault = Vault(Journal(side.store, side.hub, who, self.clock, trust=TRUST, rest=lambda seconds: None))
        vault.refresh()
        return vault

    def tick(self, seconds: float = 2.0) -> None:
        """The hub's clock moves; from then on it looks at its agents' files again."""
        self.clock.tick(timedelta(seconds=seconds))

    def metric(self, name: str) -> float:
        """A figure from /metrics, summed over its labels."""
        text = self.asked("GET", "/metrics", None, {"Authorization": f"Bearer {self.token(READER)}"}).raw.decode()
        lines = [line for line in text.splitlines() if line.partition("{")[0].split(" ")[0] == name]
        assert lines, f"there is no metric {name}"
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def git(self, *argv: str, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        where = ["-C", str(at)] if at else []
        return subprocess.run(
            ["git", *where, *argv], capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def address(self, who: str) -> str:
        """The hub for git, with the credential in it."""
        return f"http://{who}:{self.token(who)}@127.0.0.1:{self.running.port}/vault.git"


def pack_head(kind: int, size: int) -> bytes:
    """Of one object in a pack: its type (1 commit, 2 tree, 3 blob), and its bytes unpacked."""
    rest, first = size >> 4, kind << 4 | size & 15
    header = bytearray()
    while rest:
        header.append(first | 0x80)
        first, rest = rest & 0x7F, rest >> 7
    return bytes([*header, first])


def packed(store: GitStore, commit: CommitId) -> wire.Object:
    """The commit as it goes over the wire."""
    (found,) = store.history(parent_of(store, commit), commit)
    return wire.packed(wire.parcel(store, found))


def parent_of(store: GitStore, commit: CommitId) -> CommitId | None:
    parents = pygit2.Repository(str(store.path))[commit].peel(pygit2.Commit).parent_ids
    return CommitId(str(parents[0])) if parents else None


def signed(
    who: Identity, store: GitStore, onto: CommitId | None, edits: Edits, trail: Trail | None = None, verb: str = "write"
) -> CommitId:  # fmt: skip
    """A commit on any head, after any trail."""
    found = []
    for path, content in edits.items():
        old = store.blob_id(onto, path) if onto else None
        new = blob_id(content) if content is not None else None
        if old != new:
            found.append(Change(path, old, new))
    unsigned = changeset.next_in(trail or Trail(), vault=VAULT, agent=who.agent, verb=verb, attempt=0, changes=found)
    return store.commit(onto, edits, message=unsigned.message("x", who.key), author=AgentId(who.agent), at=NOW)


def basic(user: str, token: str) -> str:
    return "Basic " + b64encode(f"{user}:{token}".encode()).decode()
