"""How often what goes wrong does, and how often who is next. Every number is a chance or a weight."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Chances of a fault at the moment it can happen, and weights of the steps that are not anybody's work."""

    interleave: float = 0.10
    """Others go first between a look and the swap."""
    stale: float = 0.4
    """Somebody acts on the head they last saw instead of refreshing."""
    die: float = 0.006
    """A process dies before a swap or after it."""
    die_at_a_step: float = 0.04
    """It dies at a named step between approval and Done."""
    lose_answer: float = 0.02
    late: float = 0.01
    """An answer does not come in time, and the publish is carried out later, or never."""
    twice: float = 0.02
    """A publish is delivered twice; the second answer is the one that arrives."""
    hub_dies: float = 0.003
    """At each step of a group commit."""
    cut: float = 0.01
    """The hub is not reached by a publish."""
    forgetful: float = 0.1
    """A Cloud keeps a task in mind that it has let go, and writes late."""
    duplicate: float = 0.25
    """A mail that arrives has arrived before."""
    odd_note: float = 0.04
    """What Cloud writes is malformed."""
    refuse_now: float = 0.12
    refuse_for_good: float = 0.04
    lost_on_the_way: float = 0.05
    answer_of_mail_lost: float = 0.12
    kept_in_sent: float = 0.5

    jump: float = 0.6
    away: float = 0.4
    pause: float = 0.3
    replay: float = 2.0
    restore: float = 0.05
    forge: float = 0.15
    partition: float = 0.4
    """An agent is cut off from the hub, or one of them comes back."""
    catch_up: float = 0.5
    """The hub carries out what came late. The last eight are weights beside those of the actors."""


NONE = Faults(
    interleave=0, stale=0, die=0, die_at_a_step=0, lose_answer=0, cut=0, forgetful=0, duplicate=0,
    odd_note=0, refuse_now=0, refuse_for_good=0, lost_on_the_way=0, answer_of_mail_lost=0, kept_in_sent=1,
    jump=0, away=0, pause=0, replay=0, restore=0, forge=0, late=0, twice=0, hub_dies=0, partition=0, catch_up=0,
)  # fmt: skip
