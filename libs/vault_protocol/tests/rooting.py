"""New roots, signed as an owner would or as an attacker might."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.made import LOCAL, OWNER_KEY

from vault_protocol import reroot, sshsig
from vault_protocol.changeset import Trail
from vault_protocol.hub import CommitId, Store
from vault_protocol.reroot import SignedRoot
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import AgentId

OWNER = PublicKey.of(OWNER_KEY)


def owner_roots(left: CommitId, tree: str, trails: Mapping[AgentId, Trail], **changes: Any) -> SignedRoot:
    fields: dict[str, Any] = {
        "vault": made.VAULT, "generation": 1, "left": left, "tree": tree, "trails": trails, "reason": "a bad head",
        "by": "Ann", "now": made.NOW,
        "sign": lambda message: sshsig.sign(OWNER_KEY, message, namespace=reroot.NAMESPACE),
    }  # fmt: skip
    return reroot.state(**{**fields, **changes})


def new_root(store: Store, left: CommitId, trails: Mapping[AgentId, Trail], **changes: Any) -> CommitId:
    """A root with the tree of `left`."""
    signed = owner_roots(left, store.tree(left), trails, **changes)
    return store.root(left, message=signed.message(), author=LOCAL.agent, at=made.NOW)
