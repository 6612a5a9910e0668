"""How much may be spent, and what tokens cost. Money is counted in millionths of the currency of the prices."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

MILLION = 1_000_000


class Cap(StrEnum):
    """What can be used up."""

    MONEY_A_DAY = "money-a-day"
    TOKENS_A_DAY = "tokens-a-day"
    MONEY_A_TASK = "money-a-task"
    TOKENS_A_TASK = "tokens-a-task"


OF_A_DAY = (Cap.MONEY_A_DAY, Cap.TOKENS_A_DAY)
IN_WORDS = {
    Cap.MONEY_A_DAY: "the day's money", Cap.TOKENS_A_DAY: "the day's tokens",
    Cap.MONEY_A_TASK: "the task's money", Cap.TOKENS_A_TASK: "the task's tokens",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caps:
    """None is no cap. Money in millionths."""

    money_a_day: int | None = None
    tokens_a_day: int | None = None
    money_a_task: int | None = None
    tokens_a_task: int | None = None

    def of(self, cap: Cap) -> int | None:
        found: int | None = getattr(self, cap.replace("-", "_"))
        return found

    def lowered(self, other: "Caps") -> "Caps":
        """The lower of both, cap by cap: nothing that `other` says raises one."""
        return Caps(*(_lower(self.of(cap), other.of(cap)) for cap in Cap))


NO_CAPS = Caps()


def _lower(one: int | None, other: int | None) -> int | None:
    return min((cap for cap in (one, other) if cap is not None), default=None)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of one request. `asked` holds all of the prompt; `cached` and `written` are the parts of it that the provider
    took from its cache and put into it."""

    asked: int
    said: int
    cached: int = 0
    written: int = 0

    @property
    def all(self) -> int:
        return self.asked + self.said


@dataclass(frozen=True, slots=True)
class Price:
    """Of a million tokens, in the currency of the settings. Without prices of their own, cached and written tokens cost
    what others cost."""

    asked: Decimal
    said: Decimal
    cached: Decimal | None = None
    written: Decimal | None = None

    def of(self, tokens: Tokens) -> int:
        """In millionths, rounded up."""
        plain = max(tokens.asked - tokens.cached - tokens.written, 0)
        cached = self.asked if self.cached is None else self.cached
        written = self.asked if self.written is None else self.written
        cost = plain * self.asked + tokens.cached * cached + tokens.written * written + tokens.said * self.said
        return int(cost.to_integral_value(ROUND_CEILING))

    def most(self, asked: int, said: int) -> int:
        """What at most this many tokens can cost, in millionths."""
        dearest = max(self.asked, self.cached or Decimal(0), self.written or Decimal(0))
        return int((asked * dearest + said * self.said).to_integral_value(ROUND_CEILING))


def micros(money: Decimal) -> int:
    """In millionths, rounded down: a cap is never raised by rounding."""
    return int(money * MILLION)
