"""Which drafter is used."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drafting import Drafter
from drafting.budget.ledger import Ledger
from drafting.budget.settings import BudgetSettings
from drafting.offline import OfflineDrafter
from drafting.ruled import Ruled
from drafting.skill import load


class DrafterSettings(BaseModel):
    """`offline` needs nothing else; a model needs its name and, except on your own server, a key file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Literal["offline", "anthropic", "openai"] = "offline"
    model: str | None = Field(default=None, min_length=1)
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s@]+$")
    """Of an Ollama, llama.cpp or vLLM server with provider 'openai', such as http://ollama:11434/v1."""
    api_key_file: Path | None = None
    timeout_seconds: float = Field(default=60, gt=0, le=600)
    """For one mail, all tries together."""
    output_tokens: int = Field(default=8_000, ge=200, le=100_000)
    """What one answer may have at most; so much room is kept in the budget while it is awaited."""
    budget: BudgetSettings | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "offline":
            if self.model or self.base_url or self.api_key_file:
                raise ValueError("provider 'offline' takes no model, base_url or api_key_file")
            if self.budget:
                raise ValueError("provider 'offline' costs nothing and takes no budget")
            return self
        if self.model is None:
            raise ValueError(f"provider '{self.provider}' needs a model")
        if self.api_key_file is None and (self.provider == "anthropic" or self.base_url is None):
            raise ValueError(f"provider '{self.provider}' needs an api_key_file")
        if self.budget:
            self.budget.check(self.models)
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """That may be asked: the model, and the cheaper one."""
        cheaper = self.budget.cheaper_model if self.budget else None
        return tuple(model for model in (self.model, cheaper) if model)


def build(
    settings: DrafterSettings, skills_dir: Path, *, spent: Callable[[int, int], None] = lambda asked, said: None,
    ledger: Ledger | None = None,
) -> Drafter:  # fmt: skip
    """The configured drafter, held to the handbook. Raises MalformedSkill, and OSError without its key file. `spent` is
    told the tokens of each question to a model. Without a ledger there is no budget."""
    if settings.provider == "offline" or settings.model is None:
        return Ruled(OfflineDrafter())
    from drafting.connection import Connection  # 3 s and 70 MB that offline does not pay
    from drafting.model import ModelDrafter

    key = settings.api_key_file.read_text("utf-8").strip() if settings.api_key_file else ""
    budget = settings.budget or BudgetSettings()
    seconds = min(settings.timeout_seconds, budget.latency_seconds or settings.timeout_seconds)
    triage_skill, draft_skill = load(skills_dir, "triage-mail"), load(skills_dir, "draft-reply")
    post_skill, plan_skill = load(skills_dir, "draft-post"), load(skills_dir, "plan-task")
    provider, base_url = settings.provider, settings.base_url

    def drafter(model: str) -> ModelDrafter:
        connection = Connection(provider, model, base_url, key, seconds, spent, settings.output_tokens)
        return ModelDrafter(
            connection, triage_skill=triage_skill, draft_skill=draft_skill, post_skill=post_skill, plan_skill=plan_skill
        )

    if ledger is None:
        return Ruled(drafter(settings.model))
    from drafting.budget.thrifty import Thrifty, Tier

    last = len(settings.models) - 1
    tiers = [
        Tier(drafter(model), model, budget.price(model), 1.0 if at == last else budget.cheaper_from)
        for at, model in enumerate(settings.models)
    ]
    late = budget.latency_seconds is not None
    return Ruled(Thrifty(tiers, OfflineDrafter(), ledger, budget.caps, budget.zone, late_goes_offline=late))
