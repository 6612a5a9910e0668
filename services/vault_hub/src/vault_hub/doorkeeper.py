"""Who a request is from. Failures are logged without what was given, and slow an address down."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vault_hub.agents import Agents, Standing
from vault_hub.limits import Allowance
from vault_hub.metrics import Metrics
from vault_protocol.task import AgentId

log = structlog.get_logger()


@dataclass(frozen=True)
class Caller:
    """An agent whose token is good now."""

    agent: AgentId
    standing: Standing


class Denied(Exception):
    """The request is answered with this."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Doorkeeper:
    """Checks every request that is not about health."""

    def __init__(self, agents: Agents, metrics: Metrics, *, calls: Allowance, failures: Allowance) -> None:
        self._agents, self._metrics, self._calls, self._failures = agents, metrics, calls, failures

    def let_in(self, request: Request) -> Caller:
        """Raises Denied: 401 without a good token, 429 over the allowance."""
        given = _token(request.headers.get("authorization", ""))
        found = self._agents.authenticate(given) if given else None
        if found is None:
            address = request.client.host if request.client else "?"
            wait = self._failures.take(address)
            self._metrics.denied.inc()
            log.warning("caller.denied", address=address, path=request.url.path[:80], with_token=bool(given))
            if wait:
                raise Denied(_too_many(wait))
            challenge = {"WWW-Authenticate": 'Basic realm="countersign hub"'}
            raise Denied(_error(401, "token", "no good token came with the request", challenge))
        wait = self._calls.take(found[0])
        if wait:
            self._metrics.limited.inc()
            raise Denied(_too_many(wait))
        return Caller(*found)

    def may_publish(self, caller: Caller) -> None:
        """Raises Denied for a reader."""
        if caller.standing is Standing.READER:
            raise Denied(_error(403, "reader", f"{caller.agent} reads, and publishes nothing"))


def _token(header: str) -> str:
    """From `Bearer TOKEN`, or from Basic, where git puts it in the password."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode("utf-8").partition(":")[2]
        except ValueError:
            return ""
    return ""


def _too_many(wait: float) -> Response:
    seconds = str(max(1, round(wait)))
    return _error(429, "rate", f"too many requests; come back in {seconds} s", {"Retry-After": seconds})


def _error(status: int, rule: str, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"answer": "denied", "rule": rule, "reason": reason}, status, headers)
