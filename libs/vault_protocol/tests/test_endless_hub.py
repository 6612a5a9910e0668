"""A hub that never comes to an end: its answers trickle, or there is always more."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, TRUST, Author
from libs.vault_protocol.tests.through import Through

from vault_protocol import hub_client, hub_line, wire
from vault_protocol.errors import HubUnreachable, UntrustedHead
from vault_protocol.hub_client import HubClient
from vault_protocol.journal import Journal
from vault_protocol.store import GitStore
from vault_protocol.task import AgentId
from vault_protocol.testing import TestClock
from vault_protocol.vault import Vault

Answer = Callable[[socket.socket, int], None]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A hub that answers each request by this, with how many there were before; its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            line, _ = listening.accept()
        with suppress(OSError), line:
            for number in range(10_000):
                asked = b""
                while not asked.endswith(b"}"):
                    part = line.recv(65536)
                    if not part:
                        return
                    asked += part
                answer(line, number)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()
        thread.join(10)


def whole(line: socket.socket, said: object) -> None:
    body = json.dumps(said).encode()
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n"])
def test_an_answer_that_trickles_ends_however_often_a_byte_comes(
    begin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_line, "ANSWER_SECONDS", 0.5)
    ended = threading.Event()

    def trickle(line: socket.socket, _: int) -> None:
        line.sendall(begin)
        while not ended.wait(0.02):
            line.sendall(b" ")

    with serving(trickle) as url:
        client = HubClient(GitStore(tmp_path / "clone.git"), url, "token", timeout=5)
        with pytest.raises(HubUnreachable, match=r"its answer was not here after 0\.5 s"):
            client.refresh()
        ended.set()
        client.close()


def unsigned(folder: Path) -> Iterator[wire.Object]:
    """Commits without end that no agent made, each on the one before."""
    store = Through(folder / "theirs.git")
    author = Author(store)
    last, new = None, author.commit(LOCAL, {"Company_Handbook.md": b"# Rules\n"})
    while True:
        (found,) = store.history(last, new)
        yield wire.packed(wire.parcel(store, found))
        last = new
        new = store.commit(last, {f"Plans/{last}.md": b"x" * 1000}, message="no", author=AgentId("cloud"), at=found.at)


def test_a_line_without_an_end_is_judged_as_it_comes_and_its_rest_is_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_client, "PART_BYTES", 20_000)
    line, asked = unsigned(tmp_path), list[int]()

    def more(connection: socket.socket, number: int) -> None:
        asked.append(number)
        commits = [next(line) for _ in range(3)]
        whole(connection, {"head": commits[-1]["id"], "more": True, "known": True, "commits": commits})

    with serving(more) as url:
        store = Through(tmp_path / "clone.git")
        client = HubClient(store, url, "token", timeout=5)
        vault = Vault(Journal(store, client, LOCAL, TestClock(), trust=TRUST, rest=lambda seconds: None))
        with pytest.raises(UntrustedHead):
            vault.refresh()
        assert len(asked) < 10
        assert vault.journal.head is not None, "what is good before it was followed"
        client.close()


def test_an_honest_line_comes_in_parts_and_all_of_it_in_one_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_client, "PART_BYTES", 1)
    theirs = Through(tmp_path / "theirs.git")
    author = Author(theirs)
    made = [author.commit(LOCAL, {"Company_Handbook.md": b"# Rules\n"})]
    made += [author.commit(CLOUD, {f"Plans/{number}.md": b"x\n"}) for number in range(5)]
    said = [wire.packed(wire.parcel(theirs, one)) for one in theirs.history(None, made[-1])]

    def page(connection: socket.socket, number: int) -> None:
        commits, left = said[number : number + 1], number + 1 < len(said)
        whole(connection, {"head": made[-1], "more": left, "known": True, "commits": commits})

    with serving(page) as url:
        store = Through(tmp_path / "clone.git")
        client = HubClient(store, url, "token", timeout=5)
        vault = Vault(Journal(store, client, LOCAL, TestClock(), trust=TRUST, rest=lambda seconds: None))
        assert vault.refresh() == made[-1]
        client.close()
