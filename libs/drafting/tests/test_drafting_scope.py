"""Personal and business side by side: what of the handbook holds for which mail, and what is kept apart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import handbook
from drafting.handbook import Effect
from drafting.language import Language
from drafting.offline import OfflineDrafter
from drafting.ruled import NotToDraft, Ruled

BOOK = """# Company Handbook

## Rules

- Owner only: legal
- Never draft for: mailbox family

## Rules (business)

- Sign as: Rivers Ltd
- Always ask: prices

## Rules (personal)

- Languages: German
- Never draft for: business mail

## What may be told (business)

- Our price is 4,000 EUR.

## Contacts (personal)

| Name | Address |
|---|---|
| Mum | mum@home.example |

## Tone (mailbox shop)

- Formal.
"""
SHARING = BOOK.replace("- Owner only: legal", "- Personal mail may use business context: yes")


def rules(text: str, account: Any, mailbox: str = "") -> handbook.Rules:
    return handbook.read(handbook.text_for(text, account, mailbox))


def test_each_account_has_what_is_for_it_and_what_is_for_all() -> None:
    business, personal = rules(BOOK, "business"), rules(BOOK, "personal")
    assert (business.signature("business"), personal.signature("personal")) == ("Rivers Ltd", None)
    assert (business.languages, personal.languages) == ((), (Language.DE,))
    assert (business.tellable, personal.tellable) == (("Our price is 4,000 EUR.",), ())
    assert (business.contacts, personal.contacts) == (frozenset(), frozenset({"mum@home.example"}))
    assert business.tone == personal.tone == ()
    assert handbook.read(BOOK).unread == ()


def test_a_line_keeps_its_number_whatever_is_left_out(letter: Any) -> None:
    text = handbook.text_for(BOOK, "business")
    assert text.count("\n") == BOOK.count("\n")
    found = handbook.read(text).about(letter("What is the price?"))
    assert found is not None
    assert BOOK.split("\n")[found.line - 1] == "- Always ask: prices"


@pytest.mark.parametrize(
    "scope", ["(busines)", "(mailbox)", "(business", "( business )", "(mailbox a b)", "(Personal, business)"]
)
def test_a_section_whose_scope_is_not_understood_is_for_no_mail_and_is_reported(scope: str) -> None:
    text = BOOK.replace("## What may be told (business)", f"## What may be told {scope}")
    for account in ("business", "personal"):
        assert "4,000" not in handbook.text_for(text, account)
    assert [one.why for one in handbook.read(text).unread] == [handbook.Unreadable.SECTION]
    assert "Behind the house" in handbook.text_for("## Parking (guests)\n\nBehind the house.\n", "business")


def test_context_is_shared_when_the_handbook_says_so_and_rules_never_are() -> None:
    personal = rules(SHARING, "personal")
    assert personal.tellable == ("Our price is 4,000 EUR.",)
    assert personal.signature("personal") is None
    assert rules(SHARING, "business").contacts == frozenset()
    assert personal.may_use("personal", "business")
    assert not personal.may_use("business", "personal")


def test_a_section_for_one_account_cannot_open_the_other_ones() -> None:
    text = BOOK.replace("- Languages: German", "- Personal mail may use business context: yes")
    assert rules(text, "personal").tellable == ()
    assert not rules(text, "personal").may_use("personal", "business")
    assert [one.why for one in handbook.read(text).unread] == [handbook.Unreadable.SHARED]


def test_a_mailbox_has_its_own_sections_and_rules(letter: Any) -> None:
    assert rules(BOOK, "business", "shop").tone == ("Formal.",)
    assert rules(BOOK, "business", "shop2").tone == ()
    found = rules(BOOK, "personal", "family").about(letter(to_account="personal", mailbox="family"))
    assert found is not None
    assert found.effect is Effect.NEVER
    assert rules(BOOK, "personal").about(letter(to_account="personal", mailbox="fam")) is None


class Listening:
    """A drafter that keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def triage(self, letter: Any, *, handbook: str) -> Any:
        self.shown.append(handbook)
        return OfflineDrafter().triage(letter, handbook=handbook)

    def draft(self, letter: Any, *, handbook: str, remark: str | None, previous: str | None) -> Any:
        self.shown.append(handbook)
        return OfflineDrafter().draft(letter, handbook=handbook, remark=remark, previous=previous)


def test_no_drafter_is_shown_what_the_other_account_knows(letter: Any) -> None:
    inner = Listening()
    made = Ruled(inner)
    for account, other in (("personal", "4,000"), ("business", "mum@home.example")):
        inner.shown.clear()
        mail = letter(to_account=account)
        made.triage(mail, handbook=BOOK)
        made.draft(mail, handbook=BOOK, remark=None, previous=None)
        assert len(inner.shown) == 2
        assert not any(other in shown for shown in inner.shown)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_model_that_tells_a_business_price_in_a_personal_mail_was_not_told_it_and_is_told_on(
    drafter: Any, letter: Any, model_server: Any, provider: str
) -> None:
    model_server.will({"text": "Gerne, das kostet 4,000 EUR.", "unknowns": []})
    made = drafter(provider)
    personal = made.draft(letter(to_account="personal"), handbook=BOOK, remark=None, previous=None)
    assert "4,000" not in str(model_server.asked)
    assert personal.warnings == ("the draft names an amount that is not in the mail: 4,000 EUR",)
    business = made.draft(letter(), handbook=BOOK, remark=None, previous=None)
    assert business.warnings == ()


def test_a_rule_about_business_mail_is_about_no_other(letter: Any) -> None:
    text = "## Rules\n\n- Never draft for: business mail\n"
    made = Ruled(OfflineDrafter())
    with pytest.raises(NotToDraft):
        made.draft(letter(), handbook=text, remark=None, previous=None)
    assert made.draft(letter(to_account="personal"), handbook=text, remark=None, previous=None).text


@given(st.lists(st.sampled_from([*BOOK.split("\n"), "## Contacts (busines)", "# X (mailbox a b)", "(business)"])))
def test_whatever_the_handbook_no_line_of_the_other_account_gets_through(lines: list[str]) -> None:
    text, scope = "\n".join(lines), ""
    shown = handbook.text_for(text, "personal").split("\n")
    shared = handbook.read(handbook.in_scope(text, None)).shared
    assert len(shown) == max(len(lines), 1)
    for line, left in zip(lines, shown, strict=False):
        if line.startswith("#"):
            scope = "business" if line.endswith("(business)") else ""
        assert left in ("", line)
        if scope == "business" and "personal" not in shared:
            assert left == ""
