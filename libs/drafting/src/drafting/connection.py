"""One question to a language model: no tools, one deadline, a bounded number of tries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Literal, TypeVar

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, NativeOutput, PromptedOutput, RunUsage, UsageLimits
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelTimeoutError,
    UsageLimitExceeded,
)
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from drafting.budget import meter
from drafting.letter import DrafterLate, DrafterRefused, DrafterUnavailable
from drafting.prompt import Instructions

RETRIES = 2
"""Further tries after an answer that does not fit."""
MAX_OUTPUT_TOKENS = 8_000
MAX_TOTAL_TOKENS = 120_000
"""Of one question, all its tries together."""
ANTHROPIC = "https://api.anthropic.com"
OPENAI = "https://api.openai.com/v1"

AnswerT = TypeVar("AnswerT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the model is. `base_url` None means the provider's own address, whatever the environment says."""

    provider: Literal["anthropic", "openai"]
    model: str
    base_url: str | None
    key: str = field(repr=False)
    timeout_seconds: float
    spent: Callable[[int, int], None] = field(default=lambda asked, said: None, repr=False, compare=False)
    """Told the tokens of each question, those of failed ones too: asked, and answered."""
    output_tokens: int = MAX_OUTPUT_TOKENS
    """What one answer may have at most."""

    def ask(
        self, *, instructions: Instructions, material: str, answer: type[AnswerT], check: Callable[[AnswerT], object]
    ) -> AnswerT:
        """Ask once; `check` raises ValueError to have the model try again.

        What it uses is paid from the purse that is open. Raises OverCap when that has no room, and DrafterUnavailable,
        DrafterLate and DrafterRefused, with reasons that quote neither mail nor key.
        """
        self._load()
        try:
            return asyncio.run(self._ask(instructions, material, answer, check))
        except TimeoutError:
            raise DrafterLate(f"no answer within {self.timeout_seconds:g} s") from None
        except ModelTimeoutError:
            raise DrafterLate(f"no answer within {self.timeout_seconds:g} s") from None
        except ModelAPIError as error:
            raise _explained(error) from error
        except UsageLimitExceeded:
            raise DrafterRefused(f"it needed more than {MAX_TOTAL_TOKENS} tokens") from None
        except AgentRunError as error:
            raise DrafterRefused(f"no usable answer in {RETRIES + 1} tries ({type(error).__name__})") from error

    async def _ask(
        self, instructions: Instructions, material: str, answer: type[AnswerT], check: Callable[[AnswerT], object]
    ) -> AnswerT:
        purse = meter.OPEN.get()
        async with asyncio.timeout(self.timeout_seconds), self._opened() as model:
            native = model.profile.get("supports_json_schema_output", False)
            agent = Agent(
                meter.Metered(model, purse, self.output_tokens) if purse else model,
                output_type=NativeOutput(answer) if native else PromptedOutput(answer),
                # What a function gives comes after the fixed part, which a provider can then keep.
                instructions=[instructions.fixed, lambda: instructions.varying or None],
                retries=RETRIES,
                model_settings=self._model_settings(),
            )

            @agent.output_validator
            def fits(output: AnswerT) -> AnswerT:
                try:
                    check(output)
                except ValueError as error:
                    raise ModelRetry(str(error)) from None
                return output

            limits = UsageLimits(request_limit=RETRIES + 1, tool_calls_limit=0, total_tokens_limit=MAX_TOTAL_TOKENS)
            used = RunUsage()
            try:
                return (await agent.run(material, usage_limits=limits, usage=used)).output
            finally:
                self.spent(used.input_tokens, used.output_tokens)

    def _load(self) -> None:
        """Import what is used: the first time takes seconds, which are not the model's."""
        for module in (self.provider, f"pydantic_ai.models.{self.provider}", f"pydantic_ai.providers.{self.provider}"):
            import_module(module)

    def _model_settings(self) -> ModelSettings:
        """Anthropic keeps what is marked; others that keep prompts do it by themselves."""
        if self.provider == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModelSettings

            return AnthropicModelSettings(
                max_tokens=self.output_tokens, timeout=self.timeout_seconds, anthropic_cache_instructions=True
            )
        return ModelSettings(max_tokens=self.output_tokens, timeout=self.timeout_seconds)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Model]:
        """The SDKs are imported when they are used: each takes a second. They do not retry: the worker does."""
        if self.provider == "anthropic":
            from anthropic import AsyncAnthropic
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            async with AsyncAnthropic(api_key=self.key, base_url=self.base_url or ANTHROPIC, max_retries=0) as claude:
                yield AnthropicModel(self.model, provider=AnthropicProvider(anthropic_client=claude))
        else:
            from openai import AsyncOpenAI
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            async with AsyncOpenAI(
                api_key=self.key or "none", base_url=self.base_url or OPENAI, max_retries=0
            ) as compatible:
                yield OpenAIChatModel(self.model, provider=OpenAIProvider(openai_client=compatible))


def _explained(error: ModelAPIError) -> DrafterUnavailable | DrafterRefused:
    match error:
        case ModelAuthenticationError():
            return DrafterUnavailable("the provider refused the API key")
        case ModelNotFoundError():
            return DrafterUnavailable("the provider does not know the model or the address")
        case ModelQuotaExceededError():
            return DrafterUnavailable("the account's quota or credit is used up")
        case ModelRequestRejectedError():
            return DrafterRefused(f"the provider rejected the request ({type(error).__name__})")
        case ModelRateLimitError():
            wait = f", asked to wait {error.retry_after:g} s" if error.retry_after else ""
            return DrafterUnavailable(f"rate-limited{wait}")
    status = getattr(error, "status_code", None)
    return DrafterUnavailable(f"HTTP {status}" if status else type(error).__name__)
