"""`countersign page`: a real command that asks over the real control socket, and a real page that lets the code in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, Ran, World
from services.local_agent.tests.page_world import Browser, Office, office, setting

from local_agent.approvals import certificate, hosting
from local_agent.control import ControlServer


@pytest.fixture
def desk(world: World) -> Iterator[Office]:
    with answered(world) as found:
        yield found


@contextmanager
def answered(world: World) -> Iterator[Office]:
    """The page, and the socket over which the command asks for it."""
    with office(world) as found:
        control = ControlServer(world.home.socket, found.hosted.handlers())
        control.start()
        try:
            yield found
        finally:
            control.stop()


def page(world: World, *arguments: str) -> Ran:
    return world.run("page", *arguments, passphrase=PASSPHRASE)


def test_the_command_prints_a_code_and_a_link_that_let_one_browser_in(desk: Office) -> None:
    task = desk.world.ask_for("Your offer")
    told = page(desk.world)
    assert told.code == 0, told.err
    link = next(line.split()[1] for line in told.out.splitlines() if line.startswith("Open"))
    code = next(line.split()[1] for line in told.out.splitlines() if line.startswith("Code"))
    address, _, fragment = link.partition("/pair#")
    assert fragment == code
    browser = Browser(address)
    assert browser.pair(code).status == 303
    assert f'id="{task}"' in browser.see().text
    assert browser.pair(code).status == 422, "the code is good once"


def test_for_programs_the_command_answers_in_json_and_without_the_question_it_signed(desk: Office) -> None:
    told = page(desk.world, "--json").json
    assert told["links"] == [f"{desk.hosted.addresses[0]}/pair#{told['code']}"]
    assert "challenge" not in told
    assert desk.browser.pair(told["code"]).status == 303


def test_a_wrong_passphrase_or_none_gets_no_code(desk: Office) -> None:
    wrong = desk.world.run("page", passphrase="wrong horse battery")
    assert wrong.code != 0
    assert "Code" not in wrong.out
    none = desk.world.run("page")
    assert none.code != 0
    assert "--passphrase-fd" in none.err
    assert "Code" not in none.out


def test_the_devices_are_listed_without_a_passphrase_and_without_their_cookies(desk: Office) -> None:
    assert desk.world.run("page", "--devices").out == "No device is paired.\n"
    inside = desk.paired("the kitchen")
    device = desk.hosted.page.devices.all()[0]
    told = desk.world.run("page", "--devices")
    assert told.out == f"{device.id}  the kitchen  paired {device.paired}, until {device.expires}\n"
    listed = desk.world.run("page", "--devices", "--json")
    assert [one["name"] for one in listed.json["devices"]] == ["the kitchen"]
    for secret in (inside.cookie.partition("=")[2], inside.door.strip("/"), device.token_sha256):
        assert secret not in told.out + listed.out


def test_a_device_that_gave_itself_a_hostile_name_moves_no_cursor(desk: Office) -> None:
    desk.paired("\x1b[2J\x1b]0;owned\x07 \u202ephone")
    told = desk.world.run("page", "--devices").out
    assert "phone" in told
    assert not {"\x1b", "\x07", "\u202e"} & set(told)
    assert told.count("\n") == 1


def test_revoke_puts_one_device_out_at_once_and_no_other(desk: Office) -> None:
    lost, kept = desk.paired("the phone I lost"), desk.paired("this one")
    id_ = next(one.id for one in desk.hosted.page.devices.all() if one.name == "the phone I lost")
    told = desk.world.run("page", "--revoke", id_)
    assert (told.code, told.out) == (0, "the phone I lost is out.\n")
    assert (lost.see().status, kept.see().status) == (401, 200)
    assert [one["name"] for one in desk.world.run("page", "--devices", "--json").json["devices"]] == ["this one"]
    again = desk.world.run("page", "--revoke", id_)
    assert again.code != 0
    assert f"no device {id_} is paired; `countersign page --devices` lists them" in again.err


def test_a_device_that_is_not_there_is_refused_in_plain_words(desk: Office) -> None:
    inside = desk.paired()
    for id_ in ("nobody", "../../etc", "\x1b[2J", "*", "x" * 5000):
        told = desk.world.run("page", "--revoke", id_)
        assert told.code != 0
        assert "`countersign page --devices` lists them" in told.err
        assert "\x1b" not in told.err
        assert len(told.err) < 300
    assert inside.see().status == 200


def test_without_the_service_each_form_of_the_command_says_what_to_start(world: World) -> None:
    for flags in ((), ("--devices",), ("--revoke", "1234")):
        told = page(world, *flags)
        assert told.code != 0
        assert "start it with `countersign run`" in told.err


def test_a_page_that_is_turned_off_says_how_to_turn_it_on(world: World) -> None:
    setting(world, "page", "false")
    for flags in ((), ("--devices",)):
        told = page(world, *flags)
        assert told.code != 0
        assert "`page = true`" in told.err


def test_the_fingerprint_is_printed_for_an_address_of_the_owner_s_network(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "private", str)  # this machine has no other address that is there for certain
    setting(world, "page_listen", '"127.0.0.2"')
    with answered(world) as desk:
        told = page(world)
        assert told.code == 0, told.err
        assert told.out.splitlines()[-1] == certificate.fingerprint(world.home.path / "keys" / "page.crt")
        assert "Open   https://127.0.0.2:" in told.out
        assert told.out.count("Open ") == len(desk.hosted.addresses) == 2


def test_on_loopback_alone_there_is_no_fingerprint_to_compare(desk: Office) -> None:
    told = page(desk.world)
    assert "SHA-256" not in told.out
    assert "https://" not in told.out


def test_an_address_that_everybody_could_reach_is_refused_and_loopback_goes_on(world: World) -> None:
    setting(world, "page_listen", '"8.8.8.8"')
    with answered(world) as desk:
        told = page(world)
        assert told.code == 0
        assert "page_listen: 8.8.8.8 is not an address of a private network" in told.err
        assert [line for line in told.out.splitlines() if "https://" in line] == []
        assert desk.hosted.addresses == [desk.browser.address]
