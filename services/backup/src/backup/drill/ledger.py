"""The books on a stand: a fresh PostgreSQL and a fresh Odoo, asleep but for what a person does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from backup import ledger_facts
from backup.books_restored import prove_files
from backup.drill.engine import Container, Stand
from backup.errors import NotProven
from backup.fetched import Fetched
from backup.settings import Books, Drill

DUMP = "/tmp"  # noqa: S108 - in the drill's own container
ODOO_HOME = "/var/lib/odoo"
PASSWORD = "drill-password"  # noqa: S105 - the name of a file
_PAGE = (
    "import urllib.request as u; r = u.urlopen('http://127.0.0.1:8069/web/login', timeout=20); "
    "assert r.status == 200 and b'login' in r.read()"
)


@dataclass(frozen=True)
class Proof:
    """What was counted in the restored books."""

    moves: int
    accounts: int
    debit: str
    credit: str
    files: int


def bring_up(stand: Stand, fetched: Fetched, books: Books, drill: Drill) -> Proof:
    """Until Odoo answers from the restored books. Raises EngineFailed, NotProven."""
    password = secrets.token_urlsafe(24)
    database = _database(stand, drill)
    _load(database, fetched.part("dump"), books, password)
    proof = _prove(database, fetched, books)
    ask(database, books, ledger_facts.SILENCED)
    if ask(database, books, ledger_facts.AWAKE) != "0":
        raise NotProven("the copy of the books would still act by itself; Odoo is not started on it")
    _odoo(stand, fetched.part("filestore"), books, drill, password)
    return proof


def ask(database: Container, books: Books, query: str) -> str:
    words = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", books.user, "-d", books.database, "-c", query)
    return database.run(*words).strip()


def _database(stand: Stand, drill: Drill) -> Container:
    at = stand.environment_of(drill.postgres_image).get("PGDATA", "/var/lib/postgresql/data")
    environment = {"POSTGRES_USER": "odoo", "POSTGRES_DB": "postgres", "POSTGRES_PASSWORD_FILE": f"/{PASSWORD}"}
    made = stand.create("db", drill.postgres_image, volume_at=at, memory=drill.memory, environment=environment)
    made.put_text(secrets.token_urlsafe(24), "/", PASSWORD, owner=0)
    made.start()
    # Over TCP: the official image serves its own set-up on the socket first, and then starts again.
    made.until(partial(made.well, "pg_isready", "-q", "-h", "127.0.0.1"), "answer of PostgreSQL", drill.seconds)
    return made


def _load(database: Container, dump: Path, books: Books, password: str) -> None:
    user = ("-U", books.user)
    alter = f"ALTER ROLE \"{books.user}\" PASSWORD '{password}';\n"  # url-safe letters, so nothing to escape
    database.put_text(alter, DUMP, "password.sql", owner=0, mode=0o444)  # whoever the image runs its programs as
    database.run("psql", "-Xq", *user, "-d", "postgres", "-f", f"{DUMP}/password.sql")
    database.run("createdb", *user, "--maintenance-db=postgres", "-T", "template0", books.database)
    database.put(dump, DUMP, owner=0, mode=0o644, name="books.dump")
    restore = ("pg_restore", *user, "--no-owner", "--exit-on-error", "-d", books.database, f"{DUMP}/books.dump")
    database.run(*restore)


def _prove(database: Container, fetched: Fetched, books: Books) -> Proof:
    wanted = fetched.manifest.facts
    found = ledger_facts.read(partial(ask, database, books))
    wrong = ledger_facts.differences(wanted, found)
    if wrong:
        raise NotProven(f"the restored books differ from the dumped ones in: {', '.join(wrong)}")
    balance = found.get("balance", {"accounts": 0, "debit": "0", "credit": "0"})
    if balance["debit"] != balance["credit"]:
        raise NotProven(f"the trial balance does not balance: {balance['debit']} against {balance['credit']}")
    files = prove_files(ask(database, books, ledger_facts.STORED).splitlines(), fetched.part("filestore"))
    moves = sum(int(count) for count, _ in found.get("moves", {}).values())
    return Proof(moves, int(balance["accounts"]), str(balance["debit"]), str(balance["credit"]), files)


def _odoo(stand: Stand, filestore: Path, books: Books, drill: Drill, password: str) -> None:
    owner = stand.identity(drill.odoo_image, "odoo")
    made = stand.create(
        "odoo", drill.odoo_image, volume_at=ODOO_HOME, memory=drill.memory,
        command=["odoo", "-c", "/etc/odoo/odoo.conf", "--max-cron-threads=0"],
        environment={"DB_PASSWORD_FILE": f"{ODOO_HOME}/{PASSWORD}"},
    )  # fmt: skip
    made.put_text(password, ODOO_HOME, PASSWORD, owner=owner)
    made.put(filestore, ODOO_HOME, owner=owner, name=f"filestore/{books.database}")
    made.start()
    made.until(partial(made.well, "python3", "-c", _PAGE), "login page", drill.seconds)
