from __future__ import annotations

from dataclasses import replace

import pytest

from correspondence import Caution, Envelope, Mailbox, NoReplyAddress, Oddity, answer, read
from correspondence.reply import reply_subject

from .cases import Value, mail

OWNER = Mailbox("The Owner", "owner@example.com")
OWN = frozenset(["owner@example.com", "me@home.example"])
ANN = Mailbox("Ann Lee", "ann@example.org")


def reply(body: str = "Hi\n", /, **headers: Value) -> Envelope:
    return answer(read(mail(body, **headers)), account=OWNER, own_addresses=OWN)


def test_an_answer_goes_to_the_sender_alone() -> None:
    envelope = reply()
    assert (envelope.sender, envelope.to, envelope.cc, envelope.also) == (OWNER, (ANN,), (), ())
    assert envelope.warnings == ()


def test_an_answer_goes_to_reply_to_and_says_so() -> None:
    envelope = reply(Reply_To="Desk <desk@other.example>")
    assert envelope.to == (Mailbox("Desk", "desk@other.example"),)
    assert envelope.also == (ANN,)
    assert envelope.warnings == (
        Oddity.REPLY_TO_DIFFERS,
        Oddity.REPLY_TO_OTHER_DOMAIN,
        Caution.REPLY_ALL_POSSIBLE,
    )


def test_others_are_named_and_not_written_to() -> None:
    envelope = reply(To="owner@example.com, bob@x.example", Cc="ME@home.example, Bob <BOB@x.example>, ann@example.org")
    assert envelope.to == (ANN,)
    assert envelope.also == (Mailbox("", "bob@x.example"),)
    assert envelope.warnings == (Caution.REPLY_ALL_POSSIBLE,)


def test_several_answer_addresses_are_all_written_to_and_said() -> None:
    envelope = reply(Reply_To="ann@example.org, bob@example.org, owner@example.com")
    assert [mailbox.address for mailbox in envelope.to] == ["ann@example.org", "bob@example.org"]
    assert Caution.SEVERAL_ADDRESSES in envelope.warnings


def test_an_answer_to_a_machine_says_so() -> None:
    assert reply(List_Id="<x.example>").warnings == (Caution.WRITTEN_BY_A_MACHINE,)


def test_what_does_not_concern_the_answer_is_no_warning_of_it() -> None:
    assert reply(Date=None).warnings == ()


@pytest.mark.parametrize(
    "headers",
    [{"From": None}, {"From": "root"}, {"From": "owner@example.com"}, {"Reply_To": "me@home.example"}],
)
def test_without_another_usable_address_there_is_no_answer(headers: dict[str, Value]) -> None:
    with pytest.raises(NoReplyAddress, match="no address to answer to"):
        reply(**headers)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Hello", "Re: Hello"),
        ("Re: Hello", "Re: Hello"),
        ("RE: re: AW: Hello", "Re: Hello"),
        ("Re[2]: Hello", "Re: Hello"),
        ("RE (3) : Hello", "Re: Hello"),
        ("SV: Antw: Hello", "Re: Hello"),
        ("AW\uff1aHello", "Re: Hello"),
        ("Fwd: Hello", "Re: Fwd: Hello"),
        ("Regarding: Hello", "Re: Regarding: Hello"),
        ("Re: ", "Re: (no subject)"),
        ("", "Re: (no subject)"),
        ("a\r\nBcc: x", "Re: a Bcc: x"),
    ],
)
def test_the_subject_of_an_answer_has_one_re(subject: str, expected: str) -> None:
    assert reply_subject(subject) == expected


def test_the_thread_grows_by_the_original() -> None:
    envelope = reply(References="<a@x.example> <b@x.example>", In_Reply_To="<b@x.example>")
    assert envelope.in_reply_to == "<1@example.org>"
    assert envelope.references == ("<a@x.example>", "<b@x.example>", "<1@example.org>")


def test_a_thread_without_references_begins_with_what_was_answered() -> None:
    assert reply(In_Reply_To="<0@x.example>").references == ("<0@x.example>", "<1@example.org>")


def test_of_a_long_thread_the_first_and_the_last_are_kept() -> None:
    references = reply(References=" ".join(f"<{n}@x.example>" for n in range(300))).references
    assert len(references) == 20
    assert (references[0], references[-2], references[-1]) == (
        "<0@x.example>",
        "<299@x.example>",
        "<1@example.org>",
    )


def test_an_original_that_names_itself_as_its_past_is_named_once_and_last() -> None:
    assert reply(References="<1@example.org> <a@x.example>").references == (
        "<a@x.example>",
        "<1@example.org>",
    )


def test_a_mail_without_an_id_starts_no_thread() -> None:
    envelope = reply(Message_ID=None)
    assert (envelope.in_reply_to, envelope.references) == (None, ())
    assert envelope.warnings == (Oddity.NO_MESSAGE_ID,)


def test_the_quote_says_who_and_when_and_marks_each_line() -> None:
    assert reply("one\n\n> two\n").quote == "On 2026-01-05 14:03 UTC, Ann Lee wrote:\n> one"
    assert reply("one\n\ntwo\n").quote == "On 2026-01-05 14:03 UTC, Ann Lee wrote:\n> one\n>\n> two"
    assert reply("> one\ntwo\n> three\nfour").quote.split("\n")[1:] == [
        ">> one",
        "> two",
        ">> three",
        "> four",
    ]


def test_the_quote_of_a_mail_without_date_or_name_still_says_who() -> None:
    assert reply("one\n", Date=None, From="ann@example.org").quote == "ann@example.org wrote:\n> one"


def test_a_mail_without_text_has_no_quote() -> None:
    assert reply("\n").quote == ""


def test_of_a_long_mail_two_hundred_lines_are_quoted() -> None:
    lines = reply("line\n" * 323).quote.split("\n")
    assert len(lines) == 202
    assert lines[-1] == "> [123 more lines left out]"


def test_a_name_with_line_breaks_cannot_make_a_header_or_a_line() -> None:
    original = replace(read(mail()), sender=Mailbox("Ann\r\nBcc: x", "ann@example.org"), subject="a\nb")
    envelope = answer(original, account=replace(OWNER, name="O\r\nX: y"), own_addresses=OWN)
    assert envelope.to[0].name == "Ann Bcc: x"
    assert (envelope.sender.name, envelope.subject) == ("O X: y", "Re: a b")
    assert envelope.quote.startswith("On 2026-01-05 14:03 UTC, Ann Bcc: x wrote:\n")


def test_an_address_that_is_no_address_is_never_answered() -> None:
    original = replace(read(mail()), sender=Mailbox("", "ann@example.org\r\nBcc: x"))
    with pytest.raises(NoReplyAddress):
        answer(original, account=OWNER, own_addresses=OWN)
