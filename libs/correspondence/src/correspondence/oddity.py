"""What can be strange about a mail, and which machines write mail."""

from __future__ import annotations

from enum import StrEnum


class Oddity(StrEnum):
    """A fact about a mail that its reader should know; `sentence` says it to the owner."""

    sentence: str

    def __new__(cls, value: str, sentence: str) -> Oddity:
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member

    NO_SENDER = "no_sender", "It does not say who wrote it."
    SEVERAL_SENDERS = "several_senders", "It names more than one author."
    BAD_ADDRESS = "bad_address", "An address in it is not usable and was left out."
    NO_MESSAGE_ID = "no_message_id", "It has no usable Message-ID."
    NO_DATE = "no_date", "It has no usable date."
    DUPLICATE_HEADERS = "duplicate_headers", "A header that may occur once occurs twice; the first was used."
    CONTROL_CHARACTERS = "control_characters", "A header holds control characters; they became spaces."
    BAD_CHARSET = "bad_charset", "Its characters are not encoded as it claims; some may be wrong."
    BROKEN_MIME = "broken_mime", "Its structure is broken; parts of it may be missing."
    TRUNCATED = "truncated", "Its text is too long; the end was left out."
    HUGE = "huge", "It is larger or more nested than is sensible; not all of it was read."
    BIDI_CHARACTERS = (
        "bidi_characters",
        "It held characters that reverse the direction of text; they were removed.",
    )
    ZERO_WIDTH_CHARACTERS = "zero_width_characters", "It held invisible characters; they were removed."
    HTML_ONLY = "html_only", "It was written in HTML only; the text was taken from that."
    HIDDEN_HTML_TEXT = "hidden_html_text", "Its HTML holds text that a reader would not see; it was left out."
    REMOTE_CONTENT = "remote_content", "It would load content from elsewhere; nothing was loaded."
    LINK_DIFFERS = "link_differs", "A link shows one site and leads to another."
    REPLY_TO_DIFFERS = "reply_to_differs", "Answers go to another address than the sender's."
    REPLY_TO_OTHER_DOMAIN = "reply_to_other_domain", "Answers go to another domain than the sender's."
    LOOK_ALIKE = "look_alike", "A name or domain mixes alphabets, as imitations do."
    NAME_CONTAINS_ADDRESS = "name_contains_address", "A display name shows another address than the real one."
    MANY_RECIPIENTS = "many_recipients", "It went to many people."
    INVITATION = "invitation", "It is an invitation to a calendar event."
    NESTED_MESSAGE = "nested_message", "Another message is attached; it was not read."
    RISKY_ATTACHMENT = "risky_attachment", "An attachment is of a kind that can run a program."
    ENCRYPTED = "encrypted", "It is encrypted and cannot be read here."
    SIGNED = "signed", "It carries a signature that was not checked here."


class Automatic(StrEnum):
    """A kind of mail that a machine wrote."""

    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    MAILING_LIST = "mailing_list"
    NO_REPLY = "no_reply"


def in_order(found: set[Oddity]) -> tuple[Oddity, ...]:
    """The oddities found, in the order in which the enum names them."""
    return tuple(oddity for oddity in Oddity if oddity in found)
