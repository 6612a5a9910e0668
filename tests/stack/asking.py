"""What passes the gate of a stack that is up: a customer's question, drafted inside, approved outside, sent once."""

from __future__ import annotations

from email.message import EmailMessage

from demo.letters import OWNER
from demo.processes import eventually
from tests.stack.office import Office

ASKED: list[int] = []
"""The numbers of all questions so far."""
PATIENCE = 180.0


def customer(number: int) -> str:
    return f"customer{number}@studio.example"


def topic(number: int) -> str:
    return f"Question number {number} about the pages"


def asked(made: Office) -> int:
    """Send the owner a question; its number."""
    number = len(ASKED) + 1
    ASKED.append(number)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Customer <{customer(number)}>", OWNER, topic(number)
    mail["Date"], mail["Message-ID"] = "Mon, 23 Nov 2026 09:00:00 +0000", f"<q{number}@studio.example>"
    mail.set_content("Hello,\n\nCould you send us an offer for six pages? Would January work?\n\nKind regards\n")
    made.world.mail.provider.deliver(mail.as_bytes(), sender=customer(number))
    return number


def task_of(made: Office, number: int, stage: str = "Pending_Approval") -> str:
    """The one task of a question, once it is there."""

    def look() -> str:
        for task in made.world.list_tasks():
            if topic(number) in str(task) and task["stage"] == stage:
                return str(task["id"])
        return ""

    return eventually(look, f"question {number} in {stage}", seconds=PATIENCE)


def answers(made: Office, number: int) -> int:
    """How many mails its customer got."""
    return sum(customer(number) in mail.envelope.recipients for mail in made.world.mail.received())


def approve(made: Office, number: int) -> None:
    made.world.with_passphrase("approve", task_of(made, number), "--yes")
    eventually(lambda: answers(made, number), f"a mail to {customer(number)}", seconds=PATIENCE)


def through_the_gate(made: Office) -> int:
    """Mail in, drafted inside, approved on this machine, mail out, exactly once; the question's number."""
    number = asked(made)
    approve(made, number)
    assert answers(made, number) == 1
    return number


def all_answered_once(made: Office) -> None:
    """Of every question that was ever asked here one note and at most one answer: nothing is lost, nothing doubled."""
    listed = [str(task) for task in made.world.list_tasks()]
    assert {
        n: sum(f"{topic(n)}'" in task or f'{topic(n)}"' in task for task in listed) for n in ASKED
    } == dict.fromkeys(ASKED, 1)
    assert [n for n in ASKED if answers(made, n) > 1] == []
