"""The stream of a hub that ends it again and again."""

import http.client
import io
import socket
import threading
from typing import cast

import pytest

from demo.processes import eventually
from vault_protocol import hub_stream
from vault_protocol.hub_stream import Stream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class Fickle:
    """Sends one event and hangs up, however often it is asked."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port, self.asked = self._server.getsockname()[1], 0
        self.enough = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                self.asked += 1
                line.recv(65536)
                line.sendall(HEAD + b"event: behind\ndata: {}\n\n")

    def close(self) -> None:
        self._server.close()


EVENTS = (
    b': still here\n\nevent: commit\nid: 1\ndata: {"a": 1}\n\nevent: behind\ndata: {}\n\n'
    b'event: commit\nid: 2\ndata: {"b": 2}\n\n'
)


@pytest.mark.parametrize("cut", range(len(EVENTS) + 1))
def test_of_a_stream_cut_after_any_byte_the_events_that_came_whole_are_taken_and_no_other(cut: int) -> None:
    stream = Stream(lambda seconds: http.client.HTTPConnection("127.0.0.1", timeout=seconds), dict, lambda: None)
    stream._read(cast(http.client.HTTPResponse, io.BytesIO(EVENTS[:cut])))
    whole = EVENTS[:cut].count(b"\n\n")
    assert stream.taken() == [b'{"a": 1}', b'{"b": 2}'][: max(0, whole - 1) if whole < 3 else whole - 2]
    assert stream.behind() is (whole >= 3)


def test_a_stream_that_ends_as_soon_as_it_begins_is_asked_for_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    hub, pauses = Fickle(), list[float]()

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            return super().wait(0.001)

    def connect(seconds: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", hub.port, timeout=seconds)

    stream = Stream(connect, dict, lambda: None)
    stream._ended = Ended()
    stream.start()
    try:
        eventually(lambda: hub.asked >= 12, "it was asked for")
        assert stream.behind(), "the agent looks for itself"
    finally:
        stream.end()
        hub.close()
    assert pauses[:9] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]

    monkeypatch.setattr(hub_stream, "STEADY", 0.0)
    hub, pauses[:] = Fickle(), []
    stream = Stream(connect, dict, lambda: None)
    stream._ended = Ended()
    stream.start()
    try:
        eventually(lambda: hub.asked >= 3, "it was asked for")
    finally:
        stream.end()
        hub.close()
    assert pauses[:2] == [0.1, 0.1], "one that lasted is asked for at once"
