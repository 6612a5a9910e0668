"""What Cloud says that models cost it today: words of its own, shown as such."""

from __future__ import annotations

from collections.abc import Mapping

from local_agent.assemble import Local
from vault_protocol import updates

MILLION = 1_000_000
CAPS = {
    "money-a-day": "the day's money", "tokens-a-day": "the day's tokens", "money-a-task": "a task's money",
    "tokens-a-task": "a task's tokens",
}  # fmt: skip


def of_today(local: Local) -> dict[str, dict[str, str]]:
    """Agent → its facts, of every cloud agent that asked a model; money in millionths."""
    read = local.vault.journal.read
    told = (
        (agent, updates.spending(read(updates.spending_path(agent))))
        for agent in local.home.cloud_agents(local.settings.vault)
    )
    return {str(agent): facts for agent, facts in told if facts}


def in_words(agent: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """One line and a style for it."""
    money, most = _number(facts, "money"), _number(facts, "money-a-day")
    tokens, most_tokens = _number(facts, "tokens"), _number(facts, "tokens-a-day")
    parts = [
        f"{tokens:,}{f' of {most_tokens:,}' if most_tokens else ''} tokens",
        f"{money / MILLION:.2f}{f' of {most / MILLION:.2f}' if most else ''}",
    ]
    refused = [what for cap, what in CAPS.items() if _number(facts, f"refused-{cap}")]
    over = f"; used up: {', '.join(refused)}, so the offline drafter wrote" if refused else ""
    return f"{agent} on {facts.get('day', '?')}: {', '.join(parts)}{over}", "yellow" if refused else ""


def _number(facts: Mapping[str, str], key: str) -> int:
    found = facts.get(key, "")
    return int(found) if found.isascii() and found.isdigit() else 0
