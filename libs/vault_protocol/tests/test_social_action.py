"""Posts and messages: the digest covers every word and picture, and the note gives back the very action."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.test_request import BODIES, DRAFTS, empty

from vault_protocol import approval, plain, request, summary
from vault_protocol.action import BadAction, PublishPost, SendSealed, SendWhatsApp, action_of
from vault_protocol.errors import ApprovalRefused, MalformedNote
from vault_protocol.note import Note
from vault_protocol.request import Request
from vault_protocol.social_action import NETWORKS, THREAD_LIMIT
from vault_protocol.sshsig import PublicKey

PICTURE = {
    "name": "shop.jpg", "media_type": "image/jpeg", "size": 9, "sha256": "a" * 64, "alt": "Our new shop", "post": 1,
}  # fmt: skip
POST: dict[str, Any] = {
    "account": "able-social", "network": "mastodon", "link": "https://able.example/news", "media": [PICTURE],
    "reply_to": "109", "language": "en", "text": "We moved.\n---\nCome and see.\n",
}  # fmt: skip
CHAT: dict[str, Any] = {
    "account": "phone", "to": "+4915112345678", "chat": "4915112345678@s.whatsapp.net", "answers": "3EB0ABC",
    "blind": "0" * 32, "text": "Yes, on Monday.\n",
}  # fmt: skip
SEALED: dict[str, Any] = {"account": "phone", "sha256": "a" * 64}
CHANGED_SEALED: dict[str, list[Any]] = {"account": ["other"], "kind": [], "sha256": ["b" * 64]}
CHANGED_POST: dict[str, list[Any]] = {
    "account": ["other"],
    "network": [one for one in NETWORKS if one != "mastodon"],
    "link": [None, "http://able.example/news", "https://able.example/news2"],
    "media": [
        [], [PICTURE, PICTURE],
        *([PICTURE | {key: value}] for key, value in {
            "name": "b.jpg", "media_type": "image/png", "size": 10, "sha256": "b" * 64, "alt": "", "post": 2,
        }.items()),
    ],
    "reply_to": [None, "110"],
    "language": [None, "en-GB"],
    "text": ["We moved.\nCome and see.\n", "We moved.\n---\nCome.\n", "We moved.\n---\n---\nCome and see.\n",
             "We moved.\n--- \nCome and see.\n", "We moved.\n\n---\nCome and see.\n"],
}  # fmt: skip
CHANGED_CHAT: dict[str, list[Any]] = {
    "account": ["other"],
    "to": ["+4915112345679", "+491511234567"],
    "chat": ["", "4915112345679@s.whatsapp.net", "4915112345678@lid"],
    "answers": ["", "3EB0ABD"],
    "blind": ["", "1" + "0" * 31],
    "text": ["Yes, on Tuesday.\n", " Yes, on Monday.\n", "Yes, on Monday. \n"],
}
CASES = [
    (kind, fields, name, value)
    for kind, fields, changed in (
        (PublishPost, POST, CHANGED_POST),
        (SendWhatsApp, CHAT, CHANGED_CHAT),
        (SendSealed, SEALED, CHANGED_SEALED),
    )
    for name, values in changed.items()
    for value in values
]


@pytest.mark.parametrize(("kind", "fields", "name", "value"), CASES)
def test_the_digest_changes_with_every_field(kind: Any, fields: dict[str, Any], name: str, value: Any) -> None:
    whole = kind.model_validate(fields)
    try:
        other = kind.model_validate({**fields, name: value})
    except ValueError:
        assert name == "text"  # a thread with an empty post is no action at all
        return
    assert other.digest != whole.digest


@pytest.mark.parametrize(("kind", "fields", "name", "value"), CASES)
def test_an_approval_of_one_holds_for_no_other(kind: Any, fields: dict[str, Any], name: str, value: Any) -> None:
    task, given = made.pending(), kind.model_validate(fields)
    signed = made.approved(task, given)
    how: dict[str, Any] = {
        "key": PublicKey.of(made.OWNER_KEY), "vault": made.VAULT, "executor": "executor-1", "task": task.id,
        "revision": task.revision, "now": made.NOW,
    }  # fmt: skip
    assert approval.verify(signed, given, **how).action == given
    other = given.model_copy(update={name: _typed(kind, name, value)})
    with pytest.raises(ApprovalRefused, match=r"digest|account"):
        approval.verify(signed, other, **how)


def _typed(kind: Any, name: str, value: Any) -> Any:
    if name == "media":
        return tuple(kind.model_validate({**POST, "text": "a\n---\nb\n", "media": value}).media)
    return value


def test_no_field_is_left_out_of_that() -> None:
    assert CHANGED_POST.keys() | {"type"} == PublishPost.model_fields.keys()
    assert CHANGED_CHAT.keys() | {"type"} == SendWhatsApp.model_fields.keys()
    assert CHANGED_SEALED.keys() | {"type"} == SendSealed.model_fields.keys()
    assert {key for one in CHANGED_POST["media"] if one for key in one[0]} == PICTURE.keys()


@pytest.mark.parametrize(
    "action", [PublishPost.model_validate(POST), SendWhatsApp.model_validate(CHAT), made.post(), made.chat(),
               made.post(text="", media=[PICTURE])],
)  # fmt: skip
def test_a_post_and_a_message_are_read_back_from_their_notes(action: PublishPost | SendWhatsApp) -> None:
    asked = Request(made.TOKEN, action, ("a new account",), ("the price",))
    note = Note.parse(request.put(made.task().note, asked).content())

    assert request.read(note) == asked
    assert "## Summary" not in note.body
    assert note.front.words("action") == action.type


@given(DRAFTS, st.one_of(st.none(), DRAFTS))
@example("a\n---\nb\n", None)
@example("```\n---\n````\n", None)
def test_whatever_a_post_says_is_read_back_word_for_word(text: str, more: str | None) -> None:
    whole = text if more is None else f"{text}---\n{more}"
    try:
        action = made.post(text=whole)
    except ValueError as error:
        assert "is empty" in str(error)  # a text of separators  # noqa: PT017
        return
    found = request.read(Note.parse(request.put(empty(), Request(made.TOKEN, action)).content()))
    assert found == Request(made.TOKEN, action)
    assert "\n---\n".join(action.posts).strip("\n") or action.media


@given(BODIES, DRAFTS)
def test_a_forged_post_in_what_a_stranger_wrote_never_becomes_the_request(around: str, text: str) -> None:
    false = request.render(Request("e" * 16, made.post(text="Buy this coin.\n")))
    asked = Request(made.TOKEN, made.chat(text=text[:4000].rstrip("\n") + "\n"))
    body = "\n## Original\n\n" + plain.fenced(f"{around}\n{false}{around}")
    note = request.put(Note(empty().front, body), asked)

    assert request.read(note) == asked


def test_a_thread_is_cut_at_its_lines_and_nowhere_else() -> None:
    assert made.post(text="One.\n\n---\n\nTwo --- and more.\n ---\n---\nThree.\n").posts == (
        "One.", "Two --- and more.\n ---", "Three.",
    )  # fmt: skip
    assert made.post(text="One.\n").posts == ("One.",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "myspace"}, "^network"),
        ({"text": ""}, "the text is empty"),
        ({"text": "a\n---\n\n---\nb\n"}, "post 2 of the thread is empty"),
        ({"text": "---\n"}, "post 1 of the thread is empty"),
        ({"text": "a\n---\n" * THREAD_LIMIT + "b\n"}, f"a thread has {THREAD_LIMIT} posts at most"),
        ({"text": "a\u200bb\n"}, "U\\+200B"),
        ({"text": "a\u202eb\n"}, "U\\+202E"),
        ({"media": [PICTURE | {"post": 2}]}, "a post that the thread does not have"),
        ({"media": [PICTURE | {"post": 0}]}, "^media.0.post"),
        ({"media": [PICTURE | {"size": 0}]}, "^media.0.size"),
        ({"media": [PICTURE | {"media_type": "text/html"}]}, "^media.0.media_type"),
        ({"media": [PICTURE | {"sha256": "../../etc/passwd"}]}, "^media.0.sha256"),
        ({"media": [PICTURE | {"alt": "two\nlines"}]}, "^media.0.alt"),
        ({"media": [PICTURE | {"weight": 1}]}, "Extra inputs"),
        ({"link": "javascript:alert(1)"}, "^link"),
        ({"link": "https://user:pw@able.example/"}, "^link"),
        ({"link": "https://able.example/\u202e"}, "^link"),
        ({"link": "https://able.example/<b>"}, "^link"),
        ({"reply_to": "a b"}, "^reply_to"),
        ({"reply_to": ""}, "^reply_to"),
        ({"language": "EN"}, "^language"),
        ({"visibility": "public"}, "^visibility: Extra inputs"),
        ({"account": "Able"}, "^account"),
    ],
)
def test_a_post_outside_its_rules_is_no_action(changes: dict[str, Any], reason: str) -> None:
    fields = {"type": "publish_post", **POST, "media": [], "text": "We moved.\n", **changes}
    with pytest.raises(BadAction, match=reason):
        action_of({key: value for key, value in fields.items() if key != "text"}, text=fields["text"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": "4915112345678"}, "^to"),
        ({"to": "+49 151 12345678"}, "^to"),
        ({"to": "+4915112345678\n"}, "^to"),
        ({"to": "+٤915112345678"}, "^to"),
        ({"chat": "a@b@c"}, "^chat"),
        ({"chat": "status@broadcast\n"}, "^chat"),
        ({"answers": "a b"}, "^answers"),
        ({"text": " \n"}, "the text is empty"),
        ({"text": "x" * 4097 + "\n"}, "longer than the 4096"),
        ({"text": "a\u2066b\n"}, "U\\+2066"),
        ({"urgent": True}, "Extra inputs"),
    ],
)
def test_a_message_outside_its_rules_is_no_action(changes: dict[str, Any], reason: str) -> None:
    fields = {"type": "send_whatsapp", **CHAT, **changes}
    with pytest.raises(BadAction, match=reason):
        action_of({key: value for key, value in fields.items() if key != "text"}, text=fields["text"])


def test_a_post_in_words_leaves_nothing_out_but_its_text() -> None:
    told = "\n".join(" ".join(row) for row in summary.rows(PublishPost.model_validate(POST)))
    for words in ("thread of 2 posts", "mastodon", "able-social", "109", "https://able.example/news", "shop.jpg",
                  "image/jpeg", "Our new shop", "aaaaaaaa", "with post 1"):  # fmt: skip
        assert words in told
    told = "\n".join(" ".join(row) for row in summary.rows(SendWhatsApp.model_validate(CHAT)))
    for words in ("WhatsApp", "phone", "+4915112345678", "4915112345678@s.whatsapp.net", "3EB0ABC"):
        assert words in told


def test_a_sealed_message_says_nothing_but_its_digest_and_that_in_words_too() -> None:
    sealed = SendSealed(account="phone", sha256=SendWhatsApp.model_validate(CHAT).digest)
    note = request.put(empty(), Request(made.TOKEN, sealed))
    found = request.read(note)
    assert found is not None
    assert found.action == sealed
    assert "## Summary" in note.body
    for secret in (CHAT["to"], CHAT["chat"], "Monday"):
        assert secret not in note.content().decode()


def test_an_action_under_another_name_is_refused() -> None:
    note = request.put(empty(), Request(made.TOKEN, made.post()))
    with pytest.raises(MalformedNote, match="the front matter says"):
        request.read(note.put(action="send_whatsapp"))
