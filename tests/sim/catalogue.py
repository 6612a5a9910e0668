"""Every planted bug of the protocol, the hub and the effects: the invariant that shows it, and under which faults."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.sim import planted, planted_effects, planted_hub
from tests.sim.planted import Bug


@dataclass(frozen=True)
class Planted:
    """`resident`: on the resident hub; otherwise on any git remote."""

    bug: Bug
    invariant: str
    faults: dict[str, float] = field(default_factory=dict)
    resident: bool = False

    @property
    def name(self) -> str:
        return self.bug.__name__.replace("_", " ")


def _on(invariant: str, bug: Bug, **faults: float) -> Planted:
    return Planted(bug, invariant, faults)


def _hub(invariant: str, bug: Bug, **faults: float) -> Planted:
    return Planted(bug, invariant, faults, resident=True)


PLANTED: tuple[Planted, ...] = (
    _on("I1", planted.rebase_on_refusal, interleave=0.3, stale=0.8),
    _on("I1", planted.merge_on_refusal, interleave=0.3, stale=0.8),
    _on("I12", planted.moved_on_is_taken_for_accepted),
    _on("I12", planted.no_answer_is_taken_for_accepted),
    _on("I9", planted.own_secrets_are_not_held_back),
    _on("I6", planted.the_audit_chain_begins_anew),
    _on("I1", planted.a_mail_is_added_twice),
    _on("I2", planted.leases_end_by_the_wall_clock, jump=3),
    _on("I2", planted.leases_are_reaped_without_waiting),
    _on("I2", planted.the_attempt_is_no_fence, forgetful=0.6),
    _on("I2", planted.a_claim_does_not_raise_the_attempt),
    _on("I12", planted.a_submission_does_not_raise_the_revision),
    _on("I5", planted.an_edit_changes_the_draft_in_place),
    _on("I5", planted.a_stale_revision_is_approved, stale=0.8),
    _on("I12", planted.a_withdrawal_hits_another_revision, stale=0.8, away=0, partition=0),
    _on("I3", planted.nobody_judges, forge=2),
    _on("I3", planted.changesets_are_not_verified, forge=2),
    _on("I3", planted.a_gap_in_the_sequence_is_not_noticed, forge=2),
    _on("I5", planted_effects.the_executor_is_ignored, restore=0.5),
    _on("I5", planted_effects.the_expiry_is_ignored, jump=3),
    _on("I5", planted_effects.not_before_is_ignored, replay=6),
    _on("I5", planted_effects.the_owners_signature_is_not_verified, replay=6),
    _on("I5", planted_effects.the_digest_is_not_compared, replay=6),
    _on("I5", planted_effects.the_hash_is_taken_before_normalising),
    _on("I5", planted_effects.an_undo_spends_nothing, replay=6),
    _on("I4", planted_effects.an_approval_is_used_twice),
    _on("I4", planted_effects.an_unknown_outcome_is_sent_again),
    _on("I4", planted_effects.a_restart_sends_again, die_at_a_step=0.2),
    _on(
        "I4",
        planted_effects.a_task_gets_two_effects,
        refuse_now=0.6,
        jump=2,
        replay=20,
        pause=0,
        forge=0,
        away=0,
        odd_note=0,
        partition=0,
    ),
    _on("I4", planted_effects.a_lost_answer_is_taken_for_a_failure),
    _on("I6", planted_effects.the_outcome_is_written_before_the_effect),
    _on("I6", planted_effects.the_effect_comes_before_its_mark),
    _on("I5", planted_effects.the_effect_comes_before_approved_is_published),
    _on("I6", planted_effects.the_receipt_comes_before_the_outcome),
    _on("I6", planted_effects.what_nobody_knows_is_called_done),
    _on("I5", planted_effects.the_pause_is_ignored, pause=2),
    _on(
        "I4",
        planted_effects.the_predecessor_is_not_looked_for,
        restore=1,
        die_at_a_step=0.3,
        kept_in_sent=1,
        jump=0,
        partition=0,
        away=0,
        pause=0,
        forge=0,
    ),
    _on("I7", planted_effects.an_effect_that_waits_is_forgotten),
    _on("I8", planted.the_dashboard_shows_the_time),
    _on("I8", planted.the_dashboard_is_of_the_head_before, interleave=0.3),
    _on("I1", planted_hub.the_remote_swaps_without_comparing),
    _on("I12", planted_hub.everybody_in_a_group_is_told_yes),
    _hub("I12", planted_hub.a_newer_head_is_not_looked_at),
    _hub("I12", planted_hub.only_the_paths_are_compared_on_a_newer_head),
    _hub("I12", planted_hub.nothing_is_judged_again),
    _hub("I8", planted_hub.the_dashboard_goes_on_a_newer_head),
    _hub("I12", planted_hub.a_group_is_judged_by_its_first, interleave=0.6, late=0.2, catch_up=0),
    _hub("I12", planted_hub.the_group_is_answered_before_the_swap, hub_dies=0.05),
    _hub("I1", planted_hub.the_event_is_sent_before_the_disk_has_it, hub_dies=0.05),
    _hub("I1", planted_hub.the_disk_is_told_later, hub_dies=0.05),
    _hub("I12", planted_hub.a_publish_that_comes_twice_is_told_it_moved_on, twice=0.3),
    _hub("I12", planted_hub.who_waited_for_a_dead_hub_is_told_no, hub_dies=0.05),
    _hub("I7", planted_hub.the_hub_remembers_what_died_with_it, hub_dies=0.05),
    _hub("I12", planted_hub.the_hub_counts_no_sequence),
    _hub("I1", planted_hub.the_hub_knows_no_places, odd_note=0.5, duplicate=0.9, interleave=0.6, stale=0.9),
)
