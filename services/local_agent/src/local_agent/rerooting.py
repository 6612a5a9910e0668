"""Beginning the vault's line anew: build the root, sign what it says, have the hub replace its head, write it down."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from local_agent.assemble import Local
from local_agent.erasure import erasure
from local_agent.home import LOCAL
from vault_protocol import audit, reroot
from vault_protocol.approval import Sign
from vault_protocol.audit import Record
from vault_protocol.errors import HubRewritten, Refused, UntrustedHead, VaultError
from vault_protocol.hub import Accepted, Broken, CommitId, Edits, Published, Rejected, Rootable
from vault_protocol.journal import Journal
from vault_protocol.reroot import Statement
from vault_protocol.vault import Vault

REROOTED = "vault.rerooted"


class MovedMeanwhile(VaultError):
    """Somebody published while the owner signed: plan again."""


@dataclass(frozen=True)
class Plan:
    """What the owner is asked to sign. `seen`: the hub's head that it replaces; `like`: a commit with the new tree."""

    seen: CommitId | None
    left: CommitId
    like: CommitId
    erased: tuple[str, ...]


def plan(local: Local, erase: Iterable[str] = ()) -> Plan:
    """From the last good head here. Raises HubUnreachable, and VaultError for what cannot be erased."""
    journal, now = local.vault.journal, local.clock.now()
    seen = journal.hub.refresh()
    with suppress(UntrustedHead):  # that is what a new root is for
        journal.refresh()
    left = journal.head
    if left is None:
        raise VaultError("there is no good head here to go on from; run `countersign init` on a machine that has one")
    edits = erasure(local.store, left, erase, now=now)
    like = local.store.commit(left, edits, message="staged", author=LOCAL, at=now) if edits else left
    return Plan(seen, left, like, tuple(sorted(edits)))


def carry_out(local: Local, what: Plan, *, reason: str, sign: Sign) -> CommitId:
    """Sign, replace, follow. Raises MovedMeanwhile, or VaultError when the hub has to be told by its operator."""
    journal, home = local.vault.journal, local.home
    if not isinstance(journal.hub, Rootable):
        raise VaultError("this hub cannot be given a new root from here; ask its operator")
    tree, now = local.store.tree(what.like), local.clock.now()
    generation = journal.generation + 1
    journal.hold_back(reason, "--why")
    try:
        signed = reroot.state(
            vault=local.settings.vault, generation=generation, left=what.left, tree=tree, trails=journal.trails,
            reason=reason, by=local.settings.owner, now=now, sign=sign,
        )  # fmt: skip
    except ValueError as error:
        raise VaultError(f"--why: {error}") from None
    root = local.store.root(what.like, message=signed.message(), author=LOCAL, at=now)
    (commit,) = local.store.history(None, root)
    reroot.verify(commit, tree, key=home.approval_public_key(), vault=local.settings.vault, after=journal.generation)
    answer = journal.hub.replace(root, seen=what.seen)
    _accepted(answer)
    journal.refresh()
    write_down(local.vault)
    return root


def give_back(local: Local) -> int:
    """Put the commits back onto the hub that it lost; how many. Raises VaultError when there is no straight way."""
    journal = local.vault.journal
    seen = journal.hub.refresh()
    try:
        journal.refresh()
        return 0
    except UntrustedHead as error:
        ours, reason = journal.head, str(error)
    assert ours is not None
    try:
        lost = local.store.history(seen, ours)
    except HubRewritten:
        raise VaultError(f"{reason}; it went another way, so only `countersign re-root` leads on") from None
    answer = journal.hub.publish(ours, onto=seen, exact=True)
    others = sorted({commit.author for commit in lost} - {LOCAL})
    if isinstance(answer, Rejected) and answer.rule == "author" and others:
        theirs = f"{', '.join(others)} signed some of the {len(lost)} lost commits"
        raise VaultError(
            f"{reason}; {theirs}, and this hub takes from each agent only its own (rule author): "
            'nothing was changed; `countersign re-root --why "the hub went back"` leads on with all of it'
        )
    _accepted(answer)
    journal.refresh()
    return len(lost)


def write_down(vault: Vault) -> None:
    """An audit record of the root this vault stands on, unless there is one."""
    journal = vault.journal

    def build(_head: CommitId | None) -> Edits:
        statement = _statement(journal)
        if statement is None or _is_written(journal, statement.generation):
            return {}
        record = Record.of(
            REROOTED, actor=LOCAL, target=statement.vault, at=journal.clock.now(), approved_by=statement.by,
            parameters={"generation": statement.generation, "left": statement.left, "tree": statement.tree},
            approval_status="approved", result="done",
        )  # fmt: skip
        return journal.log_edits([record])

    journal.publish("record", REROOTED, build)


def _statement(journal: Journal) -> Statement | None:
    if journal.head is None or not journal.generation:
        return None
    first = journal.store.history(None, journal.head)[0]
    return reroot.parse(first.message).statement if reroot.claims(first) else None


def _is_written(journal: Journal, generation: int) -> bool:
    if journal.head is None:
        return False
    for path, _ in reversed(list(journal.store.paths(journal.head, f"Logs/{LOCAL}"))):
        for line in reversed((journal.read(path) or b"").decode("utf-8").splitlines()):
            record = audit.parse(line)
            if record.action_type == REROOTED:
                return record.parameters.get("generation") == generation
    return False


def _accepted(answer: Published) -> None:
    match answer:
        case Accepted():
            return
        case Broken(reason):
            raise VaultError(reason)
        case Rejected(rule, path, reason):
            raise Refused(rule, path, reason)
        case _:
            raise MovedMeanwhile("somebody published meanwhile; look at `countersign status` and try again")
