"""How far an agent followed, in a private file under a seal: what another program wrote there is not believed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .canonical import Json, canonical
from .changeset import Trail
from .files import write_private
from .hub import CommitId
from .task import AgentId


@dataclass(frozen=True)
class Saved:
    """The head that was followed last, each agent's trail there, and the generation of its root."""

    head: CommitId
    trails: Mapping[AgentId, Trail] = field(default_factory=dict)
    generation: int = 0


@dataclass
class Checkpoint:
    """`secret` keys the seal (HMAC-SHA256); `place` is what a copy elsewhere does not have. Without a secret: no seal.

    `doubt` says why a file that was there was not believed; the file is kept beside the next as `aside`.
    """

    path: Path
    secret: bytes = field(default=b"", repr=False)
    place: str = ""
    doubt: str = ""

    @property
    def aside(self) -> Path:
        return self.path.with_name(self.path.name + ".doubted")

    def load(self) -> Saved | None:
        """None on a first run, and when the file is not what this agent wrote here: then everything is judged again."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        found = self._parsed(content)
        if isinstance(found, str):
            self._put_aside(found)
            return None
        return found

    def peek(self) -> Saved | None:
        """The same, and nothing is put aside."""
        try:
            found = self._parsed(self.path.read_bytes())
        except FileNotFoundError:
            return None
        return None if isinstance(found, str) else found

    def _parsed(self, content: bytes) -> Saved | str:
        """What stands in it, or why it is not believed."""
        try:
            found = json.loads(content)
            trails = {
                AgentId(agent): Trail(int(number), str(last)) for agent, (number, last) in found["trails"].items()
            }
            saved = Saved(CommitId(str(found["head"])), trails, int(found.get("generation", 0)))
            seal = str(found.get("seal", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            return "it does not parse"
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(saved).encode()):
            return "it was not written by this agent at this place"
        return saved

    def save(self, saved: Saved) -> None:
        fields = {**_fields(saved), "seal": self._seal(saved)}
        write_private(self.path, json.dumps(fields).encode("utf-8"))

    def _put_aside(self, reason: str) -> None:
        self.path.replace(self.aside)
        self.doubt = f"{self.path.name} is not believed ({reason}): every commit is judged again from the root"

    def _seal(self, saved: Saved) -> str:
        if not self.secret:
            return ""
        key = hmac.digest(self.secret, b"countersign checkpoint v1", "sha256")
        return hmac.new(key, canonical({**_fields(saved), "place": self.place}), "sha256").hexdigest()


def _fields(saved: Saved) -> dict[str, Json]:
    trails: dict[str, Json] = {str(agent): [trail.sequence, trail.last] for agent, trail in saved.trails.items()}
    return {"head": saved.head, "trails": trails, "generation": saved.generation}
