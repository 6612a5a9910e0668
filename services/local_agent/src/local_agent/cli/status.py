"""`status`: how everything stands, in one look."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from local_agent import ages
from local_agent.assemble import Local
from local_agent.books_answer import answer
from local_agent.cli import mailboxes, spending, words
from local_agent.cli.session import HomeOption, JsonOption, Session
from local_agent.control import ServiceNotRunning
from local_agent.effects import Ledger
from local_agent.hold import CHOICES, hold_effects
from local_agent.rotation import old_secrets
from vault_protocol import disk, layout
from vault_protocol.errors import DiskTrouble, HubRewritten, HubUnreachable, UntrustedHead, VaultError
from vault_protocol.task import Stage


def status(home: HomeOption = None, json_: JsonOption = False) -> None:
    """The hub, the service, the key, the switches, and how many notes stand where."""
    session = Session(home, json_)
    local = session.local
    hub, untrusted, rewritten, full = "ok", "", False, "ok"
    try:
        with disk.watched(session.home.path):
            local.vault.refresh()
    except HubUnreachable as error:
        hub = str(error)
    except UntrustedHead as error:
        hold_effects(local.home, error)
        untrusted = str(error)
        rewritten = isinstance(error, HubRewritten)
    except DiskTrouble as error:
        full = str(error)
    found = {
        **_vault(local), "hub": hub, "untrusted": untrusted, "rewritten": rewritten, "doubted": _doubted(local),
        **_service(session), "books": {one.name: answer(one) for one in local.settings.books},
        "mailboxes": mailboxes.credentials(local), "spending": spending.of_today(local),
    }  # fmt: skip
    if hub == "ok" and found["refused"]:
        found["hub"] = found["refused"]
    try:
        with disk.watched(session.home.path):
            found |= _effects(local)
    except DiskTrouble as error:
        full = str(error)
        found |= {**_switches(local), "paused": None, "unsure": []}
    if full != "ok":
        found["disk"] = full
    session.answer(found)
    if not session.as_json:
        session.show(_screen(local, found))


def _vault(local: Local) -> dict[str, Any]:
    head = local.vault.journal.head
    places = (layout.place_of(path) for path in local.vault.journal.where.values())
    counts = Counter(place.stage for place in places if place is not None)
    age = int((local.clock.now() - local.store.when(head)).total_seconds()) if head else None
    return {
        "vault": local.settings.vault, "home": str(local.home.path), "folder": str(local.settings.folder),
        "executor": local.executor, "head": head, "head_age_seconds": age,
        "generation": local.vault.journal.generation,
        "stages": {stage.value: counts[stage] for stage in Stage},
    }  # fmt: skip


def _doubted(local: Local) -> str:
    aside = local.checkpoint.aside
    return str(aside) if aside.exists() else ""


def _service(session: Session) -> dict[str, Any]:
    """What the running service says; of one that is not running, what it wrote down last."""
    try:
        told = session.ask_service("status")
        running, trouble = True, ""
    except ServiceNotRunning:
        told, running, trouble = {}, False, ""
    except VaultError as error:
        told, running, trouble = {}, True, str(error)
    try:
        written = json.loads(session.home.status.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        written = {}
    return {
        "service": running, "service_trouble": trouble, "unlocked_until": told.get("unlocked_until"),
        "unsynced": written.get("unsynced", []), "waiting": written.get("waiting", {}),
        "notices": written.get("notices", []), "hidden_mail": written.get("hidden_mail", []),
        "inbox": written.get("inbox", ""), "social": written.get("social", {}),
        "whatsapp": written.get("whatsapp", {}), "notify": written.get("notify", {}),
        "silences": written.get("silences", []), "refused": written.get("refused", ""),
        "disk": told.get("disk", written.get("disk", "ok")),
    }  # fmt: skip


def _effects(local: Local) -> dict[str, Any]:
    with closing(Ledger(local.home.ledger)) as ledger:
        unsure = [{"task": effect.task, "reason": effect.detail} for effect in ledger.unknown()]
        paused = ledger.paused()
    return {"paused": paused, **_switches(local), "unsure": unsure}


def _switches(local: Local) -> dict[str, Any]:
    settings = local.home.settings()
    return {
        "old_secrets": [old.name for old in old_secrets(local.home, settings, local.clock.now())],
        "unread_limits": list(local.home.limits().unread),
        "dry_run": settings.dry_run, "undo_seconds": settings.undo_seconds, "key_protection": settings.key_protection,
    }  # fmt: skip


def _screen(local: Local, found: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")

    def row(name: str, value: str, style: str = "") -> None:
        table.add_row(Text(name), Text(words.exactly(value), style=style))

    row("Vault", f"{found['vault']}, in {found['folder']}")
    age = found["head_age_seconds"]
    head = f"last commit {ages.span(timedelta(seconds=age))} ago" if age is not None else "empty"
    row("Hub", head if found["hub"] == "ok" else f"{found['hub']}; {head}", "" if found["hub"] == "ok" else "yellow")
    if found["untrusted"]:
        row("DANGER", found["untrusted"], "bold red")
        for choice in CHOICES if found["rewritten"] else CHOICES[2:]:
            row("", f"you can: {choice}", "red")
    for *_, what in found["silences"]:
        row("Silent", what, "bold red")
    if found["doubted"]:
        row("Doubted", f"the checkpoint was changed, or is a copy; kept as {found['doubted']}", "bold red")
    if found["disk"] != "ok":
        row("Disk", found["disk"], "bold red")
    row("Service", *(("running", "green") if found["service"] else ("not running: `countersign run`", "yellow")))
    if found["service_trouble"]:
        row("", found["service_trouble"], "yellow")
    for name, said in found["books"].items():
        row("Books", f"{name} answers" if said == "ok" else f"{name}: {said}", "" if said == "ok" else "yellow")
    for name, kind in found["mailboxes"].items():
        means, style = mailboxes.meaning(kind)
        row("Cloud reads", f"{name} by {means}", style)
    for agent, facts in found["spending"].items():
        row("Models", *spending.in_words(agent, facts))
    row("Key", f"{found['key_protection']}, {_unlocked(found['unlocked_until'])}")
    if found["paused"]:
        row("Paused", f"{found['paused']}: nothing goes out before `countersign resume`", "bold yellow")
    if found["old_secrets"]:
        row("Secrets", f"{', '.join(found['old_secrets'])} are old: `countersign secrets list`", "yellow")
    for name in found["unread_limits"]:
        row("Limits", f"the row {name!r} in Company_Handbook.md is not understood: it limits nothing", "yellow")
    row("Dry run", *(("on: nothing is sent", "yellow") if found["dry_run"] else ("off", "")))
    for stage, count in found["stages"].items():
        if count or stage == Stage.PENDING_APPROVAL:
            row(stage, str(count), "bold" if count and stage == Stage.PENDING_APPROVAL else "")
    for effect in found["unsure"]:
        row("Unsure", f"{effect['task']}: {effect['reason']}; `countersign resolve {effect['task'][:6]}`", "bold red")
    for message_id, received in found["hidden_mail"]:
        row("Hidden", f"a mail in your inbox has no note: {message_id}, received {received}", "bold red")
    if found["inbox"] not in ("", "ok"):
        row("Inbox", f"cannot be held against the vault: {found['inbox']}", "yellow")
    for account, why in found["social"].items():
        row("Social", f"{account}: {why}" if why else f"{account} is read", "yellow" if why else "")
    for account, state in found["whatsapp"].items():
        row("WhatsApp", f"{account}: {'connected' if state == 'ok' else state}", "" if state == "ok" else "yellow")
    for name, why in found["notify"].items():
        row("Notify", f"{name}: {why}" if why else f"{name} is told of what waits", "yellow" if why else "")
    for task, why in found["waiting"].items():
        if why:
            row("Waiting", f"{task}: {why}", "dim")
    for path, why in found["unsynced"]:
        row("Unsynced", f"{path}: {why}", "yellow")
    for at, path, why in found["notices"][-5:]:
        row("Notice", f"{at} {path}: {why}", "dim")
    return table


def _unlocked(until: object) -> str:
    if not until:
        return "locked for moved files"
    return "always open" if str(until).startswith("9999") else f"unlocked until {until}"
