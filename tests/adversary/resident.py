"""The ground on a resident hub, and the two ways in for somebody who holds Cloud's credential."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER, OWNER_KEY, VAULT
from pygit2.enums import ObjectType

from tests.adversary.ground import Ground
from tests.adversary.kind import rule_of
from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import packs, wire
from vault_protocol.errors import UntrustedHead
from vault_protocol.hub import CommitId
from vault_protocol.packs import Entry
from vault_protocol.sshsig import PublicKey
from vault_protocol.testing import TestClock
from vault_protocol.wire import Parcel

_KINDS = {ObjectType.COMMIT: "commit", ObjectType.TREE: "tree", ObjectType.BLOB: "blob"}
AGENTS = (CLOUD, OTHER, LOCAL)


class Resident:
    """A hub that has the ground, eleven minutes after it was laid: every lease in it has run out."""

    def __init__(self, folder: Path, ground: Ground) -> None:
        self.ground, self.clock = ground, TestClock()
        self.clock.tick(timedelta(minutes=11))
        self.running = RunningHub(folder, VAULT, PublicKey.of(OWNER_KEY), clock=self.clock)
        self.running.make({one.agent: (Standing(one.role.value), PublicKey.of(one.key)) for one in AGENTS})
        target = f"{ground.head}:refs/heads/main"
        argv = ["git", f"--git-dir={ground.store.path}", "push", "--quiet", str(self.running.repository), target]
        subprocess.run(argv, check=True)
        self.running.start()
        self._line = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=60)

    def close(self) -> None:
        self._line.close()
        self.running.stop()

    @property
    def head(self) -> CommitId | None:
        assert self.running.hub is not None
        return self.running.hub.line.head

    def asked(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            self._line.request(method, path, body, headers)
            response = self._line.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self._line.close()  # turned away without a word
            return 0, b""

    def ask(self, path: str, body: bytes, who: str = CLOUD.agent) -> tuple[int, bytes]:
        return self.asked("POST", path, body, {"Authorization": f"Bearer {self.running.tokens[who]}"})

    def is_well(self) -> bool:
        return self.asked("GET", "/readyz", b"", {})[0] == 200

    def publish(self, head: CommitId, who: str = CLOUD.agent) -> str | None:
        """Over HTTP: "" when it is accepted, else the rule. None: it cannot be said in this form."""
        parcels = self.parcels(head)
        if not parcels or any(parcel.modes for parcel in parcels):
            return None
        body = wire.dumped({"onto": self.ground.head, "commits": [wire.packed(parcel) for parcel in parcels]})
        status, said = self.ask("/v1/publish", body, who)
        answer = json.loads(said)
        return "" if answer["answer"] == "accepted" else f"{answer.get('rule', answer['answer'])}" if status else "cut"

    def parcels(self, head: CommitId) -> list[Parcel]:
        store = self.ground.store
        try:
            return [wire.parcel(store, commit) for commit in store.history(self.ground.head, head)]
        except (UntrustedHead, UnicodeEncodeError, ValueError):
            return []

    def push(self, head: CommitId, objects: Sequence[str], who: str = CLOUD.agent) -> str:
        """As `git push` does, with a pack of exactly these objects: "" when it is accepted, else the rule."""
        line = f"{self.ground.head} {head} refs/heads/main\0report-status\n".encode()
        body = b"%04x%s0000" % (len(line) + 4, line) + self._pack(objects)
        status, said = self.ask("/vault.git/git-receive-pack", body, who)
        if status != 200:
            return f"status {status}"
        if b"ok refs/heads/main" in said:
            return ""
        reason = re.search(rb"ng refs/heads/main ([^\n]*)", said)
        assert reason is not None, said
        text = reason[1].decode()
        if text.startswith("objects: "):
            return rule_of(UntrustedHead("", text))
        return text.partition(":")[0]

    def _pack(self, objects: Sequence[str]) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            entries = [Entry.of(oid, _KINDS[kind], raw) for oid, (kind, raw) in self._raw(objects) if kind in _KINDS]
            name = packs.write(Path(folder), entries)
            return (Path(folder) / f"{name}.pack").read_bytes()

    def _raw(self, objects: Sequence[str]) -> Iterator[tuple[str, tuple[ObjectType, bytes]]]:
        for oid in objects:
            kind, raw = self.ground.repo.odb.read(oid)
            yield oid, (ObjectType(kind), raw)


@contextmanager
def resident(folder: Path, ground: Ground) -> Iterator[Resident]:
    found = Resident(folder, ground)
    try:
        yield found
    finally:
        found.close()
        shutil.rmtree(folder)


def made_by(ground: Ground, head: CommitId, known: set[str]) -> list[str]:
    """The objects of this line that nobody has yet, as far as they can be found."""
    found: list[str] = []
    wanted: list[str] = [head]
    while wanted:
        oid = wanted.pop()
        if oid in known or oid in found:
            continue
        try:
            kind, raw = ground.repo.odb.read(oid)
        except (KeyError, ValueError):
            continue
        found.append(oid)
        if ObjectType(kind) is ObjectType.COMMIT:
            wanted += [w.decode() for w in re.findall(rb"^(?:tree|parent) ([0-9a-f]{40})$", raw, re.MULTILINE)]
        elif ObjectType(kind) is ObjectType.TREE:
            wanted += [name.hex() for name in re.findall(rb"[0-7]{1,8} [^\0]*\0(.{20})", raw, re.DOTALL)]
        if len(found) > 40_000:
            break
    return found


def known_objects(ground: Ground) -> set[str]:
    listed = subprocess.run(
        ["git", f"--git-dir={ground.store.path}", "rev-list", "--objects", ground.head],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return {line.split()[0] for line in listed.splitlines()}
