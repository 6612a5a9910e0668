"""The offline triage: rules first, then the classifier, measured on mails it never saw."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drafting import Kind, Priority
from drafting.offline import OfflineDrafter

HELD_OUT = [
    json.loads(row) for row in (Path(__file__).parent / "held_out.jsonl").read_text(encoding="utf-8").splitlines()
]
CORPUS = Path(__file__).parents[1] / "src/drafting/corpus.jsonl"
OFFLINE = OfflineDrafter()


def kind_of(letter: Any) -> Kind:
    return OFFLINE.triage(letter, handbook="").kind


def test_held_out_mails_are_sorted_right_more_often_than_the_measured_bound(letter: Any) -> None:
    wrong: Counter[str] = Counter()
    for row in HELD_OUT:
        found = kind_of(letter(row["text"], subject=row["subject"]))
        wrong[f"{row['kind']} taken for {found}"] += found != row["kind"]
    accuracy = 1 - wrong.total() / len(HELD_OUT)
    print(f"accuracy {accuracy:.3f} on {len(HELD_OUT)} held-out mails; wrong: {dict(+wrong)}")
    assert len(HELD_OUT) >= 60
    assert accuracy >= 0.85  # 69 of 79 when it was measured


def test_no_held_out_mail_that_matters_is_hidden_as_spam_or_newsletter(letter: Any) -> None:
    hidden = {Kind.SPAM, Kind.NEWSLETTER}
    lost = [
        row["subject"]
        for row in HELD_OUT
        if row["kind"] not in hidden and kind_of(letter(row["text"], subject=row["subject"])) in hidden
    ]
    assert lost == []


def test_a_demand_for_a_secret_is_the_owner_s_however_much_it_reads_like_spam(letter: Any) -> None:
    spam = (
        "Congratulations winner! Claim your free prize now, click here https://win.example/free-bonus. Offer expires!"
    )
    assert kind_of(letter(spam, subject="You won")) is Kind.SPAM
    found = OFFLINE.triage(letter(f"{spam}\nSend us your password to claim it.", subject="You won"), handbook="")
    assert (found.kind, found.reason.startswith("the mail asks for a password")) == (Kind.NEEDS_OWNER, True)


def test_no_held_out_mail_is_in_the_corpus() -> None:
    learned = {json.loads(row)["text"] for row in CORPUS.read_text(encoding="utf-8").splitlines()}
    assert not learned & {row["text"] for row in HELD_OUT}
    assert len(learned) >= 150


def test_a_mail_is_sorted_in_under_a_millisecond_of_processor_time(letter: Any) -> None:
    letters = [letter(row["text"], subject=row["subject"]) for row in HELD_OUT]
    kind_of(letters[0])
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for one in letters:
            kind_of(one)
        rounds.append((time.process_time() - started) / len(letters))
    print(f"{min(rounds) * 1000:.2f} ms a mail")
    assert min(rounds) < 0.001


def test_a_megabyte_of_text_is_sorted_in_bounded_time(letter: Any) -> None:
    for stuffing in ("forward all ", "a?" * 40 + " ", "please send all the ", "1. ", "reply to a a a "):
        started = time.process_time()
        kind_of(letter(stuffing * (1_000_000 // len(stuffing))))
        assert time.process_time() - started < 2, stuffing


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "List-Id: x"])
def test_a_mail_sent_by_a_machine_never_wants_a_reply(letter: Any, header: str) -> None:
    asks = letter("Could you tell me when you are free? Please let me know.", automatic=header)
    assert kind_of(asks) is not Kind.REPLY_WANTED


def test_a_mail_to_a_list_is_a_newsletter(letter: Any) -> None:
    found = OFFLINE.triage(letter("What do you think?", automatic="List-Id: <dev.example>"), handbook="")
    assert (found.kind, found.priority) == (Kind.NEWSLETTER, Priority.LOW)


def test_an_invoice_with_its_document_is_an_invoice_even_from_a_list_server(letter: Any) -> None:
    bill = letter("See attachment.", subject="Invoice 12", attachments=("INV_12.PDF",), automatic="List-Unsubscribe: x")
    assert kind_of(bill) is Kind.INVOICE


def test_a_pdf_alone_makes_no_invoice(letter: Any) -> None:
    asks = letter("Could you read the attached plan and tell me what you think?", attachments=("plan.pdf",))
    assert kind_of(asks) is Kind.REPLY_WANTED


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Could you call me back tomorrow?", "tomorrow"),
        ("Können Sie mir bitte bis Freitag Bescheid geben?", "bis freitag"),
        ("Pourriez-vous me répondre demain ?", "demain"),
        ("¿Podría enviarme el plano hoy?", "hoy"),
    ],
)
def test_a_deadline_word_in_a_question_makes_it_urgent_and_is_named(letter: Any, text: str, word: str) -> None:
    found = OFFLINE.triage(letter(text), handbook="")
    assert (found.kind, found.priority) == (Kind.REPLY_WANTED, Priority.HIGH)
    assert found.reason == f"asks a question; deadline word '{word}'"


def test_a_german_good_morning_is_no_deadline(letter: Any) -> None:
    found = OFFLINE.triage(letter("Guten Morgen, könnten Sie mir bitte den Plan schicken?"), handbook="")
    assert (found.kind, found.priority) == (Kind.REPLY_WANTED, Priority.NORMAL)


def test_a_sender_whom_the_handbook_names_comes_first_and_only_that_exact_one(letter: Any) -> None:
    handbook = "- Key clients: petra@lang.example, ola@fjord.example."
    assert OFFLINE.triage(letter(), handbook=handbook).priority is Priority.HIGH
    for other in ("tra@lang.example", "petra@lang.example.evil.test", "Petra@lang.exampl"):
        assert OFFLINE.triage(letter(sender_address=other), handbook=handbook).priority is Priority.NORMAL


def test_an_overdue_invoice_is_urgent(letter: Any) -> None:
    late = letter("Invoice 8 is overdue.", subject="Invoice 8", attachments=("invoice.pdf",))
    assert OFFLINE.triage(late, handbook="").priority is Priority.HIGH


def test_an_empty_mail_is_sorted_too(letter: Any) -> None:
    assert kind_of(letter("", subject="")) not in {Kind.SPAM, Kind.NEWSLETTER}
