"""Who gets to see the page, from where, and with what: each guard by what it keeps out."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, World
from services.local_agent.tests.page_world import Browser, Office, office, setting

from local_agent.approvals import certificate, listen
from local_agent.approvals.hosting import Hosted
from local_agent.approvals.live import Live
from local_agent.approvals.pairing import CODE_SECONDS, WRONG
from local_agent.assemble import assemble
from local_agent.signers import signer
from vault_protocol.errors import VaultError
from vault_protocol.task import Stage
from vault_protocol.testing import TestClock


@pytest.fixture
def desk(world: World) -> Iterator[Office]:
    with office(world) as found:
        yield found


def test_a_stranger_sees_nothing(desk: Office) -> None:
    task = desk.world.ask_for("A secret subject")
    inside = desk.paired()
    for door, cookie in (("", ""), (inside.door, ""), ("/other", inside.cookie), (inside.door, "countersign=guess")):
        stranger = Browser(inside.address, cookie, door or "/nowhere")
        for path in (
            "waiting",
            f"task/{task}",
            "events",
            f"task/{task}/original",
            "devices",
            "now",
            "history",
            "rules",
        ):
            answer = stranger.see(path)
            assert answer.status == 401, path
            assert "secret subject" not in answer.text
    assert inside.see().status == 200


def test_another_name_for_this_machine_is_not_answered(desk: Office) -> None:
    inside = desk.paired()
    port = inside.address.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}", "127.0.0.1:1"):
        answer = inside.get(f"{inside.door}/waiting", Host=host)
        assert answer.status == 421, host
    assert inside.get(f"{inside.door}/waiting", Host=f"localhost:{port}").status == 200


def test_a_form_of_another_site_decides_nothing(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    inside = desk.paired()
    path, fields = f"{inside.door}/task/{task}/approve", inside.see().form("/approve")
    for origin in ("https://evil.example", "null", "", "http://127.0.0.1:1", f"{inside.address}.evil.example"):
        assert inside.post(path, fields, Origin=origin).status == 403, origin
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL
    assert inside.post(path, fields).status == 303


def test_a_form_without_the_token_of_its_device_decides_nothing(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    inside, other = desk.paired(), desk.paired("another")
    fields = inside.see().form("/approve")
    for token in ("", "0" * 64, other.see().form("/approve")["csrf"]):
        answer = inside.post(f"{inside.door}/task/{task}/approve", {**fields, "csrf": token})
        assert answer.status == 403, token
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_a_get_decides_nothing(desk: Office) -> None:
    task = desk.world.ask_for()
    desk.unlock()
    inside = desk.paired()
    fields = inside.see().form("/approve")
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    assert inside.see(f"task/{task}/approve?{query}").status in (404, 405)
    assert desk.world.stage(task) is Stage.PENDING_APPROVAL


def test_the_answer_forbids_scripts_frames_and_everything_from_elsewhere(desk: Office) -> None:
    inside = desk.paired()
    for answer in (inside.see(), inside.get("/"), inside.get("/pair"), inside.get("/nothing"), inside.see("none")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "style=" not in answer.text
        assert "<script>" not in answer.text


def test_the_cookie_is_for_one_path_that_no_other_program_knows(desk: Office) -> None:
    """Browsers tell a cookie to every port of its host, but only below its path."""
    answer = desk.browser.pair(desk.code())
    cookie = answer.headers["set-cookie"]
    path = cookie.partition("Path=")[2].partition(";")[0]
    assert len(path) > 20
    for word in ("HttpOnly", "SameSite=strict"):
        assert word in cookie


def test_a_code_is_good_once(desk: Office) -> None:
    code = desk.code()
    assert desk.browser.pair(code).status == 303
    assert desk.browser.pair(code).status == 422


def test_a_code_ends_after_its_minutes(world: World) -> None:
    clock = TestClock(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    with office(world, clock) as desk:
        code = desk.code()
        clock.tick(timedelta(seconds=CODE_SECONDS))
        assert desk.browser.pair(code).status == 422


def test_whoever_guesses_is_not_listened_to(desk: Office) -> None:
    code = desk.code()
    answers = [desk.browser.pair("AAAAA-AAAAA").status for _ in range(WRONG)]
    assert set(answers) == {422}
    assert desk.browser.pair(code).status == 429, "not even with the right one"


def test_wrong_passphrases_are_counted_too(desk: Office) -> None:
    inside = desk.paired()
    assert [inside.do("unlock", passphrase="wrong horse").status for _ in range(5)] == [403] * 5
    assert inside.do("unlock", passphrase=PASSPHRASE).status == 429
    assert desk.sign.until() is None


def test_only_the_approval_key_gets_a_code(desk: Office) -> None:
    handlers = desk.hosted.handlers()
    handlers["page"]({})
    with pytest.raises(VaultError, match="only the approval key"):
        handlers["page-pair"]({"signature": "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"})
    with pytest.raises(VaultError, match="too old"):
        handlers["page-pair"]({"signature": ""})


def test_a_revoked_device_is_a_stranger_from_the_next_request_on(desk: Office) -> None:
    lost, kept = desk.paired("the phone I lost"), desk.paired("this one")
    shown = kept.see("devices")
    assert "the phone I lost" in shown.text
    device = next(one for one in desk.hosted.page.devices.all() if one.name == "the phone I lost")
    fields = {"csrf": shown.form("/revoke")["csrf"], "device": device.id}
    assert kept.post(f"{kept.door}/devices/revoke", fields).status == 303
    assert lost.see().status == 401
    assert kept.see().status == 200


def test_devices_outlive_the_service_and_their_cookies_are_not_on_disk(world: World) -> None:
    with office(world) as desk:
        inside = desk.paired()
    kept = world.home.devices.read_text(encoding="utf-8")
    assert inside.cookie.partition("=")[2] not in kept
    assert world.home.devices.stat().st_mode & 0o077 == 0
    with office(world) as desk:
        again = Browser(desk.hosted.addresses[0], inside.cookie, inside.door)
        assert again.see().status == 200


def test_a_device_is_paired_for_so_many_days(world: World) -> None:
    clock = TestClock(datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    with office(world, clock) as desk:
        inside = desk.paired()
        clock.tick(timedelta(days=90))
        assert inside.see().status == 401


def test_a_body_longer_than_any_note_is_not_read(desk: Office) -> None:
    inside = desk.paired()
    assert inside.post(f"{inside.door}/unlock", {"csrf": "x", "passphrase": "y" * (1 << 20)}).status == 413


def test_a_place_that_is_taken_is_said_and_the_service_goes_on(world: World) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        setting(world, "page_port", str(other.server_port))
        local = assemble(world.home)
        hosted = Hosted(local, signer(world.home, local.settings), lambda: local.judge, lambda: None)
        hosted.start()
        told = hosted.handlers()["page"]({})
        hosted.stop()
    assert told["addresses"] == []
    assert f"127.0.0.1:{other.server_port}" in told["trouble"]


@pytest.mark.parametrize("host", ["0.0.0." + "0", "8.8.8.8", "127.0.0.1", "::", "my-machine", "2606:4700::1111"])
def test_the_page_is_never_served_to_everybody(host: str) -> None:
    with pytest.raises(VaultError, match="page_listen"):
        listen.private(host)


@pytest.mark.parametrize("host", ["192.168.1.20", "10.0.0.4", "100.101.102.103", "fd12::5"])
def test_an_address_of_a_private_network_may_be_said(host: str) -> None:
    assert listen.private(host) == host


def test_the_certificate_is_made_once_and_names_the_address(world: World) -> None:
    now = datetime.now(UTC)
    key, cert = certificate.kept(world.home, "192.168.1.20", now)
    first = certificate.fingerprint(cert)
    assert key.stat().st_mode & 0o077 == 0
    assert certificate.fingerprint(certificate.kept(world.home, "192.168.1.20", now)[1]) == first
    assert certificate.fingerprint(certificate.kept(world.home, "192.168.1.21", now)[1]) != first
    assert len(first.split(":")) == 32


@pytest.mark.parametrize("lost", ["page.key", "page.crt"])
def test_a_certificate_and_a_key_that_do_not_belong_together_are_made_again(world: World, lost: str) -> None:
    """As after one of the two files was restored from somewhere."""
    now, host = datetime.now(UTC), "192.168.1.20"
    key, cert = certificate.kept(world.home, host, now)
    older = (world.home.path / "keys" / lost).read_bytes()
    cert.unlink()
    certificate.kept(world.home, host, now)
    (world.home.path / "keys" / lost).write_bytes(older)
    certificate.kept(world.home, host, now)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)


def test_what_moves_after_a_servers_end_is_told_to_the_others() -> None:
    live, heard = Live(), asyncio.Event()

    gone = asyncio.new_event_loop()
    listening = live.events()
    gone.run_until_complete(listening.__anext__())
    gone.close()

    async def listens() -> None:
        events = live.events()
        await events.__anext__()
        live.tell()
        assert (await asyncio.wait_for(events.__anext__(), 10)).startswith(b"event: moved")
        heard.set()

    asyncio.run(listens())
    assert heard.is_set()


def test_the_stream_says_that_something_moved_and_nothing_else(desk: Office) -> None:
    inside = desk.paired()
    line = http.client.HTTPConnection(inside.address.removeprefix("http://"), timeout=30)
    line.request("GET", f"{inside.door}/events", headers={"Cookie": inside.cookie})
    answer = line.getresponse()
    assert answer.readline() == b"retry: 2000\n"
    threading.Thread(target=desk.hosted.page.live.tell).start()
    assert answer.readline() == b"\n"
    assert [answer.readline(), answer.readline()] == [b"event: moved\n", b"data: {}\n"]
    line.close()
