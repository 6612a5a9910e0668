"""A draft on the screen, whole: nothing that will be sent is left out, nothing from outside steers the terminal."""

from __future__ import annotations

from rich.rule import Rule
from rich.text import Text

from local_agent import ages
from local_agent.assemble import Local
from local_agent.cli import words
from local_agent.cli.attached import missing
from local_agent.cli.chat_words import in_words, said_to_us
from local_agent.cli.post_preview import preview
from local_agent.cli.session import Session
from local_agent.drafts import Draft
from local_agent.kinds import KINDS
from vault_protocol import layout, request, summary
from vault_protocol.action import MailAction, PublishPost
from vault_protocol.task import Stage


def show_draft(session: Session, local: Local, draft: Draft, *, original: bool = True) -> None:
    """Everything the owner decides about. Without `original`, only what would be done."""
    task, front = draft.task, draft.task.note.front
    _rule(session, f"{task.id}  r{task.revision}  {layout.path_of(task).rpartition('/')[0]}")
    asked = ages.since(task)
    if asked is not None:
        waits = f"{ages.age(asked, local.clock.now())} ago"
        old = task.stage is Stage.PENDING_APPROVAL and ages.stale(task, local.clock.now())
        _fact(session, "Asked", waits + (" (stale, and still yours to decide)" if old else ""))
    for label, key in (
        ("Priority", "priority"), ("Mail from", "from"), ("Its subject", "subject"), ("Reason", "reason"),
        ("Planned for", "not_before"), ("Reopened", "reopened_because"), ("Rejected", "rejected_because"),
        ("Remark", "remark"), ("Quarantined", "quarantined_because"), ("Waiting for", "waiting_for"),
        ("Result", "result"),
    ):  # fmt: skip
        _fact(session, label, front.words(key))
    if draft.request is None:
        if draft.fault:
            session.say(f"The request in this note cannot be read: {draft.fault}", "bold red")
        else:
            session.say("It asks for nothing to be done.", "dim")
    else:
        action = in_words(session, local, draft.request.action)
        for label, value in summary.rows(action):
            _fact(session, label, value)
        if isinstance(action, MailAction) and action.attachments:
            _files(session, local, draft, action)
        for warning in draft.request.warnings:
            session.say(f"! {words.exactly(warning)}", "bold yellow")
        for unknown in draft.request.unknowns:
            session.say(f"? {words.exactly(unknown)}", "yellow")
        _check(session, draft)
        if isinstance(action, PublishPost):
            preview(session, action)
        for name in () if isinstance(action, PublishPost) else action.prose:
            if text := getattr(action, name):
                _rule(session, request.LABELS[name].title())
                _text(session, text, "dim" if name == "quote" else "")
    if draft.edit is not None:
        _rule(session, "Your edit in the folder, not decided yet")
        _text(session, draft.edit.diff, "cyan")
        if draft.edit.fault:
            session.say(f"The edited file does not hold: {draft.edit.fault}", "bold red")
    if original:
        note = task.note if draft.fault else request.take_out(task.note)
        _rule(session, "The note and its original")
        _text(session, note.body.strip("\n"), "dim")
        said_to_us(session, local, task)


def _files(session: Session, local: Local, draft: Draft, action: MailAction) -> None:
    gone = missing(local, draft.task, action)
    for name in gone:
        session.say(f"MISSING: {name} is not kept on this machine for this task; it will not be sent", "bold red")
    if len(gone) < len(action.attachments):
        session.say(f"To see what is attached: countersign files {draft.task.id[:6]} --open 1", "dim")


def _check(session: Session, draft: Draft) -> None:
    check = draft.check
    if check is None:
        session.say("Not checked against the original yet.", "yellow")
        return
    for mismatch in check.mismatches:
        session.say(f"MISMATCH: {mismatch}", "bold red")
    if not check.original:
        session.say(f"Not checked against the original: {check.reason}", "yellow")
    elif not check.mismatches and draft.request:
        session.say(f"Checked: {KINDS[draft.request.action.type].checked}.", "green")
    for warning in check.warnings:
        if draft.request is None or warning not in draft.request.warnings:
            session.say(f"! {words.exactly(warning)}", "bold yellow")


def _rule(session: Session, title: str) -> None:
    session.show(Rule(Text(title), align="left", style="dim"))


def _fact(session: Session, label: str, value: str) -> None:
    if value:
        session.out.print(Text(f"{label:<12}", style="bold") + Text(words.exactly(value)), soft_wrap=True)


def _text(session: Session, text: str, style: str = "") -> None:
    session.out.print(words.block(text, style), soft_wrap=True)
