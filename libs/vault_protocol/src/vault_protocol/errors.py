"""Every expected failure of the protocol. A class exists because a caller does something different."""

from __future__ import annotations


class VaultError(Exception):
    """Something expected went wrong; the message says what, which and what to do."""


class ClaimLost(VaultError):
    """The task is no longer held under this attempt: drop the work and take the next."""

    def __init__(self, task: str, owner: str | None) -> None:
        self.task, self.owner = task, owner
        holder = f"held by {owner}" if owner else "not held by anyone"
        super().__init__(f"task {task} is {holder} now; this attempt may no longer write to it")


class MalformedNote(VaultError):
    """A note that the strict parser refuses: quarantine it and go on with the others."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path or 'note'}: {reason}")


class Refused(VaultError):
    """A rule said no. Nothing was written; tell the owner which rule."""

    def __init__(self, rule: str, path: str, reason: str) -> None:
        self.rule, self.path, self.reason = rule, path, reason
        super().__init__(f"refused by rule '{rule}' at {path}: {reason}")


class IllegalMove(VaultError):
    """The table of moves has no such move. From our own code this is a bug: stop."""


class StaleRevision(VaultError):
    """The note moved to another revision or stage since it was shown: look again, then decide."""

    def __init__(self, task: str, shown: int, current: int, stage: str = "") -> None:
        self.task, self.shown, self.current = task, shown, current
        now = f"in {stage} at revision {current}" if stage else f"at revision {current}"
        super().__init__(f"task {task} is {now} since you saw revision {shown}; look at it again")


class NoSuchTask(VaultError):
    """No task has this id (or more than one begins with it)."""


class HubUnreachable(VaultError):
    """The hub did not answer. The outcome may be unknown: back off, then look."""


class HubDenied(HubUnreachable):
    """The hub does not let us in, or is not the one we trust: a person has to change something first."""


class DiskTrouble(VaultError):
    """A disk takes or gives no bytes now (full, failing, read-only): say so, wait, and go on once it does."""


class ApprovalRefused(VaultError):
    """This approval does not allow this action now; `rule` names the check that failed."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"approval refused ({rule}): {reason}")


class UntrustedHead(VaultError):
    """The hub's head breaks a rule or a signature: it is not applied, work goes on from the last good one."""

    def __init__(self, commit: str, reason: str) -> None:
        self.commit, self.reason = commit, reason
        super().__init__(f"commit {commit[:12]} on the hub is not applied: {reason}")


class HubRewritten(UntrustedHead):
    """The hub's head does not descend from the one seen before: effects stop until the owner has decided."""
