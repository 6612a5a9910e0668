"""Which drafter is used."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from drafting import Drafter
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

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.provider == "offline":
            if self.model or self.base_url or self.api_key_file:
                raise ValueError("provider 'offline' takes no model, base_url or api_key_file")
            return self
        if self.model is None:
            raise ValueError(f"provider '{self.provider}' needs a model")
        if self.api_key_file is None and (self.provider == "anthropic" or self.base_url is None):
            raise ValueError(f"provider '{self.provider}' needs an api_key_file")
        return self


def build(
    settings: DrafterSettings, skills_dir: Path, *, spent: Callable[[int, int], None] = lambda asked, said: None
) -> Drafter:  # fmt: skip
    """The configured drafter, held to the handbook. Raises MalformedSkill, and OSError without its key file. `spent` is
    told the tokens of each question to a model."""
    if settings.provider == "offline" or settings.model is None:
        return Ruled(OfflineDrafter())
    from drafting.connection import Connection  # 3 s and 70 MB that offline does not pay
    from drafting.model import ModelDrafter

    key = settings.api_key_file.read_text("utf-8").strip() if settings.api_key_file else ""
    connection = Connection(settings.provider, settings.model, settings.base_url, key, settings.timeout_seconds, spent)
    triage_skill, draft_skill = load(skills_dir, "triage-mail"), load(skills_dir, "draft-reply")
    return Ruled(ModelDrafter(connection, triage_skill=triage_skill, draft_skill=draft_skill))
