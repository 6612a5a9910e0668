"""A mail asks for an invoice: drafted once under the task's id, with the prices of the books."""

from __future__ import annotations

from datetime import date

from accounting import requested
from accounting.pricing import currencies, priced
from books.drafts import Key, NewMove
from books.values import Kind, Partner
from cloud_agent.bookkeeping.ledger_desk import LedgerDesk, Unclear
from drafting import Letter
from vault_protocol.task import TaskId


def draft(desk: LedgerDesk, task: TaskId, letter: Letter, *, remark: str, today: date) -> tuple[int, tuple[str, ...]]:
    """The record of the draft, and what the owner should look at twice. Raises Unclear with all that is missing.

    Asked again, with a remark or after a kill, it is the same record; it then says what is asked now.
    """
    asked = requested.read(f"{letter.subject}\n{letter.text}", remark=remark)
    found = priced(asked.lines, lambda text: desk.books.products(text))
    partners = _partners(desk, letter, asked.customer)
    missing = list(found.missing)
    if len(partners) != 1:
        who = asked.customer or letter.sender_address
        several = (
            f"the books have {len(partners)} partners with {who}" if partners else f"the books know nobody with {who}"
        )
        missing.append(f"who the customer is: {several} (answer with a line “customer: NAME”)")
    if missing:
        raise Unclear("for an invoice this is missing: " + "; ".join(missing))
    currency, unknown = currencies(asked.lines), all(line.product is None for line in found.lines)
    new = NewMove(
        Kind.INVOICE, partners[0].id, found.lines, issued=today, reference=asked.reference,
        origin=f"countersign {task}",
        currency=next(iter(currency)) if len(currency) == 1 and unknown else "",
    )  # fmt: skip
    drafted = desk.books.draft(Key(f"task-{task}"), new)
    if not drafted.fresh and remark:
        desk.books.change(drafted.id, new)
    return drafted.id, found.warnings


def _partners(desk: LedgerDesk, letter: Letter, customer: str) -> tuple[Partner, ...]:
    """Who wrote, by their whole address; or whom the owner named."""
    if not customer:
        return desk.books.partners(email=letter.sender_address) if letter.sender_address else ()
    if "@" in customer:
        return desk.books.partners(email=customer)
    found = desk.books.partners(customer)
    exact = tuple(partner for partner in found if partner.name.casefold() == customer.casefold())
    return exact or found
