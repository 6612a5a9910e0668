"""Meta's Graph interface, which Facebook Pages, Instagram and WhatsApp share: its errors are numbers in the body."""

from __future__ import annotations

from typing import Any

from local_agent.networks.http import Http, Reply, reason
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished, RefusedThere

LOGIN = frozenset({102, 190, 463, 467})
LIMITS = frozenset({4, 17, 32, 341, 613, 80001, 80002, 80006, 130429, 131048, 131056})
UNSURE = frozenset({1, 2, 131000, 131016})
"""An unknown error, or a service that is away for now, also in WhatsApp's numbers: it may have come to be."""
DUPLICATE = frozenset({506})


class Graph:
    """Calls below one version of the interface. The token goes in a header, so that no address holds it."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def http(self) -> Http:
        return self._http

    def get(self, path: str, **params: str | int) -> Reply:
        try:
            return checked(self._http.ask("GET", path, params=params))
        except AnswerLost as error:
            raise NotPublished(str(error)) from None

    def harmless(self, path: str, **how: Any) -> Reply:
        """A call that shows nothing to anybody."""
        try:
            return checked(self._http.ask("POST", path, **how))
        except AnswerLost as error:
            raise NotPublished(str(error)) from None

    def post(self, path: str, **how: Any) -> Reply:
        return checked(self._http.ask("POST", path, **how))


def checked(reply: Reply) -> Reply:
    """Raises what the error in the body means."""
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    if not isinstance(error, dict):
        if 200 <= reply.status < 300:
            return reply
        if reply.status == 429:
            raise NotPublished("Graph answered 429")
        raise AnswerLost(f"Graph answered {reply.status} without a reason")
    code = error.get("code")
    told = f"Graph error {code}{reason(reply.body)}"
    if code in LOGIN:
        raise BadLogin(told)
    if code in LIMITS or reply.status == 429:
        raise NotPublished(told)
    if code in DUPLICATE:
        raise AnswerLost(f"{told}; something like it is there already")
    if code in UNSURE or error.get("is_transient") or reply.status >= 500:
        raise AnswerLost(told)
    raise RefusedThere(told)
