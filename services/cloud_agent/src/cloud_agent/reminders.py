"""Answers that do not come: a sent mail that asked something becomes a reminder to approve once its time is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cloud_agent.threads import Threads
from drafting import Letter
from drafting.handbook import Rules
from drafting.language import Language, language_of
from drafting.questions import questions
from vault_protocol import layout, notes, request
from vault_protocol.action import SendMail
from vault_protocol.errors import MalformedNote
from vault_protocol.front_matter import FrontMatter
from vault_protocol.note import Note
from vault_protocol.plain import fenced
from vault_protocol.task import Domain, Stage, Task, TaskId, task_id
from vault_protocol.vault import Vault

KIND = "reminder"
FORGET = timedelta(days=30)
"""After that nobody is reminded any more, and the original is not kept."""
KEPT = ("from", "subject", "received", "account", "mailbox", "message_id", "sha256")
WORDS = {
    Language.EN: "May I come back to my last message? I look forward to hearing from you.",
    Language.DE: "Darf ich an meine letzte Nachricht erinnern? Ich freue mich auf eine Antwort.",
    Language.FR: "Puis-je revenir sur mon dernier message ? Je me réjouis d'avance d'une réponse.",
    Language.ES: "¿Puedo volver sobre mi último mensaje? Quedo a la espera de una respuesta.",
}
"""The wish that a drafter is given; the one without a model writes it as it stands."""


def is_one(task: Task) -> bool:
    """Whether it reminds of a mail that was sent; its type is another once it was drafted."""
    return bool(task.note.front.words("reminds"))


def id_of(secret: bytes, first: TaskId) -> TaskId:
    """One sent mail has one reminder, ever."""
    return task_id(secret, mailbox="reminder", message_id=first, content_sha256="")


class Awaited:
    """The sent mails that await an answer. What has ended does not change: each note is read once."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[TaskId, tuple[datetime, str] | None] = {}
        """When it ended, and the mailbox; None for what awaits nothing."""

    def due(self, vault: Vault, threads: Threads, rules_of: Callable[[str], Rules], now: datetime) -> Iterator[Task]:
        """The reminders that are to be drafted now: in working hours, where the thread is still open, each once.
        `rules_of` a mailbox's name."""
        ended = dict(_ended(vault, now))
        self._known = {id_: self._known[id_] if id_ in self._known else _since(vault, ended[id_]) for id_ in ended}
        for id_, known in self._known.items():
            if known is None:
                continue
            since, rules = known[0], rules_of(known[1])
            if rules.remind_after is None or not rules.remind_after <= now - since <= FORGET:
                continue
            if rules.hours and rules.hours.next(now, ZoneInfo("UTC")) != now:
                continue
            if id_of(self._secret, id_) not in vault.journal.where and not threads.later(id_):
                yield _reminder(notes.read(ended[id_], vault.journal.read(ended[id_]) or b""), self._secret)


def _ended(vault: Vault, now: datetime) -> Iterator[tuple[TaskId, str]]:
    """The tasks that ended in this month or the last, and where they are."""
    months = {layout.month(now), layout.month(now - FORGET)}
    for id_, path in vault.journal.where.items():
        place = layout.place_of(path)
        if place is not None and place.stage is Stage.DONE and place.folder in months:
            yield id_, path


def _since(vault: Vault, path: str) -> tuple[datetime, str] | None:
    """When the task here ended and its mailbox, if its mail asked something; None for what cannot be read."""
    try:
        task = notes.read(path, vault.journal.read(path) or b"")
    except MalformedNote:
        return None
    if task.finished is None or not asks(sent_text(task) or ""):
        return None
    return task.finished, task.note.front.words("mailbox")


def sent_text(task: Task) -> str | None:
    """What went out; None when the task ended without a mail, or was itself a reminder."""
    if task.domain is not Domain.EMAIL or is_one(task) or not task.note.front.words("result"):
        return None
    try:
        asked = request.read(task.note)
    except MalformedNote:
        return None
    return asked.action.text if asked and isinstance(asked.action, SendMail) else None


def asks(text: str) -> bool:
    """Whether an answer to this is awaited: it holds a question of our own, besides what it repeats in quotes."""
    own = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("-", "•", "*", ">")))
    letter = Letter(
        sender_name="", sender_address="", to_account="business", account_name="", subject="", text=own
    )  # fmt: skip
    return bool(questions(letter))


def wish(task: Task) -> str:
    """In the language of what was sent."""
    return WORDS[language_of(task.note.body.partition("## Original")[0])]


def _reminder(first: Task, secret: bytes) -> Task:
    kept = {key: first.note.front.words(key) or None for key in KEPT}
    front = FrontMatter().put(type=KIND, reminds=first.id, priority="normal", **kept)
    _, found, original = f"\n{first.note.body}".partition("\n## Original")
    body = f"\n# No answer came to what was sent\n\n{fenced(sent_text(first) or '')}\n" + (
        f"## Original{original}" if found else ""
    )
    return Task(
        id=id_of(secret, first.id), stage=Stage.NEEDS_ACTION, domain=Domain.EMAIL, slug=first.slug,
        note=Note(front, body),
    )  # fmt: skip
