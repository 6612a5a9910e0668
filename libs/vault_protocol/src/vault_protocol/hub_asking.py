"""One question to the hub and its answer, whole by a deadline or not at all."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable

from . import wire
from .errors import HubDenied, HubUnreachable, VaultError
from .hub_line import Line, Way
from .wire import BadWire

LARGEST = 256 * 1024 * 1024
"""Bytes of one answer that are read at most."""

ANSWER_SECONDS = 300.0
"""Seconds in which an answer is whole: a page of 8 MiB at 28 kB/s, the largest commit there may be at 230."""


class TurnedAway(HubUnreachable):
    """The hub would not even look at the request, and would not the next time."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"the hub does not look at it: {reason}")


class Asking:
    """A connection that is opened when somebody asks, and kept. One thread at a time."""

    def __init__(
        self, way: Way, url: str, token: str, *, timeout: float, again: Callable[[], str] | None = None,
        answer_seconds: float = ANSWER_SECONDS, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`timeout`: seconds without a byte. `again` reads the token once more when this one opens nothing."""
        self._way, self._url, self._token, self._timeout, self._again = way, url, token, timeout, again
        self._answer_seconds, self._monotonic = answer_seconds, monotonic
        self.line: Line | None = None

    def ask(self, path: str, body: wire.Object) -> wire.Object:
        """One trip. Raises HubUnreachable: then nothing is known of what became of it."""
        content = wire.dumped(body)
        for attempt in (1, 2):
            fresh = self.line is None
            try:
                if self.line is None:
                    self.line = self._way.open(self._timeout)
                self.line.deadline.begin(self._answer_seconds, self._monotonic)  # a proxy has to answer first
                self.line.request("POST", path, content, {**self.headers(), "Content-Type": "application/json"})
                self.line.deadline.begin(self._answer_seconds, self._monotonic)
                response = self.line.getresponse()
                said = response.read(LARGEST + 1)
                if response.status != 401 or attempt == 2 or not self._has_another_token():
                    break
            except ssl.SSLCertVerificationError as error:
                self.hang_up()
                why = f"its certificate does not hold here ({error.verify_message})"
                raise HubDenied(f"the hub at {self._url}: {why}; hub_ca_file names who signed it") from None
            except (OSError, http.client.HTTPException) as error:
                self.hang_up()
                # A connection that idled may have been closed before our words came; publishing twice is harmless.
                if fresh or attempt == 2 or isinstance(error, TimeoutError):
                    said_why = error.strerror if isinstance(error, OSError) else None
                    why = said_why or str(error) or type(error).__name__
                    raise HubUnreachable(f"the hub at {self._url} does not answer: {why}") from None
        else:
            raise HubUnreachable(f"the hub at {self._url} does not answer")
        return self._understood(response.status, said)

    def _understood(self, status: int, said: bytes) -> wire.Object:
        if len(said) > LARGEST:
            self.hang_up()
            raise HubUnreachable(f"the hub at {self._url} said too much at once")
        try:
            answer = wire.loaded(said)
        except BadWire:
            if status == 200:  # http.client takes an answer without its headers' end for an empty one
                self.hang_up()
                raise HubUnreachable(f"the answer of the hub at {self._url} was cut off") from None
            answer = {}
        if status == 200 or answer.get("answer") == "broken":
            return answer
        reason = str(answer.get("reason", f"status {status}"))[:300]
        if status in (400, 403, 413, 415) and answer.get("answer") == "denied":
            raise TurnedAway(str(answer.get("rule", ""))[:50], reason)
        if status == 401:
            reason = "the token is wrong or was revoked; `vault_hub agent rotate NAME` on its machine gives another"
        if status in (401, 403):
            raise HubDenied(f"the hub at {self._url} does not let us in: {reason}")
        raise HubUnreachable(f"the hub at {self._url} does not serve us now: {reason}")

    def _has_another_token(self) -> bool:
        """Whether it was rotated since we read it; then it is the one we use from now on."""
        try:
            found = self._again() if self._again is not None else self._token
        except VaultError:
            return False
        was, self._token = self._token, found
        return was != found

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
        self.line = None
