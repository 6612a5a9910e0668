"""Callers who send slowly, read slowly, or send what is small and unfolds into what is large."""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import json
import random
import socket
import struct
import zlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pygit2
import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL
from services.vault_hub.tests.conftest import Start
from services.vault_hub.tests.hubworld import READER, HubWorld, pack_head, packed
from services.vault_hub.tests.test_doors import agents

from demo.processes import eventually
from vault_hub import answers, serving
from vault_hub.maintenance import Maintenance
from vault_hub.metrics import Metrics
from vault_protocol import wire
from vault_protocol.changeset import Trail
from vault_protocol.hub import CommitId

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def opened(hub: HubWorld, begin: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", hub.running.port), timeout=20)
    line.sendall(begin)
    return line


def head(hub: HubWorld, who: str, path: str, size: int) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: h", f"Authorization: Bearer {hub.token(who)}", f"Content-Length: {size}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def until(line: socket.socket, word: bytes) -> bytes:
    found = b""
    while word not in found:
        part = line.recv(4096)
        assert part, found
        found += part
    return found


def rest(line: socket.socket) -> bytes:
    """What comes until the hub ends it."""
    found = b""
    try:
        while part := line.recv(65536):
            found += part
    except OSError:
        pass
    return found


LATE: dict[str, Callable[[CommitId, wire.Object], object]] = {
    "/v1/publish": lambda before, late: {"onto": before, "exact": False, "commits": [late]},
    "/v1/reroot": lambda before, late: {"root": late, "seen": before},
    "/v1/changes": lambda before, _: {"have": [before]},
    "/v1/reserve": lambda before, _: {"have": before, "domains": ["email"], "count": 1},
    "/vault.git/git-upload-pack": lambda before, _: f"0032want {before}\n00000009done\n",
    "/vault.git/git-receive-pack": lambda before, _: f"0068{before} {'1' * 40} refs/heads/main\0 0000",
}
"""What each path takes."""


@pytest.mark.parametrize("path", LATE)
def test_who_is_put_out_while_the_body_is_under_way_is_told_nothing_and_has_published_nothing(
    hub: HubWorld, path: str
) -> None:
    before = hub.begin()
    late = hub.author.commit(CLOUD, {"Plans/late.md": b"after\n"})
    asked = LATE[path](before, packed(hub.store, late))
    body = (asked if isinstance(asked, str) else json.dumps(asked)).encode()
    with opened(hub, head(hub, CLOUD.agent, path, len(body)) + body[:20]) as line:
        eventually(lambda: hub.metric("countersign_hub_request_bytes") >= 20, "the hub holds what came", seconds=20)
        agents(hub).revoke(CLOUD.agent)
        hub.tick()
        line.sendall(body[20:])
        said = line.recv(65536)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"revoked meanwhile" in said
    assert hub.head == before


def test_what_comes_after_a_body_has_its_bound_too(hub: HubWorld) -> None:
    """Trailers, which nobody reads: without one, any caller without a token fills the memory."""
    begin = b"POST /v1/publish HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    trailers = b"".join(b"a%06d: xxxxxxxx\r\n" % number for number in range(4 * serving.LONGEST_HEAD // 18))
    with opened(hub, begin) as line, pytest.raises((ConnectionResetError, BrokenPipeError)):
        line.sendall(trailers * 400)
    with opened(hub, HEALTH) as line:
        assert b" 200 OK" in rest(line)


def test_what_comes_after_the_end_of_a_gzip_ends_the_request(hub: HubWorld) -> None:
    """Whatever reads it keeps it: endless bytes would fill the memory."""
    lines = ["POST /vault.git/git-upload-pack HTTP/1.1", "Host: h", f"Authorization: Bearer {hub.token(READER)}"]
    lines += ["Content-Encoding: gzip", "Transfer-Encoding: chunked", "", ""]
    with opened(hub, "\r\n".join(lines).encode()) as line:
        for part in (gzip.compress(b"0000"), b"x" * 65536):
            line.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        assert line.recv(64).startswith(b"HTTP/1.1 400 ")


def test_one_connection_may_not_pile_up_requests(start: Start) -> None:
    """Without a token they would be kept until the first of them is answered."""
    hub = start(heartbeat_seconds=1)
    first = head(hub, READER, "/v1/events", 0).replace(b"POST", b"GET")
    with opened(hub, first) as line:
        assert line.recv(64).startswith(b"HTTP/1.1 200 ")
        with suppress(OSError):
            line.sendall(HEALTH.replace(b"Connection: close\r\n", b"") * 200)
        eventually(lambda: not hub.metric("countersign_hub_stream_clients"), "the connection is ended", seconds=10)


def test_one_credential_cannot_take_every_connection(start: Start) -> None:
    hub = start(connections=16)
    before = hub.begin()
    slow = [opened(hub, head(hub, READER, "/v1/changes", 1000) + b"{") for _ in range(12)]
    try:
        turned_away = [line for line in slow[4:] if line.recv(64).startswith(b"HTTP/1.1 429 ")]
        assert len(turned_away) == 8, "four of it are under way"
        assert hub.ask(LOCAL.agent, "/v1/changes", {"have": []}).said["head"] == before
    finally:
        for line in slow:
            line.close()


def test_health_is_told_however_many_connections_there_are(start: Start) -> None:
    hub = start(connections=8)
    lines = [opened(hub, b"") for _ in range(12)]
    try:
        with opened(hub, HEALTH) as line:
            assert b" 200 OK" in rest(line)
    finally:
        for line in lines:
            line.close()


def publish_much(hub: HubWorld) -> None:
    chance = random.Random(1)
    large = hub.author.commit(CLOUD, {f"Plans/{n}.md": chance.randbytes(500_000).hex().encode() for n in range(8)})
    assert hub.publish(CLOUD.agent, large).said["answer"] == "accepted"


def reading_nothing(hub: HubWorld) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(20)
    line.connect(("127.0.0.1", hub.running.port))
    return line


def test_answers_that_nobody_reads_are_bounded_and_given_back(hub: HubWorld) -> None:
    hub.begin()
    publish_much(hub)
    body = b'{"have": []}'
    assert hub.ask(READER, "/v1/changes", {"have": []}).said["more"] is False, "read from the disk by one, for all"
    with ExitStack() as lines:
        unread = []
        for _ in range(12):
            line = lines.enter_context(reading_nothing(hub))
            line.sendall(head(hub, READER, "/v1/changes", len(body)) + body)
            unread.append(line)
        said = [line.recv(12) for line in unread]
        assert said.count(b"HTTP/1.1 429") >= 6
        assert hub.metric("countersign_hub_answer_bytes") <= answers.EACH
    eventually(lambda: not hub.metric("countersign_hub_answer_bytes"), "the room is given back", seconds=20)


def test_so_are_those_to_publishes_that_took_the_short_way(hub: HubWorld) -> None:
    """Of who came too late and is told what it missed; without room it has to ask for it."""
    before = hub.begin()
    late = packed(hub.store, hub.author.commit(CLOUD, {"Plans/late.md": b"x\n"}))
    hub.author.head, hub.author.trails = before, dict(hub.author.trails) | {CLOUD.agent: Trail()}
    publish_much(hub)
    body = json.dumps({"onto": before, "exact": True, "commits": [late]}).encode()
    with ExitStack() as lines:
        unread = []
        for _ in range(6):
            line = lines.enter_context(reading_nothing(hub))
            line.sendall(head(hub, CLOUD.agent, "/v1/publish", len(body)) + body)
            unread.append(line)
        eventually(lambda: hub.metric("countersign_hub_publishes_total") >= 7, "all have their answer")
        assert 0 < hub.metric("countersign_hub_answer_bytes") <= answers.EACH
        assert [b'"more":true' in until(line, b'"commits":[') for line in unread] == 3 * [False] + 3 * [True]
    eventually(lambda: not hub.metric("countersign_hub_answer_bytes"), "the room is given back", seconds=20)


@pytest.mark.parametrize("kind", ["commit", "tree"])
def test_an_object_that_unfolds_is_refused_by_its_size_before_it_is_read(hub: HubWorld, kind: str) -> None:
    before = hub.begin()
    repository = pygit2.Repository(str(hub.running.repository))
    tree = str(repository[before].peel(pygit2.Commit).tree_id)
    who = f"{CLOUD.agent} <{CLOUD.agent}@countersign.invalid> 1770000000 +0000"
    raw = f"tree {tree}\nparent {before}\nauthor {who}\ncommitter {who}\n\n".encode() + b"a" * (40 << 20)
    objects = [(1, "commit", raw)]
    if kind == "tree":
        blob = repository[before].peel(pygit2.Tree)["Company_Handbook.md"].id
        wide = b"".join(b"100644 %040d.md\0%b" % (number, blob.raw) for number in range(600_000))
        made = hashlib.sha1(b"tree %d\0" % len(wide) + wide, usedforsecurity=False).hexdigest()
        raw = f"tree {made}\nparent {before}\nauthor {who}\ncommitter {who}\n\nx".encode()
        objects = [(2, "tree", wide), (1, "commit", raw)]
    new = hashlib.sha1(b"commit %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
    pack = (
        b"PACK"
        + struct.pack(">II", 2, len(objects))
        + b"".join(pack_head(number, len(one)) + zlib.compress(one) for number, _, one in objects)
    )
    pack += hashlib.sha1(pack, usedforsecurity=False).digest()
    command = f"{before} {new} refs/heads/main\0report-status".encode()
    body = b"%04x" % (len(command) + 4) + command + b"0000" + pack
    answer = hub.asked(
        "POST", "/vault.git/git-receive-pack", body, {"Authorization": f"Bearer {hub.token(CLOUD.agent)}"}
    )
    assert b"ng refs/heads/main" in answer.raw
    assert b"bytes; one of its kind has" in answer.raw
    assert hub.head == before


def test_maintenance_that_met_a_fault_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0

    async def fails(_: Maintenance) -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise asyncio.CancelledError
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Maintenance, "once", fails)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Maintenance(tmp_path, Metrics(), every=0.06).run())
