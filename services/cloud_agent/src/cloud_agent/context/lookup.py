"""Looking up a sender: the Handbook, the mails of the last months, the memory notes, and the books if any."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from books.books import Books
from books.errors import BooksError
from books.values import Kind as MoveKind
from books.values import State
from cloud_agent.reading import Reading
from cloud_agent.threads import Mail, Threads
from drafting.background import Background, Fact
from drafting.handbook import Rules
from drafting.handbook.topics import TOPICS, is_about
from drafting.language import language_of
from drafting.letter import Account, Letter
from drafting.memory import NOTHING, Memory, note
from drafting.memory import read as read_memory
from vault_protocol import layout, plain
from vault_protocol.task import Stage, Task
from vault_protocol.vault import Vault

log = structlog.get_logger()

MOST = 5
"""Exchanges, and invoices, that are named."""
CONTACT, LANGUAGE, EXCHANGES, INVOICES = "contact", "language", "last exchanges", "open invoices"
_ACCOUNTS: tuple[Account, ...] = ("business", "personal")
_SAID = {
    Stage.NEEDS_ACTION: "waits", Stage.IN_PROGRESS: "is worked on", Stage.PENDING_APPROVAL: "waits for you",
    Stage.APPROVED: "approved", Stage.REJECTED: "rejected",
}  # fmt: skip


def looked_up(vault: Vault, threads: Threads, task: Task, reading: Reading, rules: Rules) -> Background:
    """All but the books. Empty when the answer would go to another address than the sender's."""
    letter, who = reading.letter, reading.letter.sender_address.strip().lower()
    if not who or reading.original is None or answers_elsewhere(reading):
        return Background()
    accounts = allowed(letter, rules)
    earlier = [
        mail for mail in threads.mails()
        if mail.task != task.id and mail.sender == who and mail.account in accounts
    ]  # fmt: skip
    memory = _memory(vault, letter, who, accounts)
    return Background(tuple(_facts(vault, letter, who, earlier, memory, rules)), memory)


def allowed(letter: Letter, rules: Rules) -> tuple[Account, ...]:
    """Whose knowledge this mail's draft may use: its own account's, and the other's if the Handbook says so."""
    own = letter.to_account
    return (own, *(one for one in _ACCOUNTS if one != own and rules.may_use(own, one)))


def answers_elsewhere(reading: Reading) -> bool:
    """Whether a Reply-To names somebody else: what is known of the one is not for the other."""
    who, original = reading.letter.sender_address.strip().lower(), reading.original
    return original is not None and any(box.address.strip().lower() != who for box in original.reply_to)


def invoices(books: Books, reading: Reading) -> Iterator[Fact]:
    """What the sender owes, by the address that the books have for them. Books that are away are said to be."""
    try:
        partners = books.partners(email=reading.letter.sender_address, limit=MOST)
        moves = [
            move for partner in partners
            for move in books.invoices(
                partner=partner.id, kinds=(MoveKind.INVOICE,), states=(State.POSTED,), unpaid=True, limit=MOST
            )
        ]  # fmt: skip
    except BooksError as error:
        log.warning("books.unavailable", error=type(error).__name__)
        yield Fact(INVOICES, "not known, the books do not answer", "books")
        return
    for move in moves[:MOST]:
        due = f", due {move.due.isoformat()}" if move.due else ""
        yield Fact(INVOICES, f"{plain.one_line(move.number, 60)}, {move.residual} open{due}", "books")


def _facts(
    vault: Vault, letter: Letter, who: str, earlier: list[Mail], memory: Memory, rules: Rules
) -> Iterator[Fact]:  # fmt: skip
    name = dict(rules.names).get(who, "")
    if who in rules.contacts:
        yield Fact(CONTACT, f"{plain.one_line(name or who, 80)}, in your contacts", layout.HANDBOOK)
    elif earlier:
        yield Fact(CONTACT, f"not in your contacts; wrote before, {len(earlier)} times in two months", "vault")
    else:
        yield Fact(CONTACT, "new", "vault")
    yield Fact(LANGUAGE, language_of(f"{letter.subject}\n{letter.text}").english, "the mail")
    if memory.language:
        yield Fact(LANGUAGE, f"you write {memory.language.english} to them", "Memory")
    for mail in earlier[:MOST]:
        subject = plain.one_line(mail.subject, 80)
        yield Fact(EXCHANGES, f"{mail.received:%Y-%m-%d} {subject} ({_became(vault, mail)})", "vault")


def _became(vault: Vault, mail: Mail) -> str:
    place = layout.place_of(vault.journal.where.get(mail.task, ""))
    if place is None:
        return "gone"
    if place.stage is Stage.DONE:
        return "answered" if place.revision else "no answer"
    return _SAID.get(place.stage, place.stage.value)


def _memory(vault: Vault, letter: Letter, who: str, accounts: tuple[Account, ...]) -> Memory:
    """The contact's notes before those of the mail's topics, the account's own before the other's."""
    topics = [topic for topic in TOPICS if is_about(letter, topic)]
    paths = [note.of_contact(account, who) for account in accounts]
    paths += [note.of_topic(account, topic) for topic in topics for account in accounts]
    memory = NOTHING
    for path in paths:
        content = vault.journal.read(path)
        if content is not None:
            memory = memory.over(read_memory(content.decode("utf-8", "replace")))
    return memory
