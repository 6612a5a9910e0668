"""A mailbox, or the hub, behind the one way out: by a tunnel, with the certificate still checked at our end."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from services.cloud_agent.tests.test_imap_connection import settings

from cloud_agent.watchers.faults import Unreachable
from cloud_agent.watchers.imap import ImapWatcher
from cloud_agent.watchers.waiting import answers
from demo.cable import cable
from demo.certificates import self_signed
from demo.launch import Provider, mail_world
from demo.processes import eventually
from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import keys
from vault_protocol.errors import HubDenied, HubUnreachable
from vault_protocol.hub_client import HubClient
from vault_protocol.sshsig import PublicKey
from vault_protocol.store import GitStore

MAIL = b"From: c@studio.example\r\nSubject: Hi\r\nMessage-ID: <1@studio.example>\r\n\r\nHi\r\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Provider]:
    with mail_world(tmp_path / "mail") as world:
        yield world.provider


class _Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address, block_on_close = True, True

    def __init__(self, answer: bytes) -> None:
        self.answer, self.asked = answer, list[str]()
        super().__init__(("127.0.0.1", 0), _Tunnel)


class _Tunnel(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Proxy)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = self.request.recv(1)
            if not part:
                return
            head += part
        self.server.asked.append(head.decode("ascii").splitlines()[0])
        self.request.sendall(self.server.answer)
        if b" 200 " in self.server.answer:
            host, _, port = head.decode("ascii").split()[1].rpartition(":")
            with socket.create_connection((host, int(port)), 30) as far:
                back = threading.Thread(target=_pump, args=(far, self.request))
                back.start()
                _pump(self.request, far)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while found := source.recv(65536):
            target.sendall(found)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def way_out(answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Iterator[tuple[str, list[str]]]:
    """A proxy that says this to a CONNECT, and, when that is a yes, opens the tunnel; what it was asked for."""
    with _Proxy(answer) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{proxy.server_address[1]}", proxy.asked
        finally:
            proxy.shutdown()
            thread.join()


def test_mail_comes_through_the_tunnel_and_the_certificate_is_checked_here(
    home: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.deliver(MAIL)
    context, certificate = self_signed(tmp_path)
    found: list[bytes] = []
    with cable(home.imap_port, context) as line, way_out() as (proxy, asked):
        mailbox = settings(home, line.port, tls=True, way_out=proxy)
        watcher = ImapWatcher(mailbox, tmp_path / "state.json", lambda mail: found.append(mail.raw))
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            watcher.catch_up()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert watcher.catch_up() == 1
        assert asked == [f"CONNECT 127.0.0.1:{line.port} HTTP/1.1"] * 2
        assert answers(mailbox)
        assert len(asked) == 3, "whether the server is back is looked for through the tunnel too"
    assert b"Subject: Hi" in found[0]


def test_the_hub_is_reached_through_the_tunnel_and_its_certificate_is_checked_here(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    hub = RunningHub(tmp_path / "hub", "v1", PublicKey.of(keys.new()))
    hub.make({"cloud": (Standing.CLOUD, PublicKey.of(keys.new()))})
    hub.start()
    try:
        with cable(hub.port, context) as line, way_out() as (proxy, asked):
            url, token, store = f"https://127.0.0.1:{line.port}", hub.tokens["cloud"], GitStore(tmp_path / "vault.git")
            with pytest.raises(HubDenied, match="certificate does not hold"):
                HubClient(store, url, token, way_out=proxy).introduced()
            client = HubClient(store, url, token, ca_file=certificate, way_out=proxy)
            assert client.introduced() == ("v1", hub.owner_key)
            client.wait(0.01)
            eventually(lambda: client._stream is not None and client._stream.alive, "the stream goes there too")
            client.close()
            assert {one.rpartition(" ")[0] for one in asked} == {f"CONNECT 127.0.0.1:{line.port}"}
        with way_out(b"HTTP/1.1 403 Forbidden\r\n\r\n") as (proxy, _), pytest.raises(HubUnreachable, match="403"):
            HubClient(store, url, token, ca_file=certificate, way_out=proxy).introduced()
    finally:
        hub.stop()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "does not lead to"),
        (b"* OK IMAP4 ready\r\n\r\n", "speaks no HTTP"),
        (b"HTTP/1.1 200", "broke off"),
        (b"x" * 20_000, "broke off"),
    ],
)
def test_a_way_out_that_says_no_or_nonsense_is_an_unreachable_mailbox(
    home: Provider, tmp_path: Path, answer: bytes, says: str
) -> None:
    with way_out(answer) as (proxy, _):
        mailbox = settings(home, home.imap_port, way_out=proxy)
        with pytest.raises(Unreachable, match=says):
            ImapWatcher(mailbox, tmp_path / "state.json", lambda mail: None).catch_up()
        assert not answers(mailbox)
