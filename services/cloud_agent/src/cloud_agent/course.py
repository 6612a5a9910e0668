"""What becomes of a task once it is read and judged."""

from __future__ import annotations

from enum import StrEnum

from cloud_agent.reading import Reading
from drafting import Kind, Triage
from vault_protocol.task import Domain


class Course(StrEnum):
    """The three ways a task leaves a worker that could work on it."""

    CLOSE = "close"
    ASK = "ask"
    DRAFT = "draft"


NOTHING_TO_DO = frozenset({Kind.INFORMATIONAL, Kind.NEWSLETTER, Kind.SPAM})
THE_OWNERS = frozenset({Kind.NEEDS_OWNER, Kind.INVOICE})
"""What never ends unseen, even when a machine sent it."""


def course(reading: Reading, triage: Triage, *, domain: Domain, revision: int) -> Course:
    """A remark is an order to draft. What was once put up for the owner is never closed behind their back."""
    if domain is not Domain.EMAIL or reading.original is None:
        return Course.ASK
    if reading.remark:
        return Course.DRAFT
    ends = triage.kind in NOTHING_TO_DO or (reading.silence is not None and triage.kind not in THE_OWNERS)
    if ends:
        return Course.ASK if revision else Course.CLOSE
    if reading.silence or reading.obstacle or triage.kind is Kind.NEEDS_OWNER:
        return Course.ASK
    return Course.DRAFT
