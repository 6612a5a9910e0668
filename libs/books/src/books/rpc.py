"""How a method of Odoo is called from outside: one Protocol, so that a caller does not know which interface it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from books.errors import BadCredentials

LARGEST_ANSWER = 64 * 1024 * 1024
"""In bytes. A server that says more is not listened to."""


@dataclass(frozen=True)
class Access:
    """Where the books are and who asks. The key is an API key of the user `login`, which JSON-2 does not need."""

    url: str
    database: str
    login: str
    key: str = field(repr=False)
    timeout_seconds: float = 30.0
    """For one call, from its start to the last byte of its answer."""
    ca_file: Path | None = None
    interface: Literal["json-rpc", "json-2"] = "json-rpc"


class Rpc(Protocol):
    """One way to call Odoo. Every call is one transaction of its own."""

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, /, **named: Any) -> Any:
        """The method's answer as JSON. `ids` None calls a method of the model, a list one of these records.

        Raises NoSuchRecord, BooksRefused, BadCredentials, NotNow (surely nothing happened), BooksUnreachable (unknown).
        """
        ...

    def version(self) -> int:
        """The server's major version."""
        ...

    def close(self) -> None:
        """Let go of connections. Nothing is called afterwards."""
        ...


def connect(access: Access) -> Rpc:
    """The interface the settings name. Nothing is sent yet."""
    from books.json2 import Json2
    from books.jsonrpc import JsonRpc

    if not access.key.strip():
        raise BadCredentials(f"the key for {access.login or access.database} is empty")
    return Json2(access) if access.interface == "json-2" else JsonRpc(access)
