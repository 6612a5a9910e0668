"""What a task is: where it stands, who holds it, how often it was claimed and submitted."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from .note import Note

TaskId = NewType("TaskId", str)
AgentId = NewType("AgentId", str)

TASK_ID = re.compile("[a-z2-7]{16}")
AGENT_ID = re.compile("[a-z][a-z0-9-]{0,30}")


class Stage(StrEnum):
    """Where a task is. The value is the folder that holds it."""

    NEEDS_ACTION = "Needs_Action"
    IN_PROGRESS = "In_Progress"
    PENDING_APPROVAL = "Pending_Approval"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    DONE = "Done"
    QUARANTINE = "Quarantine"


class Domain(StrEnum):
    """What kind of work it is. The value is the folder below Needs_Action and Pending_Approval."""

    EMAIL = "email"
    FILES = "files"
    SOCIAL = "social"
    ACCOUNTING = "accounting"
    WHATSAPP = "whatsapp"


class Role(StrEnum):
    """What a key may do. Judged by the key that signed, never by an author's name."""

    CLOUD = "cloud"
    LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on one task until it expires. `attempt` is the fencing token."""

    owner: AgentId
    attempt: int
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task at one moment. `note` is the text that stands for it, with these fields in its front matter."""

    id: TaskId
    stage: Stage
    domain: Domain
    slug: str = ""
    attempt: int = 0
    revision: int = 0
    lease: Lease | None = None
    finished: datetime | None = None
    note: Note

    def evolve(self, **changes: Any) -> Task:
        """The same task with these fields changed."""
        return replace(self, **changes)

    @property
    def has_action(self) -> bool:
        """Whether a draft with an action stands in it, so that only the owner may end it."""
        return "action" in self.note.front


def task_id(secret: bytes, *, mailbox: str, message_id: str, content_sha256: str) -> TaskId:
    """HMAC-SHA256 over mailbox, Message-ID and the raw message's hash, as 16 base32 letters (80 bits).

    The same Message-ID with other content is another task.
    """
    text = "\0".join((mailbox, message_id, content_sha256)).encode("utf-8", "surrogatepass")
    digest = hmac.new(secret, text, hashlib.sha256).digest()
    return TaskId(b32encode(digest[:10]).decode("ascii").lower())
