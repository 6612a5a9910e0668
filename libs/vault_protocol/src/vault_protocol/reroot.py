"""A new root: the owner's signed word that the vault goes on from this tree, whatever the hub held before.

The commit has no parent. Its message is a subject for people, the signed bytes as they are, and their SSH signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from . import sshsig
from .action_base import Hex64
from .approval import POLICY_VERSION, Sign, Stamp
from .canonical import canonical, utc
from .changeset import Trail
from .hub import Commit, CommitId
from .plain import hidden_or_control
from .task import AGENT_ID, AgentId

NAMESPACE = "reroot@countersign"
VERB = "re-root"

_CONTEXT = "countersign reroot v1"
_LARGEST = 64 * 1024
"""Characters a message may have; it names a handful of agents."""


class BadRoot(ValueError):
    """A commit that claims to be a new root and may not be followed; `rule` names the check that failed."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"it is no valid new root ({rule}): {reason}")


def _plain(text: str) -> str:
    if "\n" in text or hidden_or_control(text):
        raise ValueError("it is no single line of characters that show")
    return text


def _agents(trails: Mapping[str, object]) -> Mapping[str, object]:
    if not all(AGENT_ID.fullmatch(name) for name in trails):
        raise ValueError("an agent has no proper name")
    return trails


ObjectName = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Sequence = Annotated[int, Field(ge=0, lt=2**53)]


class Statement(BaseModel):
    """What the owner signs. `left`: the last good head, left behind. `tree`: git's name of the new root's tree."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vault: str
    generation: Annotated[int, Field(ge=1, lt=2**31)]
    left: ObjectName
    tree: ObjectName
    trails: Annotated[dict[str, tuple[Sequence, Hex64]], AfterValidator(_agents)]
    reason: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_plain)]
    by: Annotated[str, Field(max_length=200), AfterValidator(_plain)]
    at: Stamp
    policy: int = POLICY_VERSION

    def signed_bytes(self) -> bytes:
        """`countersign reroot v1`, LF, canonical JSON."""
        return f"{_CONTEXT}\n".encode() + canonical(self.model_dump(mode="json"))

    @property
    def going_on(self) -> dict[AgentId, Trail]:
        """Where each agent's changesets go on; one that is not named begins."""
        return {AgentId(agent): Trail(number, last) for agent, (number, last) in self.trails.items()}


@dataclass(frozen=True)
class SignedRoot:
    """A statement with its armored SSH signature, as a commit message carries it."""

    statement: Statement
    signature: str

    def message(self) -> str:
        body = self.statement.signed_bytes().decode("utf-8")
        return f"{VERB}: generation {self.statement.generation}\n\n{body}\n\n{self.signature.strip()}\n"


def state(
    *, vault: str, generation: int, left: CommitId, tree: str, trails: Mapping[AgentId, Trail], reason: str, by: str,
    now: datetime, sign: Sign,
) -> SignedRoot:  # fmt: skip
    """Sign a statement; `sign` signs in NAMESPACE and needs the unlocked key. Raises ValueError for a bad reason."""
    going_on = {str(agent): (trail.sequence, trail.last) for agent, trail in trails.items()}
    statement = Statement(
        vault=vault, generation=generation, left=left, tree=tree, trails=going_on, reason=reason, by=by, at=utc(now)
    )
    return SignedRoot(statement, sign(statement.signed_bytes()))


def claims(commit: Commit) -> bool:
    """Whether a commit says that it is a new root; `verify` tells whether it is."""
    return not commit.parents and commit.message.startswith(f"{VERB}: ")


def parse(message: str) -> SignedRoot:
    """Raises BadRoot unless the message is, byte for byte, one that `SignedRoot.message` writes."""
    _, _, rest = message.partition("\n\n")
    body, _, signature = rest.partition("\n\n")
    context, _, fields = body.partition("\n")
    if context != _CONTEXT or len(message) > _LARGEST:
        raise BadRoot("form", f"its message does not hold `{_CONTEXT}` and a statement")
    try:
        found = SignedRoot(Statement.model_validate_json(fields), signature)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRoot("form", f"its statement does not hold: {where}: {first['msg']}") from None
    if found.message() != message:
        raise BadRoot("form", "its message is not spelled as a statement is")
    return found


def verify(commit: Commit, tree: str, *, key: sshsig.PublicKey | None, vault: str, after: int) -> Statement:
    """The statement of a new root that may be followed. Raises BadRoot with the rule that failed.

    `tree` is the commit's tree as the store has it, `key` the pinned key of the owner, `after` the generation that the
    vault is in (0 before any new root). Whoever follows goes on from `Statement.going_on` and this tree.
    """
    if commit.parents:
        raise BadRoot("parent", "a new root has no parent")
    signed = parse(commit.message)
    statement = signed.statement
    if key is None:
        raise BadRoot("key", "no key of the owner is pinned here")
    try:
        sshsig.verify(key, statement.signed_bytes(), signed.signature, namespace=NAMESPACE)
    except sshsig.BadSignature as error:
        raise BadRoot("signature", f"it is not signed by the owner's pinned key: {error}") from None
    if statement.vault != vault:
        raise BadRoot("vault", f"it is for vault {statement.vault}, this is {vault}")
    if statement.policy != POLICY_VERSION:
        raise BadRoot("policy", f"it is of policy {statement.policy}, this is {POLICY_VERSION}")
    if statement.tree != tree:
        raise BadRoot("tree", f"the owner signed tree {statement.tree[:12]}, the commit holds {tree[:12]}")
    if statement.generation <= after:
        raise BadRoot("generation", f"generation {statement.generation} is past; this vault is in generation {after}")
    return statement
