"""Each planted bug is caught within a few seeds, and the same seeds are clean without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sim import planted
from tests.sim.breach import Breach
from tests.sim.faults import Faults
from tests.sim.planted import Bug
from tests.sim.world import World

SEEDS, STEPS = 60, 400

Caught = Callable[..., None]


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> Caught:
    """Plants a bug, and looks for the seed that breaks the invariant; that seed is clean without the bug."""

    def run(bug: Bug, invariant: str, **faults: float) -> None:
        with monkeypatch.context() as patch:
            bug(patch)
            broken = (seed for seed in range(SEEDS) if breaks(seed, faults) == invariant)
            seed = next(broken, None)
        assert seed is not None, f"{invariant} held in {SEEDS} seeds of {STEPS} steps"
        assert breaks(seed, faults) == ""

    return run


def breaks(seed: int, faults: dict[str, float]) -> str:
    """The invariant that this seed breaks, empty for none."""
    world = World(seed, faults=Faults(**faults), clouds=2, mails=6)
    try:
        world.run(STEPS)
        world.settle()
    except Breach as breach:
        return breach.invariant
    finally:
        world.local.close()
    return ""


def test_the_bug_rebase_on_refusal_is_caught(caught: Caught) -> None:
    caught(planted.rebase_on_refusal, "I1", interleave=0.3, stale=0.8)


def test_the_bug_merge_on_refusal_is_caught(caught: Caught) -> None:
    caught(planted.merge_on_refusal, "I1", interleave=0.3, stale=0.8)


def test_the_bug_moved_on_is_taken_for_accepted_is_caught(caught: Caught) -> None:
    caught(planted.moved_on_is_taken_for_accepted, "I12")


def test_the_bug_no_answer_is_taken_for_accepted_is_caught(caught: Caught) -> None:
    caught(planted.no_answer_is_taken_for_accepted, "I12")


def test_the_bug_own_secrets_are_not_held_back_is_caught(caught: Caught) -> None:
    caught(planted.own_secrets_are_not_held_back, "I9")


def test_the_bug_the_audit_chain_begins_anew_is_caught(caught: Caught) -> None:
    caught(planted.the_audit_chain_begins_anew, "I6")


def test_the_bug_a_mail_is_added_twice_is_caught(caught: Caught) -> None:
    caught(planted.a_mail_is_added_twice, "I1")


def test_the_bug_leases_end_by_the_wall_clock_is_caught(caught: Caught) -> None:
    caught(planted.leases_end_by_the_wall_clock, "I2", jump=3)


def test_the_bug_leases_are_reaped_without_waiting_is_caught(caught: Caught) -> None:
    caught(planted.leases_are_reaped_without_waiting, "I2")


def test_the_bug_the_attempt_is_no_fence_is_caught(caught: Caught) -> None:
    caught(planted.the_attempt_is_no_fence, "I2", forgetful=0.6)


def test_the_bug_a_claim_does_not_raise_the_attempt_is_caught(caught: Caught) -> None:
    caught(planted.a_claim_does_not_raise_the_attempt, "I2")


def test_the_bug_a_submission_does_not_raise_the_revision_is_caught(caught: Caught) -> None:
    caught(planted.a_submission_does_not_raise_the_revision, "I12")


def test_the_bug_an_edit_changes_the_draft_in_place_is_caught(caught: Caught) -> None:
    caught(planted.an_edit_changes_the_draft_in_place, "I5")


def test_the_bug_a_stale_revision_is_approved_is_caught(caught: Caught) -> None:
    caught(planted.a_stale_revision_is_approved, "I5", stale=0.8)


def test_the_bug_a_withdrawal_hits_another_revision_is_caught(caught: Caught) -> None:
    caught(planted.a_withdrawal_hits_another_revision, "I12")


def test_the_bug_nobody_judges_is_caught(caught: Caught) -> None:
    caught(planted.nobody_judges, "I3", forge=2)


def test_the_bug_changesets_are_not_verified_is_caught(caught: Caught) -> None:
    caught(planted.changesets_are_not_verified, "I3", forge=2)


def test_the_bug_a_gap_in_the_sequence_is_not_noticed_is_caught(caught: Caught) -> None:
    caught(planted.a_gap_in_the_sequence_is_not_noticed, "I3", forge=2)


def test_the_bug_the_executor_is_ignored_is_caught(caught: Caught) -> None:
    caught(planted.the_executor_is_ignored, "I5", restore=0.5)


def test_the_bug_the_expiry_is_ignored_is_caught(caught: Caught) -> None:
    caught(planted.the_expiry_is_ignored, "I5", jump=3)


def test_the_bug_not_before_is_ignored_is_caught(caught: Caught) -> None:
    caught(planted.not_before_is_ignored, "I5", replay=6)


def test_the_bug_the_owners_signature_is_not_verified_is_caught(caught: Caught) -> None:
    caught(planted.the_owners_signature_is_not_verified, "I5", replay=6)


def test_the_bug_the_digest_is_not_compared_is_caught(caught: Caught) -> None:
    caught(planted.the_digest_is_not_compared, "I5", replay=6)


def test_the_bug_the_hash_is_taken_before_normalising_is_caught(caught: Caught) -> None:
    caught(planted.the_hash_is_taken_before_normalising, "I5")


def test_the_bug_an_undo_spends_nothing_is_caught(caught: Caught) -> None:
    caught(planted.an_undo_spends_nothing, "I5", replay=6)


def test_the_bug_an_approval_is_used_twice_is_caught(caught: Caught) -> None:
    caught(planted.an_approval_is_used_twice, "I4")


def test_the_bug_an_unknown_outcome_is_sent_again_is_caught(caught: Caught) -> None:
    caught(planted.an_unknown_outcome_is_sent_again, "I4")


def test_the_bug_a_restart_sends_again_is_caught(caught: Caught) -> None:
    caught(planted.a_restart_sends_again, "I4", die_at_a_step=0.2)


def test_the_bug_a_task_gets_two_effects_is_caught(caught: Caught) -> None:
    caught(planted.a_task_gets_two_effects, "I4", refuse_now=0.5, jump=3, replay=6)


def test_the_bug_a_lost_answer_is_taken_for_a_failure_is_caught(caught: Caught) -> None:
    caught(planted.a_lost_answer_is_taken_for_a_failure, "I4")


def test_the_bug_the_outcome_is_written_before_the_effect_is_caught(caught: Caught) -> None:
    caught(planted.the_outcome_is_written_before_the_effect, "I6")


def test_the_bug_the_effect_comes_before_its_mark_is_caught(caught: Caught) -> None:
    caught(planted.the_effect_comes_before_its_mark, "I6")


def test_the_bug_the_effect_comes_before_approved_is_published_is_caught(caught: Caught) -> None:
    caught(planted.the_effect_comes_before_approved_is_published, "I5")


def test_the_bug_the_receipt_comes_before_the_outcome_is_caught(caught: Caught) -> None:
    caught(planted.the_receipt_comes_before_the_outcome, "I6")


def test_the_bug_what_nobody_knows_is_called_done_is_caught(caught: Caught) -> None:
    caught(planted.what_nobody_knows_is_called_done, "I6")


def test_the_bug_the_pause_is_ignored_is_caught(caught: Caught) -> None:
    caught(planted.the_pause_is_ignored, "I5", pause=2)


def test_the_bug_the_predecessor_is_not_looked_for_is_caught(caught: Caught) -> None:
    caught(planted.the_predecessor_is_not_looked_for, "I4", restore=0.5, die_at_a_step=0.2, kept_in_sent=1)


def test_the_bug_an_effect_that_waits_is_forgotten_is_caught(caught: Caught) -> None:
    caught(planted.an_effect_that_waits_is_forgotten, "I7")


def test_the_bug_the_dashboard_shows_the_time_is_caught(caught: Caught) -> None:
    caught(planted.the_dashboard_shows_the_time, "I8")


def test_the_bug_the_dashboard_is_of_the_head_before_is_caught(caught: Caught) -> None:
    caught(planted.the_dashboard_is_of_the_head_before, "I8", interleave=0.3)
