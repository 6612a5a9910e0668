"""Pages for monitors over HTTP, on a thread of their own. They are read; nothing acts."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from .errors import VaultError

Answer = Callable[[str], tuple[int, str]]
"""Status and text for a path."""
TEXT = "text/plain; version=0.0.4; charset=utf-8"
WELL, ILL, NOT_FOUND = 200, 503, 404


class Pages:
    """Answers from the start until the end of a `with`."""

    def __init__(self, host: str, port: int, answer: Answer) -> None:
        """Raises VaultError when the port is taken."""

        class Answers(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                code, text = answer(self.path)
                body = text.encode()
                self.send_response(code)
                self.send_header("Content-Type", TEXT)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
                """A monitor that looks every minute is no event."""

        class Listening(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Whoever asked hung up early: that is theirs to do."""
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    traceback.print_exc()

        try:
            self._server = Listening((host, port), Answers)
        except OSError as error:
            raise VaultError(f"health_port: cannot listen on {host}:{port}: {error.strerror}") from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
