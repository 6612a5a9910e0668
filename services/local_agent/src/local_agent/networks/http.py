"""One HTTP client for all networks: bounded answers, no redirects, and errors sorted by what they leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from local_agent.http import NoAnswer, NotSent, asked, trusted
from local_agent.networks.network import AnswerLost, BadLogin, NotPublished, RefusedThere
from local_agent.own_machine import protected

LARGEST_ANSWER = 4 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """Status, headers in lower case, and the JSON of the body; None when there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def text(self, *path: str | int) -> str:
        """The text at this path of the body. Raises AnswerLost when it is not there."""
        found = self.body
        for part in path:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                raise AnswerLost(f"the answer has no {'.'.join(map(str, path))}") from None
        if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
            raise AnswerLost(f"{'.'.join(map(str, path))} in the answer is no text")
        return str(found)

    def rows(self, *path: str) -> list[dict[str, Any]]:
        """The objects in the list at this path; none when there is no such list."""
        found = self.body
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class Http:
    """A base address, and the headers of every call. Not for several threads."""

    def __init__(
        self, base: str, *, headers: Mapping[str, str] | None = None, auth: httpx2.Auth | None = None,
        timeout: float = 30, ca_file: Path | None = None,
    ) -> None:  # fmt: skip
        """Raises BadLogin for an address or a token that HTTP cannot carry."""
        self.base, self._timeout = base.rstrip("/"), timeout
        if not all(value.isascii() and value.isprintable() for value in (headers or {}).values()):
            raise BadLogin(f"the token for {base} is not of the form that HTTP takes")
        try:
            self._http = httpx2.Client(
                base_url=self.base, headers={"User-Agent": "countersign", **(headers or {})}, timeout=timeout,
                auth=auth, verify=trusted(protected(self.base, self.base), ca_file), trust_env=False,
                follow_redirects=False,
            )  # fmt: skip
        except (httpx2.InvalidURL, ValueError):
            raise BadLogin(f"{base!r} is no address that HTTP takes") from None

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **params: str | int) -> Reply:
        """Reading changes nothing: whatever goes wrong, it did not happen."""
        return self.harmless("GET", path, headers=headers or {}, **({"params": params} if params else {}))

    def harmless(self, verb: str, path: str, **how: Any) -> Reply:
        """A call that shows nothing to anybody (a login, an upload): a lost answer leaves nothing open."""
        try:
            return self.checked(self.ask(verb, path, **how))
        except AnswerLost as error:
            raise NotPublished(str(error)) from None

    def post(self, path: str, **how: Any) -> Reply:
        return self.checked(self.ask("POST", path, **how))

    def ask(self, verb: str, path: str, **how: Any) -> Reply:
        """One call, whatever its status. Raises NotPublished when no connection came about, else AnswerLost."""
        where = urlsplit(self.base).netloc
        try:
            answer = asked(self._http, verb, path, seconds=self._timeout * 2, largest=LARGEST_ANSWER, **how)
            return Reply(answer.status, answer.headers, answer.body)
        except NotSent as error:
            raise NotPublished(f"{where} cannot be reached: {error}") from None
        except NoAnswer as error:
            raise AnswerLost(f"no answer from {where}: {error}") from None
        except (httpx2.InvalidURL, UnicodeEncodeError, ValueError):
            raise RefusedThere("it cannot be put on the wire") from None

    def checked(self, reply: Reply) -> Reply:
        """Raises what the status means: 2xx well, 401 a bad login, 429 not now, other 4xx a refusal, else unknown."""
        if 200 <= reply.status < 300:
            return reply
        told = f"{urlsplit(self.base).netloc} answered {reply.status}{reason(reply.body)}"
        if reply.status == 401:
            raise BadLogin(told)
        if reply.status == 429:
            raise NotPublished(told)
        if 400 <= reply.status < 500 and reply.status not in (408, 409, 425):
            raise RefusedThere(told)
        raise AnswerLost(told)


def within(*parts: str) -> str:
    """A path of these parts. An id that came from elsewhere stays one part, whatever is in it. Raises RefusedThere."""
    if any(part in ("", ".", "..") for part in parts):
        raise RefusedThere("the id that it names is none")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def reason(body: Any) -> str:
    """What the network says of an error, shortened; each has its own field for it."""
    if not isinstance(body, dict):
        return ""
    found: Any = body.get("detail") or body.get("message") or body.get("error_description") or body.get("error")
    if isinstance(found, dict):
        found = found.get("message")
    return f": {found[:200]}" if isinstance(found, str) and found else ""
