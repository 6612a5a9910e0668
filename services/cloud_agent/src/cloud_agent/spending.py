"""What models cost today, told to the vault: counts alone, in a file of its own that the owner's `status` reads."""

from __future__ import annotations

from datetime import tzinfo

from cloud_agent.settings import BadSettings
from drafting import handbook as handbooks
from drafting.budget.caps import Cap
from drafting.budget.ledger import DamagedLedger, Ledger, Spent
from drafting.budget.settings import BudgetSettings
from vault_protocol import layout, updates
from vault_protocol.clock import Clock
from vault_protocol.task import AgentId
from vault_protocol.updates import Update
from vault_protocol.vault import Vault

BETWEEN_WORDS = 900.0
"""Seconds between two commits that say no more than how much it is by now."""


class Spending:
    """The day's figures, and what the vault was told of them."""

    def __init__(self, ledger: Ledger, budget: BudgetSettings, agent: AgentId, clock: Clock) -> None:
        """Raises BadSettings for a ledger that cannot be read."""
        self._ledger, self._budget, self._agent, self._clock = ledger, budget, agent, clock
        self._zone: tzinfo = budget.zone
        self._caps = budget.caps
        self._told: tuple[float, Spent] | None = None
        try:
            ledger.load()
        except DamagedLedger as error:
            raise BadSettings(str(error)) from None

    def today(self) -> Spent:
        return self._ledger.spent(self._zone)

    def tell(self, vault: Vault) -> None:
        """At once when a cap refused something for the first time today or a new day began, else now and then."""
        handbook = (vault.journal.read(layout.HANDBOOK) or b"").decode("utf-8", "replace")
        rules = handbooks.read(handbooks.in_scope(handbook, None))
        self._zone = rules.zone(self._budget.zone)
        self._caps = self._budget.caps.lowered(rules.caps)
        spent, now = self.today(), self._clock.monotonic()
        if self._told is not None:
            at, last = self._told
            same_caps = {cap for cap, _ in spent.capped} == {cap for cap, _ in last.capped}
            if spent == last or (spent.day == last.day and same_caps and now - at < BETWEEN_WORDS):
                return
        path, content = updates.spending_path(self._agent), self._words(spent)
        if _facts(vault.journal.read(path)) != _facts(content):
            vault.write("spending", self._agent, {path: content})
        self._told = now, spent

    def _words(self, spent: Spent) -> bytes:
        facts: dict[str, str | int] = {
            "day": spent.day.isoformat(), "tokens": spent.tokens, "cached": spent.cached, "money": spent.money,
        }  # fmt: skip
        refused = dict(spent.capped)
        for cap in Cap:
            most = self._caps.of(cap)
            if most is not None:
                facts[cap.value] = most
            if cap in refused:
                facts[f"refused-{cap.value}"] = refused[cap]
        return updates.add(None, Update.of("spending", self._clock.now(), **facts))


def _facts(content: bytes | None) -> list[tuple[tuple[str, str], ...]]:
    """Without the time."""
    return [line.facts for line in updates.parse(content or b"")]
