"""`re-root` and `give-back`: the owner's decision when the hub's head is not to be trusted, and the legal erasure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated

import typer

from local_agent.assemble import Local
from local_agent.cli.passphrases import FdOption, sign_for
from local_agent.cli.session import HomeOption, JsonOption, Session, YesOption
from local_agent.effects import Ledger
from local_agent.rerooting import MovedMeanwhile, Plan, carry_out, give_back, plan
from vault_protocol import reroot
from vault_protocol.approval import Sign
from vault_protocol.errors import VaultError
from vault_protocol.hub import CommitId

_TRIES = 5
"""Plans for one new root; each is void when somebody publishes while it is signed."""


def re_root(
    why: Annotated[str, typer.Option("--why", help="The reason, in one line; every agent can read it.")],
    erase: Annotated[
        list[str] | None,
        typer.Option("--erase", metavar="PATH|ID", help="Leave this out: a note, a folder, or a task (a stub stays)."),
    ] = None,
    home: HomeOption = None,
    yes: YesOption = False,
    passphrase_fd: FdOption = None,
    json_: JsonOption = False,
) -> None:
    """Go on from the last good head here, under your signature: what the hub has beyond it is left behind."""
    session = Session(home, json_)
    local = session.local
    what = plan(local, erase or ())
    _show(session, local, what, why)
    if not yes and not session.confirm("Sign this new root?"):
        raise VaultError("nothing was signed, nothing changed")
    sign = sign_for(session, passphrase_fd, reroot.NAMESPACE)
    what, root = _carried_out(local, what, why, sign, erase or ())
    session.poke()
    generation = local.vault.journal.generation
    session.say(f"The vault goes on from {root[:12]}, generation {generation}. Every agent follows by itself.", "green")
    if erase:
        session.say("The old commits still hold what was erased: see *A legal erasure* in docs/runbook.md.", "yellow")
    paused = _paused(session, local)
    session.answer({"root": root, "generation": generation, "erased": list(what.erased), "paused": paused})


def _carried_out(local: Local, what: Plan, why: str, sign: Sign, erase: Sequence[str]) -> tuple[Plan, CommitId]:
    for _ in range(_TRIES - 1):
        try:
            return what, carry_out(local, what, reason=why, sign=sign)
        except MovedMeanwhile:
            what = plan(local, erase)
    return what, carry_out(local, what, reason=why, sign=sign)


def give_back_(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Put the commits back that the hub lost when it was restored from an older copy."""
    session = Session(home, json_)
    local = session.local
    count = give_back(local)
    if not count:
        session.say("The hub lost nothing.")
    else:
        session.poke()
        session.say(f"{count} commits are on the hub again.", "green")
    session.answer({"given_back": count, "paused": _paused(session, local)})


def _show(session: Session, local: Local, what: Plan, why: str) -> None:
    session.say(f"Vault      {local.settings.vault}")
    session.say(f"Goes on    from {_named(local, what.left)}, generation {local.vault.journal.generation + 1}")
    session.say(f"Replaces   {_named(local, what.seen)} on the hub")
    for path in what.erased:
        session.say(f"Without    {path}", "yellow")
    session.say(f"Because    {why}")


def _named(local: Local, commit: CommitId | None) -> str:
    if commit is None:
        return "an empty hub"
    return f"{commit[:12]} of {local.store.when(commit):%Y-%m-%d %H:%M} UTC"


def _paused(session: Session, local: Local) -> str | None:
    """Why effects are paused: ending that is a decision of its own."""
    with closing(Ledger(local.home.ledger)) as ledger:
        paused = ledger.paused()
    if paused:
        session.warn("Effects stay paused. Look at what was sent (`countersign log`), then `countersign resume`.")
    return paused
