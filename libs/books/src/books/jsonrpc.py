"""JSON-RPC by odoorpc: Odoo 14 to 19 (it goes in 22)."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

import odoorpc
import odoorpc.error

from books.errors import BadCredentials, BooksError, BooksUnreachable, NotNow
from books.faults import fault
from books.rpc import LARGEST_ANSWER, Access

_ANY_SINCE_10 = "14.0"
"""What odoorpc is told the server is, so that it does not ask: it only tells apart what came before 10."""
_BY_POSITION = {"create": "vals_list", "write": "vals"}
"""Arguments whose name depends on the model in Odoo 14; JSON-2 knows them by these."""
_NEVER_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)


class _Reply(Protocol):
    def read1(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Opener:
    """What odoorpc opens addresses with: no proxy, no redirect, one deadline, a bounded answer."""

    def __init__(self, access: Access) -> None:
        context = ssl.create_default_context(cafile=access.ca_file and str(access.ca_file))
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)
        self._seconds = access.timeout_seconds

    def open(self, request: urllib.request.Request, timeout: float) -> io.BytesIO:
        until = time.monotonic() + self._seconds
        reply: _Reply = self._opener.open(request, timeout=timeout)
        try:
            body = bytearray()
            while chunk := reply.read1(1 << 20):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise BooksUnreachable(f"the answer is longer than {LARGEST_ANSWER} bytes")
                if time.monotonic() > until:
                    raise TimeoutError(f"the answer was not complete after {self._seconds:g} s")
            return io.BytesIO(bytes(body))
        finally:
            reply.close()


class JsonRpc:
    """The books over `/jsonrpc`. Logs in at the first call; safe to share between threads."""

    def __init__(self, access: Access) -> None:
        parts = urlsplit(access.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise BadCredentials(f"{access.url!r} is not an address like https://books.example.com")
        logging.getLogger("odoorpc").setLevel(logging.WARNING)  # its debug lines hold the key
        secure = parts.scheme == "https"
        self._access = access
        self._odoo = odoorpc.ODOO(
            host=parts.hostname,
            protocol="jsonrpc+ssl" if secure else "jsonrpc",
            port=parts.port or (443 if secure else 80),
            timeout=access.timeout_seconds,
            version=_ANY_SINCE_10,
            opener=_Opener(access),
        )
        self._user: int | None = None
        self._major: int | None = None

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, /, **named: Any) -> Any:
        if self._user is None:
            found = self._ask("common", "login", [self._access.database, self._access.login, self._access.key])
            if not isinstance(found, int) or not found:
                raise BadCredentials(f"Odoo refuses login or key of {self._access.login!r} at {self._access.url}")
            self._user = found
        args: list[Any] = [] if ids is None else [list(ids)]
        if method in _BY_POSITION:
            args.append(named.pop(_BY_POSITION[method]))
        who = [self._access.database, self._user, self._access.key]
        return self._ask("object", "execute_kw", [*who, model, method, args, named])

    def version(self) -> int:
        if self._major is None:
            answer = self._ask("common", "version", [])
            self._major = major(answer.get("server_version_info") if isinstance(answer, dict) else None)
        return self._major

    def close(self) -> None:
        """There is nothing to let go of: each call has a connection of its own."""

    def _ask(self, service: str, method: str, args: list[Any]) -> Any:
        where = self._access.url
        try:
            answer = self._odoo.json("/jsonrpc", {"service": service, "method": method, "args": args})
        except odoorpc.error.RPCError as error:
            raise _explained(error) from None
        except BooksError:
            raise
        except urllib.error.HTTPError as error:
            error.close()
            raise BooksUnreachable(f"{where} answered HTTP {error.code}") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, _NEVER_SENT):
                raise NotNow(f"{where} cannot be reached: {error.reason}") from None
            raise BooksUnreachable(f"no answer from {where}: {error.reason}") from None
        except (OSError, HTTPException) as error:
            raise BooksUnreachable(f"no answer from {where}: {str(error) or type(error).__name__}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # odoorpc takes any answer for a good one
            raise BooksUnreachable(f"{where} answered something else than JSON-RPC ({type(error).__name__})") from None
        return answer.get("result")


def major(version_info: object) -> int:
    """14 of `[14, 0, 0, "final", 0, ""]`, 19 of `["saas~19", 1, …]`."""
    first = version_info[0] if isinstance(version_info, list) and version_info else None
    digits = "".join(c for c in str(first) if c.isdigit())
    if not digits:
        raise BooksUnreachable(f"the server's version is {version_info!r}")
    return int(digits)


def _explained(error: odoorpc.error.RPCError) -> BooksError:
    info = error.info if isinstance(error.info, dict) else {}
    inner = info.get("data")
    details = inner if isinstance(inner, dict) else {}
    return fault(str(details.get("name", "")), str(details.get("message") or info.get("message") or error))
