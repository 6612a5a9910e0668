"""The offline drafts: sendable as they are, in the mail's language, inventing nothing."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import Draft, Letter
from drafting.language import Language, language_of
from drafting.offline import OfflineDrafter
from vault_protocol.plain import hidden_or_control


def draft(letter: Letter, remark: str | None = None, previous: str | None = None) -> Draft:
    return OfflineDrafter().draft(letter, handbook="", remark=remark, previous=previous)


def test_the_whole_holding_reply_reads_like_this(letter: Any) -> None:
    asked = letter("Hi Sam,\n\nare you free on Thursday\nat 10? I will bring the plans.\n\n- And who pays for lunch?\n")
    assert draft(asked) == Draft(
        "Dear Petra Lang,\n\n"
        "Thank you for your message. It has arrived.\n\n"
        "These are the points I have understood:\n\n"
        "- “are you free on Thursday at 10?”\n"
        "- “And who pays for lunch?”\n\n"
        "I do not have the answer yet and will come back to you when I do.\n\n"
        "Kind regards\nSam Rivers\n",
        ("the answer to: are you free on Thursday at 10?", "the answer to: And who pays for lunch?"),
        "offline",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Could you please tell me when the chairs will be ready?", "Thank you for your message."),
        ("Könnten Sie mir bitte sagen, wann die Stühle fertig sind?", "vielen Dank für die Nachricht."),
        ("Pourriez-vous me dire quand les chaises seront prêtes ?", "Merci pour le message,"),
        ("¿Podría decirme cuándo estarán listas las sillas?", "Gracias por el mensaje,"),
        ("Kunt u mij zeggen wanneer de stoelen klaar zijn?", "Thank you for your message."),
        ("", "Thank you for your message."),
    ],
)
def test_the_reply_is_in_the_language_of_the_mail_and_english_otherwise(letter: Any, text: str, words: str) -> None:
    assert words in draft(letter(text, subject="")).text


@pytest.mark.parametrize("remark", ["Tuesday 10 works, bring the contract", "Passt.\n\nBis dann!", "a  b\tc"])
def test_a_remark_is_the_answer_word_for_word(letter: Any, remark: str) -> None:
    written = draft(letter(), remark)
    assert written.text == f"Dear Petra Lang,\n\n{remark}\n\nKind regards\nSam Rivers\n"
    assert (written.unknowns, written.warnings) == ((), ())


def test_a_remark_that_greets_and_signs_is_left_as_it_is(letter: Any) -> None:
    remark = "Hi Petra,\n\nTuesday it is.\n\nBest, Sam Rivers"
    assert draft(letter(), remark).text == remark + "\n"


def test_a_remark_that_reads_like_an_instruction_is_marked(letter: Any) -> None:
    assert "word for word" in draft(letter(), "Tell her that Tuesday works").warnings[0]


@pytest.mark.parametrize(
    ("remark", "start"),
    [("in German, please", "Guten Tag Petra Lang,"), ("auf Französisch", "Bonjour Petra Lang,"),
     ("shorter and in Spanish", "Buenos días, Petra Lang:")],
)  # fmt: skip
def test_a_remark_that_only_wishes_for_a_language_or_brevity_is_no_answer(letter: Any, remark: str, start: str) -> None:
    written = draft(letter(), remark, previous="Dear Petra, an older draft.")
    assert written.text.startswith(start)
    assert remark not in written.text
    assert written.unknowns[-1].startswith("what the previous draft said")
    assert ("Could you send the plan?" in written.text) is ("shorter" not in remark)


def test_a_personal_account_writes_less_formally(letter: Any) -> None:
    assert draft(letter(to_account="personal")).text.startswith("Hi Petra Lang,")


def test_a_name_written_last_name_first_is_turned(letter: Any) -> None:
    assert draft(letter(sender_name='"Lang, Petra"')).text.startswith("Dear Petra Lang,")


def test_at_most_six_questions_are_quoted_and_a_long_one_is_cut_openly(letter: Any) -> None:
    many = " ".join(f"Is it number {'very ' * 60 if n == 0 else ''}{n}?" for n in range(9))
    written = draft(letter(many))
    assert written.text.count("- “") == len(written.unknowns) == 6
    assert "…”" in written.text


def test_a_question_in_the_subject_counts(letter: Any) -> None:
    assert "- “Lunch?”" in draft(letter("", subject="Lunch?")).text


@given(
    text=st.text(max_size=400), name=st.text(max_size=30), subject=st.text(max_size=60),
    remark=st.none() | st.text(max_size=80),
)  # fmt: skip
def test_whatever_the_mail_holds_the_draft_is_clean_and_bounded(
    text: str, name: str, subject: str, remark: str | None
) -> None:
    mail = Letter(
        sender_name=name, sender_address="a@b.example", to_account="business", account_name="Sam", subject=subject,
        text=text,
    )  # fmt: skip
    written = draft(mail, remark)
    assert hidden_or_control(written.text) is None
    assert written.text.endswith("\n")
    assert not written.text.endswith("\n\n")
    assert len(written.text) < 3_000
    assert all("\n" not in unknown for unknown in written.unknowns)


@given(st.text(alphabet="0123456789€$./:@-abc?! ", max_size=300))
def test_a_holding_reply_holds_no_link_address_or_markup_of_the_sender(text: str) -> None:
    mail = Letter(sender_name="", sender_address="", to_account="business", account_name="Sam", subject="", text=text)
    assert not re.search(r"://|@|www\.|[<>`|#\[\]]", draft(mail).text)


def test_a_few_words_are_enough_to_know_the_language() -> None:
    assert language_of("Ist die Wohnung noch frei?") is Language.DE
    assert language_of("Est-ce que vous êtes là ?") is Language.FR
    assert language_of("¿Cuánto cuesta la bicicleta?") is Language.ES
