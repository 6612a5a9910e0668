"""One task a step: claim it, have it worked on, and keep what it breaks from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from books.errors import BooksUnreachable
from cloud_agent.desk import Desk
from cloud_agent.housekeeping import Housekeeping
from cloud_agent.leaving import everything
from cloud_agent.plans import work as plans
from cloud_agent.retries import MOST_FAILURES, Failures, Later
from cloud_agent.work import Held, Work
from drafting import DrafterUnavailable
from drafting.budget.task import spending_for
from vault_protocol import disk, layout
from vault_protocol.clock import Clock
from vault_protocol.errors import ClaimLost, DiskTrouble, HubUnreachable, Refused, UntrustedHead
from vault_protocol.task import Domain, Task
from vault_protocol.vault import Vault

log = structlog.get_logger()

DOMAINS = (Domain.EMAIL, Domain.FILES, Domain.ACCOUNTING, Domain.SOCIAL)
DRAFTER = "drafter"
"""What `Later` calls the drafter itself, beside the tasks."""
MOST_UNANSWERED = 3
"""After so many tasks in a row the drafter is down, not slow with one mail: then one task tries at a time."""


class Worker:
    """`step` does one thing and says whether to come back at once."""

    def __init__(
        self, desk: Desk, work: Work, *, clock: Clock, failures: Failures, later: Later, housekeeping: Housekeeping,
        step: Callable[[str], None] = lambda name: None, takes: Callable[[Task], bool] = everything,
        domains: Iterable[Domain] = DOMAINS,
    ) -> None:  # fmt: skip
        """`step` is told "claimed" when a task is ours; `takes` says which waiting tasks of `domains` may become so."""
        self._takes, self._domains = takes, tuple(domains)
        self._desk, self._work, self._clock = desk, work, clock
        self._failures, self._later, self._housekeeping = failures, later, housekeeping
        self._unanswered, self._step = 0, step

    @property
    def drafter_ok(self) -> bool:
        return self._unanswered == 0

    def step(self) -> bool:
        """Tidy, then work on one task. Raises HubUnreachable, UntrustedHead, Refused, or what a full
        disk says: back off and come back."""
        self._work.rounds()
        with self._desk.vault() as vault:
            vault.refresh()
            self._housekeeping.tidy(vault)
            self._work.remind(vault)
            if self._unanswered >= MOST_UNANSWERED and self._later.waits(DRAFTER):
                return False
            try:
                task = vault.claim_next(self._domains, fit=lambda task: self._fits(task, vault))
            except ClaimLost:
                return True
            except Refused as error:
                return self._past(error)
            handbook = (vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        if task is None:
            return False
        log.info("task.claimed", task=task.id, attempt=task.attempt)
        self._step("claimed")
        self._guarded(Held(task, self._clock.monotonic(), handbook))
        return True

    def _fits(self, task: Task, vault: Vault) -> bool:
        return _not_for_another(task) and self._takes(task) and plans.fit(task, vault)

    def _past(self, error: Refused) -> bool:
        """One waiting note that no rule lets us touch must not keep the others waiting."""
        place = layout.place_of(error.path)
        if place is None:
            raise error
        self._later.put_off(place.id)
        log.error("task.untouchable", task=place.id, rule=error.rule)
        return True

    def _guarded(self, held: Held) -> None:
        """Whatever one task breaks, the others go on; the third time it is set aside."""
        task = held.task.id
        failed, cause = self._failures.begin(task)
        try:
            if failed >= MOST_FAILURES:
                self._set_aside(held, cause, failed)
                return
            with disk.watched("state_dir"), spending_for(task):
                self._work.do(held)
        except DrafterUnavailable:
            self._failures.take_back(task)
            self._wait(held)
        except BooksUnreachable:
            self._failures.take_back(task)
            self._later.put_off(task)
            log.warning("task.waiting", task=task, reason="books-unavailable")
            self._give_back(held, "books-unavailable", tell=self._later.failures(task) == 1)
        except ClaimLost:
            self._failures.take_back(task)
            log.warning("task.lost", task=task)
        except (HubUnreachable, UntrustedHead, DiskTrouble):
            self._failures.take_back(task)
            raise
        except Exception as error:  # noqa: BLE001 - counted, named, and in the end quarantined
            self._failed(held, error)
        else:
            self._failures.clear(task)
            self._unanswered = 0
            self._later.forget(DRAFTER)
            self._later.forget(task)

    def _wait(self, held: Held) -> None:
        self._unanswered += 1
        self._later.put_off(DRAFTER)
        seconds = self._later.put_off(held.task.id)
        log.warning("task.waiting", task=held.task.id, reason="drafter-unavailable", retry_in=round(seconds))
        self._give_back(held, "drafter-unavailable", tell=self._later.failures(held.task.id) == 1)

    def _failed(self, held: Held, error: Exception) -> None:
        task, cause = held.task.id, type(error).__name__
        failed = self._failures.name(task, cause)
        log.error("task.failed", task=task, error=cause, at=_where(error), failures=failed)
        if failed >= MOST_FAILURES:
            self._set_aside(held, cause, failed)
        else:
            self._later.put_off(task)
            self._give_back(held, "failed", tell=False)

    def _give_back(self, held: Held, reason: str, *, tell: bool) -> None:
        try:
            self._work.give_back(held, waiting_for=reason, tell=tell)
        except ClaimLost:
            log.warning("task.lost", task=held.task.id)

    def _set_aside(self, held: Held, cause: str, failures: int) -> None:
        try:
            self._work.set_aside(held, cause=cause, failures=failures)
        except ClaimLost:
            log.warning("task.lost", task=held.task.id)
            return
        self._failures.clear(held.task.id)
        self._later.forget(held.task.id)
        log.error("task.quarantined", task=held.task.id, error=cause)


def _not_for_another(task: Task) -> bool:
    """The owner's machine marks what only it can do."""
    return not task.note.front.words("for")


def _where(error: Exception) -> str:
    """Module and line of the innermost frame: enough to look, and no text of anybody."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else ""
