"""The words that stay on this machine, for the eyes of the owner at this machine."""

from __future__ import annotations

from typing import Any

from rich.rule import Rule
from rich.text import Text

from local_agent.assemble import Local
from local_agent.chats.letters import Letters, NotHere
from local_agent.cli import words
from local_agent.cli.session import Session
from local_agent.drafts import Draft
from vault_protocol.action import Action, SendSealed
from vault_protocol.plain import one_line
from vault_protocol.task import Task


def in_words(session: Session, local: Local, action: Action) -> Action:
    """The action with its words; one whose words are not here stays as it is, and that is said."""
    try:
        opened = Letters(local.home.chats).opened(action)
    except NotHere as error:
        session.say(f"MISSING: {error}; it will not be sent from here", "bold red")
        return action
    if opened is not action:
        session.say("Its words are on this machine only; the vault has their digest.", "dim")
    return opened


def said_to_us(session: Session, local: Local, task: Task) -> None:
    """The message that a task is about, when only this machine has it."""
    said = Letters(local.home.chats).said(task.id) if "digest" in task.note.front else None
    if said is not None:
        who = f"{one_line(said.name, 100)} {one_line(said.number, 30)}, {said.at:%Y-%m-%d %H:%M}, on this machine only"
        session.show(Rule(Text(who), align="left", style="dim"))
        session.out.print(words.block(said.text, "dim"), soft_wrap=True)


def words_kept_here(local: Local, draft: Draft) -> dict[str, Any]:
    """For programs: the action with its words, when the note has none."""
    if draft.request is None or not isinstance(draft.request.action, SendSealed):
        return {}
    try:
        return {"on_this_machine": Letters(local.home.chats).open(draft.request.action).model_dump(mode="json")}
    except NotHere as error:
        return {"on_this_machine": None, "missing": str(error)}
