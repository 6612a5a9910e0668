"""A new root put in the place of the head: only on the owner's signed word, and only for Local to bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vault_hub.objects import Objects
from vault_protocol import reroot
from vault_protocol.errors import Refused
from vault_protocol.hub import Commit, CommitId, Published
from vault_protocol.policy import Trust
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import nested
from vault_protocol.task import AgentId, Role
from vault_protocol.wire import Parcel


@dataclass(frozen=True)
class Begin:
    """What Local asks for: the head `seen` gives way to `root`, whose tree is that of `seen` with its edits."""

    agent: AgentId
    root: Parcel
    seen: CommitId | None
    answer: Callable[[Published], None] = field(compare=False)


def made(
    begin: Begin, objects: Objects, *, trust: Trust, owner_key: PublicKey, vault: str, generation: int
) -> CommitId:  # fmt: skip
    """The root as fresh objects. Raises Refused, BadRoot; then some of them are still fresh."""
    role = trust.keys.get(begin.agent, (None, None))[0]
    if role is not Role.LOCAL:
        raise Refused("zone", "", f"{begin.agent} may not begin the vault anew")
    parcel = begin.root
    if parcel.author != begin.agent or parcel.parent is not None:
        raise Refused("form", "", "a new root has no parent, and Local for its author")
    blobs: Mapping[str, object] = {
        path: objects.add("blob", content) if content is not None else None for path, content in parcel.edits.items()
    }
    tree = objects.folders.edit(objects.tree_of(begin.seen), nested(blobs)) or objects.add("tree", b"")
    root = objects.root(tree, message=parcel.message, author=begin.agent, at=parcel.at)
    if root != parcel.id:
        raise Refused("form", "", f"root {parcel.id[:12]} is not what its parts make")
    commit = Commit(root, (), parcel.message, parcel.author, parcel.at)
    reroot.verify(commit, tree, key=owner_key, vault=vault, after=generation)
    return root
