"""A mail passed on: the words of its readable text and no others, its files by their very bytes, one "Fwd: "."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage

import pytest

from correspondence import File, Mailbox, message, read
from correspondence.forward import files, forward_subject, passed_on
from correspondence.forward_action import MOST_BYTES, CannotForward, Forward, forward_action

from .cases import Case
from .corpus import CORPUS

ME = Mailbox("Ann Owner", "owner@home.example")


def letter(*, text: str = "It holds until Friday.\n", subject: str = "Our offer") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Cc"] = "Jane <jane@customer.example>", "owner@home.example", "b@customer.example"
    made["Subject"], made["Date"] = subject, "Mon, 23 Nov 2026 09:00:00 +0000"
    made["Message-ID"] = "<1@customer.example>"
    made.set_content(text)
    return made


def forward(raw: bytes, text: str = "") -> Forward:
    return forward_action(raw, account="business", sender=ME, to=["boss@partner.example"], text=text)


def test_who_wrote_it_when_to_whom_and_what_it_quoted_go_along() -> None:
    raw = letter(text="Yes.\n\nOn Monday, 2026-11-23 08:00, Ann <a@home.example> wrote:\n> Still valid?\n").as_bytes()
    assert passed_on(read(raw)) == (
        "---------- Forwarded message ----------\nFrom: Jane <jane@customer.example>\nTo: owner@home.example\n"
        "Cc: b@customer.example\nDate: 2026-11-23 09:00 UTC\nSubject: Our offer\n\nYes.\n\n"
        "On Monday, 2026-11-23 08:00, Ann <a@home.example> wrote:\n> Still valid?"
    )


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("Offer", "Fwd: Offer"),
        ("FW: Fwd: WG: Offer", "Fwd: Offer"),
        ("Re: Offer", "Fwd: Re: Offer"),
        ("", "Fwd: (no subject)"),
    ],
)
def test_a_subject_says_once_that_it_was_passed_on(was: str, becomes: str) -> None:
    assert forward_subject(was) == becomes


def test_its_files_are_the_very_bytes_and_a_message_among_them_goes_as_a_plain_file() -> None:
    made = letter()
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="../../offer.pdf")
    made.add_attachment(letter(subject="Inner"))
    found = forward(made.as_bytes())
    first, second = found.files
    assert first == File("offer.pdf", "application/pdf", b"%PDF-1.7")
    assert (second.name, second.media_type) == ("attachment-2.eml", "application/octet-stream")
    assert b"Subject: Inner" in second.content
    named = [(file.name, file.size, file.sha256) for file in found.action.attachments]
    assert named == [(f.name, len(f.content), hashlib.sha256(f.content).hexdigest()) for f in found.files]


def test_what_a_reader_would_not_see_in_its_html_is_not_passed_on() -> None:
    made = letter()
    made.clear_content()
    made.set_content('<p>Hello</p><p style="display:none">IBAN of somebody else</p>', subtype="html")
    assert "IBAN" not in forward(made.as_bytes()).action.quote


def test_a_well_known_secret_in_it_stays_here_and_that_is_said() -> None:
    made = forward(letter(text="The key: AKIAABCDEFGHIJKLMNOP\n").as_bytes())
    assert "AKIAABCDEFGHIJKLMNOP" not in made.action.model_dump_json()
    assert made.removed


def test_what_is_too_much_or_cannot_be_found_again_is_refused() -> None:
    large, many, nameless = letter(), letter(), letter()
    large.add_attachment(b"x" * (MOST_BYTES + 1), maintype="application", subtype="zip", filename="a.zip")
    for _ in range(21):
        many.add_attachment(b"x", maintype="application", subtype="zip", filename="a.zip")
    del nameless["Message-ID"]
    for made, why in ((large, "bytes"), (many, "21 files"), (nameless, "Message-ID")):
        with pytest.raises(CannotForward, match=why):
            forward(made.as_bytes())


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_every_strange_mail_that_can_be_found_again_is_passed_on_whole(case: Case) -> None:
    if read(case.raw).message_id is None:
        with pytest.raises(CannotForward, match="Message-ID"):
            forward(case.raw)
        return
    made = forward(case.raw)
    assert len(files(case.raw, made.original)) == len(made.action.attachments)
    date = read(letter().as_bytes()).date
    assert date is not None
    sent = message(
        sender=ME, to=[Mailbox("", "boss@partner.example")], subject=made.action.subject, text=made.action.text,
        quote=made.action.quote, files=made.files, message_id="<x@home.example>", date=date,
    )  # fmt: skip
    assert [one.sha256 for one in read(sent).attachments] == [one.sha256 for one in made.action.attachments]
