"""The owner's books, set up with `init` or later, and what `status` says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World
from services.local_agent.tests.test_signers import ring  # noqa: F401

from books.errors import BadCredentials
from books.memory.odoo import MemoryOdoo
from books.testing import DATABASE, Server, serving
from local_agent import os_keyring
from local_agent.assemble import own_secrets
from local_agent.books_account import BooksAccount

KEY = "a-key-of-the-books-0123456789"


@pytest.fixture
def odoo() -> Iterator[Server]:
    with serving(Server(MemoryOdoo(), {KEY: "local"})) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    return World(tmp_path, capsys.readouterr)


def books_file(world: World, odoo: Server, more: str = 'key_file = "books-key"\n') -> Path:
    file = world.folder / "books.toml"
    (world.folder / "books-key").write_text(KEY + "\n", encoding="utf-8")
    where = f'url = "{odoo.url}"\ndatabase = "{DATABASE}"\nlogin = "local"\ninterface = "json-2"\n'
    file.write_text(f'[[books]]\nname = "books"\n{where}{more}', encoding="utf-8")
    return file


def test_books_given_to_init_are_kept_without_their_key_and_status_says_that_they_answer(
    world: World, odoo: Server
) -> None:
    ran = world.init("--books-file", str(books_file(world, odoo)))
    assert ran.code == 0, ran.err
    assert KEY not in world.home.config.read_text(encoding="utf-8")
    assert world.run("status", "--json").json["books"] == {"books": "ok"}
    assert "books answers" in world.run("status").out


def test_books_are_added_to_a_home_that_is_set_up_and_never_changed(world: World, odoo: Server) -> None:
    assert world.init().code == 0
    before = world.home.config.read_bytes()
    file = books_file(world, odoo)
    assert world.init("--books-file", str(file), "--json").json["books"] == ["books"]
    after = world.home.config.read_bytes()
    assert after.startswith(before)
    file.write_text(file.read_text(encoding="utf-8").replace('"local"', '"other"'), encoding="utf-8")
    assert world.init("--books-file", str(file), "--json").json["books"] == []
    assert world.home.config.read_bytes() == after


def test_status_says_what_keeps_the_books_from_answering(world: World, odoo: Server) -> None:
    assert world.init("--books-file", str(books_file(world, odoo))).code == 0
    odoo.keys.clear()
    assert "refuses" in world.run("status", "--json").json["books"]["books"]
    (world.folder / "books-key").unlink()
    assert "cannot read" in world.run("status", "--json").json["books"]["books"]


def test_a_key_in_the_keyring_opens_the_books_and_is_a_secret_of_this_machine(
    world: World,
    odoo: Server,
    ring: object,  # noqa: F811
) -> None:
    file = books_file(world, odoo, more="")
    ran = world.init("--books-file", str(file))
    assert ran.code == 0
    assert "the OS keyring has no key of local" in ran.err
    (books,) = world.home.settings().books
    os_keyring.keep(books.keyring_entry, KEY)
    assert world.run("status", "--json").json["books"] == {"books": "ok"}
    assert own_secrets(world.home, world.home.settings()).found_in(KEY.encode())


def test_without_a_keyring_a_key_in_it_is_a_bad_credential(odoo: Server) -> None:
    with pytest.raises(BadCredentials, match="keyring cannot be used"):
        BooksAccount(name="books", url=odoo.url, database=DATABASE, login="local").access()
