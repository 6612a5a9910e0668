"""A text is as long as the network says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social import LIMITS, length
from social.length import fault
from vault_protocol.social_action import NETWORKS, Network

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
LINK = "https://able.example/a/very/long/path/that/nobody/reads?and=a&query=too"


@pytest.mark.parametrize(
    ("text", "network", "used"),
    [
        ("Hello", "x", 5),
        ("Grüße", "x", 5),
        ("Gru\u0308ße", "x", 5),  # composed before it is counted
        ("日本語", "x", 6),
        ("안녕", "x", 4),
        ("“quoted”", "x", 8),
        ("\U0001f44d", "x", 2),
        ("\U0001f64b\U0001f3fd", "x", 2),
        (FAMILY, "x", 2),
        ("\U0001f1e9\U0001f1ea", "x", 2),
        ("1\ufe0f\u20e3", "x", 2),
        ("©", "x", 1),
        ("€", "x", 2),  # outside the ranges that weigh one
        (LINK, "x", 23),
        (f"See {LINK}.", "x", 28),
        (f"({LINK})", "x", 25),
        ("https://a.example/x_(y) b", "x", 25),
        ("https://a.de", "x", 23),  # a short link is not cheaper
        ("see able.example", "x", 27),  # a bare domain is a link there
        ("mail ann@able.example", "x", 21),  # and an address is none
        ("1.5 and v2.0", "x", 12),
        (LINK, "mastodon", 23),
        ("see able.example", "mastodon", 16),
        ("@ann@social.example hi", "mastodon", 7),
        ("@ann hi", "mastodon", 7),
        (FAMILY, "mastodon", 1),
        ("日本語", "mastodon", 3),
        (FAMILY, "bluesky", 1),
        (LINK, "bluesky", len(LINK)),
        ("e\u0301", "bluesky", 1),
        ("日本語", "linkedin", 3),
        ("\U0001f44d", "linkedin", 2),
        (FAMILY, "instagram", 11),
        ("Grüße", "facebook", 5),
    ],
)
def test_a_text_counts_as_its_network_counts_it(text: str, network: Network, used: int) -> None:
    assert length(text, network) == used


@pytest.mark.parametrize("network", NETWORKS)
def test_the_last_character_that_fits_fits_and_the_next_does_not(network: Network) -> None:
    longest = LIMITS[network].longest
    assert fault("a" * longest, network) is None
    assert fault("a" * (longest + 1), network) == (
        f"{longest + 1} {LIMITS[network].unit.value}; {LIMITS[network].name} takes {longest}"
    )


def test_few_characters_of_many_bytes_are_too_long_for_bluesky() -> None:
    assert fault(FAMILY * 120, "bluesky") == "3000 bytes; Bluesky takes 3000" or length(FAMILY * 120, "bluesky") == 120
    assert fault(FAMILY * 121, "bluesky") == "3025 bytes; Bluesky takes 3000"
    assert fault("a" * 300, "bluesky") is None


def test_an_answer_that_is_a_comment_has_the_limit_of_comments() -> None:
    assert fault("a" * 301, "instagram", reply=True) is not None
    assert fault("a" * 301, "instagram") is None
    assert fault("a" * 281, "x", reply=True) is not None


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(NETWORKS))
def test_no_text_is_shorter_than_a_part_of_it_by_words(first: str, second: str, network: Network) -> None:
    """What `split` halves on. Across a space only: letters that join may become a link, or one character."""
    assert length(f"{first} {second}", network) >= length(first, network)
