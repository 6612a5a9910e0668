"""A thread holds every word of its text in order, each post fits, and nothing is cut that belongs together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social import TooLongAWord, joined, split
from social.length import fault
from social.words import links
from vault_protocol.social_action import NETWORKS, Network, PublishPost

WORDS = st.lists(
    st.one_of(
        st.sampled_from(
            ["a", "word", "sentence.", "end!\n\n", "line\n", "日本語", "\U0001f44d", "---", "#tag", "@ann",
             "https://able.example/" + "x" * 150, "https://able.example/a?b=c", "(https://able.example/d)."]
        ),
        st.text("abcdefgäöü", min_size=1, max_size=40),
    ),
    min_size=1, max_size=200,
)  # fmt: skip


@settings(max_examples=60)
@given(WORDS, st.sampled_from(["x", "mastodon", "bluesky"]))
def test_a_thread_loses_and_cuts_nothing(pieces: list[str], network: Network) -> None:
    text = " ".join(pieces)
    posts = split(text, network)

    assert [word for post in posts for word in post.split()] == text.split()
    assert all(fault(post, network) is None for post in posts)
    assert all(post == post.strip() and post for post in posts)
    assert [link for post in posts for link in links(post)] == list(links(text))


@pytest.mark.parametrize("network", NETWORKS)
def test_what_fits_into_one_post_stays_one(network: Network) -> None:
    text = "We moved.\n\nCome and see: https://able.example/"
    assert split(text + "\n", network) == (text,)


def test_a_thread_is_cut_at_a_paragraph_before_a_sentence_before_a_word() -> None:
    paragraph = "One sentence that says something. " * 5
    first, *_ = split(f"{paragraph.strip()}\n\n{'more and more ' * 20}", "x")
    assert first == paragraph.strip()
    first, *_ = split("One sentence that says something. " * 20, "x")
    assert first.endswith("something.")
    first, *_ = split("word " * 100, "x")
    assert first.endswith("word")
    assert len(first) > 270


def test_a_word_that_fits_nowhere_is_said_and_not_cut() -> None:
    with pytest.raises(TooLongAWord, match="alone is too long"):
        split("see " + "x" * 400, "bluesky")


def test_the_posts_of_a_thread_are_those_of_its_action() -> None:
    posts = split("One sentence that says something. " * 20, "x")
    action = PublishPost(account="a", network="x", text=joined(posts))
    assert action.posts == posts
    assert len(posts) == 3
