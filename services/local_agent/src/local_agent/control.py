"""Talking to the running service: one JSON line each way over a Unix socket that only its own user can open."""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from vault_protocol.errors import VaultError

log = structlog.get_logger()

LINE = 16 * 1024
"""Bytes a request or an answer may have."""

PATIENCE = 5.0
"""Seconds for one whole request or answer."""

Handler = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes a request without its `do`. What it raises as a VaultError is told to the caller, in its words."""


class ServiceNotRunning(VaultError):
    """Nobody answers on the socket."""


class AlreadyRunning(VaultError):
    """Another process of this home serves the socket."""


class ControlServer:
    """Answers on `path`, in one thread, with this table and nothing else. The lock beside it dies with its process."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler], *, patience: float = PATIENCE) -> None:
        self._path, self._handlers, self._patience = path, dict(handlers), patience
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises AlreadyRunning."""
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        self._lock = os.open(folder / (self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise AlreadyRunning(f"the service of {folder.parent} is running already") from None
        self._path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _short(self._path) as name:
            self._listening.bind(name)
        self._path.chmod(0o600)
        self._listening.listen(8)
        self._listening.setblocking(False)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and take the socket away. Twice is fine."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._wake.send(b"x")
        thread.join()
        for end in (self._listening, self._wake, self._woken):
            end.close()
        self._path.unlink(missing_ok=True)
        os.close(self._lock)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._woken in ready:
                    return
                with suppress(OSError):
                    caller, _ = self._listening.accept()
                    with caller:
                        self._answer(caller)

    def _answer(self, caller: socket.socket) -> None:
        if _peer_uid(caller) != os.getuid():
            log.warning("control.stranger")
            return
        ends = time.monotonic() + self._patience
        try:
            answer = self._do(_receive(caller, ends))
        except VaultError as error:
            answer = {"ok": False, "error": str(error)}
        caller.settimeout(max(0.01, ends - time.monotonic()))
        caller.sendall(_line(answer))

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        verb = request.pop("do", None)
        handler = self._handlers.get(verb) if isinstance(verb, str) else None
        if handler is None:
            raise VaultError(f"the service does not know this request; it knows {', '.join(sorted(self._handlers))}")
        try:
            return {**handler(request), "ok": True}
        except VaultError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug in one answer is told, and the others go on
            log.error("control.failed", verb=verb, kind=type(error).__name__)
            raise VaultError(f"the service failed at {verb} ({type(error).__name__}); its log says more") from None


def ask(path: Path, request: Mapping[str, Any], *, patience: float = PATIENCE) -> dict[str, Any]:
    """The service's answer to `{"do": VERB, …}`. Raises ServiceNotRunning, or VaultError with its refusal."""
    ends = time.monotonic() + patience
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
        service.settimeout(patience)
        try:
            with _short(path) as name:
                service.connect(name)
        except OSError:
            raise ServiceNotRunning("the service is not running; start it with `countersign run`") from None
        if _peer_uid(service) != os.getuid():
            raise VaultError(f"{path} is served by another user; nothing was said to it")
        try:
            service.sendall(_line(request))
            answer = _receive(service, ends)
        except OSError as error:
            raise VaultError(f"the service did not answer: {error}") from None
    if answer.pop("ok", False) is not True:
        raise VaultError(str(answer.get("error", "the service refused without a reason")))
    return answer


def _receive(connection: socket.socket, ends: float) -> dict[str, Any]:
    """One line, as a JSON object; everything about it is bounded."""
    read = b""
    while not read.endswith(b"\n"):
        left = ends - time.monotonic()
        connection.settimeout(max(left, 0.001))
        try:
            part = connection.recv(LINE + 1 - len(read)) if left > 0 else None
        except TimeoutError:
            part = None
        if part is None:
            raise VaultError("the other side took too long to say its line")
        read += part
        if not part or len(read) > LINE:
            raise VaultError("the other side said no whole line" if not part else f"a line has {LINE} bytes at most")
    try:
        value = json.loads(read)
    except (ValueError, RecursionError):
        raise VaultError("the line is no JSON") from None
    if not isinstance(value, dict):
        raise VaultError("the line is no JSON object")
    return value


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"


def _peer_uid(connection: socket.socket) -> int:
    """The user at the other end; where the system cannot tell, the folder's mode has to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        return os.getuid()
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", found)[1])


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for the path that fits into a socket address, which ends at 107 bytes."""
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
