"""A server on loopback that answers in JSON, or breaks the connection off."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Loopback:
    """What serves. Subclasses say how one call is answered."""

    port: int = 0
    """0 takes any that is free; a server that starts again has the one it had before."""

    def serve(self, call: JsonHandler) -> None:
        """Answer this call with `send` or `cut`."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        serving = type("Handler", (JsonHandler,), {"loopback": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), serving)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class JsonHandler(BaseHTTPRequestHandler):
    """One call."""

    loopback: Loopback
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one write: in two, the second waits 40 ms for the first to be acknowledged

    def _serve(self) -> None:
        self.loopback.serve(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class calls them so

    def content(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """`body` as JSON; None for an answer without one."""
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def cut(self) -> None:
        """Break the connection off."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        return
