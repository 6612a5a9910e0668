"""What every action is: strict typed fields with one byte string, and the small values they are made of."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .canonical import Json, canonical, sha256
from .plain import hidden_or_control

_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,12})\.[0-9]{2}(?:[0-9]{0,5}[1-9])?")


class BadAction(ValueError):
    """An action that must not exist: unknown kind, unknown field, or a value outside its rules."""


def _line(text: str) -> str:
    fault = hidden_or_control(text) or ("a line break or tab" if "\n" in text or "\t" in text else None)
    if fault:
        raise ValueError(f"it holds {fault}")
    return text


def _body(text: str) -> str:
    fault = hidden_or_control(text, pictures=True)
    if fault:
        raise ValueError(f"it holds {fault}, which a reader does not see")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        raise ValueError("it does not end in exactly one newline")
    return text


def _amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text) or text == "-0.00":
        raise ValueError(f"{text!r} is not spelled as in 1234.50")
    return text


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(f"{text!r} is not spelled as in 2026-11-23")
    return text


Line = Annotated[str, Field(max_length=998), AfterValidator(_line)]
Body = Annotated[str, Field(max_length=400_000), AfterValidator(_body)]
"""Lines that each end in LF, and no empty one at the end."""
Amount = Annotated[str, AfterValidator(_amount)]
"""A decimal number as text, in its one spelling: two decimals at least, none beyond them that is a zero."""
Day = Annotated[str, AfterValidator(_day)]
"""`2026-11-23`."""
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Hex64 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def spell(value: Decimal) -> str:
    """The one spelling of an Amount. Raises ValueError for what is no finite number of that size."""
    if not value.is_finite():
        raise ValueError(f"{value} is no amount")
    whole, _, rest = f"{abs(value):f}".partition(".")
    text = f"{whole}.{rest.rstrip('0'):0<2}"
    return _amount(f"-{text}" if value < 0 else text)


class Strict(BaseModel):
    """Frozen, no unknown fields, no conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ActionBase(Strict):
    """Common to all actions. `prose` names the fields that stand as text in the note, not in its JSON block."""

    prose: ClassVar[tuple[str, ...]] = ()
    step_up: ClassVar[bool] = False
    """Whether its approval needs more than an unlocked key: the passphrase again, or a touch of a FIDO key."""
    type: str
    account: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]

    def canonical(self) -> bytes:
        """`countersign action v1`, LF, and the canonical JSON of every field."""
        fields: Json = self.model_dump(mode="json")
        return b"countersign action v1\n" + canonical(fields)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hex: what an approval signs."""
        return sha256(self.canonical())

    def fields(self) -> dict[str, Any]:
        """What stands in the JSON block of the note."""
        return self.model_dump(mode="json", exclude=set(self.prose))
