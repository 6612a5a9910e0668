from typing import Any

import pytest
from libs.vault_protocol.tests import made

from vault_protocol.action import ACTIONS, BadAction, SendMail, action_of

HASH = "a" * 64
FULL: dict[str, Any] = {
    "account": "office",
    "sender": {"name": "Ann", "address": "ann@able.example"},
    "to": [{"name": "Bob", "address": "bob@buyer.example"}, {"address": "eve@buyer.example"}],
    "cc": [{"name": "Cy", "address": "cy@buyer.example"}],
    "bcc": [{"name": "Di", "address": "di@able.example"}],
    "subject": "Re: Question",
    "in_reply_to": "<q1@buyer.example>",
    "references": ["<q0@buyer.example>", "<q1@buyer.example>"],
    "attachments": [{"name": "a.pdf", "media_type": "application/pdf", "size": 10, "sha256": HASH}],
    "text": "Hello\n",
    "quote": "> Hi\n",
}

OTHER = {"address": "x@y.example"}
CHANGED: dict[str, list[Any]] = {
    "account": ["private"],
    "sender": [{"name": "Ann", "address": "ann@evil.example"}, {"name": "Anna", "address": "ann@able.example"}],
    "to": [FULL["to"][:1], FULL["to"][::-1], [*FULL["to"], OTHER], [FULL["to"][0] | {"name": ""}, FULL["to"][1]]],
    "cc": [[], [OTHER], FULL["cc"] * 2],
    "bcc": [[], [OTHER], FULL["bcc"] * 2],
    "subject": ["Re: question", "Re: Question ", ""],
    "in_reply_to": [None, "<q2@buyer.example>"],
    "references": [[], FULL["references"][::-1], FULL["references"][:1]],
    "attachments": [
        [],
        *([FULL["attachments"][0] | {key: value}] for key, value in
          {"name": "b.pdf", "media_type": "text/plain", "size": 11, "sha256": "b" * 64}.items()),
    ],
    "text": ["Hello.\n", "hello\n", " Hello\n", "\nHello\n", "Hello \n", "Hello\n> Hi\n"],
    "quote": ["", "> Hi \n", "> Ho\n"],
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in CHANGED.items() for value in values])
def test_the_digest_changes_with_every_field(field: str, value: Any) -> None:
    assert SendMail.model_validate({**FULL, field: value}).digest != SendMail.model_validate(FULL).digest


def test_no_field_of_an_action_is_left_out_of_that() -> None:
    assert CHANGED.keys() | {"type"} == SendMail.model_fields.keys()
    assert SendMail.model_validate(FULL).canonical().startswith(b"countersign action v1\n{")


def test_moving_a_text_from_one_field_to_the_next_changes_the_digest() -> None:
    one = SendMail.model_validate({**FULL, "text": "a\nb\n", "quote": ""})
    two = SendMail.model_validate({**FULL, "text": "a\n", "quote": "b\n"})
    copied = SendMail.model_validate({**FULL, "cc": FULL["bcc"], "bcc": FULL["cc"]})

    assert len({one.digest, two.digest, copied.digest, SendMail.model_validate(FULL).digest}) == 4


def test_an_action_is_the_same_from_its_fields_and_its_prose() -> None:
    action = SendMail.model_validate(FULL)

    assert action_of(action.fields(), text=action.text, quote=action.quote) == action


INJECTED = [
    "a\r\nBcc: eve@evil.example", "a\nBcc: eve@evil.example", "a\rb", "a\x00b", "a\x0bb", "a\x0cb", "a\x1eb", "a\x85b",
    "a\u2028b", "a\u2029b", "a\tb", "a\u202eb", "a\u200bb", "a\x7f", "\ud800",
]  # fmt: skip
HEADER_FIELDS: dict[str, Any] = {
    "subject": lambda text: text,
    "sender": lambda text: {"name": text, "address": "a@b.example"},
    "to": lambda text: [{"name": text, "address": "a@b.example"}],
    "cc": lambda text: [{"name": text, "address": "a@b.example"}],
    "bcc": lambda text: [{"name": text, "address": "a@b.example"}],
    "attachments": lambda text: [{"name": text, "media_type": "text/plain", "size": 1, "sha256": HASH}],
    "in_reply_to": lambda text: f"<{text}@b.example>",
    "references": lambda text: [f"<{text}@b.example>"],
    "account": lambda text: text,
    "type": lambda text: text,
}
NESTED = [
    ("sender", lambda text: {"address": f"{text}@b.example"}),
    ("to", lambda text: [{"address": f"a@b.example{text.removeprefix('a')}"}]),
    ("attachments", lambda text: [{"name": "a", "media_type": text, "size": 1, "sha256": HASH}]),
    (
        "attachments",
        lambda text: [{"name": "a", "media_type": "a/b", "size": 1, "sha256": HASH + text.removeprefix("a")}],
    ),
]


@pytest.mark.parametrize("injected", INJECTED, ids=ascii)
@pytest.mark.parametrize(("field", "of"), [*HEADER_FIELDS.items(), *NESTED])
def test_nothing_that_could_begin_another_header_gets_into_a_field(field: str, of: Any, injected: str) -> None:
    fields = {"type": "send_mail", **FULL, field: of(injected)}

    with pytest.raises(BadAction, match="no such action" if field == "type" else f"^{field}"):
        action_of({k: v for k, v in fields.items() if k not in SendMail.prose}, text="Hello\n", quote="")


@pytest.mark.parametrize("injected", [text for text in INJECTED if "\n" not in text and "\t" not in text], ids=ascii)
@pytest.mark.parametrize("field", ["text", "quote"])
def test_a_text_holds_nothing_a_reader_does_not_see(field: str, injected: str) -> None:
    with pytest.raises(BadAction, match=field):
        action_of(
            {"type": "send_mail", **{k: v for k, v in FULL.items() if k not in SendMail.prose}},
            **{"text": "Hello\n", "quote": "", field: injected + "\n"},
        )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": []}, "to: Tuple should have at least 1 item"),
        ({"to": [OTHER] * 51}, "to: Tuple should have at most 50"),
        ({"to": [{"address": "no address"}]}, "is not a mail address"),
        ({"to": [{"address": "a@b@c.example"}]}, "is not a mail address"),
        ({"to": [{"address": "bücher@b.example"}]}, "is not a mail address"),
        ({"to": [{"address": "a@b..example"}]}, "is not a mail address"),
        ({"to": [{"address": f"{'a' * 64}@{'.'.join(['b' * 63] * 4)}"}]}, "is not a mail address"),
        ({"to": [OTHER | {"weight": 1}]}, "weight: Extra inputs"),
        ({"in_reply_to": "q1@buyer.example"}, "is not a Message-ID"),
        ({"subject": "x" * 999}, "at most 998"),
        ({"text": ""}, "the text is empty"),
        ({"text": " \n"}, "the text is empty"),
        ({"text": "no newline"}, "does not end in exactly one newline"),
        ({"text": "two\n\n"}, "does not end in exactly one newline"),
        ({"attachments": [FULL["attachments"][0] | {"size": -1}]}, "greater than or equal to 0"),
        ({"attachments": [FULL["attachments"][0] | {"size": "10"}]}, "valid integer"),
        ({"attachments": [FULL["attachments"][0] | {"sha256": "A" * 64}]}, "match pattern"),
        ({"account": "Office"}, "match pattern"),
        ({"account": "office\n"}, "match pattern"),
        ({"urgent": True}, "urgent: Extra inputs are not permitted"),
        ({"type": "send_sms"}, "no such action: 'send_sms'; known are"),
        ({"type": ["send_mail"]}, "no such action"),
    ],
)  # fmt: skip
def test_an_action_outside_its_rules_says_which(changes: dict[str, Any], reason: str) -> None:
    fields = {"type": "send_mail", **FULL, **changes}
    prose = {name: fields.pop(name) for name in SendMail.prose}

    with pytest.raises(BadAction, match=reason):
        action_of(fields, **prose)


@pytest.mark.parametrize("name", SendMail.prose)
def test_prose_in_the_fields_is_refused_not_preferred(name: str) -> None:
    fields = {"type": "send_mail", **{k: v for k, v in FULL.items() if k not in SendMail.prose}}

    with pytest.raises(BadAction, match=f"{name} belongs in the text of the note"):
        action_of({**fields, name: "Other words\n"}, text="Hello\n")


def test_an_action_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        made.mail().subject = "other"  # type: ignore[misc]


def test_every_known_action_says_its_own_type() -> None:
    assert all(kind.model_fields["type"].default == name for name, kind in ACTIONS.items())
