"""The guard: what a model wrote is cleaned, bounded, and compared with what it was given."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting.guard import LONGEST, UnfitDraft, check
from drafting.plain import clean
from vault_protocol.plain import hidden_or_control

HANDBOOK = """# Company Handbook

## What may be told

- Our address is office@rivers.example, our site https://rivers.example/terms.
- A day costs 800 EUR.

## Contacts

| Name | Address | What they are to us |
|---|---|---|
| Ola | ola@fjord.example | customer |
"""


def warnings(letter: Any, text: str, remark: str | None = None) -> tuple[str, ...]:
    return check(text, letter=letter, remark=remark, handbook=HANDBOOK).warnings


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("See https://thief.example/pay now.", "a link that is not in the mail: https://thief.example/pay"),
        ("See thief.com/pay.", "a link that is not in the mail: thief.com/pay"),
        ("Write to evil@thief.example.", "an address that is not in the mail: evil@thief.example"),
        ("Pay to DE89 3704 0044 0532 0130 00.", "an account number that is not in the mail: DE89370400440532013000"),
        ("Pay to de89370400440532013000.", "an account number that is not in the mail: DE89370400440532013000"),
        ("Call +49 30 1234567.", "a phone number that is not in the mail: +49 30 1234567"),
        ("It costs € 1.250,00.", "an amount that is not in the mail: € 1.250,00"),
        ("It costs 75 euros.", "an amount that is not in the mail: 75 euros"),
    ],
)
def test_what_the_model_added_is_named(letter: Any, text: str, what: str) -> None:
    assert warnings(letter(), text) == (f"the draft names {what}",)


def test_what_the_handbook_knows_of_another_contact_is_named(letter: Any) -> None:
    assert warnings(letter(), "Ask ola@fjord.example.") == (
        "the draft names an address that is not in the mail: ola@fjord.example",
    )


def test_what_the_mail_or_the_remark_hold_or_the_handbook_lets_tell_is_no_warning(letter: Any) -> None:
    mail = letter(
        "The total is 1,250.00 EUR to DE89370400440532013000, see www.lang.example/offer or call +49301234567"
    )
    text = (
        "€ 1250 to DE89 3704 0044 0532 0130 00, https://lang.example/offer/, petra@lang.example, +49 30 1234567, "
        "office@rivers.example, 800,00 €, 99 USD, https://rivers.example/terms."
    )
    assert warnings(mail, text, remark="offer her 99 dollars for it: 99 USD") == ()


def test_an_ending_of_a_known_address_is_a_stranger(letter: Any) -> None:
    assert warnings(letter(), "tra@lang.example") != ()
    assert warnings(letter(), "petra@lang.example.org") != ()


def test_plain_sentences_with_numbers_raise_no_warning(letter: Any) -> None:
    assert warnings(letter(), "On 3.4. at 10.30 we are 12, in room 2.04, e.g. upstairs. See plan.pdf, ok?") == ()


@pytest.mark.parametrize("empty", ["", " \n\t\n", "\u200b\u2060\u202e", "\x00"])
def test_an_empty_draft_is_refused(letter: Any, empty: str) -> None:
    with pytest.raises(UnfitDraft, match="empty"):
        warnings(letter(), empty)


def test_a_draft_over_the_limit_is_refused_and_one_at_the_limit_is_not(letter: Any) -> None:
    assert warnings(letter(), "x" * (LONGEST - 1)) == ()
    with pytest.raises(UnfitDraft, match="20001 characters"):
        warnings(letter(), "x" * LONGEST)


@pytest.mark.parametrize("run", ["x", "a.", "a@", "1 ", "AB12 ", "+1 2", "http://", "1,000 "])
def test_no_run_of_characters_makes_the_guard_slow(letter: Any, run: str) -> None:
    started = time.process_time()
    warnings(letter(run * 100_000), run * ((LONGEST - 1) // len(run)))
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize("live", ["![x](y)", "<img src=x>", "<!-- draft -->", "```dataview", "<SCRIPT>", "<%tp%>"])
def test_what_a_viewer_would_load_or_run_is_refused(letter: Any, live: str) -> None:
    with pytest.raises(UnfitDraft, match="plain text"):
        warnings(letter(), f"Hello {live}")


@given(st.text(max_size=500))
def test_cleaned_text_is_clean_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert hidden_or_control(once) is None
    assert "\r" not in once
    assert clean(once) == once
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n"))


def test_line_ends_and_hidden_characters_are_put_right(letter: Any) -> None:
    text = "Hello\u202e,\r\n\r\nfine \u200bwith me.  \rBye\x07\U000e0041\n\n\n"
    checked = check(text, letter=letter(), remark=None, handbook="")
    assert checked.text == "Hello,\n\nfine with me.\nBye\n"
