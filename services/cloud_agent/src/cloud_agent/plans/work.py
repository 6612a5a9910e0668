"""Which tasks belong to plans, and who works them: the loop, or what drafts for one of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cloud_agent.bookkeeping.clerk import Clerk
from cloud_agent.bookkeeping.ledger_desk import Unclear
from cloud_agent.desk import Desk
from cloud_agent.handing_on import Submit, Undraftable
from cloud_agent.keeping import RawMail
from cloud_agent.plans import drafts
from cloud_agent.plans.loop import TRIAGE, Loop, ready
from cloud_agent.plans.objectives import is_plan
from cloud_agent.plans.steps import Kind
from cloud_agent.posts.work import is_ours
from cloud_agent.reading import Accounts, Reading, read
from drafting import DrafterRefused, Priority, Triage
from drafting import Kind as MailKind
from drafting.posts import Writer
from drafting.ruled import NotToDraft
from vault_protocol.clock import Clock
from vault_protocol.task import AgentId, Domain, Task, TaskId
from vault_protocol.vault import Vault

if TYPE_CHECKING:
    from cloud_agent.work import Held


def fit(task: Task, vault: Vault) -> bool:
    """Whether a worker may take it now, as far as plans go; of what is social, a plan's step or what posts are for."""
    if task.domain is Domain.SOCIAL:
        return drafts.is_step(task) or is_ours(task)
    return not is_plan(task) or ready(task, vault.journal.where)


class PlanWork:
    """The part of a worker that plans need; `draft`, `ask` and `submit` are how it hands a task on, `later`
    finds the task of a newer mail in the thread of a mail."""

    def __init__(
        self, desk: Desk, *, agent: AgentId, accounts: Accounts, raw: RawMail, clock: Clock, clerk: Clerk | None,
        step: Callable[[str], None], draft: Callable[[Held, Reading], None], ask: Callable[[Held, str], None],
        submit: Submit, later: Callable[[TaskId], TaskId | None], writer: Writer | None,
    ) -> None:  # fmt: skip
        books = clerk.books if clerk else None
        self._loop = Loop(
            desk, agent=agent, accounts=accounts, raw=raw, clock=clock, books=books, step=step, writer=writer
        )
        self._desk, self._accounts, self._raw, self._clock, self._clerk = desk, accounts, raw, clock, clerk
        self._step, self._draft, self._ask, self._submit, self._later = step, draft, ask, submit, later

    def takes(self, held: Held) -> bool:
        """Whether the task was a plan, or a step of one; then it was worked on. Raises what the vault, the books and
        the drafter raise."""
        if is_plan(held.task):
            self._loop.work(held.task, held.handbook)
            return True
        if not drafts.is_step(held.task):
            return False
        try:
            self._draft_step(held)
        except NotToDraft as error:
            self._ask(held, error.reason)
        except (Undraftable, Unclear) as error:
            self._ask(held, str(error))
        except DrafterRefused:
            self._ask(held, "the drafter gave nothing usable")
        return True

    def _draft_step(self, held: Held) -> None:
        held.triage = TRIAGE
        with self._desk.vault() as vault:
            step = drafts.step_of(vault, held.task)
        if step.kind is Kind.REPLY:
            held.triage = Triage(MailKind.REPLY_WANTED, Priority.NORMAL, "a step of a plan of yours", "plan")
            reading = read(held.task, accounts=self._accounts, raw=self._raw)
            newer = self._later(TaskId(held.task.note.front.words("answers"))) if held.task.revision else None
            if newer and not reading.remark:
                raise Undraftable(f"a newer mail came in this thread, task {newer}: answer that one instead")
            self._draft(held, drafts.to_answer(step, reading))
            return
        if step.kind is Kind.INVOICE:
            asked = drafts.invoice(held.task, step, self._clerk, held.handbook)
        else:
            asked = drafts.post(held.task, step, held.triage, self._clock.now())
        self._step("drafted")
        self._submit(held, asked.note, "draft", digest=asked.digest)
