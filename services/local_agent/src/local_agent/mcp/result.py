"""An executor's answer as it goes over the wire, the same for every server that acts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from local_agent.effects import Answer, Done, Refusal, Unsure, Waiting
from vault_protocol.canonical import utc


class ActResult(BaseModel):
    """What became of it. `status` is done, waiting, refused or unsure; times are UTC text."""

    model_config = ConfigDict(frozen=True)

    status: str
    reason: str = ""
    rule: str = ""
    until: str = ""
    effect: str = ""
    facts: dict[str, str] = {}
    """What the receipt says of it: the Message-ID of a mail, the number of an invoice."""
    ledger_sequence: int = 0


class ActStatus(BaseModel):
    """Whether this kind of act can happen now, and why not."""

    paused: str | None
    dry_run: bool
    per_hour: int
    per_day: int
    unsure: tuple[str, ...]
    ledger_sequence: int


def told(answer: Answer, facts: Mapping[str, str]) -> ActResult:
    """`facts` count only when it is done."""
    match answer:
        case Done(effect, _):
            return ActResult(
                status="done", effect=effect.id, reason=effect.detail, facts=dict(facts),
                ledger_sequence=effect.sequence,
            )  # fmt: skip
        case Waiting(reason, until, paused):
            rule = "paused" if paused else ""
            return ActResult(status="waiting", rule=rule, reason=reason, until=utc(until) if until else "")
        case Refusal(rule, reason):
            return ActResult(status="refused", rule=rule, reason=reason)
        case Unsure(effect, reason):
            return ActResult(status="unsure", reason=reason, effect=effect.id, ledger_sequence=effect.sequence)
