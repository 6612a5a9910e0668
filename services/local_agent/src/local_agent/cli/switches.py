"""`pause`, `resume`, `dry-run`: what holds every effect, or lets it go."""

from __future__ import annotations

from typing import Annotated

import typer

from local_agent import switching
from local_agent.assemble import Local
from local_agent.cli.session import HomeOption, JsonOption, Session, YesOption
from vault_protocol.errors import HubUnreachable, VaultError
from vault_protocol.task import Stage


def pause(
    why: Annotated[str, typer.Option("--why", help="A note to yourself.")] = "",
    home: HomeOption = None,
    json_: JsonOption = False,
) -> None:
    """Stop every effect at once; drafts and decisions go on."""
    session = Session(home, json_)
    paused = switching.pause(session.local, why)
    _record(session, "effects.paused")
    session.say("Paused: nothing is sent before `countersign resume`.", "green")
    session.answer({"paused": paused})


def resume(home: HomeOption = None, json_: JsonOption = False) -> None:
    """Let effects go on."""
    session = Session(home, json_)
    if not switching.resume(session.local):
        session.say("Nothing was paused.")
    else:
        _record(session, "effects.resumed")
        session.say("Effects go on.", "green")
    session.answer({"paused": None})


def dry_run(
    switch: Annotated[str | None, typer.Argument(metavar="[on|off]", show_default=False)] = None,
    home: HomeOption = None,
    yes: YesOption = False,
    json_: JsonOption = False,
) -> None:
    """With dry run on, everything is checked and nothing is sent. Without a word: how it is now."""
    session = Session(home, json_)
    local = session.local
    if switch not in (None, "on", "off"):
        raise VaultError("say `on` or `off`")
    on = local.settings.dry_run if switch is None else switch == "on"
    if on != local.settings.dry_run:
        if not on and not yes:
            _ask_about_what_leaves(session, local)
        switching.set_dry_run(local, on)
        _record(session, "dry_run.on" if on else "dry_run.off")
    session.say(f"Dry run is {'on: nothing is sent' if on else 'off: what you approve is sent'}.", "green")
    session.answer({"dry_run": on})


def _ask_about_what_leaves(session: Session, local: Local) -> None:
    """Approvals given during a dry run still hold."""
    session.look()
    waiting = list(local.vault.tasks(Stage.APPROVED))
    if not waiting:
        return
    session.warn(f"{len(waiting)} approved drafts go out when dry run ends (`countersign undo ID` takes one back):")
    for task in waiting:
        session.warn(f"  {task.id}  {task.note.front.words('subject')}")
    if not session.confirm("End the dry run?"):
        raise VaultError("dry run stays on")


def _record(session: Session, act: str) -> None:
    """An audit record, as soon as the hub answers; the switch itself needs no hub."""
    local = session.local
    try:
        session.decide()
    except HubUnreachable:
        session.warn("The hub does not answer: this is done, but it is not in the audit log.")
        return
    if trouble := switching.record(local, act):
        session.warn(trouble)
    session.poke()
