"""The handbook read as rules: the one that `countersign init` writes, and those an owner may write."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting import handbook
from drafting.budget.caps import Caps
from drafting.handbook import Effect, Unread, Unreadable
from drafting.language import Language
from drafting.letter import Priority
from drafting.offline import OfflineDrafter

FIRST = Path(__file__).parents[3] / "services/local_agent/src/local_agent/setup/notes/Company_Handbook.md"


def ruled(*lines: str) -> handbook.Rules:
    return handbook.read("# Company Handbook\n\n## Rules\n\n" + "".join(f"- {line}\n" for line in lines))


def test_the_first_handbook_is_understood_whole() -> None:
    rules = handbook.read(FIRST.read_text(encoding="utf-8").replace("@@ZONE@@", "Europe/Berlin"))
    assert rules.unread == ()
    assert (rules.disclose, rules.languages, rules.tellable, rules.contacts) == (False, (), (), frozenset())
    assert rules.hours is not None
    assert rules.signature("business") is None  # its owner's name stands for itself
    assert "Friendly and short. Say what happens next and by when." in rules.tone


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Never write on Sundays", Unreadable.EFFECT),
        ("Be nice: always", Unreadable.EFFECT),
        ("Always ask: legal, the moon", Unreadable.WHOM),
        ("Never draft for:", Unreadable.WHOM),
        ("Languages: German and Klingon", Unreadable.VALUE),
        ("Owner only: amounts over a lot", Unreadable.WHOM),
        ("Owner only: amounts over 5,000", Unreadable.WHOM),
        ("Spend at most: much a day", Unreadable.VALUE),
        ("Spend at most: 0 a day", Unreadable.VALUE),
        ("Spend at most: 2 a week", Unreadable.VALUE),
        ("Tokens at most: 100", Unreadable.VALUE),
        ("Working hours: when I am awake", Unreadable.VALUE),
        ("Working hours: Monday to Friday, 9:00 to 17:00 Mars/Base", Unreadable.VALUE),
        ("Say that an AI drafted it: perhaps", Unreadable.VALUE),
    ],
)
def test_a_rule_that_is_not_understood_is_told_with_its_line(line: str, why: Unreadable) -> None:
    assert ruled("Languages: English", line).unread == (Unread(6, why),)


def test_a_rule_that_is_understood_in_part_still_counts_for_that_part(letter: Any) -> None:
    rule = ruled("Always ask: legal, the moon").about(letter("My lawyer will write to you."))
    assert rule is not None
    assert (rule.effect, rule.line) == (Effect.ASK, 5)


def test_a_section_that_nobody_reads_is_told_unless_it_holds_no_rule() -> None:
    text = "# Company Handbook\n\n## Parking\n\nBehind the house.\n\n## Holidays\n\n- Closed in August\n"
    assert handbook.read(text).unread == (Unread(7, Unreadable.SECTION),)


@pytest.mark.parametrize(
    ("line", "fits", "not_fits"),
    [
        ("Never draft for: petra@lang.example", {}, {"sender_address": "xpetra@lang.example"}),
        (
            "Never draft for: lang.example",
            {"sender_address": "a@mail.lang.example"},
            {"sender_address": "a@slang.example"},
        ),
        ("Never draft for: @lang.example", {}, {"sender_address": "petra@lang.example.evil.example"}),
        ("Never draft for: “project falcon”", {"subject": "Re: Project  Falcon"}, {"subject": "Project"}),
        ("Never draft for: legal", {"text": "Unser Anwalt meldet sich."}, {"text": "Unser Angebot."}),
        ("Never draft for: emotional", {"text": "Mon père est décédé hier."}, {"text": "Mon père vient."}),
        ("Never draft for: unusual money", {"text": "Tenemos una nueva cuenta bancaria."}, {"text": "Mi cuenta."}),
        ("Never draft for: medical", {"text": "The surgery is on Monday."}, {"text": "The meeting is on Monday."}),
    ],
)
def test_a_rule_is_about_exactly_the_mails_it_names(
    letter: Any, line: str, fits: dict[str, str], not_fits: dict[str, str]
) -> None:
    rules = ruled(line)
    assert rules.unread == ()
    assert rules.about(letter(**fits)) is not None
    assert rules.about(letter(**not_fits)) is None


@pytest.mark.parametrize(
    ("text", "is_over"),
    [
        ("We offer 5,000.01 EUR.", True), ("Das macht 6.500 € im Jahr.", True), ("It costs $9000 in all.", True),
        ("We offer 5,000 EUR.", False), ("Ask for room 9000, it costs 20 EUR.", False), ("Nothing.", False),
    ],
)  # fmt: skip
def test_a_threshold_keeps_a_mail_about_more_money_for_the_owner(letter: Any, text: str, is_over: bool) -> None:
    rules = ruled("Owner only: amounts over 5000 EUR")
    assert rules.unread == ()
    assert (rules.about(letter(text)) is not None) is is_over


def test_what_models_may_cost_is_the_lowest_of_what_the_lines_say() -> None:
    lines = ("Spend at most: 2.50 a day, 0.20 a task", "Spend at most: 3 per day", "Tokens at most: 1000 a task")
    assert ruled(*lines).caps == Caps(money_a_day=2_500_000, money_a_task=200_000, tokens_a_task=1000)


def test_a_tone_that_names_manners_alone_is_how_the_offline_drafter_writes(letter: Any) -> None:
    def wrote(tone: str, account: str = "business") -> str:
        mail = letter("Could you come? And when is it?", to_account=account)
        return OfflineDrafter().draft(mail, handbook=f"## Tone\n\n- {tone}\n", remark=None, previous=None).text

    assert "Hi Petra" not in wrote("Friendly and informal. Be nice.")
    assert wrote("Informal.") == wrote("Anything.", "personal")
    assert wrote("formal", "personal") == wrote("Anything.")
    assert "Could you come?" in wrote("formal")
    assert "Could you come?" not in wrote("Formal and short")


def test_of_several_rules_about_a_mail_the_strictest_counts(letter: Any) -> None:
    rules = ruled("Always ask: lang.example", "Never draft for: petra@lang.example", "Owner only: legal")
    found = rules.about(letter("My lawyer says hello."))
    assert found is not None
    assert found.effect is Effect.NEVER


def test_the_table_of_mails_gives_effects_to_kinds_of_senders(letter: Any) -> None:
    text = (
        "## Mail\n\n| Mail from | What to do | Priority |\n|---|---|---|\n| a contact below | draft a reply | high |\n"
        "| somebody new | draft a reply, warn that the contact is new | normal |\n| the moon | draft a reply | |\n"
        "| shop.example | shout | low |\n\n## Contacts\n\n| Name | Address |\n|---|---|\n| P | petra@lang.example |\n"
    )
    rules = handbook.read(text)
    assert rules.unread == (Unread(7, Unreadable.WHOM), Unread(8, Unreadable.EFFECT))
    known, new = rules.about(letter()), rules.about(letter(sender_address="x@y.example"))
    assert known is not None
    assert new is not None
    assert (known.warn, known.priority, new.warn) == (False, Priority.HIGH, True)


def test_a_signature_is_the_accounts_own_or_else_the_common_one() -> None:
    rules = ruled("Sign as: Sam", "Sign business mail as: Sam Rivers, Rivers Ltd")
    assert (rules.signature("business"), rules.signature("personal")) == ("Sam Rivers, Rivers Ltd", "Sam")


def test_languages_are_read_in_their_order() -> None:
    assert ruled("Languages: German and English").languages == (Language.DE, Language.EN)


def test_after_work_the_next_hour_of_work_is_found_across_a_weekend_and_a_change_of_the_clock() -> None:
    hours = ruled("Working hours: Monday to Friday, 9:00 to 17:00 Europe/Berlin").hours
    assert hours is not None
    friday = datetime(2026, 10, 23, 16, 0, tzinfo=UTC)  # 18:00 in Berlin; the clock changes on Sunday
    assert hours.next(friday, ZoneInfo("UTC")) == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    assert hours.next(datetime(2026, 10, 26, 8, 0, tzinfo=UTC), ZoneInfo("UTC")).hour == 8


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader_and_every_reported_line_exists(text: str) -> None:
    whole = "## Rules\n" + text
    lines = whole.replace("\r\n", "\n").count("\n") + 1
    assert all(1 <= one.line <= lines for one in handbook.read(whole).unread)


@pytest.mark.parametrize(
    ("value", "iterations", "unread"),
    [
        ("6 iterations", 6, 0),
        ("1 iteration", 1, 0),
        ("0 iterations", 10, 1),
        ("many", 10, 1),
        ("100 iterations", 10, 1),
    ],
)
def test_how_many_iterations_a_plan_has_is_read_or_reported(value: str, iterations: int, unread: int) -> None:
    rules = handbook.read(f"## Rules\n\n- Plan: {value}\n")
    assert (rules.plan_iterations, len(rules.unread)) == (iterations, unread)
