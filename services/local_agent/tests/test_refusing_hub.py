"""A hub that answers and says no to what the rules here allow is told from one that may say no to one thing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from services.local_agent.tests.test_signs_of_life import LONG, SHORT, Watched, watched

from local_agent.taking import TESTED
from vault_protocol.hub import Broken, CommitId, Hub, Published, Rejected

__all__ = ["watched"]

MINUTE = timedelta(minutes=1)

Says: TypeAlias = Callable[[str], Published | None]
"""By the subject of a commit what the hub says to it; None: what the honest one says."""


class Refusing:
    """A hub that answers every look, and says what it likes to a publish."""

    def __init__(self, hub: Hub, watched: Watched, says: Says) -> None:
        self._hub, self._watched, self.says = hub, watched, says
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)

    def publish(self, commit: CommitId, *, onto: CommitId | None, exact: bool = False) -> Published:
        (found,) = self._watched.service.local.store.history(onto, commit)
        self.asked.append(found.message.partition("\n")[0])
        return self.says(self.asked[-1]) or self._hub.publish(commit, onto=onto, exact=exact)


def refusing(watched: Watched, says: Says) -> Refusing:
    journal = watched.service.local.vault.journal
    hub = Refusing(journal.hub, watched, says)
    journal.hub = hub
    return hub


def kinds(silences: list[list[str]]) -> list[str]:
    return [kind for kind, *_ in silences]


def no(rule: str, path: str = "Updates/local/recent.md") -> Published:
    return Rejected(rule, path, "no")


@pytest.mark.parametrize("rule", ["zone", "policy", "secret"])
def test_a_hub_that_rejects_everything_raises_an_alarm_whatever_rule_it_names(watched: Watched, rule: str) -> None:
    hub = refusing(watched, lambda said: no(rule))
    assert kinds(watched.after(LONG)) == ["agent silent"]
    assert "cloud was last heard at" in watched.dashboard(), "what would have said it was refused"
    assert "the hub refuses since" in watched.status("hub")

    assert kinds(watched.after(SHORT)) == ["agent silent"]
    [(kind, agent, _, words), (other, *_)] = watched.after(LONG)
    assert (kind, agent, other) == ("hub refuses", "", "agent silent")
    assert f"(rule {rule} at Updates/local/recent.md)" in words
    assert words in watched.dashboard()
    shown = watched.world.run("status")
    assert "the hub refuses since" in " ".join(shown.out.split())
    assert watched.world.run("status", "--json").json["hub"] == words

    hub.says = lambda said: None
    watched.alive()
    assert watched.after(MINUTE) == []
    assert "danger" not in watched.dashboard()
    assert (watched.status("hub"), watched.world.run("status", "--json").json["hub"]) == ("ok", "ok")


def test_a_hub_that_hands_on_clouds_words_and_rejects_ours_raises_it_too(watched: Watched) -> None:
    """Nobody is silent, so nothing but the owner's own note is to be published, and that once."""
    hub = refusing(watched, lambda said: no("zone", "Mine.md"))
    (watched.world.notes / "Mine.md").write_text("My own words.\n", encoding="utf-8")
    found = []
    for _ in range(12):
        watched.alive()
        watched.service.mirror.rescan()
        found += watched.after(timedelta(minutes=5))
    assert set(kinds(found)) == {"hub refuses"}
    assert "the hub refuses since" in watched.dashboard()
    assert "test: whether the hub takes it" in hub.asked


@pytest.mark.parametrize("rule", ["secret", "size"])
def test_one_note_that_a_hub_may_refuse_is_told_as_that_and_raises_no_alarm(watched: Watched, rule: str) -> None:
    """Say, an owner's note with a secret of Cloud, which only the hub knows."""
    hub = refusing(watched, lambda said: no(rule, "Mine.md") if said.startswith("owner_edit") else None)
    (watched.world.notes / "Mine.md").write_text("What only the hub knows.\n", encoding="utf-8")
    for _ in range(12):
        watched.alive()
        watched.service.mirror.rescan()
        assert watched.after(timedelta(minutes=5)) == []
        assert watched.status("hub") == "ok"
    assert "Mine.md" in watched.status("notices")
    assert "danger" not in watched.dashboard()
    refused = sum(said.startswith("owner_edit") for said in hub.asked)
    assert 1 <= hub.asked.count("test: whether the hub takes it") <= refused


def test_what_is_refused_again_and_again_costs_a_commit_in_ten_minutes_at_most(watched: Watched) -> None:
    hub = refusing(watched, lambda said: no("secret") if said.startswith("owner_edit") else None)
    for number in range(40):
        (watched.world.notes / "Mine.md").write_text(f"What only the hub knows, {number}.\n", encoding="utf-8")
        watched.alive()
        watched.service.mirror.rescan()
        assert watched.after(MINUTE) == []
    assert hub.asked.count("test: whether the hub takes it") <= 1 + 40 * MINUTE / TESTED


def test_a_hub_that_takes_all_but_one_thing_by_a_rule_that_it_has_of_us_is_called_refusing(watched: Watched) -> None:
    """It rejects the dashboard, which is tried in every step, and takes what lies between."""
    refusing(watched, lambda said: no("zone", "Dashboard.md") if said.startswith("dashboard") else None)
    watched.after(LONG)
    watched.after(MINUTE)
    watched.alive()
    found = watched.after(LONG)
    assert "hub refuses" in kinds(found)


def test_a_hub_that_rejects_and_breaks_by_turns_is_not_taken_for_one_that_takes(watched: Watched) -> None:
    turns = [no("zone"), Broken("later")]

    def says(said: str) -> Published:
        turns.append(turns.pop(0))
        return turns[-1]

    refusing(watched, says)
    found = [kind for _ in range(12) for kind in kinds(watched.after(timedelta(minutes=10)))]
    assert {"hub refuses", "hub frozen"} & set(found[-3:])


def test_what_a_hub_says_is_shown_as_words_alone(watched: Watched) -> None:
    refusing(watched, lambda said: no("zone](https://evil.example)", "<img src=x>\n# [[Evil]]"))
    watched.after(LONG)
    watched.after(LONG)
    assert "the hub refuses since" in watched.dashboard()
    assert not any(form in watched.dashboard() for form in ("](http", "<img", "[[Evil", "\n# [["))


def test_one_rejection_by_a_rule_of_ours_shows_until_the_hub_takes_something_again(watched: Watched) -> None:
    answers = iter((no("zone", "Mine.md"),))
    refusing(watched, lambda said: next(answers, None))
    (watched.world.notes / "Mine.md").write_text("My own words.\n", encoding="utf-8")
    seen = []
    for _ in range(4):
        watched.alive()
        watched.service.mirror.rescan()
        assert watched.after(MINUTE) == []
        seen.append(watched.status("hub") == "ok")
    assert seen == [True, False, True, True]
