"""Who a request is from. Failures are logged without what was given, and slow an address down."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from vault_hub.agents import Agents, Standing
from vault_hub.limits import Allowance
from vault_hub.metrics import Metrics
from vault_hub.room import NoRoom, Room
from vault_protocol.task import AgentId

log = structlog.get_logger()


PART, FEWEST = 4, 4
"""One credential has requests under way on one in so many connections, and on so many at least."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="countersign hub"'}


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


Handler = Callable[[Request, Caller], Awaitable[Response]]


class Held(Response):
    """An answer that keeps what was taken for it until it was sent, even when it is never sent."""

    def __init__(self, answer: Response, held: ExitStack) -> None:
        super().__init__(status_code=answer.status_code)
        self._answer, self._held = answer, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await self._answer(scope, receive, send)


class Doorkeeper:
    """Checks every request that is not about health. `connections`: that the hub may have open; one credential has
    requests under way on a quarter of them."""

    def __init__(
        self, agents: Agents, metrics: Metrics, *, calls: Allowance, failures: Allowance, connections: int
    ) -> None:  # fmt: skip
        self._agents, self._metrics, self._calls, self._failures = agents, metrics, calls, failures
        each = max(FEWEST, connections // PART)
        self._requests = Room("requests", each=each, all_together=connections)

    async def serve(self, request: Request, handler: Handler) -> Response:
        """What the handler answers to who is let in. Raises Denied."""
        caller = self.let_in(request)
        with ExitStack() as held:
            held.enter_context(self.under_way(caller))
            return Held(await handler(request, caller), held.pop_all())

    @contextmanager
    def under_way(self, caller: Caller) -> Iterator[None]:
        """A request of this caller's, until its answer was sent. Raises Denied, 429, and ends the connection: its body
        is waited for by nobody."""
        with ExitStack() as held:
            try:
                held.enter_context(self._requests.share(caller.agent))
            except NoRoom as error:
                self._metrics.limited.inc()
                headers = {"Retry-After": "1", "Connection": "close"}
                raise Denied(denied(429, "rate", str(error), headers)) from None
            yield

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

    def look_again(self, caller: Caller) -> None:
        """Once what it sent slowly is here. Raises Denied, 401, when its token opens nothing any more."""
        if not self.knows_still(caller):
            self._metrics.denied.inc()
            log.warning("caller.late", agent=caller.agent)
            raise Denied(denied(401, "token", "the token was revoked meanwhile", _CHALLENGE))

    def revoke(self, caller: Caller) -> None:
        """At its own wish. Raises VaultError."""
        self._agents.revoke(caller.agent)
        log.info("caller.left", agent=caller.agent)

    def _turned_away(self, request: Request, *, wrong: bool) -> Response:
        """git asks without a token first, every time: only what was given and is wrong counts against an address."""
        if not wrong:
            return denied(401, "token", "no token came with the request", _CHALLENGE)
        self._metrics.denied.inc()
        address = request.client.host if request.client else "?"
        wait = self._failures.take(address)
        if wait:
            return too_many(wait)
        log.warning("caller.denied", address=address, path=request.url.path[:80])
        return denied(401, "token", "no good token came with the request", _CHALLENGE)

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
