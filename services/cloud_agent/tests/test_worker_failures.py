"""What one task, one note, the drafter or the hub breaks, and what goes on."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from services.cloud_agent.tests.world import CLOUD, LEASE, OTHER, ToldDrafter, World, mail

from cloud_agent.desk import NoVaultYet, WrongVault
from cloud_agent.retries import Later, Pauses
from cloud_agent.spending import Spending
from cloud_agent.watchers.imap import Retry, Trouble
from cloud_agent.worker import MOST_UNANSWERED
from drafting import DrafterUnavailable, Letter
from vault_protocol.errors import HubUnreachable, Refused
from vault_protocol.task import Domain, Stage, TaskId
from vault_protocol.testing import TestClock
from vault_protocol.updates import alive_path
from vault_protocol.vault import Vault

WAITING = Stage.PENDING_APPROVAL


def broken_for(*subjects: str) -> Callable[[Letter], None]:
    def unavailable(letter: Letter) -> None:
        if letter.subject in subjects:
            raise DrafterUnavailable("no answer within 60 s")

    return unavailable


def failing(letter: Letter) -> None:
    if letter.subject == "Poison":
        raise KeyError(f"text of the mail: {letter.text}")


def receive(world: World, *subjects: str) -> None:
    for subject in subjects:
        world.receives(mail(subject, message_id=f"<{subject}@elsewhere.example>"))


def test_while_the_drafter_is_down_for_one_mail_it_waits_with_a_reason_and_the_others_go_on(tmp_path: Path) -> None:
    world = World(tmp_path, ToldDrafter(before_draft=broken_for("Long")))
    receive(world, "Long", "Short")
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Short"
    waiting = world.only(Stage.NEEDS_ACTION)
    assert waiting.note.front["waiting_for"] == "drafter-unavailable"
    assert ("waiting", {"task": waiting.id, "reason": "drafter-unavailable"}) in world.updates()


def test_a_waiting_mail_is_tried_again_after_growing_pauses_and_drafted_once_the_drafter_is_back(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, ToldDrafter(before_draft=broken_for("Long")))
    receive(world, "Long")
    world.works()
    for pause, attempt in ((10, 2), (20, 3), (40, 4)):
        world.waits(pause - 1)
        world.works()
        assert world.only(Stage.NEEDS_ACTION).attempt == attempt - 1
        world.waits(1)
        world.works()
        assert world.only(Stage.NEEDS_ACTION).attempt == attempt
    world.drafter.before_draft = broken_for()
    world.waits(80)
    world.works()
    assert "waiting_for" not in world.only(WAITING).note.front
    assert [event for event, _ in world.updates()].count("waiting") == 1


def test_with_the_drafter_down_for_all_only_one_mail_at_a_time_tries_and_arrivals_go_on(tmp_path: Path) -> None:
    subjects = [f"Mail {number}" for number in range(8)]
    world = World(tmp_path, ToldDrafter(before_triage=broken_for(*subjects)))
    receive(world, *subjects[:7])
    world.works()
    assert sum(task.attempt for task in world.tasks(Stage.NEEDS_ACTION)) == MOST_UNANSWERED
    assert not world.worker.drafter_ok
    receive(world, subjects[7])
    world.waits(40)
    world.works()
    assert sum(task.attempt for task in world.tasks(Stage.NEEDS_ACTION)) == MOST_UNANSWERED + 1
    world.drafter.before_triage = broken_for()
    world.waits(600)
    world.works()
    assert len(world.tasks(WAITING)) == 8
    assert world.worker.drafter_ok


def test_a_pause_grows_and_is_bounded() -> None:
    later = Later(TestClock(), Pauses(first=5, longest=60, jitter=lambda: 1.0))
    assert [later.put_off("a") for _ in range(6)] == [5, 10, 20, 40, 60, 60]
    assert later.soonest() == 60


def test_the_third_failure_of_a_task_sets_it_aside_with_the_name_of_the_error_and_none_of_its_text(
    tmp_path: Path,
) -> None:
    world = World(tmp_path, ToldDrafter(before_draft=failing))
    receive(world, "Poison", "Fine")
    for _ in range(3):
        world.works()
        world.waits(60)
    poison = world.only(Stage.QUARANTINE)
    assert poison.note.front["quarantined_because"] == "failed 3 times: KeyError"
    assert world.only(WAITING).note.front["subject"] == "Fine"
    (record,) = [record for record in world.records() if record.action_type == "task.quarantined"]
    assert record.parameters == {"reason": "failed", "error": "KeyError", "failures": 3}
    assert "text of the mail" not in world.read("Logs/cloud/2026-11/23.jsonl") + poison.note.front.text


def test_a_task_that_kills_the_agent_three_times_is_set_aside_too(tmp_path: Path) -> None:
    class Killed(BaseException):
        """What a power cut looks like from inside."""

    def killed(letter: Letter) -> None:
        raise Killed

    world = World(tmp_path, ToldDrafter(before_draft=killed))
    receive(world, "Poison")
    for _ in range(3):
        with pytest.raises(Killed):
            world.worker.step()
        world.start()
    world.works()
    assert world.only(Stage.QUARANTINE).note.front["quarantined_because"] == "failed 3 times: crash"


def test_what_failed_once_and_then_worked_starts_from_nothing_again(tmp_path: Path) -> None:
    world = World(tmp_path, ToldDrafter(before_draft=failing))
    receive(world, "Poison")
    world.works()
    world.drafter.before_draft = broken_for()
    world.waits(60)
    world.works()
    assert world.only(WAITING).revision == 1
    assert list((tmp_path / "failures").iterdir()) == []


def spoil(world: World, path: str, content: bytes) -> None:
    """Put bytes on the hub past every rule, as an older version or a stranger with a clone could."""
    commit = world.store.commit(world.hub.head, {path: content}, message="spoil", author=OTHER, at=world.clock.now())
    world.hub.head = commit


def test_of_two_notes_one_malformed_the_other_is_drafted_and_the_reason_is_on_record(tmp_path: Path) -> None:
    world = World(tmp_path, judged=False)
    receive(world, "Cut", "Whole")
    cut = next(path for path in world.paths("Needs_Action/") if "cut" in path)
    spoilt = world.read(cut).encode()[:40]
    spoil(world, cut, spoilt)
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Whole"
    assert world.read(f"Quarantine/{cut.rpartition('/')[2]}").encode() == spoilt
    (record,) = [record for record in world.records() if record.action_type == "note.quarantined"]
    assert "front matter" in str(record.parameters["reason"])
    assert ("quarantined", {"task": record.target, "reason": "malformed"}) in world.updates()


def test_a_note_that_no_rule_lets_anybody_touch_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    world = World(tmp_path, judged=False)
    receive(world, "Leak", "Whole")
    leak = next(path for path in world.paths("Needs_Action/") if "leak" in path)
    spoil(world, leak, world.read(leak).encode() + b"AKIAABCDEFGHIJKLMNOP\n")
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Whole"
    assert world.only(Stage.NEEDS_ACTION).note.front["subject"] == "Leak"


def test_what_an_earlier_life_held_is_given_back_and_drafted_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    receive(world, "Mine")
    with world.desk.vault() as vault:
        assert vault.claim_next([Domain.EMAIL])
    world.start()
    world.works()
    task = world.only(WAITING)
    assert (task.revision, task.attempt) == (1, 2)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_publish_whose_answer_was_lost_ends_in_one_draft(tmp_path: Path, lost: int) -> None:
    world = World(tmp_path)
    receive(world, "Once")
    world.hub.lose_answers = lost
    for _ in range(8):
        try:
            world.worker.step()
        except HubUnreachable:
            continue
    assert world.only(WAITING).revision == 1
    assert world.paths("Needs_Action/") + world.paths("In_Progress/") == []
    assert list((tmp_path / "failures").iterdir()) == []


def test_with_the_hub_away_a_mail_stays_with_its_watcher_and_the_worker_backs_off(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.hub.away = True
    with pytest.raises(Retry):
        receive(world, "Later")
    with pytest.raises(HubUnreachable):
        world.worker.step()
    world.hub.away = False
    receive(world, "Later")
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Later"


def test_cloud_begins_no_vault_but_waits_for_the_owner_to_do_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    begun, world.hub.head = world.hub.head, None
    world.start()
    with pytest.raises(Retry):
        receive(world, "Early")
    with pytest.raises(NoVaultYet):
        world.worker.step()
    assert world.hub.head is None
    world.hub.head = begun
    receive(world, "Early")
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Early"


def test_cloud_writes_nothing_into_a_vault_that_its_settings_do_not_name(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.local.write("test", "card", {"Vault.json": b'{"vault": "another"}'})
    head = world.hub.head
    with pytest.raises(WrongVault, match="'another', the settings name 'v1'"):
        receive(world, "Stray")
    assert world.hub.head == head


def test_a_task_that_another_agent_took_over_is_dropped_and_the_next_one_drafted(tmp_path: Path) -> None:
    world = World(tmp_path)
    other = world.other_vault()

    def another_takes_it(letter: Letter) -> None:
        if letter.subject == "Slow":
            other.refresh()
            other.reap()
            world.clock.tick(LEASE)
            assert other.reap()
            assert other.claim_next([Domain.EMAIL])

    world.drafter.before_draft = another_takes_it
    receive(world, "Slow", "Next")
    world.works()
    assert world.only(WAITING).note.front["subject"] == "Next"
    (theirs,) = world.tasks(Stage.IN_PROGRESS)
    assert (theirs.lease and theirs.lease.owner, theirs.attempt) == (OTHER, 2)


def test_a_long_draft_renews_its_lease_before_it_is_submitted(tmp_path: Path) -> None:
    world = World(tmp_path)
    other = world.other_vault()
    freed: list[TaskId] = []

    def slow(letter: Letter) -> None:
        for _ in range(2):
            world.clock.tick(LEASE / 2 - timedelta(seconds=1))
            other.refresh()
            freed.extend(other.reap())

    world.drafter.before_triage = world.drafter.before_draft = slow
    receive(world, "Slow")
    world.works()
    assert (world.only(WAITING).attempt, freed) == (1, [])


def test_trouble_with_a_mailbox_shows_on_the_dashboard_in_plain_words_until_it_is_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    for trouble in (Trouble.AUTH, Trouble.AUTH, Trouble.NOT_TAKEN, None):
        world.health.trouble("business", trouble)
        world.works()
    said = [(event, facts) for event, facts in world.updates() if event.startswith("mailbox")]
    assert said == [
        ("mailbox-trouble", {"mailbox": "business", "trouble": "auth"}),
        ("mailbox-healthy", {"mailbox": "business"}),
    ]


def test_the_health_file_says_what_is_wrong(tmp_path: Path) -> None:
    world = World(tmp_path)
    receive(world, "Hello")
    world.health.trouble("business", Trouble.UNREACHABLE)
    world.health.step()
    found = json.loads((tmp_path / "health.json").read_text())
    assert found["mailboxes"] == {
        "business": {"last_mail": "2026-11-23T09:00:01Z", "trouble": "unreachable", "credential": "could-send"}
    }
    assert (found["hub_reachable"], found["drafter_ok"]) == (True, True)


class Refusing:
    """What a model cost, in words that a rule refuses."""

    def tell(self, vault: Vault) -> None:
        raise Refused("secret", "Updates/spending.md", "planted")


def test_what_a_rule_refuses_of_the_housekeeping_keeps_neither_the_rest_nor_the_mail_waiting(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.spending = cast(Spending, Refusing())
    world.start()
    world.receives(mail())
    world.works()
    assert world.only(WAITING).has_action
    world.waits(700)
    world.works()
    assert alive_path(CLOUD) in world.paths("Updates"), "what comes after it is done"
