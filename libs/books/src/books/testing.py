"""A server on loopback that speaks JSON-2 as documented, and JSON-RPC: clients are held against it without an Odoo."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from books.memory.faults import Fault

DATABASE = "books"


class Backend(Protocol):
    """What carries a call out, in one transaction. Raises Fault."""

    def call(self, login: str, model: str, method: str, ids: Sequence[int], named: dict[str, Any]) -> Any: ...


@dataclass
class Server:
    """`keys` are API keys with their users' logins. `before` and `after` are told each call and may break it off."""

    backend: Backend
    keys: dict[str, str]
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    spoken: set[str] = field(default_factory=set)
    """Which interfaces were used: `json-rpc`, `json-2`."""
    url: str = ""


class HangUp(Exception):
    """Raised by `before` or `after`: the connection closes without an answer."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, listening on a free port of loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/web/version":
                self._answer(200, {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})
            else:
                self._answer(*_error(Fault("werkzeug.exceptions.NotFound", 404, "not found")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                server.spoken.add("json-rpc" if self.path == "/jsonrpc" else "json-2")
                if self.path == "/jsonrpc":
                    self._answer(200, _json_rpc(server, json.loads(body)))
                else:
                    self._answer(200, _json_2(server, self.path, dict(self.headers.items()), body))
            except Fault as fault:
                self._answer(*_error(fault))
            except HangUp:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class names it so
            pass

        def _answer(self, status: int, content: Any) -> None:
            raw = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def _json_2(server: Server, path: str, headers: dict[str, str], body: bytes) -> Any:
    found = re.fullmatch(r"/json/2/([a-z0-9_.]+)/(\w+)", path)
    if not found:
        raise Fault("werkzeug.exceptions.NotFound", 404, "Did you mean POST /json/2/<model>/<method>?")
    if headers.get("X-Odoo-Database", DATABASE) != DATABASE:
        raise Fault("werkzeug.exceptions.NotFound", 404, "No database is selected.")
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    login = server.keys.get(key) if scheme.lower() == "bearer" else None
    if login is None:
        raise Fault("werkzeug.exceptions.Unauthorized", 401, "Invalid apikey")
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Fault("werkzeug.exceptions.BadRequest", 400, f"could not parse the body as json: {error}") from None
    model, method = found.groups()
    return _called(server, login, model, method, given.pop("ids", []), given)


def _json_rpc(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    """Always status 200: a fault stands in the body, by the names that Odoo 14 to 18 give it."""
    given = asked["params"]
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
    try:
        return reply | {"result": _service(server, given["service"], given["method"], given["args"])}
    except Fault as fault:
        name = fault.name
        if name == "werkzeug.exceptions.NotFound":
            name = "builtins.KeyError" if fault.message.startswith("the model") else "builtins.AttributeError"
        message = fault.message.split("'")[1].join("''") if name == "builtins.KeyError" else fault.message
        told = {"name": name, "message": message, "arguments": [message], "debug": "Traceback …"}
        return reply | {"error": {"code": 200, "message": "Odoo Server Error", "data": told}}


def _service(server: Server, service: str, method: str, args: list[Any]) -> Any:
    if service == "common" and method == "version":
        return {"server_version_info": [19, 0, 0, "final", 0, ""], "server_version": "19.0"}
    if args[0] != DATABASE:
        raise Fault("psycopg2.OperationalError", 500, f'FATAL:  database "{args[0]}" does not exist\n')
    if service == "common":
        known = server.keys.get(args[2]) == args[1]
        return list(server.keys.values()).index(args[1]) + 1 if known else False
    _, user, key, model, name, positional, named = args
    login = server.keys.get(key)
    if login is None or list(server.keys.values())[user - 1] != login:
        raise Fault("odoo.exceptions.AccessDenied", 403, "Access Denied")
    words = {"create": ("vals_list",), "write": ("ids", "vals")}.get(name, ("ids",))
    given = dict(zip(words, positional, strict=False)) | named
    return _called(server, login, model, name, given.pop("ids", []), given)


def _called(server: Server, login: str, model: str, method: str, ids: list[int], named: dict[str, Any]) -> Any:
    if method.startswith("_"):
        text = f"Private methods (such as '{model}.{method}') cannot be called remotely."
        raise Fault("odoo.exceptions.AccessError", 403, text)
    call = f"{model}.{method}"
    server.before(call)
    server.calls.append(call)
    answer = server.backend.call(login, model, method, ids, named)
    server.after(call)
    return answer


def _error(fault: Fault) -> tuple[int, dict[str, Any]]:
    arguments: list[Any] = [fault.message]
    if fault.name.startswith("werkzeug."):
        arguments.append(HTTPStatus(fault.status).value)
    told = {"name": fault.name, "message": fault.message, "arguments": arguments, "context": {}, "debug": "Traceback …"}
    return fault.status, told
