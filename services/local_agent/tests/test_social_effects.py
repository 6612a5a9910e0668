"""Publishing over servers that behave like the networks: at most once for an approval, and every doubt is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from services.local_agent.tests.networks.desk import Desk, Died, desk_of

from demo.network import Fate, Outside
from local_agent.effects import Done, Refusal, Unsure, Waiting
from local_agent.mcp.social_connector import UNDER_WAY
from vault_protocol.social_action import NETWORKS

LATER = UNDER_WAY + timedelta(seconds=1)
THREADED = ("x", "mastodon", "bluesky")
REPEATERS = ("mastodon", "bluesky", "instagram")
"""Networks that take the same words twice."""
ANSWERED = {
    "linkedin": "urn:li:share:5", "facebook": "55_9", "instagram": "1811", "x": "77", "mastodon": "88",
    "bluesky": "at://did:plc:ann/app.bsky.feed.post/3abc",
}  # fmt: skip


@pytest.fixture(params=NETWORKS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk_of(tmp_path, request.param) as made:
        yield made


@pytest.fixture(params=THREADED)
def threaded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with desk_of(tmp_path, request.param) as made:
        yield made


def answerable(desk: Desk) -> str:
    """The id of a post that may be answered; Bluesky looks whether it is there."""
    if desk.network != "bluesky":
        return ANSWERED[desk.network]
    first = desk.post("The first.\n")
    assert isinstance(desk.execute(first, desk.approve(first, "b" * 16)), Done)
    return str(desk.server.effects[0]["id"])


def test_an_approved_post_is_published_once_however_often_it_is_asked_for(desk: Desk) -> None:
    text = "We moved to (Main Street) 5 – come & see!\n\nMore: https://able.example/a_b?c=d #moving <3"
    action = desk.post(f"{text}\n")
    signed = desk.approve(action)
    answers = [desk.execute(action, signed) for _ in range(3)]
    assert all(isinstance(answer, Done) for answer in answers), answers
    assert desk.server.shown() == [text]
    assert desk.server.told == [Fate.ANSWERED]
    first = answers[0]
    assert isinstance(first, Done)
    assert first.effect.detail == desk.server.effects[0]["id"]


def test_pictures_are_shown_with_the_words_for_who_cannot_see_them(desk: Desk) -> None:
    action = desk.post(media=(desk.picture(), desk.picture(b"\xff\xd8\xff\xe1 another", alt="Door")))
    assert isinstance(desk.execute(action, desk.approve(action)), Done)
    (effect,) = desk.server.effects
    assert len(effect["pictures"]) == 2
    sent = b"\n".join(asked.raw for asked in desk.server.asked)
    assert b"Shop" in sent
    assert b"Door" in sent


@pytest.mark.parametrize("network", ["linkedin", "facebook", "bluesky"])
def test_a_link_is_shown_as_a_card(tmp_path: Path, network: str) -> None:
    with desk_of(tmp_path, network) as desk:
        action = desk.post(link="https://able.example/news")
        assert isinstance(desk.execute(action, desk.approve(action)), Done)
        sent = b"\n".join(asked.raw for asked in desk.server.asked)
        assert b"able.example" in sent


def test_an_answer_goes_below_the_post_that_it_answers(desk: Desk) -> None:
    about = answerable(desk)
    action = desk.post("Thank you!\n", reply_to=about)
    assert isinstance(desk.execute(action, desk.approve(action)), Done)
    assert desk.server.effects[-1]["answers"] == about
    assert desk.server.shown()[-1] == "Thank you!"


@pytest.mark.parametrize("network", ["facebook", "instagram", "linkedin"])
@pytest.mark.parametrize("about", ["me/feed?message=evil&x=", "55_9/../me", "..", ".", "1#/", "1%2F..%2Fme"])
def test_an_id_that_is_a_path_of_its_own_leads_nowhere_else(tmp_path: Path, network: str, about: str) -> None:
    with desk_of(tmp_path, network) as desk:
        action = desk.post("Thank you!\n", reply_to=about)
        desk.execute(action, desk.approve(action))
        posted = [one.line for one in desk.server.asked if one.verb == "POST"]
    assert bool(posted) is (about.strip(".") != "")
    assert all(quote(about, safe="") in line.split("/") and "?" not in line for line in posted)


def test_a_thread_is_published_in_order_each_below_the_one_before(threaded: Desk) -> None:
    action = threaded.post("One.\n---\nTwo.\n---\nThree.\n", media=(threaded.picture(post=2),))
    signed = threaded.approve(action)
    answer = threaded.execute(action, signed)
    assert isinstance(answer, Done), answer
    assert isinstance(threaded.execute(action, signed), Done)
    effects = threaded.server.effects
    assert threaded.server.shown() == ["One.", "Two.", "Three."]
    assert [effect["answers"] for effect in effects] == [None, effects[0]["id"], effects[1]["id"]]
    assert [len(effect["pictures"]) for effect in effects] == [0, 1, 0]
    assert answer.effect.detail.split() == [effect["id"] for effect in effects]
    if threaded.network == "bluesky":
        assert [effect["root"] for effect in effects[1:]] == [effects[0]["id"]] * 2


def test_a_thread_that_breaks_off_is_told_and_never_begun_again(threaded: Desk) -> None:
    threaded.server.fates = deque([Fate.ANSWERED, Fate.LIMITED, Fate.LIMITED, Fate.LIMITED])
    action = threaded.post("One.\n---\nTwo.\n---\nThree.\n")
    signed = threaded.approve(action)
    answer = threaded.execute(action, signed)
    assert isinstance(answer, Unsure)
    assert "1 of 3 posts are published" in answer.reason
    assert threaded.server.effects[0]["id"] in answer.reason
    threaded.clock.tick(LATER)
    assert isinstance(threaded.execute(action, signed), Unsure)
    assert threaded.server.shown() == ["One."]
    assert threaded.waited == [2.0, 4.0]


def test_a_later_post_of_a_thread_that_surely_was_not_taken_is_asked_for_again(threaded: Desk) -> None:
    threaded.server.fates = deque([Fate.ANSWERED, Fate.LIMITED, Fate.ANSWERED])
    action = threaded.post("One.\n---\nTwo.\n")
    assert isinstance(threaded.execute(action, threaded.approve(action)), Done)
    assert threaded.server.shown() == ["One.", "Two."]


@pytest.mark.parametrize("fate", [Fate.ANSWER_LOST, Fate.BROKEN])
def test_a_post_whose_answer_was_lost_is_found_on_our_own_timeline(desk: Desk, fate: Fate) -> None:
    desk.server.fates = deque([fate])
    action = desk.post("We moved (really)! https://able.example/x & more\n")
    signed = desk.approve(action)
    assert isinstance(desk.execute(action, signed), Done)
    assert isinstance(desk.execute(action, signed), Done)
    assert len(desk.server.effects) == 1


def test_an_answer_below_a_post_whose_answer_was_lost_is_found_there(desk: Desk) -> None:
    about = answerable(desk)
    shown = len(desk.server.effects)
    desk.server.fates = deque([Fate.ANSWER_LOST])
    action = desk.post("Thank you!\n", reply_to=about)
    found = desk.execute(action, desk.approve(action))
    assert isinstance(found, Done)
    assert len(desk.server.effects) == shown + 1


def test_a_post_that_got_lost_on_the_way_is_the_owner_s_to_settle(desk: Desk) -> None:
    """But where the key is ours: there its absence is sure, once nothing can be under way any more."""
    desk.server.fates = deque([Fate.REQUEST_LOST])
    action = desk.post()
    signed = desk.approve(action)
    assert isinstance(desk.execute(action, signed), Unsure)
    desk.clock.tick(LATER)
    after = desk.execute(action, signed)
    if desk.network != "bluesky":
        assert isinstance(after, Unsure)
        assert [effect.task for effect in desk.ledgers[0].unknown()] == ["a" * 16]
        assert desk.server.effects == []
        return
    assert isinstance(after, Waiting)
    desk.clock.tick(timedelta(hours=1))
    assert isinstance(desk.execute(action, signed), Done)
    assert len(desk.server.effects) == 1


def test_too_many_calls_is_waited_for(desk: Desk) -> None:
    desk.server.fates = deque([Fate.LIMITED])
    action = desk.post()
    signed = desk.approve(action)
    waiting = desk.execute(action, signed)
    assert isinstance(waiting, Waiting), waiting
    assert waiting.until is not None
    assert desk.server.effects == []
    desk.clock.tick(waiting.until - desk.clock.now())
    assert isinstance(desk.execute(action, signed), Done)


def test_a_network_that_is_down_is_waited_for(desk: Desk) -> None:
    desk.server.stop()
    action = desk.post()
    signed = desk.approve(action)
    assert isinstance(desk.execute(action, signed), Waiting)
    desk.server.start()
    desk.clock.tick(timedelta(minutes=2))
    assert isinstance(desk.execute(action, signed), Done)
    assert len(desk.server.effects) == 1


def test_a_token_that_is_refused_pauses_every_effect_and_is_told_nobody(desk: Desk) -> None:
    account = desk.account()
    assert account.secret_file is not None
    wrong = account.secret().replace("token", "wrong")
    if desk.network == "x":
        wrong = wrong.replace('"wrong":', '"token":').replace('"wrong_secret":', '"token_secret":')
    account.secret_file.write_text(wrong, encoding="utf-8")
    action = desk.post()
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Waiting), answer
    paused = str(desk.ledgers[0].paused())
    assert "login failed" in paused
    assert "wrong" not in paused
    assert desk.server.effects == []


def test_the_same_words_under_another_approval_prove_nothing(desk: Desk) -> None:
    """What an earlier effect published is not this one, whatever the network says of duplicates."""
    first = desk.post()
    assert isinstance(desk.execute(first, desk.approve(first, "a" * 16)), Done)
    desk.clock.tick(timedelta(seconds=10))
    answer = desk.execute(first, desk.approve(first, "b" * 16))
    if desk.network in REPEATERS:
        assert isinstance(answer, Done)
        assert len(desk.server.effects) == 2
    else:
        assert isinstance(answer, Unsure), answer
        assert len(desk.server.effects) == 1


def test_what_another_machine_published_is_not_published_again(desk: Desk) -> None:
    action = desk.post()
    other = desk.approve(action, executor="exec-0")
    ledger_of_other = desk.folder / "other"
    ledger_of_other.mkdir()
    there = Desk(ledger_of_other, desk.network, desk.server, desk.clock, files=desk.files)
    executor = there.executor(_ledger(there))
    object.__setattr__(executor, "id", "exec-0")
    assert isinstance(executor.execute(action, other), Done)
    desk.clock.tick(timedelta(days=2))
    answer = desk.execute(action, desk.approve(action), earlier=[other])
    assert isinstance(answer, Refusal), answer
    assert answer.rule == "earlier executor"
    assert len(desk.server.effects) == 1
    there.close()


def _ledger(desk: Desk) -> Any:
    from local_agent.effects import Ledger

    desk.ledgers.append(Ledger(desk.folder / "ledger.sqlite"))
    return desk.ledgers[-1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": "a" * 64_000 + "\n"}, "takes"),
        ({"account": "able", "network": "other"}, "is one of"),
        ({"media": "gone"}, "not on this machine"),
        ({"media": "film"}, "is a film"),
    ],
)
def test_what_the_network_would_refuse_is_not_even_asked(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    given = dict(changes)
    if given.get("network") == "other":
        given["network"] = next(name for name in NETWORKS if name != desk.network)
        given["media"] = (desk.picture(),)
    if given.get("media") == "gone":
        given["media"] = (desk.picture(),)
        desk.files.clear()
    elif given.get("media") == "film":
        given["media"] = (desk.picture(media_type="video/mp4"),)
    action = desk.post(**given)
    if changes.get("media") == "gone":
        desk.files.clear()
    answer = desk.execute(action, desk.approve(action))
    assert isinstance(answer, Refusal)
    assert reason in answer.reason
    assert desk.server.asked == []


@pytest.mark.parametrize("step", ["started", "performed", "outcome", "copied"])
def test_a_death_at_any_step_never_leads_to_a_second_post(desk: Desk, step: str) -> None:
    action = desk.post()
    signed = desk.approve(action)
    desk.die_at = step
    with pytest.raises(Died):
        desk.execute(action, signed)
    desk.die_at = ""
    happened = step != "started"
    assert isinstance(desk.execute(action, signed), Done if happened else Unsure)
    desk.clock.tick(LATER)
    after = desk.execute(action, signed)
    sure = desk.network == "bluesky"
    assert isinstance(after, Done if happened else Waiting if sure else Unsure)
    assert desk.server.shown() == ["We moved. Come and see."] * happened


def test_posts_with_a_fifth_of_the_answers_lost_are_published_at_most_once(
    tmp_path: Path, network: str, runs: int
) -> None:
    with desk_of(tmp_path, network, one_in=5, chance=Random(11)) as desk:
        told = dict[str, str]()
        for number in range(runs):
            action = desk.post(f"News number {number} of many.\n")
            task = f"{number:016}"
            signed = desk.approve(action, task)
            first = desk.execute(action, signed)
            desk.clock.tick(timedelta(seconds=1))
            assert type(desk.execute(action, signed)) is type(first)
            told[task] = type(first).__name__
        shown = desk.server.shown()
        lost = sum(fate is not Fate.ANSWERED for fate in desk.server.told)
        assert lost >= runs // 10
        assert len(shown) == len(set(shown)), "an approval published twice"
        assert len(desk.server.told) == runs, "something was asked for twice"
        unsure = {task for task, what in told.items() if what == "Unsure"}
        published = {f"{int(text.split()[2]):016}" for text in shown}
        assert told.keys() - published == unsure, "a doubt was not told, or a doubt was told of what is there"
        assert {effect.task for effect in desk.ledgers[0].unknown()} == unsure
        assert set(told.values()) == {"Done", "Unsure"}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[20, pytest.param(200, marks=pytest.mark.prove)])
def runs(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_a_server_is_only_ever_told_its_own_secret(tmp_path: Path) -> None:
    """No token stands in an address, where proxies and logs would keep it."""
    for network in NETWORKS:
        folder = tmp_path / network
        folder.mkdir()
        with desk_of(folder, network) as desk:
            action = desk.post()
            assert isinstance(desk.execute(action, desk.approve(action)), Done)
            assert desk.server.asked
            assert not [one for one in desk.server.asked if Outside.token in f"{one.path}{dict(one.query)}"]
