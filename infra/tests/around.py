"""What a machine at Oracle finds around it: the metadata service, names, and the services by TLS."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from authority import Authority
from oracle import HERE, HOSTS, Oracle, serving

DOWNLOADS = "downloads.office.test"
OURS = (*HOSTS, DOWNLOADS)


@contextmanager
def around(oracle: Oracle, authority: Authority, folder: Path, *, at: str) -> Iterator[None]:
    """At this machine's address `at`, which a guest knows as 169.254.169.254."""
    with ExitStack() as stack:
        stack.enter_context(_names(at))
        stack.enter_context(serving(oracle, port=80, at=at))
        stack.enter_context(serving(oracle, port=443, at=at, certificate=authority.sign(OURS, folder)))
        yield


class _Names(socketserver.BaseRequestHandler):
    """Addresses as this machine knows them; Oracle's own are the double's. Whatever else is asked for is not there."""

    def handle(self) -> None:
        query, line = self.request
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
            at += 1 + query[at]
        (kind,) = struct.unpack(">H", query[at + 1 : at + 3])
        name = ".".join(labels).lower()
        found = [HERE] if name in OURS else _looked_up(name)
        answers = found if kind == 1 else []
        code = 0 if found else 3
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(answers), 0, 0)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 30, 4) + socket.inet_aton(one) for one in answers)
        line.sendto(header + query[12 : at + 5] + records, self.client_address)


def _looked_up(name: str) -> list[str]:
    try:
        return sorted({str(one[4][0]) for one in socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)})
    except OSError:
        return []


@contextmanager
def _names(at: str) -> Iterator[None]:
    """A name server, which a machine sees beside the metadata service as on Oracle."""
    with socketserver.ThreadingUDPServer((at, 53), _Names) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
