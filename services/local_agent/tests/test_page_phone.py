"""The phone's way: a client that verifies the page's own certificate, pairs, and decides; and who gets nothing."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import urllib.parse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World
from services.local_agent.tests.page_world import Browser, Office, office, setting

from local_agent.approvals import certificate, hosting
from local_agent.home import Home
from vault_protocol.task import Stage

HOST = "127.0.0.2"
"""In the place of an address of the owner's network: this machine has no other that is there for certain."""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An owner's page, on loopback and for the phone."""
    monkeypatch.setattr(hosting, "private", str)
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    setting(world, "page_listen", f'"{HOST}"')
    with office(world) as found:
        assert found.hosted.trouble == ""
        yield found


def phone(desk: Office, *, trusts: str = "") -> Browser:
    """It trusts this certificate (PEM) and no authority; without one, the page's, as the owner compared it."""
    address = desk.hosted.addresses[1]
    return Browser(address, trusts=ssl.create_default_context(cadata=trusts or offered(desk)))


def offered(desk: Office) -> str:
    """The certificate that the page shows to whoever comes, as PEM."""
    netloc = urllib.parse.urlsplit(desk.hosted.addresses[1])
    return ssl.get_server_certificate((HOST, netloc.port or 0), timeout=30)


def test_a_phone_compares_the_fingerprint_pairs_and_decides(desk: Office) -> None:
    task = desk.world.ask_for("Your offer")
    told = desk.hosted.handlers()["page"]({})
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(offered(desk))).digest().hex(":").upper()
    assert shown == told["fingerprint"]
    mine = phone(desk)
    paired = mine.pair(desk.code(), "my phone")
    assert paired.status == 303
    assert "Secure" in paired.headers["set-cookie"]
    assert "Your offer" in mine.see().text
    answer = mine.do(f"task/{task}/approve", passphrase=PASSPHRASE)
    assert answer.status == 303
    assert desk.world.stage(task) is Stage.APPROVED
    record = desk.world.run("log", "--json", "--task", task).json["records"][-1]
    assert record["parameters"]["how"] == "page"


def test_a_page_that_shows_another_certificate_is_told_nothing(desk: Office, tmp_path: Path) -> None:
    """The code is good once: that it still is says that nobody heard it."""
    _, other = certificate.kept(Home(tmp_path / "elsewhere"), HOST, datetime.now(UTC))
    code = desk.code()
    with pytest.raises(ssl.SSLCertVerificationError):
        phone(desk, trusts=other.read_text(encoding="ascii")).pair(code)
    with pytest.raises(ssl.SSLCertVerificationError):
        Browser(desk.hosted.addresses[1], trusts=ssl.create_default_context()).pair(code)
    assert desk.hosted.page.devices.all() == ()
    assert phone(desk).pair(code).status == 303


def test_plain_http_gets_nothing_where_tls_is_spoken(desk: Office) -> None:
    task = desk.world.ask_for("A secret subject")
    code = desk.code()
    plain = Browser(desk.hosted.addresses[1].replace("https://", "http://"))
    asks: tuple[Callable[[], object], ...] = (
        lambda: plain.pair(code),
        lambda: plain.get("/pair"),
        lambda: plain.see(f"task/{task}"),
    )
    for ask in asks:
        with pytest.raises((http.client.HTTPException, OSError)):
            ask()
    assert desk.hosted.page.devices.all() == ()
    assert phone(desk).pair(code).status == 303


def test_what_the_phone_was_given_opens_nothing_for_another(desk: Office) -> None:
    """Its cookie without its door, its door without its cookie, and its form without its token."""
    task = desk.world.ask_for("A secret subject")
    mine, hers = phone(desk), phone(desk)
    assert mine.pair(desk.code(), "mine").status == 303
    assert hers.pair(desk.code(), "hers").status == 303
    for door, cookie in ((mine.door, hers.cookie), (hers.door, mine.cookie), (mine.door, "")):
        stranger = Browser(mine.address, cookie, door, trusts=mine.trusts)
        answer = stranger.see()
        assert answer.status == 401
        assert "secret subject" not in answer.text
    fields = {**hers.see().form("/approve"), "passphrase": PASSPHRASE}
    assert mine.post(f"{mine.door}/task/{task}/approve", fields).status == 403
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_the_phone_s_name_for_the_page_is_its_address_there_and_no_other(desk: Office) -> None:
    mine = phone(desk)
    assert mine.get("/").status == 200
    port = mine.address.rpartition(":")[2]
    for host in (HOST, f"evil.example:{port}", f"{HOST}:1"):
        assert mine.get("/", Host=host).status == 421, host
    assert mine.post("/pair", {"code": "x"}, Origin=f"http://{HOST}:{port}").status == 403, "a form of a plain page"
