"""The evaluation: what the offline drafter must reach, that nobody trained on it, and that each fault can be found."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from drafting import Draft, Kind
from drafting.language import Language
from drafting.offline import OfflineDrafter
from tests.eval import report
from tests.eval.__main__ import DOCUMENT
from tests.eval.grading import Fault, faults
from tests.eval.labelled import Mail, mails
from tests.eval.scoring import Score, score

CORPUS = Path(__file__).parents[2] / "libs/drafting/src/drafting/corpus.jsonl"


@cache
def offline() -> Score:
    return score("offline", OfflineDrafter(), mails())


def test_the_set_is_large_and_holds_every_kind_in_every_language() -> None:
    labelled = mails()
    assert len(labelled) >= 300
    assert len({mail.letter.text for mail in labelled}) == len(labelled)
    assert {(mail.kind, mail.languages[0]) for mail in labelled} == {(k, x) for k in Kind for x in Language}
    assert sum(mail.held_out for mail in labelled) >= 90


def test_the_classifier_learned_from_none_of_these_mails() -> None:
    learned = {_flat(json.loads(row)["text"]) for row in CORPUS.read_text(encoding="utf-8").splitlines()}
    assert [mail.letter.subject for mail in mails() if _flat(mail.letter.text) in learned] == []


def test_offline_triage_is_right_for_85_of_100_mails_those_held_out_too() -> None:
    assert offline().accuracy >= 0.85
    assert offline().held_accuracy >= 0.85


def test_offline_triage_hides_no_mail_that_matters() -> None:
    assert offline().hidden == 0


def test_offline_drafts_invent_nothing_and_leave_no_question_out() -> None:
    assert offline().drafts >= 80
    assert offline().faults == {}


def test_the_document_shows_what_is_measured() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert report.placed(text, report.figures(offline(), mails())) == text, "run: ./just eval --write"


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


FENCE = next(mail for mail in mails() if mail.letter.subject == "Fence around the orchard")
GOOD = "Dear Hanna Brook,\n\nThank you for your message. I have passed on your question.\n\nKind regards\nSam Rivers\n"
ASKED = ("what it would cost per metre", "how soon could you begin")


def graded(text: str, unknowns: tuple[str, ...] = ASKED, mail: Mail = FENCE) -> frozenset[Fault]:
    return faults(mail, Draft(text, unknowns, "test"), other_names={"Omar", "Said", "Lucy"})


def test_a_draft_without_a_fault_has_none() -> None:
    assert graded(GOOD) == frozenset()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault.NUMBER, GOOD.replace("message.", "message. It costs 85 a metre.")),
        (Fault.DATE, GOOD.replace("message.", "message. More on Monday.")),
        (Fault.NAME, GOOD.replace("message.", "message. Omar knows more.")),
        (Fault.PROMISE, GOOD.replace("message.", "message. We will deliver it soon.")),
        (Fault.LANGUAGE, "Guten Tag Hanna Brook,\n\nvielen Dank für die Nachricht, sie ist bei uns.\n\nSam Rivers\n"),
        (Fault.ADDRESSEE, GOOD.replace("Hanna Brook", "all")),
        (Fault.UNSIGNED, GOOD.replace("Sam Rivers", "The team")),
    ],
)
def test_a_fault_is_found_and_no_other_with_it(fault: Fault, text: str) -> None:
    assert graded(text) == {fault}


def test_a_question_that_is_neither_taken_up_nor_passed_on_is_a_fault() -> None:
    assert graded(GOOD, unknowns=ASKED[:1]) == {Fault.UNANSWERED}


def test_what_the_mail_says_may_be_said_back() -> None:
    mail = replace(FENCE, letter=replace(FENCE.letter, text="Could Omar come on Monday at 10:30?\n"))
    assert graded(GOOD.replace("question", "question about Omar and Monday at 10:30"), mail=mail) == frozenset()
