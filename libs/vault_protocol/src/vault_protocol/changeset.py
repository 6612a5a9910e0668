"""A signed commit's worth: who changed which paths from what to what, in their own unbroken sequence.

The parent is not signed, so a changeset survives being put on another head; the sequence and the hash of the same
agent's previous changeset make gaps, replays and reorderings visible.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import plain
from .approval import POLICY_VERSION
from .canonical import canonical, sha256
from .hub import Change
from .sshsig import PublicKey
from .task import AGENT_ID, AgentId

_CONTEXT = b"countersign changeset v1\n"
_TRAILER = "Countersign-"
_FORM = re.compile(r"[a-z][a-z_]{0,30}: [^\n\t]{1,200}")
"""The first line of a message: the verb, and a subject that nobody signed."""
_HASH = re.compile("[0-9a-f]{64}")


class BadChangeset(ValueError):
    """A commit message without the trailers of a changeset, or with ones that do not hold; `rule` says which."""

    def __init__(self, reason: str, rule: str = "trailers") -> None:
        self.reason, self.rule = reason, rule
        super().__init__(reason)


@dataclass(frozen=True)
class Trail:
    """How far one agent's changesets go: the number of the last one and its hash."""

    sequence: int = 0
    last: str = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Changeset:
    """What an agent signs. `attempt` is the fencing token of a write to a claimed task, 0 otherwise."""

    vault: str
    agent: AgentId
    verb: str
    attempt: int
    sequence: int
    previous: str
    policy: int = POLICY_VERSION
    changes: tuple[tuple[str, str, str], ...] = ()
    signature: bytes = b""

    @cached_property
    def payload(self) -> bytes:
        """Context line and canonical JSON; its SHA-256 is what the next changeset of this agent names."""
        return _CONTEXT + canonical(
            {
                "vault": self.vault, "agent": self.agent, "verb": self.verb, "attempt": self.attempt,
                "sequence": self.sequence, "previous": self.previous, "policy": self.policy,
                "changes": [list(change) for change in self.changes],
            }
        )  # fmt: skip

    @cached_property
    def trail(self) -> Trail:
        """The agent's trail after this changeset."""
        return Trail(self.sequence, sha256(self.payload))

    def message(self, subject: str, key: Ed25519PrivateKey) -> str:
        """The commit message: the verb and a subject for people, and the trailers with the signature."""
        return replace(self, signature=key.sign(self.payload)).text(subject)

    def text(self, subject: str) -> str:
        """The one way to write this down."""
        trailers = {
            "Agent": self.agent, "Attempt": self.attempt, "Sequence": self.sequence, "Previous": self.previous,
            "Policy": self.policy, "Signature": b64encode(self.signature).decode("ascii"),
        }  # fmt: skip
        lines = [f"{_TRAILER}{name}: {value}" for name, value in trailers.items()]
        return f"{self.verb}: {subject}\n\n" + "\n".join(lines) + "\n"

    def verify(self, key: PublicKey) -> None:
        """Raises BadChangeset unless this key signed exactly this."""
        try:
            Ed25519PublicKey.from_public_bytes(key.raw).verify(self.signature, self.payload)
        except InvalidSignature:
            raise BadChangeset(f"the signature of {self.agent} does not fit the change", "signature") from None


def next_in(
    trail: Trail, *, vault: str, agent: AgentId, verb: str, attempt: int, changes: Iterable[Change]
) -> Changeset:
    """The unsigned changeset that follows this trail."""
    return Changeset(
        vault=vault, agent=agent, verb=verb, attempt=attempt,
        sequence=trail.sequence + 1, previous=trail.last, changes=_listed(changes),
    )  # fmt: skip


def parse(message: str, *, vault: str, changes: Iterable[Change]) -> Changeset:
    """The changeset a commit message claims, over the changes really made. Raises BadChangeset."""
    head, _, rest = message.partition("\n")
    verb = head.partition(":")[0]
    found: dict[str, str] = {}
    for line in rest.splitlines():
        if line.startswith(_TRAILER):
            name, _, value = line.removeprefix(_TRAILER).partition(": ")
            if name in found:
                raise BadChangeset(f"the trailer {name} is there twice")
            found[name] = value
    try:
        if not AGENT_ID.fullmatch(found["Agent"]):
            raise BadChangeset("the agent has no proper name")
        read = Changeset(
            vault=vault, agent=AgentId(found["Agent"]), verb=verb, attempt=int(found["Attempt"]),
            sequence=int(found["Sequence"]), previous=found["Previous"], policy=int(found["Policy"]),
            changes=_listed(changes), signature=b64decode(found["Signature"], validate=True),
        )  # fmt: skip
    except KeyError as error:
        raise BadChangeset(f"the commit is not signed: no {error.args[0]} trailer") from None
    except ValueError as error:
        if isinstance(error, BadChangeset):
            raise
        raise BadChangeset(f"a trailer does not parse: {error}") from None
    subject = head.partition(": ")[2]
    if read.text(subject) != message or not _FORM.fullmatch(head) or plain.hidden_or_control(subject):
        raise BadChangeset("the message is not as an agent writes it: a trailer, or something beside the trailers")
    if read.attempt < 0 or not _HASH.fullmatch(read.previous):
        raise BadChangeset("a trailer does not hold a number or a hash")
    return read


def _listed(changes: Iterable[Change]) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted((change.path, change.old or "", change.new or "") for change in changes))
