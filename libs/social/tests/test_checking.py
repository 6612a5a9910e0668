"""What a network would refuse is said before anybody is asked, and what reaches further is pointed at."""

from __future__ import annotations

from typing import Any

import pytest

from social import LIMITS, cautions, faults, previews
from vault_protocol.plain import one_line
from vault_protocol.social_action import NETWORKS, PublishPost

PICTURE = {"name": "shop.jpg", "media_type": "image/jpeg", "size": 9, "sha256": "a" * 64, "alt": "Our new shop"}


def post(network: str, text: str = "We moved.\n", **changes: Any) -> PublishPost:
    fields: dict[str, Any] = {"account": "able", "network": network, "text": text}
    return PublishPost.model_validate({**fields, **changes})


@pytest.mark.parametrize("network", NETWORKS)
def test_a_plain_post_with_a_picture_passes_everywhere(network: str) -> None:
    assert faults(post(network, media=[PICTURE])) == ()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (post("x", "a" * 281 + "\n"), "281 characters as X weighs them; X takes 280"),
        (post("x", "fine\n---\n" + "b" * 281 + "\n"), "post 2: 281 characters"),
        (post("linkedin", "a\n---\nb\n"), "LinkedIn has no threads"),
        (post("instagram"), "Instagram takes no post without a picture"),
        (post("instagram", "#a " * 31 + "\n", media=[PICTURE]), "31 hashtags; Instagram takes 30"),
        (post("instagram", "".join(f"@a{n} " for n in range(21)) + "\n", media=[PICTURE]), "21 mentions; Instagram"),
        (post("instagram", media=[PICTURE | {"media_type": "image/png"}]), "image/png; Instagram takes image/jpeg"),
        (post("instagram", link="https://a.example", media=[PICTURE]), "Instagram shows no links"),
        (post("instagram", "#a #b #c #d #e\n", reply_to="17"), "5 hashtags; Instagram takes 4"),
        (post("instagram", "https://a.example https://b.example\n", reply_to="17"), "2 links; Instagram takes 1"),
        (post("instagram", media=[PICTURE], reply_to="17"), "1 pictures; Instagram takes none in an answer"),
        (post("mastodon", media=[PICTURE] * 5), "5 pictures; Mastodon takes 4"),
        (post("mastodon", "a\n---\nb\n", media=[PICTURE | {"post": 2}] * 5), "post 2: 5 pictures; Mastodon takes 4"),
        (post("bluesky", media=[PICTURE | {"size": 2_000_001}]), "2000001 bytes; Bluesky takes 2000000"),
        (post("x", media=[PICTURE | {"media_type": "image/gif"}, PICTURE]), "X takes a GIF only alone"),
        (post("facebook", media=[PICTURE | {"media_type": "video/mp4"}]), "is a film"),
        (post("x", link="https://a.example/"), "the link has to stand in the text"),
        (post("mastodon", link="https://a.example/"), "the link has to stand in the text"),
        (post("linkedin", link="https://a.example/", reply_to="urn:li:share:1"), "the link has to stand in the text"),
        (post("linkedin", link="https://a.example/", media=[PICTURE]), "either pictures or the card"),
        (post("bluesky", link="https://a.example/", media=[PICTURE]), "either pictures or the card"),
    ],
)
def test_what_the_network_would_refuse_is_a_fault(action: PublishPost, reason: str) -> None:
    assert any(reason in fault for fault in faults(action)), faults(action)


def test_a_link_that_stands_in_the_text_or_has_a_card_is_none() -> None:
    assert faults(post("x", "See https://a.example/.\n", link="https://a.example/")) == ()
    assert faults(post("linkedin", link="https://a.example/")) == ()
    assert faults(post("facebook", link="https://a.example/")) == ()


def test_who_would_be_told_and_where_it_leads_is_pointed_at_in_plain_lines() -> None:
    action = post(
        "mastodon", "Thanks @ann@social.example and @bob, see http://a.example/x <b>\n", media=[PICTURE | {"alt": ""}],
        reply_to="109",
    )  # fmt: skip
    told = cautions(action)
    assert told == tuple(one_line(line) for line in told)
    text = "\n".join(told)
    for words in ("@ann@social.example, @bob", "a.example/x", "not encrypted", "no description of shop.jpg", "109"):
        assert words in text
    assert cautions(post("x")) == ()


def test_an_address_or_a_tag_in_a_link_is_nobody_and_nothing() -> None:
    assert cautions(post("x", "Write to ann@able.example\n")) == ()
    assert faults(post("instagram", "https://a.example/#b\n" * 31, media=[PICTURE])) == ()


def test_a_preview_shows_what_readers_see_first_and_how_much_is_used() -> None:
    text = "a" * 130
    (one,) = previews(post("instagram", text + "\n", media=[PICTURE]))
    assert (one.shown, one.rest) == ("a" * 125, "a" * 5)
    assert one.measure == f"130 of 2200 {LIMITS['instagram'].unit.value}"
    first, second = previews(post("mastodon", "One.\n---\nTwo.\n"))
    assert (first.shown, first.rest, second.measure) == ("One.", "", "post 2 of 2: 4 of 500 characters")
    (answer,) = previews(post("instagram", "Thanks!\n", reply_to="17"))
    assert answer.limit == 300
