"""What the worker asks of memory and context: before it judges, before it drafts, and of what was drafted."""

from __future__ import annotations

from dataclasses import replace

from books.books import Books
from cloud_agent.context import known_section, lookup, others
from cloud_agent.course import THE_OWNERS
from cloud_agent.desk import Desk
from cloud_agent.reading import Reading
from cloud_agent.threads import Threads
from drafting import Draft, Kind, Priority, Triage
from drafting import handbook as handbooks
from drafting.handbook import Rules
from drafting.handbook.topics import TOPICS, is_about
from drafting.memory import rejections
from vault_protocol.clock import Clock
from vault_protocol.note import Note
from vault_protocol.task import Task


class Knowing:
    """Reads the vault as it is now, and the books when there are some."""

    def __init__(
        self, desk: Desk, threads: Threads, clock: Clock, books: Books | None, own: frozenset[str]
    ) -> None:  # fmt: skip
        """`own` are the owner's addresses."""
        self._desk, self._threads, self._clock, self._books = desk, threads, clock, books
        self._own = frozenset(address.lower() for address in own)

    def taught(self, triage: Triage, reading: Reading) -> Triage:
        """The owner is asked about a sender, or a topic, whose drafts they rejected; what comes by a list whose mails
        they rejected is low. What ends unseen anyway stays as it is, and nothing is made to."""
        if reading.remark or triage.kind not in (Kind.REPLY_WANTED, *THE_OWNERS):
            return triage
        with self._desk.vault() as vault:
            content = (vault.journal.read(rejections.PATH) or b"").decode("utf-8", "replace")
        urgent = triage.priority is Priority.HIGH
        if reading.silence is not None or triage.kind is not Kind.REPLY_WANTED:
            named = reading.original.mailing_list if reading.original else ""
            row = rejections.asks(content, rejections.of_list(named)) if named and not urgent else None
            return replace(triage, priority=Priority.LOW, reason=f"{row.reason}; {triage.reason}") if row else triage
        topics = (rejections.of_topic(one) for one in TOPICS if is_about(reading.letter, one))
        row = rejections.asks(content, reading.letter.sender_address, *topics)
        if row is None:
            return triage
        priority = triage.priority if urgent else Priority.LOW
        return Triage(Kind.NEEDS_OWNER, priority, f"{row.reason}; {triage.reason}", triage.by)

    def before(self, task: Task, reading: Reading, handbook: str) -> Reading:
        """The reading with all that is known of its sender in its letter."""
        rules = _rules(handbook, reading)
        with self._desk.vault() as vault:
            self._threads.look(vault, self._clock.now())
            found = lookup.looked_up(vault, self._threads, task, reading, rules)
        if found.facts and self._books is not None and "business" in lookup.allowed(reading.letter, rules):
            found = replace(found, facts=(*found.facts, *lookup.invoices(self._books, reading)))
        return replace(reading, letter=replace(reading.letter, background=found))

    def with_warnings(self, draft: Draft, reading: Reading, handbook: str) -> Draft:
        """The draft, and a line for each thing in it that is another contact's, of whichever account."""
        everybody = handbooks.read(handbook)
        rules = replace(_rules(handbook, reading), names=everybody.names, contacts=everybody.contacts)
        found = others.warnings(draft.text, reading.letter, self._threads.mails(), rules, own=self._own)
        return replace(draft, warnings=(*draft.warnings, *found))

    def with_known(self, note: Note, reading: Reading) -> Note:
        """The note with what was known, for the owner."""
        return known_section.put(note, reading.letter.background)


def _rules(handbook: str, reading: Reading) -> Rules:
    """As they hold for the account and the mailbox that the mail came to."""
    return handbooks.read(handbooks.text_for(handbook, reading.letter.to_account, reading.letter.mailbox))
