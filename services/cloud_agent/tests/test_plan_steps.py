"""The closed list of steps: what is taken, and what is left out with which reason."""

from datetime import UTC, datetime

import pytest

from cloud_agent.plans.plan import At, begun
from cloud_agent.plans.steps import LONGEST, MOST, Kind, Step, parse

TASK = "abcdefghijklmnop"


def test_items_of_every_kind_of_list_are_steps_and_all_other_lines_are_for_people() -> None:
    found = parse(
        f"Please:\n\n- read: {TASK}\n* books: Mill\n2. wait\n3) ask: Now?\n- [ ] Post: bluesky: Done\nread: me\n"
    )
    assert [step.kind for step in found] == [Kind.READ, Kind.BOOKS, Kind.WAIT, Kind.ASK, Kind.POST]


def test_what_a_step_is_about_stands_apart_from_its_words() -> None:
    read, reply, post, wait = parse(
        f"- read: {TASK}\n- reply: step 1: Say: yes\n- post: x: Done: at last\n- wait: step 2\n"
    )
    assert (read.words, reply.of, reply.words) == (TASK, "1", "Say: yes")
    assert (post.network, post.words, wait.of) == ("x", "Done: at last", "2")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("pay: 5 EUR", "no plan has such a step"),
        ("send_mail: everybody", "no plan has such a step"),
        ("read: the mail of Anna", "say which mail"),
        ("reply: Hello", "say to which mail"),
        ("reply: step 9: Hello", "is no step before it that reads"),
        ("reply: step 2: Hello", "is no step before it that reads"),
        ("post: myspace: Hello", "say where"),
        ("post: x:", "say where"),
        ("wait: step 1", "is no step before it that drafts"),
        ("ask:", "say what after ask"),
        (f"ask: {'x' * (LONGEST + 1)}", "characters, more than"),
    ],
)
def test_a_step_that_cannot_be_had_is_refused_with_the_reason(item: str, reason: str) -> None:
    step = parse(f"- books: Mill\n- {item}\n")[1]
    assert reason in step.refused


@pytest.mark.parametrize("at", [At.ASKED, At.SKIPPED, At.OPEN])
def test_nothing_comes_after_a_yes_that_was_not_said(at: At) -> None:
    steps = (Step(Kind.ASK, "May they begin?", agrees=True), Step(Kind.POST, "One", network="mastodon"))
    plan = begun("News", "Objectives/news.md", steps, datetime(2026, 11, 27, tzinfo=UTC))
    assert plan.with_step(1, at=at).next == 1
    assert plan.with_step(1, at=At.DONE).next == 2


def test_no_plan_has_more_steps_than_the_limit() -> None:
    assert len(parse("- wait\n" * (MOST + 5))) == MOST
