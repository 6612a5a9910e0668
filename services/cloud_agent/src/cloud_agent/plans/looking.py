"""The steps that only look: a mail of the vault, or the books. What comes of them is typed, in words of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from accounting import money
from accounting.requested import asks_for_invoice
from books.books import Reading as ReadingBooks
from books.errors import BooksError, BooksUnreachable
from cloud_agent import threads
from cloud_agent.plans.steps import NoMail, mail_named
from cloud_agent.reading import Reading
from drafting.language import language_of
from drafting.questions import questions
from vault_protocol import notes, plain
from vault_protocol.errors import MalformedNote, NoSuchTask
from vault_protocol.task import TASK_ID, Domain, Task
from vault_protocol.vault import Vault

READ = 20_000
"""Characters of a mail that facts are looked for in."""
MOST_AMOUNTS, MOST_FILES = 5, 10
_ADDRESS = re.compile(r"(?:.*‹)?([^\s‹›]+@[^\s‹›]+?)›?")
_WORD = re.compile(r"[\w.+/@-]{1,80}", re.ASCII)


class Fruitless(Exception):
    """The step came to nothing; the message says why, in our words."""


def find_mail(vault: Vault, words: str, now: datetime) -> Task:
    """The task of the mail that a step names: by its id, or the newest of the last months. Raises Fruitless."""
    if TASK_ID.fullmatch(words):
        try:
            task = vault.get(words)
        except (NoSuchTask, MalformedNote):
            raise Fruitless(f"no readable task {words} is in the vault") from None
        if not _is_mail(task):
            raise Fruitless(f"task {words} is no mail")
        return task
    try:
        address, about = mail_named(words)
    except NoMail:
        raise Fruitless("it names no mail") from None
    fitting = [task for task in _mails(vault, now) if _fits(task, address, about)]
    if not fitting:
        raise Fruitless("no such mail came in the last two months")
    return max(fitting, key=lambda task: (task.note.front.words("received"), task.id))


def facts_of(reading: Reading) -> tuple[str, ...]:
    """Of a mail. Raises Fruitless when it is not on this machine."""
    if reading.original is None:
        raise Fruitless(reading.obstacle or "the original message is not on this machine")
    return tuple(_facts(reading))


def owed(books: ReadingBooks, customer: str, now: datetime) -> tuple[str, ...]:
    """What one customer owes. Raises Fruitless, BooksUnreachable."""
    try:
        found = books.partners(email=customer) if "@" in customer else books.partners(customer)
        exact = tuple(one for one in found if one.name.casefold() == customer.casefold()) or found
        if len(exact) != 1:
            raise Fruitless(f"the books know {len(exact) or 'nobody'} by that name")
        open_ = [one for one in books.receivables(today=now.date()) if one.partner == exact[0].id]
    except BooksUnreachable:
        raise
    except BooksError as error:
        raise Fruitless(plain.one_line(str(error))) from None
    told = [f"customer: {plain.one_line(exact[0].name, 120)}", f"open invoices: {len(open_)}"]
    told += [
        f"open: {plain.one_line(one.number, 60)}, {one.residual}, due {one.due.isoformat()}"
        for one in open_[:MOST_FILES]
    ]
    return tuple(told)


def _facts(reading: Reading) -> Iterator[str]:
    letter, original = reading.letter, reading.original
    assert original is not None
    yield f"sender: {_word(letter.sender_address)}"
    if letter.received is not None:
        yield f"received: {letter.received:%Y-%m-%d}"
    yield f"language: {language_of(letter.text).value}"
    yield f"questions: {len(questions(letter))}"
    for amount in dict.fromkeys(money.find(letter.text[:READ])[:MOST_AMOUNTS]):
        yield f"amount: {amount}"
    if asks_for_invoice(letter.subject, letter.text):
        yield "asks for: an invoice"
    for file in original.attachments[:MOST_FILES]:
        yield f"file: {_word(file.media_type)}, {file.size} bytes"
    if reading.silence is not None:
        yield f"nobody answers it: {reading.silence.value}"


def _word(text: str) -> str:
    """An address or a media type, and nothing that could be a sentence."""
    return text if _WORD.fullmatch(text) else "one that cannot be shown"


def _mails(vault: Vault, now: datetime) -> Iterator[Task]:
    for _, path in threads.near(vault, now):
        try:
            task = notes.read(path, vault.journal.read(path) or b"")
        except MalformedNote:
            continue
        if _is_mail(task):
            yield task


def _is_mail(task: Task) -> bool:
    """Not what reminds of a mail, nor a step of a plan about one."""
    front = task.note.front
    return task.domain is Domain.EMAIL and not front.words("reminds") and not front.words("plan")


def _fits(task: Task, address: str, about: str) -> bool:
    front = task.note.front
    sender = _ADDRESS.fullmatch(front.words("from").strip())
    return (
        sender is not None
        and sender[1].lower() == address
        and plain.one_line(about).casefold() in front.words("subject").casefold()
    )
