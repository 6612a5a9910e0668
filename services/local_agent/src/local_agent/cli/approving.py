"""`approve`: show, check, ask, sign, publish. One draft, or several that nothing stands against."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from local_agent.approving import Kind, NotApproved, approve_all, objection, waits
from local_agent.assemble import Local
from local_agent.cli import words
from local_agent.cli.passphrases import FdOption, sign_for
from local_agent.cli.session import HomeOption, JsonOption, Session, YesOption
from local_agent.cli.show_draft import show_draft
from local_agent.decisions import How
from local_agent.drafts import Draft, open_draft, with_edit
from local_agent.effects import Ledger
from local_agent.taking_back import approvals
from vault_protocol.approval import Sign
from vault_protocol.canonical import Json, moment
from vault_protocol.errors import VaultError
from vault_protocol.task import Task


def approve(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="One task, or several at once.")],
    home: HomeOption = None,
    yes: YesOption = False,
    edited: Annotated[bool, typer.Option("--edited", help="Approve the text as you edited it in the folder.")] = False,
    despite_mismatch: Annotated[
        bool, typer.Option("--despite-mismatch", help="Although the original in your mailbox says otherwise.")
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it is to happen, such as `2026-12-01 09:00`.")
    ] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Also outside of your working hours.")] = False,
    passphrase_fd: FdOption = None,
    json_: JsonOption = False,
) -> None:
    """Countersign drafts. They are sent when the undo window is over, within your working hours if your Handbook says
    so, or at the time you name."""
    session = Session(home, json_)
    local = session.decide()
    when = time_of_day(at, local.clock.now()) if at else None
    drafts = [_to_decide(local, id_) for id_ in dict.fromkeys(ids)]
    drafts = list({draft.task.id: draft for draft in drafts}.values())
    drafts = [_with_edit(session, local, draft, edited, alone=len(drafts) == 1) for draft in drafts]
    if not yes:
        for draft in drafts:
            show_draft(session, local, draft, original=len(drafts) == 1)
    for draft in drafts:
        _hold(draft, despite_mismatch, alone=len(drafts) == 1)
    what = "this" if len(drafts) == 1 else f"these {len(drafts)}"
    if not yes and not session.confirm(f"Countersign {what}?"):
        raise NotApproved("nothing was approved")
    pays = any(draft.request is not None and draft.request.action.step_up for draft in drafts)
    sign_and_publish(session, local, drafts, sign_for(session, passphrase_fd, pays=pays), when, at_once)


def time_of_day(text: str, now: datetime) -> datetime:
    """A moment after `now` by the owner's own clock, or with a zone of its own. Raises VaultError."""
    try:
        when = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise VaultError(f"--at {text}: write 2026-12-01 09:00") from None
    if when < now:
        raise VaultError(f"--at {text}: that is over")
    return when


def sign_and_publish(
    session: Session, local: Local, drafts: Sequence[Draft], sign: Sign, at: datetime | None = None,
    at_once: bool = False,
) -> None:  # fmt: skip
    """Publish each approval. What could not be is said in one error after the others."""
    approved, failed = approve_all(local, drafts, sign, How.COMMAND, at, at_once=at_once)
    if approved:
        _tell(session, local, approved)
    if failed:
        raise NotApproved(f"{len(approved)} of {len(drafts)} approved; not: {'; '.join(why for _, why in failed)}")


def _to_decide(local: Local, id_: str) -> Draft:
    draft = open_draft(local, id_)
    waits(draft)
    return draft


def _with_edit(session: Session, local: Local, draft: Draft, edited: bool, *, alone: bool) -> Draft:
    """The draft with the owner's edit of it, if they say that this is what they mean."""
    edit, task = draft.edit, draft.task
    if edit is None:
        if edited:
            raise NotApproved(f"the folder holds no edited text of {task.id}")
        return draft
    if not alone:
        raise NotApproved(f"the folder holds an edited text of {task.id}; approve that one alone")
    session.say("Your folder holds an edited text of this draft:", "bold")
    session.out.print(words.block(edit.diff, "cyan"), soft_wrap=True)
    if edit.fault:
        raise NotApproved(f"the edited file of {task.id} does not hold: {edit.fault}; put it right or delete it")
    if not edited and not (session.can_ask and session.confirm("Approve the text as you edited it?")):
        raise NotApproved(
            f"the folder holds an edited text of {task.id}: `--edited` approves that text; "
            "to approve the draft as it was, delete your file and try again"
        )
    return with_edit(local, draft)


def _hold(draft: Draft, despite_mismatch: bool, *, alone: bool) -> None:
    task, against = draft.task, objection(draft, alone=alone, despite_mismatch=despite_mismatch)
    if against is None:
        return
    if against.kind is Kind.MISMATCH:
        what = f"task {task.id}: {against.reason}"
        raise NotApproved(f"{what}; look at it with `countersign show`, and if you mean it: --despite-mismatch")
    raise NotApproved(f"task {task.id} could not be checked against its original ({against.reason}); approve it alone")


def _tell(session: Session, local: Local, approved: Sequence[Task]) -> None:
    undo, now = local.settings.undo_seconds, local.clock.now()
    ledger = Ledger(local.home.ledger)
    try:
        paused = ledger.paused()
    finally:
        ledger.close()
    runs = session.poke()
    for task in approved:
        mine = [one.approval for one in approvals(local, task) if one.approval.revision == task.revision]
        begins = moment(max(mine, key=lambda one: one.decided_at).not_before).astimezone()
        soon = begins - now <= local.desk.undo
        when = f"{begins:%H:%M:%S} (in {undo} s)" if soon else f"{begins:%A %Y-%m-%d %H:%M}"
        told = f"Approved {task.id} r{task.revision}. It goes out at {when}."
        session.out.print(Text(told, style="green"))
    session.say(f"To take it back before: countersign undo {approved[0].id[:6]}", "dim")
    if not runs:
        session.warn("The service is not running; nothing goes out before `countersign run`.")
    if paused:
        session.warn(f"Effects are paused ({paused}); nothing goes out before `countersign resume`.")
    if local.settings.dry_run:
        session.warn("Dry run is on: everything is checked, nothing goes out before `countersign dry-run off`.")
    rows: list[Json] = [
        {
            "id": task.id, "revision": task.revision, "stage": task.stage.value,
            "edited": task.note.front.words("edited_by") == "owner",
        }
        for task in approved
    ]  # fmt: skip
    session.answer(
        {
            "approved": rows, "undo_seconds": undo, "service_running": runs, "paused": paused,
            "dry_run": local.settings.dry_run,
        }
    )  # fmt: skip
