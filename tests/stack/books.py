"""A real Odoo 14 with its PostgreSQL, from a seed that was made once: up in seconds, gone without a trace."""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from books.rpc import Access
from tests.stack.docker import LABEL, PREFIX, StackFailed, docker, exists
from tests.stack.images import commit, hash_of, odoo14, postgres15, service, step
from tools.workspace import ROOT

MODULES = "account,contacts,l10n_generic_coa,sale"
SERVICE = ROOT / "services" / "odoo"
PEOPLE = Path(__file__).parent / "seeds" / "people.py"
DATABASE = "books"
PASSWORD_FILE = "/var/lib/odoo/db_password"
_ODOO = ("odoo", "-c", "/etc/odoo/odoo.conf", "--max-cron-threads=0")
"""Nothing by the clock: what changes in the database is what a test did."""
_SHELL = ("odoo", "shell", "-c", "/etc/odoo/odoo.conf", "-d", DATABASE, "--no-http", "--workers=0", "--log-level=error")


@dataclass(frozen=True)
class Seed:
    """Two images: a database with its cluster, and Odoo with its files."""

    database: str
    odoo: str


@dataclass(frozen=True)
class Stack:
    """A running Odoo. `ids` are the records that the seed knows by name."""

    name: str
    url: str
    keys: dict[str, str]
    ids: dict[str, int]

    def access(self, login: str, **other: Any) -> Access:
        given = {
            "url": self.url,
            "database": DATABASE,
            "login": login,
            "key": self.keys[login],
            "timeout_seconds": 120.0,
        }
        return Access(**{**given, **other})

    def sql(self, query: str) -> list[list[str]]:
        """What the database itself says; an empty field is an empty text."""
        words = ("psql", "-U", "postgres", "-d", DATABASE, "-AtqF", "\t", "-v", "ON_ERROR_STOP=1", "-c", query)
        return [line.split("\t") for line in docker("exec", f"{self.name}-db", *words).splitlines()]

    def shell(self, script: str) -> str:
        """Run a script in `odoo shell`: as superuser, behind the remote interface."""
        return docker(
            "exec", "-i", "-e", "PGPASSFILE=/tmp/pgpass", f"{self.name}-odoo", *_SHELL, feed=script, seconds=120
        )

    def kill(self) -> None:
        """As by a power cut."""
        docker("kill", f"{self.name}-odoo")

    def start(self) -> None:
        docker("start", f"{self.name}-odoo")
        wait_until_up(self.url, f"{self.name}-odoo")


def seed() -> Seed:
    """The books with our addons and people in them, made again when one of their parts has changed."""
    plain = _plain_seed()
    ours = service(SERVICE, plain.odoo)
    mark = hash_of(plain.database, ours, PEOPLE)
    made = Seed(f"{PREFIX}/books-db:{mark}", f"{PREFIX}/books-odoo:{mark}")
    if not (exists(made.database) and exists(made.odoo)):
        addons = ",".join(sorted(found.parent.name for found in (SERVICE / "addons").glob("*/__manifest__.py")))
        with step(f"seed the books with {addons}"), _idle(Seed(plain.database, ours)) as name:
            _install(name, addons)
            told = docker("exec", "-i", f"{name}-odoo", *_SHELL, feed=PEOPLE.read_text(encoding="utf-8"), seconds=300)
            found = next((line for line in told.splitlines() if line.startswith("SEED=")), None)
            if found is None:
                raise StackFailed(f"the people were not made:\n{told[-4000:]}")
            docker("exec", "-i", f"{name}-odoo", "tee", "/var/lib/odoo/seed.json", feed=found.removeprefix("SEED="))
            docker("exec", "-i", f"{name}-odoo", "tee", PASSWORD_FILE, feed="odoo-test")
            _keep(name, made)
    return made


@contextmanager
def running(*, filestore: Path | None = None) -> Iterator[Stack]:
    """The books, up. Nothing of them is left at the end. `filestore`: a folder here for Odoo's files."""
    found, port = seed(), free_port()
    with _network() as name, step("start the books"):
        _start(name, "db", found.database)
        options: tuple[str, ...] = ("-p", f"127.0.0.1:{port}:8069", "-e", f"DB_PASSWORD_FILE={PASSWORD_FILE}")
        if filestore is not None:
            _copy_out(found.odoo, filestore)
            options = (*options, "-v", f"{filestore}:/var/lib/odoo/filestore")
        _start(name, "odoo", found.odoo, *_ODOO, options=options)
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, f"{name}-odoo")
        told = json.loads(docker("exec", f"{name}-odoo", "cat", "/var/lib/odoo/seed.json"))
    try:
        yield Stack(name, url, told["keys"], told["ids"])
    finally:
        remove(name)


def wait_until_up(url: str, container: str, seconds: float = 240) -> None:
    """Until the login page answers; StackFailed with the container's last words."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(f"{url}/web/login", timeout=20) as page:
            if page.status == 200:
                return
        time.sleep(0.2)
    raise StackFailed(
        f"{container} does not answer at {url}:\n{docker('logs', '--tail', '60', container, check=False)}"
    )


def free_port() -> int:
    """One that is free now. It stays the same when the container is restarted."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def remove(name: str) -> None:
    """Everything of one run."""
    docker("rm", "-f", "-v", f"{name}-odoo", f"{name}-db", check=False)
    docker("network", "rm", name, check=False)


def _plain_seed() -> Seed:
    """The modules of Odoo that we use, installed: the part that takes a minute and seldom changes."""
    images = Seed(postgres15(), odoo14())
    mark = hash_of(images.database, images.odoo, MODULES, SERVICE / "odoo.conf")
    made = Seed(f"{PREFIX}/plain-db:{mark}", f"{PREFIX}/plain-odoo:{mark}")
    if not (exists(made.database) and exists(made.odoo)):
        with step(f"seed the books with {MODULES}"), _idle(images) as name:
            docker("cp", str(SERVICE / "odoo.conf"), f"{name}-odoo:/etc/odoo/odoo.conf")
            docker("exec", f"{name}-db", "createdb", "-O", "odoo", DATABASE)
            _install(name, MODULES)
            _keep(name, made)
    return made


def _install(name: str, modules: str) -> None:
    words = (*_ODOO, "-d", DATABASE, "-i", modules, "--without-demo=all", "--stop-after-init", "--workers=0")
    said = docker("exec", f"{name}-odoo", "sh", "-c", 'exec "$@" 2>&1', "sh", *words, seconds=900)
    if faults := [line for line in said.splitlines() if " ERROR " in line or " CRITICAL " in line]:
        raise StackFailed(f"installing {modules}:\n" + "\n".join(faults) + f"\n{said[-3000:]}")


def _keep(name: str, made: Seed) -> None:
    docker("stop", f"{name}-odoo", f"{name}-db")
    commit(f"{name}-db", made.database, 'CMD ["postgres"]')
    commit(f"{name}-odoo", made.odoo)


@contextmanager
def _idle(images: Seed) -> Iterator[str]:
    """A database, and an Odoo that does nothing yet."""
    with _network() as name:
        _start(name, "db", images.database)
        _start(name, "odoo", images.odoo, "sleep", "infinity", options=("-e", "PGPASSWORD=odoo-test"))
        _wait_for_database(name)
        try:
            yield name
        finally:
            remove(name)


@contextmanager
def _network() -> Iterator[str]:
    """A network with a new name; what is on it goes with it when making it fails."""
    name = f"{PREFIX}-{uuid.uuid4().hex[:8]}"
    docker("network", "create", "--label", LABEL, name)
    try:
        yield name
    except BaseException:
        remove(name)
        raise


def _copy_out(image: str, filestore: Path) -> None:
    """The seed's files, in a folder that whoever Odoo runs as may write to."""
    container = docker("create", "--label", LABEL, image)
    try:
        docker("cp", f"{container}:/var/lib/odoo/filestore/.", str(filestore))
    finally:
        docker("rm", container)
    for folder in (filestore, *(found for found in filestore.rglob("*") if found.is_dir())):
        folder.chmod(0o777)


def _start(name: str, role: str, image: str, *command: str, options: tuple[str, ...] = ()) -> None:
    common = ("--network", name, "--network-alias", role, "--label", LABEL)
    docker("run", "-d", "--init", "--name", f"{name}-{role}", *common, *options, image, *command)


def _wait_for_database(name: str) -> None:
    for _ in range(300):
        if "accepting" in docker("exec", f"{name}-db", "pg_isready", check=False):
            return
        time.sleep(0.1)
    raise StackFailed(f"PostgreSQL does not answer:\n{docker('logs', f'{name}-db')}")
