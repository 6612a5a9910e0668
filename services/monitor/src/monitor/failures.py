"""failures.yaml: every way to fail that is alarmed, typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, model_validator

from monitor.wanted import Name, Part

FILE = Path(__file__).with_name("failures.yaml")


class Failure(Part):
    """Raised by a Kuma monitor that is red, or by a rule of its own."""

    name: Name
    urgency: Literal["urgent", "soon"]
    says: Annotated[str, Field(min_length=1)]
    monitor: Name | None = None
    expr: str = ""
    lasts: Annotated[str, Field(alias="for", pattern=r"^[0-9]+m$")] = "2m"
    raised: dict[str, str] = Field(default_factory=dict)
    quiet: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.monitor) == bool(self.expr):
            raise ValueError(f"{self.name}: give monitor or expr, and not both")
        if self.expr and not (self.raised and self.quiet):
            raise ValueError(f"{self.name}: a rule needs samples that raise it and samples that do not")
        return self

    @property
    def alert(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def anchor(self) -> str:
        return f"alert-{self.name}"

    @property
    def raised_by(self) -> str:
        """Kuma tells by itself of what it sees; of the rest one monitor of its own, `rules`."""
        return "kuma" if self.monitor else "prometheus"

    @property
    def rule(self) -> str:
        """Kuma's own metrics: 0 is down, 1 up, 2 pending, 3 maintenance."""
        return self.expr or f"{self._series} == 0"

    def samples(self, *, raised: bool) -> dict[str, str]:
        if self.monitor:
            return {self._series: "0x40" if raised else "1x40"}
        return self.raised if raised else self.quiet

    @property
    def _series(self) -> str:
        return f'monitor_status{{monitor_name="{self.monitor}"}}'


def read(file: Path = FILE) -> tuple[Failure, ...]:
    return tuple(Failure.model_validate(one) for one in yaml.safe_load(file.read_text(encoding="utf-8"))["failures"])
