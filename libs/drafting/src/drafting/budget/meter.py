"""Every request to a model passes here: room is kept before it leaves, and what it used is put down after."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import tzinfo

from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from drafting.budget.caps import Caps, Price, Tokens
from drafting.budget.ledger import Ledger

OVERHEAD = 2_000
"""Tokens of a request that are not text of ours: roles, names of fields, what a provider puts around a schema."""
NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})
"""Errors of the HTTP client below both SDKs, by name: one SDK may bring another release of it than the other."""


@dataclass(frozen=True, slots=True)
class Purse:
    """What one question may spend, whatever its tries. Without a price only tokens are counted."""

    ledger: Ledger = field(repr=False)
    task: str
    model: str
    caps: Caps
    zone: tzinfo
    price: Price | None = None
    share: float = 1.0


OPEN: ContextVar[Purse | None] = ContextVar("purse", default=None)
"""The purse of the question that is being asked; without one nothing is counted."""


@contextmanager
def paying(purse: Purse) -> Iterator[None]:
    """Requests made inside are paid from it."""
    token = OPEN.set(purse)
    try:
        yield
    finally:
        OPEN.reset(token)


class Metered(WrapperModel):
    """A model that is asked only when the purse has room for the dearest answer."""

    def __init__(self, wrapped: Model, purse: Purse, most_said: int) -> None:
        super().__init__(wrapped)
        self._purse, self._most_said = purse, most_said

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Raises OverCap before anything leaves. An answer that never came counts for what was kept: it may have been
        charged. A request that was refused, or never sent, counts for nothing."""
        purse = self._purse
        asked = most_asked(messages, model_request_parameters)
        money = purse.price.most(asked, self._most_said) if purse.price else 0
        kept = purse.ledger.reserve(
            purse.task, purse.model, tokens=asked + self._most_said, money=money, caps=purse.caps, zone=purse.zone,
            share=purse.share,
        )  # fmt: skip
        try:
            response = await super().request(messages, model_settings, model_request_parameters)
        except Exception as error:
            if isinstance(error, ModelHTTPError) or never_sent(error):
                purse.ledger.settle(kept, Tokens(0, 0), 0)
            raise
        usage = response.usage
        used = Tokens(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
        if used.all:  # a server that counts nothing is taken for the dearest
            purse.ledger.settle(kept, used, purse.price.of(used) if purse.price else 0)
        return response


def most_asked(messages: list[ModelMessage], parameters: ModelRequestParameters) -> int:
    """More tokens than the request can have: no tokenizer in use makes more than one of a byte of UTF-8."""
    instructions = sum(len(part.content.encode()) for part in parameters.instruction_parts or ())
    schema = parameters.output_object.json_schema if parameters.output_object else {}
    return (
        len(ModelMessagesTypeAdapter.dump_json(messages)) + instructions + len(json.dumps(schema).encode()) + OVERHEAD
    )


def never_sent(error: BaseException) -> bool:
    """Whether the connection itself failed, so that no provider saw the request."""
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ in NEVER_SENT:
            return True
        cause = cause.__cause__
    return False
