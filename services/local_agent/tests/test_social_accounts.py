"""Accounts are added by a file and shown with whether their secret is there; the secret itself is shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks import home
from services.local_agent.tests.networks.desk import SERVERS
from services.local_agent.tests.networks.x import KEYS

from demo.mastodon import MastodonServer
from demo.network import Outside
from local_agent.assemble import own_secrets
from local_agent.setup import config


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    made = MastodonServer()
    with made:
        yield made


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str], server: MastodonServer) -> World:
    return home.made(tmp_path, capsys.readouterr, server, "mastodon")


def test_an_account_is_added_once_and_nothing_else_in_the_file_changes(world: World, server: Outside) -> None:
    before = world.home.config.read_bytes()
    home.add(world, server, "bluesky", "other")
    after = world.home.config.read_bytes()
    assert after.startswith(before)
    home.add(world, server, "bluesky", "other")
    assert world.home.config.read_bytes() == after
    rows = world.run("accounts", "--json").json["accounts"]
    assert [(row["name"], row["network"], row["state"]) for row in rows] == [
        ("able", "mastodon", "ok"), ("other", "bluesky", "ok"),
    ]  # fmt: skip


def test_every_network_and_whatsapp_can_be_set_up_and_written_down_again(world: World, server: Outside) -> None:
    for network in SERVERS:
        home.add(world, server, network, f"on-{network}")
    phone = world.folder / "phone.toml"
    phone.write_text(
        '[[whatsapp]]\nname = "phone"\nway = "linked"\nnumber = "+4915112345678"\ncontacts = ["+4915187654321"]\n'
        'keywords = ["offer", "\\"quoted\\""]\n',
        encoding="utf-8",
    )
    assert world.run("accounts", "--add", str(phone)).code == 0
    settings = world.home.settings()
    assert settings.whatsapp[0].keywords == ("offer", '"quoted"')
    assert len(settings.social) == 7
    text = config.render(settings)
    world.home.config.write_text(text, encoding="utf-8")
    assert world.home.settings() == settings


def test_a_secret_is_shown_nowhere_and_leaves_this_machine_in_no_note(world: World, server: Outside) -> None:
    home.add(world, server, "x", "short")
    assert Outside.token not in world.home.config.read_text(encoding="utf-8")
    shown = world.run("accounts").out + world.run("accounts", "--json").out + world.run("status", "--json").out
    assert Outside.token not in shown
    assert KEYS.token_secret not in shown
    secrets = own_secrets(world.home, world.home.settings())
    assert secrets.found_in(f"so {Outside.token} it is".encode())
    assert secrets.found_in(KEYS.token_secret.encode())


def test_a_secret_that_is_not_there_is_told(world: World) -> None:
    (world.folder / "able-secret").unlink()
    ran = world.run("accounts")
    assert ran.code == 0
    assert "cannot read" in ran.out
    assert world.run("status").code == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[social]]\nname = "a"\nnetwork = "myspace"\n', "social.0.network"),
        ('[[social]]\nname = "a"\nnetwork = "x"\n[[social]]\nname = "a"\nnetwork = "x"\n', "the same name"),
        ('[[books]]\nname = "a"\n', "books"),
        ("not toml", "cannot read"),
        ('[[whatsapp]]\nname = "a"\nway = "cloud"\nnumber = "+4915112345678"\n', "phone_id is missing"),
        ('[[whatsapp]]\nname = "a"\nway = "linked"\nnumber = "015112345678"\n', "number"),
    ],
)
def test_a_file_that_holds_no_accounts_changes_nothing(world: World, text: str, reason: str) -> None:
    before = world.home.config.read_bytes()
    file = world.folder / "odd.toml"
    file.write_text(text, encoding="utf-8")
    ran = world.run("accounts", "--add", str(file))
    assert ran.code == 1
    assert reason in ran.err
    assert world.home.config.read_bytes() == before
