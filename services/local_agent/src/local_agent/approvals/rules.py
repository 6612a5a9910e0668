"""*Rules*: the Handbook as the file it is, and the switches and limits of this machine."""

from __future__ import annotations

from starlette.responses import Response

from local_agent import switching
from local_agent.approvals.answering import Ask, Changed
from local_agent.approvals.waiting import switches
from local_agent.assemble import Local
from local_agent.kinds import KINDS
from vault_protocol import layout
from vault_protocol.canonical import sha256
from vault_protocol.errors import VaultError

LONGEST = 500_000


def rules(ask: Ask) -> Response:
    with ask.page.vault() as (local, trouble):
        return _show(ask, local, trouble=trouble)


def save(ask: Ask) -> Response:
    """The owner's text in the place of the one they were shown, and of no other."""
    with ask.page.vault() as (local, _):
        before = _handbook(local)
        if sha256(before) != ask.text("seen"):
            text = ask.text("text", LONGEST)
            says = "The Handbook changed since you were shown it, so nothing was saved. Your text stands below."
            return _show(ask, local, status=409, says=says, text=text)
        text = ask.text("text", LONGEST).replace("\r\n", "\n").rstrip("\n") + "\n"
        if not text.strip():
            raise VaultError("an empty Handbook would take away every rule; delete the file in your folder for that")
        if text.encode("utf-8") != before:
            local.vault.write("owner_edit", layout.HANDBOOK, {layout.HANDBOOK: text.encode("utf-8")})
    ask.page.poke()
    return ask.go("rules")


def pause(ask: Ask) -> Response:
    with ask.page.vault() as (local, _):
        switching.pause(local, ask.text("why", 200))
        switching.record(local, "effects.paused")
    ask.page.poke()
    return ask.go("rules")


def resume(ask: Ask) -> Response:
    with ask.page.vault() as (local, _):
        if switching.resume(local):
            switching.record(local, "effects.resumed")
    ask.page.poke()
    return ask.go("rules")


def dry_run(ask: Ask) -> Response:
    on = ask.text("on")
    if on not in ("on", "off"):
        raise Changed("say on or off")
    with ask.page.vault() as (local, _):
        switching.set_dry_run(local, on == "on")
        switching.record(local, f"dry_run.{on}")
    ask.page.poke()
    return ask.go("rules")


def _show(ask: Ask, local: Local, *, status: int = 200, trouble: str = "", says: str = "", text: str = "") -> Response:
    settings, handbook = local.home.settings(), _handbook(local)
    return ask.show(
        "rules.html", status=status, trouble=trouble, says=says, text=text or handbook.decode("utf-8", "replace"),
        seen=sha256(handbook), switches=switches(local), limits=_limits(local), unread=local.home.limits().unread,
        minutes=settings.unlock_minutes, days=settings.page_days,
    )  # fmt: skip


def _limits(local: Local) -> list[tuple[str, str]]:
    """What counts now, by the name of the kind of effect."""
    types = {kind.named: type_ for type_, kind in KINDS.items()}
    return [(named, str(local.home.limit(type_))) for named, type_ in types.items()]


def _handbook(local: Local) -> bytes:
    return local.vault.journal.read(layout.HANDBOOK) or b""
