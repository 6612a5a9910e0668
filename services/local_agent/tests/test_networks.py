"""What each network is asked for, beyond what an approval's effect shows: keys, forms, and what is read back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.networks.bluesky import BlueskyServer
from services.local_agent.tests.networks.desk import Desk, desk_of
from services.local_agent.tests.networks.graph import GraphServer

from demo.mastodon import MastodonServer
from demo.network import Fate
from local_agent.networks import texts
from local_agent.networks.account import SocialAccount
from local_agent.networks.bluesky import record_key
from local_agent.networks.bluesky_text import facets
from local_agent.networks.linkedin import escaped
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished, Post, RefusedThere
from local_agent.networks.oauth1 import Keys, OAuth1
from local_agent.networks.opening import open_network
from local_agent.networks.texts import same
from local_agent.networks.times import LONG_AGO, parsed
from vault_protocol.canonical import sha256
from vault_protocol.social_action import NETWORKS

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = sha256(b"an effect")[:32]


@pytest.fixture(params=NETWORKS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk_of(tmp_path, request.param) as made:
        yield made


def test_a_status_under_the_same_key_is_the_same_status(tmp_path: Path) -> None:
    with desk_of(tmp_path, "mastodon") as desk:
        one = Post(text="Hello", key=KEY, at=AT)
        assert desk.open().create(one) == desk.open().create(one)
        assert len(desk.server.effects) == 1


def test_a_record_whose_first_try_took_its_time_is_found_under_its_key(tmp_path: Path) -> None:
    with desk_of(tmp_path, "bluesky") as desk:
        one = Post(text="Hello", key=KEY, at=AT)
        assert desk.open().create(one) == desk.open().create(one)
        assert len(desk.server.effects) == 1


def test_every_effect_has_a_record_key_of_its_own() -> None:
    keys = {record_key(sha256(str(number).encode())[:32]) for number in range(10_000)}
    assert len(keys) == 10_000
    assert {len(key) for key in keys} == {13}
    assert "3mbc" < min(keys) < max(keys) < "3mcf", "they lie among the keys of January 2026, not of the future"


def test_a_session_that_ran_out_is_begun_again(tmp_path: Path) -> None:
    with desk_of(tmp_path, "bluesky") as desk:
        assert isinstance(desk.server, BlueskyServer)
        network = desk.open()
        network.create(Post(text="One", key=KEY, at=AT))
        desk.server.expire()
        network.create(Post(text="Two", key=sha256(b"b")[:32], at=AT))
        desk.server.expire()
        assert [one.text for one in network.own(since=LONG_AGO, most=10)] == ["Two", "One"]


def test_the_bytes_of_links_tags_and_names_are_told_to_bluesky() -> None:
    text = "Grüße @ann.example, see https://able.example/ü and #straße @bob #1"
    found = facets(text, lambda handle: "did:plc:ann" if handle == "ann.example" else None)
    raw = text.encode()
    shown = [
        (
            raw[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(),
            one["features"][0]["$type"].partition("#")[2],
        )
        for one in found
    ]
    assert shown == [("@ann.example", "mention"), ("https://able.example/ü", "link"), ("#straße", "tag")]


def test_a_name_that_is_nobody_s_is_no_mention_and_no_fault(tmp_path: Path) -> None:
    with desk_of(tmp_path, "bluesky") as desk:
        desk.open().create(Post(text="Hi @nobody.example and @ann.example", key=KEY, at=AT))
        (effect,) = desk.server.effects
        assert [one["features"][0].get("did") for one in effect["record"]["facets"]] == ["did:plc:ann"]


def test_what_linkedin_would_read_as_markup_is_escaped_and_hashtags_are_not() -> None:
    assert escaped("a (b) [c] {d} @e <f> *g* _h_ ~i~ |j| \\k #tag # x") == (
        r"a \(b\) \[c\] \{d\} \@e \<f\> \*g\* \_h\_ \~i\~ \|j\| \\k #tag \# x"
    )


def test_requests_are_signed_as_the_example_of_x_s_own_documents_is() -> None:
    keys = Keys(
        "xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
    )  # fmt: skip
    oauth = {
        "oauth_consumer_key": keys.consumer_key, "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "1318622958", "oauth_token": keys.token,
        "oauth_version": "1.0",
    }  # fmt: skip
    parameters = [
        *oauth.items(),
        ("include_entities", "true"),
        ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"),
    ]
    url = "https://api.twitter.com/1.1/statuses/update.json"
    assert OAuth1(keys).signature("post", url, parameters) == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="


def test_own_posts_come_with_their_figures(desk: Desk) -> None:
    action = desk.post("We moved.\n")
    desk.execute(action, desk.approve(action))
    (own,) = desk.open().own(since=desk.clock.now() - timedelta(days=7), most=20)
    assert same(own.text, "We moved.")
    assert own.figures["likes"] > 0
    assert own.at == desk.clock.now()
    assert own.url.startswith("http")
    assert list(desk.open().own(since=desk.clock.now() + timedelta(seconds=1), most=20)) == []


def test_what_others_say_is_read_and_what_we_said_is_not(desk: Desk) -> None:
    action = desk.post("We moved.\n")
    desk.execute(action, desk.approve(action))
    words = "Is it <b>far</b>? & why\n[[x]]"
    server: Any = desk.server
    if hasattr(server, "mentioned"):
        server.mentioned("ann", words)
    else:
        about = desk.server.effects[0]["id"]
        server.commented(about, "ann", words)
        thanks = desk.post("Thank you!\n", reply_to=about)
        desk.execute(thanks, desk.approve(thanks, "b" * 16))
    said = desk.open().said(since=desk.clock.now() - timedelta(days=1), most=20)
    heard = [one for one in said if "far" in one.text]
    assert [(one.who, one.at) for one in heard] == [("ann", desk.clock.now())]
    assert same(heard[0].text, words)
    assert all(one.id for one in said)
    if desk.network != "instagram":  # whose answers do not tell whether we are who wrote them
        assert len(said) == 1


def test_an_answer_from_a_network_that_makes_no_sense_is_an_error_and_not_a_crash(desk: Desk) -> None:
    class Odd(type(desk.server)):  # type: ignore[misc]
        def answer(self, asked: Any) -> Any:
            made = super().answer(asked)
            return type(made)(made.status, ["odd", 1, None], made.headers)

    desk.server.__class__ = Odd
    for read in (desk.open().own, desk.open().said):
        try:
            assert list(read(since=LONG_AGO, most=5)) == []
        except (NotPublished, AnswerLost):
            continue


def test_a_picture_that_the_network_cannot_take_is_refused(tmp_path: Path) -> None:
    with desk_of(tmp_path, "instagram") as desk:
        assert isinstance(desk.server, GraphServer)
        desk.server.fails = "ERROR"
        action = desk.post()
        network = desk.open()
        with pytest.raises(RefusedThere, match="could not take the picture"):
            network.create(Post(text="a", key=KEY, at=AT, pictures=[(f"{desk.server.url}/cdn/1.jpg", _picture(desk))]))
        assert "Refusal" in repr(type(desk.execute(action, desk.approve(action))))
        assert desk.server.effects == []


def _picture(desk: Desk) -> Any:
    from local_agent.networks.network import Picture

    return Picture(b"x", "image/jpeg", "a.jpg", "A")


def test_linkedin_s_pictures_go_to_linkedin_and_nowhere_else(tmp_path: Path) -> None:
    with desk_of(tmp_path, "linkedin") as desk, MastodonServer() as elsewhere:
        desk.server.__class__ = type("Bent", (type(desk.server),), {"url": property(lambda _self: elsewhere.url)})
        desk.server.fates.append(Fate.ANSWERED)
        network = open_network(desk.account(url=f"http://127.0.0.1:{desk.server.port}"))
        with pytest.raises(NotPublished, match="is not LinkedIn's"):
            network.upload(_picture(desk))
        assert elsewhere.asked == []
        network.close()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "mastodon", "url": "http://social.example"}, "must begin with https://"),
        ({"network": "mastodon"}, "must begin with https://"),
        ({"network": "linkedin", "user": ""}, "user is missing"),
        ({"network": "instagram", "user": "17"}, "page is missing"),
        ({"network": "facebook", "user": "5", "version": "24"}, "version"),
        ({"network": "x", "name": "Able"}, "name"),
        ({"network": "x", "token": "a"}, "token"),
    ],
)
def test_an_account_that_is_not_whole_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SocialAccount.model_validate({"name": "able", **changes})


def test_a_secret_that_is_missing_or_of_another_form_is_a_bad_login(tmp_path: Path) -> None:
    account = SocialAccount(name="able", network="x", secret_file=tmp_path / "none")
    with pytest.raises(BadLogin, match="cannot read"):
        open_network(account)
    (tmp_path / "none").write_text('{"consumer_key": "a"}', encoding="utf-8")
    with pytest.raises(BadLogin, match="no JSON object with consumer_key"):
        open_network(account)
    other = SocialAccount(name="able", network="mastodon", url="https://a.example", secret_file=tmp_path / "odd")
    (tmp_path / "odd").write_text("a\nb", encoding="utf-8")
    with pytest.raises(BadLogin, match="not of the form that HTTP takes"):
        open_network(other)


@pytest.mark.parametrize("text", ["", "yesterday", None, True, 10**30, "2026-99-99T00:00:00Z", [1]])
def test_a_time_that_is_none_is_long_ago(text: object) -> None:
    assert parsed(text) == LONG_AGO


def test_times_of_every_spelling_are_one_time() -> None:
    assert parsed("2026-11-23T09:00:00.000Z") == AT
    assert parsed("2026-11-23T09:00:00+0000") == AT
    assert parsed("2026-11-23T10:00:00+01:00") == AT
    assert parsed(int(AT.timestamp() * 1000)) == AT


@pytest.mark.parametrize("html", ["<" * 2_000_000, "<b>x</b>" + "<i " * 700_000, "<br>" * 500_000 + "<"])
def test_html_in_which_no_tag_ends_is_read_once(html: str) -> None:
    """By the square of its length this would take hours."""
    texts.of_html(html)


@pytest.mark.parametrize(
    ("html", "words"), [("<p>a <b>b</b></p>", "a b"), ("a<b <i>c < d", "ac < d"), ("1 > 0 <", "1 > 0 <")]
)
def test_the_words_of_a_post_are_what_its_tags_leave(html: str, words: str) -> None:
    assert texts.of_html(html) == words
