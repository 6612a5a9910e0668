"""cloud and cloud-2 over one vault at a resident hub: renewed leases, reaped ones, fenced writes, and a clean end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from services.cloud_agent.tests.fleet_world import Fleet
from services.cloud_agent.tests.world import mail

from demo.launch import MailWorld, mail_world
from demo.processes import NotReady, eventually
from vault_protocol.task import Stage

SECONDS = 60.0


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[MailWorld]:
    with mail_world(tmp_path / "mail") as world:
        yield world


def fleet_of(tmp_path: Path, mails: MailWorld, *, lease_seconds: int = 600) -> Fleet:
    return Fleet(tmp_path, ("cloud", "cloud-2"), mails, lease_seconds)


def deliver(fleet: Fleet, *numbers: int) -> None:
    assert fleet.mail is not None
    for number in numbers:
        fleet.mail.provider.deliver(mail(f"Number {number}?", message_id=f"<{number}@elsewhere.example>"))


def drafts(fleet: Fleet, count: int) -> dict[str, tuple[int, int]]:
    """Subject → revision and attempt, once so many are up."""
    eventually(lambda: len(fleet.tasks(Stage.PENDING_APPROVAL)) >= count, f"{count} drafts", seconds=SECONDS)
    return {str(t.note.front["subject"]): (t.revision, t.attempt) for t in fleet.tasks(Stage.PENDING_APPROVAL)}


def test_told_to_end_an_agent_gives_back_what_its_drafter_is_still_at_and_another_takes_it(
    tmp_path: Path, mails: MailWorld
) -> None:
    fleet = fleet_of(tmp_path, mails)
    began, never = tmp_path / "began", tmp_path / "never"
    try:
        with fleet.runs("cloud", str(began), str(never)) as first:
            deliver(fleet, 1)
            eventually(began.exists, "the first agent drafts", seconds=SECONDS)
            with fleet.runs("cloud-2"):
                deliver(fleet, 2, 3)
                assert drafts(fleet, 2) == {"Number 2?": (1, 1), "Number 3?": (1, 1)}
                (held,) = fleet.tasks(Stage.IN_PROGRESS)
                assert held.lease is not None
                assert held.lease.owner == "cloud"
                first.send_signal(signal.SIGTERM)
                assert first.wait(SECONDS) == 0
                assert drafts(fleet, 3)["Number 1?"] == (1, 2)
        assert fleet.verbs("cloud")[-1] == "release"
        assert fleet.events("cloud", "agent.ended")
        assert not fleet.tasks(Stage.IN_PROGRESS)
    finally:
        fleet.close()


def test_the_task_of_an_agent_that_hangs_is_reaped_and_what_it_writes_when_it_wakes_is_refused(
    tmp_path: Path, mails: MailWorld
) -> None:
    fleet = fleet_of(tmp_path, mails, lease_seconds=3)
    began, go = tmp_path / "began", tmp_path / "go"
    try:
        with fleet.runs("cloud", str(began), str(go)) as first:
            deliver(fleet, 1)
            eventually(began.exists, "the first agent drafts", seconds=SECONDS)
            first.send_signal(signal.SIGSTOP)
            with fleet.runs("cloud-2"):
                assert drafts(fleet, 1) == {"Number 1?": (1, 2)}
                assert "reap" in fleet.verbs("cloud-2")
                go.touch()
                first.send_signal(signal.SIGCONT)
                eventually(lambda: fleet.events("cloud", "task.lost"), "the first one sees it", seconds=SECONDS)
                deliver(fleet, 2)
                assert drafts(fleet, 2) == {"Number 1?": (1, 2), "Number 2?": (1, 1)}
        assert "submit" not in fleet.verbs("cloud")[: fleet.verbs("cloud").index("claim") + 2]
        assert fleet.verbs("cloud").count("submit") + fleet.verbs("cloud-2").count("submit") == 2
    finally:
        fleet.close()


def test_an_agent_that_takes_long_renews_its_lease_and_keeps_its_task(tmp_path: Path, mails: MailWorld) -> None:
    fleet = fleet_of(tmp_path, mails, lease_seconds=12)
    began, go = tmp_path / "began", tmp_path / "go"
    try:
        with fleet.runs("cloud", str(began), str(go)), fleet.runs("cloud-2"):
            deliver(fleet, 1)
            eventually(lambda: began.exists() or fleet.tasks(Stage.PENDING_APPROVAL), "it is claimed", seconds=SECONDS)
            # Where the quick one was first. Of many at once it may do all of them, while the slow one raises them.
            for number in range(2, 100):
                if began.exists():
                    break
                deliver(fleet, number)
                with suppress(NotReady):
                    eventually(began.exists, "the slow one has one too", seconds=1)
            assert began.exists(), "the slow one never had one"
            since = time.monotonic()
            eventually(lambda: time.monotonic() - since > 5, "a third of the lease is over", seconds=SECONDS)
            go.touch()
            # What cloud-2 raised before the mail came here too, the slow one submits at once, as a question.
            eventually(
                lambda: "renew submit" in " ".join(fleet.verbs("cloud")),
                "the slow one's draft is up, its lease renewed before", seconds=SECONDS,
            )  # fmt: skip
        assert fleet.verbs("cloud").count("renew") == 1
        assert "reap" not in fleet.verbs("cloud-2")
        assert {task.attempt for task in fleet.tasks(Stage.PENDING_APPROVAL)} == {1}
    finally:
        fleet.close()


def test_a_fleet_drafts_every_mail_once_while_the_hub_goes_away_and_comes_back(
    tmp_path: Path, mails: MailWorld
) -> None:
    fleet = fleet_of(tmp_path, mails)
    try:
        with fleet.runs("cloud") as one, fleet.runs("cloud-2") as two:
            deliver(fleet, *range(6))
            eventually(lambda: fleet.tasks(Stage.PENDING_APPROVAL), "a first draft", seconds=SECONDS)
            fleet.running.stop()
            deliver(fleet, *range(6, 9))
            fleet.running.start()
            found = drafts(fleet, 9)
            assert {subject: revision for subject, (revision, _) in found.items()} == {
                f"Number {number}?": 1 for number in range(9)
            }
            for process in (one, two):
                process.send_signal(signal.SIGTERM)
                assert process.wait(SECONDS) == 0
        fleet.local.refresh()
        assert len(fleet.local.journal.where) == 9
    finally:
        fleet.close()
