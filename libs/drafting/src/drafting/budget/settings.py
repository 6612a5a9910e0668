"""The operator's caps and prices, as they stand in the settings file."""

from datetime import tzinfo
from decimal import Decimal
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drafting.budget.caps import Caps, Price, micros

Money = Annotated[Decimal, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10**12)]
Cost = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class PriceSettings(BaseModel):
    """Of a million tokens of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Cost
    output: Cost
    cached: Cost | None = None
    """Of the prompt's tokens that come from the provider's cache; without it they cost what others cost."""
    written: Cost | None = None
    """Of those put into the cache."""

    @property
    def price(self) -> Price:
        return Price(self.input, self.output, self.cached, self.written)


class BudgetSettings(BaseModel):
    """Caps of this agent: what is not named has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    money_a_day: Money | None = None
    money_a_task: Money | None = None
    tokens_a_day: Count | None = None
    tokens_a_task: Count | None = None
    cheaper_model: str | None = Field(default=None, min_length=1)
    """Asked in the place of the model once `cheaper_from` of a cap is spent; of the same provider."""
    cheaper_from: float = Field(default=0.8, gt=0, lt=1)
    latency_seconds: float | None = Field(default=None, gt=0, le=600)
    """When no answer came by then, the offline drafter goes on; without it the mail waits for the model."""
    time_zone: str = "UTC"
    """Where a day begins, unless the Handbook's working hours name a zone."""
    prices: dict[str, PriceSettings] = {}
    """By the name of the model."""

    @model_validator(mode="after")
    def _zone_is_known(self) -> Self:
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"time_zone: {self.time_zone!r} is none; write one such as Europe/Berlin") from None
        return self

    def check(self, models: tuple[str, ...]) -> None:
        """Raises ValueError when money is capped and a model has no price."""
        bare = [model for model in models if model not in self.prices]
        if bare and (self.money_a_day or self.money_a_task):
            raise ValueError(
                f'money is capped and {bare[0]!r} has no price: add [drafter.budget.prices."{bare[0]}"] with input '
                "and output, of a million tokens"
            )

    def price(self, model: str) -> Price | None:
        return self.prices[model].price if model in self.prices else None

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.time_zone)

    @property
    def caps(self) -> Caps:
        def in_micros(money: Decimal | None) -> int | None:
            return None if money is None else micros(money)

        return Caps(in_micros(self.money_a_day), self.tokens_a_day, in_micros(self.money_a_task), self.tokens_a_task)
