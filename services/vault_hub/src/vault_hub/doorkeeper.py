"""Who a request is from. Failures are logged without what was given, and slow an address down."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

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
    token: str = field(repr=False, compare=False)


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
        header = request.headers.get("authorization", "")
        caller = self.known(header)
        if caller is None:
            raise Denied(self._turned_away(request, wrong=bool(header)))
        self.count(caller)
        return caller

    def known(self, header: str) -> Caller | None:
        """Whose token this `Authorization` holds, if it is good. Counts nothing."""
        given = _token(header)
        found = self._agents.authenticate(given) if given else None
        return Caller(*found, given) if found is not None else None

    def count(self, caller: Caller) -> None:
        """One request more of this caller's. Raises Denied, 429, over the allowance."""
        wait = self._calls.take(caller.agent)
        if wait:
            self._metrics.limited.inc()
            raise Denied(too_many(wait))

    def knows_still(self, caller: Caller) -> bool:
        """Whether its token is good still."""
        return self._agents.authenticate(caller.token) == (caller.agent, caller.standing)

    def revoke(self, caller: Caller) -> None:
        """At its own wish. Raises VaultError."""
        self._agents.revoke(caller.agent)
        log.info("caller.left", agent=caller.agent)

    def _turned_away(self, request: Request, *, wrong: bool) -> Response:
        """git asks without a token first, every time: only what was given and is wrong counts against an address."""
        challenge = {"WWW-Authenticate": 'Basic realm="countersign hub"'}
        if not wrong:
            return denied(401, "token", "no token came with the request", challenge)
        self._metrics.denied.inc()
        address = request.client.host if request.client else "?"
        wait = self._failures.take(address)
        if wait:
            return too_many(wait)
        log.warning("caller.denied", address=address, path=request.url.path[:80])
        return denied(401, "token", "no good token came with the request", challenge)

    def may_publish(self, caller: Caller) -> None:
        """Raises Denied for a reader."""
        if caller.standing is Standing.READER:
            raise Denied(denied(403, "reader", f"{caller.agent} reads, and publishes nothing"))


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


def too_many(wait: float) -> Response:
    """Come back later."""
    seconds = str(max(1, round(wait)))
    return denied(429, "rate", f"too many requests; come back in {seconds} s", {"Retry-After": seconds})


def denied(status: int, rule: str, reason: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to what was not even looked at."""
    return JSONResponse({"answer": "denied", "rule": rule, "reason": reason}, status, headers)
