"""What a hostile client can make the hub hold, and for how long: little, and others are served meanwhile."""

import http.client
import json
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha1
from pathlib import Path

import pytest
from libs.vault_protocol.tests.made import CLOUD, LOCAL, OTHER
from services.vault_hub.tests.hubworld import HubWorld, pack_head, signed
from services.vault_hub.tests.program import Program, program

from demo.processes import eventually
from vault_hub import bodies, serving
from vault_protocol import changeset
from vault_protocol.hub import Accepted
from vault_protocol.wire import BadWire

MIB = 1 << 20
MOST = 300 * MIB
"""Bytes of memory the hub's process may have needed at its peak in any of these."""


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def is_closed(line: socket.socket) -> bool:
    """The other end is gone; waits for it."""
    try:
        while line.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return True


def served(hub: HubWorld) -> bool:
    return hub.ask(OTHER.agent, "/v1/changes", {"have": []}).status == 200


def head(hub: HubWorld, who: str = CLOUD.agent, *more: str) -> bytes:
    lines = ["POST /v1/changes HTTP/1.1", "Host: x", f"Authorization: Bearer {hub.token(who)}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# Slowness, in this process with short patience.


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubWorld]:
    for name in ("HEAD_SECONDS", "REQUEST_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(serving, name, 0.3)
    hub = HubWorld(tmp_path)
    yield hub
    hub.close()


def test_who_says_nothing_or_never_ends_its_head_is_cut_off(impatient: HubWorld) -> None:
    for begun in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nX: y\r\n"):
        with connected(impatient.running.port) as line:
            line.sendall(begun)
            assert is_closed(line)
    assert served(impatient)


def test_who_says_nothing_but_empty_lines_is_cut_off_also_after_an_answer(impatient: HubWorld) -> None:
    with connected(impatient.running.port) as line:
        line.sendall(b"\r\n\r\n")
        assert is_closed(line)
    with connected(impatient.running.port) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 OK" in line.recv(65536)
        line.sendall(b"\r\n")
        assert is_closed(line)


def test_who_drips_its_head_is_cut_off_all_the_same(impatient: HubWorld) -> None:
    with connected(impatient.running.port) as line:
        try:
            line.sendall(b"GET / HTTP/1.1\r\n")
            line.settimeout(0.02)
            while True:
                line.sendall(b"x: y\r\n")
                try:
                    if not line.recv(1):
                        break
                except TimeoutError:
                    continue
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert served(impatient)


def test_who_never_ends_its_body_is_cut_off_or_answered(impatient: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PART_SECONDS", 0.1)
    with connected(impatient.running.port) as line:
        line.sendall(head(impatient, CLOUD.agent, "Content-Length: 1000") + b"{")
        assert b"408" in line.recv(1 << 16)
        assert is_closed(line)
    assert impatient.metric("countersign_hub_request_bytes") == 0
    with connected(impatient.running.port) as line:
        line.sendall(b"POST /v1/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        assert b"401" in line.recv(1 << 16)
        assert is_closed(line), "without a token nobody keeps a connection by a body that never ends"


def test_a_head_without_end_is_cut_off_at_its_bytes(hub: HubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_SECONDS", 3600)
    with connected(hub.running.port) as line:
        line.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for number in range(20_000):
                line.sendall(b"x-%d: y\r\n" % number)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert is_closed(line)
    assert served(hub)


def test_more_connections_than_there_may_be_are_turned_away_and_leave_room_again(tmp_path: Path) -> None:
    hub = HubWorld(tmp_path, {"connections": 40})
    try:
        lines = [connected(hub.running.port) for _ in range(60)]
        assert hub.ask(OTHER.agent, "/v1/changes", {"have": []}).status == 503
        for line in lines:
            line.close()
        eventually(lambda: served(hub), "there is room again")
    finally:
        hub.close()


def test_what_is_held_of_one_credentials_requests_is_bounded(tmp_path: Path) -> None:
    hub = HubWorld(tmp_path, {"body_bytes": 1 << 17})
    try:
        lines = [connected(hub.running.port) for _ in range(6)]
        for line in lines:
            line.sendall(head(hub, CLOUD.agent, "Content-Length: 120000") + b" " * 50_000)
        eventually(lambda: hub.metric("countersign_hub_request_bytes") >= 100_000, "some are held")
        assert hub.metric("countersign_hub_request_bytes") <= 1 << 17
        assert hub.ask(CLOUD.agent, "/v1/changes", b" " * 40_000).status in (400, 429)
        assert served(hub)
        for line in lines:
            line.close()
        eventually(lambda: hub.metric("countersign_hub_request_bytes") == 0, "all was given back")
    finally:
        hub.close()


def test_json_that_is_all_brackets_is_not_parsed_and_text_that_is_full_of_them_is(hub: HubWorld) -> None:
    bomb = b'{"commits":[' + b"[]," * 300_000 + b"[]]}"
    answer = hub.ask(CLOUD.agent, "/v1/publish", bomb)
    assert (answer.status, answer.said["reason"]) == (400, "its JSON has over 200000 parts")
    first = hub.begin()
    text = signed(CLOUD, hub.store, first, {"Briefings/b.json": b'{"a":[1,2,3]},\n\\"[' * 100_000})
    assert hub.publish(CLOUD.agent, text).said["answer"] == "accepted"


@pytest.mark.parametrize("end", [b"", b"\\", b'"', b'"]}'], ids=["open", "cut off", "closed", "whole"])
def test_a_text_of_nothing_but_escapes_is_read_once(end: bytes) -> None:
    """Whether or not it ends: who tries it anew from each of its quotes is not done in hours."""
    bodies.check_parts(b"{" + b"," * 100_000 + b'"' + b'\\"' * 400_000 + b"," * 150_000 + end)
    with pytest.raises(BadWire, match="200000 parts"):
        bodies.check_parts(b"," * 200_001 + b'"' + b'\\"' * 400_000 + end)


@pytest.mark.parametrize(
    ("body", "why"),
    [(b'["",,]' * 100_000, "parts"), (b'""' * 500_000 + b"," * 200_001, "parts"),
     (("[" + ",".join(['"\\""'] * 2 + ["[]"] * 300_000)).encode("utf-16"), "UTF-8")],
    ids=["between texts", "texts alone", "in an encoding that hides its quotes"],
)  # fmt: skip
def test_parts_are_found_wherever_they_stand(body: bytes, why: str) -> None:
    with pytest.raises(BadWire, match=why):
        bodies.check_parts(body)


# Size, at the process as it runs in production: its peak is what the kernel says.


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with program(tmp_path_factory.mktemp("bounds") / "hub", CLOUD, LOCAL) as found:
        found.start()
        yield found


def from_now_on(running: Program) -> None:
    """The peak begins anew."""
    assert running.process is not None
    clear = Path(f"/proc/{running.process.pid}/clear_refs")
    if not clear.exists():
        pytest.skip("this system does not say what a process needed")
    clear.write_text("5")


def peak(running: Program) -> int:
    """The most memory the hub's process had, in bytes."""
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def post(running: Program, path: str, body: bytes) -> int:
    line = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=120)
    try:
        line.request("POST", path, body, {"Authorization": f"Bearer {running.tokens[CLOUD.agent]}"})
        response = line.getresponse()
        response.read()
        return response.status
    except OSError:
        return 0
    finally:
        line.close()


def pushing(pack: bytes, new: str = "1" * 40) -> bytes:
    line = f"{'0' * 40} {new} refs/heads/main\0report-status\n".encode()
    return b"%04x%s0000" % (len(line) + 4, line) + pack


def packed_zeros(size: int, count: int) -> bytes:
    """A pack of blobs that are nothing but zeros, a thousandth of what they unfold into."""
    body = b"PACK" + struct.pack(">II", 2, count)
    for number in range(count):
        zip_ = zlib.compressobj(9)
        zipped = zip_.compress(struct.pack(">I", number)) + zip_.compress(bytes(size - 4)) + zip_.flush()
        body += pack_head(3, size) + zipped
    return body + sha1(body, usedforsecurity=False).digest()


def packed_line(message: int, count: int) -> tuple[bytes, str]:
    """A pack of commits in a line, each with a message of so many bytes; and the last one's name."""
    body = b"PACK" + struct.pack(">II", 2, count + 1) + pack_head(2, 0) + zlib.compress(b"")
    tree, parent, name = sha1(b"tree 0\0", usedforsecurity=False).hexdigest(), "", ""
    for _ in range(count):
        who = "cloud-1 <cloud-1@countersign.invalid> 1700000000 +0000"
        raw = f"tree {tree}\n{parent}author {who}\ncommitter {who}\n\n".encode() + b"x" * message + b"\n"
        body += pack_head(1, len(raw)) + zlib.compress(raw, 1)
        name = sha1(b"commit %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
        parent = f"parent {name}\n"
    return body + sha1(body, usedforsecurity=False).digest(), name


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "brackets": lambda: ("/v1/publish", b'{"commits":[' + b"[]," * (6 * MIB) + b"[]]}"),
    "depth": lambda: ("/v1/publish", b"[" * (19 * MIB)),
    "one long text": lambda: ("/v1/publish", b'{"commits":"' + "é".encode() * (9 * MIB) + b'"}'),
    "a wide character": lambda: ("/v1/publish", b'{"a":"' + "\U0001f4b6".encode() + b"x" * (19 * MIB) + b'"}'),
    "a text of escapes": lambda: ("/v1/publish", b'{"a":"' + b'\\"' * (9 * MIB) + b'"' + b"," * 200_001),
    "texts without end": lambda: ("/v1/publish", b'"",,' * (4 * MIB)),
    "keys": lambda: ("/v1/changes", json.dumps({str(n): n for n in range(600_000)}).encode()),
    "too large": lambda: ("/v1/publish", bytes(100 * MIB)),
    "zeros in a pack": lambda: ("/vault.git/git-receive-pack", pushing(packed_zeros(16 * MIB, 20))),
    "one zero file in a pack": lambda: ("/vault.git/git-receive-pack", pushing(packed_zeros(900 * MIB, 1))),
    "long messages in a pack": lambda: ("/vault.git/git-receive-pack", pushing(*packed_line(4 * MIB - 1024, 200))),
    "a long line in a pack": lambda: ("/vault.git/git-receive-pack", pushing(*packed_line(10, 50_000))),
    "wants": lambda: ("/vault.git/git-upload-pack", (b"0032want " + b"1" * 40 + b"\n") * 300_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_request_makes_the_hub_need_much_memory_or_stops_it(running: Program, name: str) -> None:
    path, body = BOMBS[name]()
    from_now_on(running)

    status = post(running, path, body)

    assert status in (0, 200, 400, 413)
    assert peak(running) < MOST, f"{peak(running) // MIB} MiB"
    assert running.get("/readyz")[0] == 200
    assert not list((running.repository / "objects").glob("push-*"))


def test_after_all_of_it_a_publish_goes_in(running: Program, tmp_path: Path) -> None:
    store, client = running.client(LOCAL.agent, tmp_path / "clone.git")
    commit = signed(LOCAL, store, client.refresh(), {"Plans/p.md": b"x\n"})
    assert client.publish(commit, onto=None) == Accepted(commit)
    client.close()


def test_the_largest_publish_there_may_be_is_taken(running: Program, tmp_path: Path) -> None:
    store, client = running.client(LOCAL.agent, tmp_path / "clone.git")
    head = client.refresh()
    assert head is not None
    (last,) = store.history(None, head)[-1:]
    trail = changeset.parse(last.message, vault="vault-1", changes=store.changes(None, head)).trail
    edits: dict[str, bytes | None] = {f"Notes/{number:05}.md": b"x" * 1500 for number in range(10_000)}
    many = signed(LOCAL, store, head, edits, trail)
    from_now_on(running)
    assert client.publish(many, onto=head) == Accepted(many)
    assert peak(running) < MOST
    client.close()
