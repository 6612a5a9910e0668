"""JSON-2: Odoo 19 and later. Named arguments, a bearer key, real status codes, one transaction a call."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Sequence
from typing import Any

import httpx2

from books.errors import BadCredentials, BooksRefused, BooksUnreachable, NotNow
from books.faults import fault
from books.jsonrpc import major
from books.rpc import LARGEST_ANSWER, Access


class Json2:
    """The books over `/json/2/MODEL/METHOD`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        try:
            self._http = httpx2.Client(
                base_url=access.url,
                headers={
                    "Authorization": f"bearer {access.key}",
                    "X-Odoo-Database": access.database,
                    "User-Agent": "countersign",
                },
                timeout=access.timeout_seconds,
                verify=ssl.create_default_context(cafile=access.ca_file and str(access.ca_file)),
                trust_env=False,
            )
        except (httpx2.InvalidURL, UnicodeEncodeError):
            raise BadCredentials(f"{access.url!r}, or the key for it, is not of the form that HTTP takes") from None
        self._major: int | None = None

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, /, **named: Any) -> Any:
        body = dict(named) if ids is None else {"ids": list(ids), **named}
        status, answer = self._ask("POST", f"/json/2/{model}/{method}", body)
        if status == 200:
            return answer
        raise self._error(status, answer, f"{model}.{method}")

    def version(self) -> int:
        if self._major is None:
            status, answer = self._ask("GET", "/web/version", None)
            if status != 200 or not isinstance(answer, dict):
                raise BooksUnreachable(f"{self._access.url} answered HTTP {status} when asked for its version")
            self._major = major(answer.get("version_info"))
        return self._major

    def close(self) -> None:
        self._http.close()

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        where, until = self._access.url, time.monotonic() + self._access.timeout_seconds
        try:
            with self._http.stream(verb, path, json=body) as reply:
                read = bytearray()
                for chunk in reply.iter_bytes():
                    read += chunk
                    if len(read) > LARGEST_ANSWER:
                        raise BooksUnreachable(f"the answer is longer than {LARGEST_ANSWER} bytes")
                    if time.monotonic() > until:
                        raise BooksUnreachable(f"the answer was not complete after {self._access.timeout_seconds:g} s")
                return reply.status_code, json.loads(bytes(read))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotNow(f"{where} cannot be reached: {str(error) or type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise BooksUnreachable(f"no answer from {where}: {str(error) or type(error).__name__}") from None
        except ValueError:
            raise BooksUnreachable(f"{where} answered something else than JSON") from None

    def _error(self, status: int, answer: Any, what: str) -> Exception:
        told = answer if isinstance(answer, dict) else {}
        name, message = str(told.get("name", "")), str(told.get("message", ""))
        if status == 401:
            return BadCredentials(f"Odoo refuses the key at {self._access.url}: {message or 'no reason given'}")
        if name.startswith("werkzeug.exceptions."):  # it never came to the method
            if status == 404 and not message.startswith(("the method", "the model")):
                return BadCredentials(f"{self._access.url} has no {what} for this database: {message}")
            rule = "no-model" if message.startswith("the model") else "no-method"
            return BooksRefused(rule if status == 404 else "invalid", f"{what}: {message}")
        if not name:
            return BooksUnreachable(f"{self._access.url} answered HTTP {status}")
        return fault(name, message)
