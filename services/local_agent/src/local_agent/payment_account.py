"""An account of the owner that pays: by a file for the bank's own upload, or through Wise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from local_agent.own_machine import protected
from vault_protocol.bank_account import bic_fault, iban_fault
from vault_protocol.errors import VaultError


class NoToken(VaultError):
    """There is no credential to ask the provider with."""


def _iban(text: str) -> str:
    bare = text.replace(" ", "").upper()
    if bare and (fault := iban_fault(bare)):
        raise ValueError(fault)
    return bare


def _bic(text: str) -> str:
    if text and (fault := bic_fault(text)):
        raise ValueError(fault)
    return text


class PaymentAccount(BaseModel):
    """`way` says how: `file` needs holder, iban and folder; `wise` needs profile, and a token in the secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    way: Literal["file", "wise"] = "file"
    holder: str = Field(default="", max_length=70)
    """Whose account it is, as the bank has it."""
    iban: Annotated[str, AfterValidator(_iban)] = ""
    bic: Annotated[str, AfterValidator(_bic)] = ""
    folder: Path | None = None
    """Where files for the bank's upload are put. Not inside the vault's folder."""
    url: str = "https://api.wise.com"
    profile: int = Field(default=0, ge=0)
    funding: Literal["balance", "app"] = "app"
    """`balance`: paid at once from the balance, where Wise lets an API token do that. `app`: you confirm at Wise."""
    token_file: Path | None = None
    """Holds the API token; without it the token is in the secrets (`countersign secrets set NAME`)."""
    ca_file: Path | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=300)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.way == "file" and not (self.holder and self.iban and self.folder):
            raise ValueError(f"payments {self.name}: a file needs holder, iban and folder")
        if self.way == "wise" and not self.profile:
            raise ValueError(f"payments {self.name}: Wise needs the number of your profile")
        protected(self.url, f"payments {self.name}")
        return self

    @property
    def secret_entry(self) -> str:
        """Its token's name among the secrets."""
        return f"wise.{self.name}"
