"""Backups of an installation at work, drilled on fresh containers, and restores that send nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from backup import ledger_facts
from backup.database import Access, Database
from books.drafts import Key, NewLine, NewMove
from books.odoo import OdooBooks
from books.rpc import connect
from books.values import Kind
from demo.processes import eventually
from tests.stack.docker import docker, ensure_engine
from tests.stack.installation import Backups, Installation, at_work, backups, installed, of_vault
from vault_protocol import updates
from vault_protocol.task import AgentId, Stage

pytestmark = pytest.mark.stack

LAST = re.compile(r"RTO (\d+) s, RPO (\d+) s")
NUMBERS = count(1)
DRILLS = "countersign.drill"
STAND = re.compile(r"countersign-drill-[0-9a-f]{8}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    ensure_engine()
    with installed(tmp_path_factory.mktemp("installation")) as found:
        yield found


@contextmanager
def written_to(made: Installation) -> Iterator[list[int]]:
    """Mails come in, and documents with files are drafted in the books, until the block ends. How many of each."""
    stop, written, faults = threading.Event(), [0, 0], list[BaseException]()

    def mail() -> None:
        while not stop.wait(0.3):
            made.office.ask()
            written[0] += 1

    def draft() -> None:
        with closing(connect(made.books.access("agent"))) as rpc:
            books = OdooBooks(rpc)
            while not stop.is_set():
                key = f"load-{next(NUMBERS)}"
                line = NewLine("Work", Decimal(100), taxes=())
                new = NewMove(Kind.INVOICE, made.books.ids["partner"], (line,), issued=date(2026, 11, 20))
                move = books.draft(Key(key), new)
                books.attach(
                    Key(f"{key}-file"), move.id, "order.pdf", f"%PDF {key}".encode(), media_type="application/pdf"
                )
                written[1] += 1

    def guarded(write: Callable[[], None]) -> None:
        try:
            write()
        except BaseException as error:  # noqa: BLE001 - shown below
            faults.append(error)

    threads = [threading.Thread(target=guarded, args=(write,)) for write in (mail, draft)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: faults or min(written) >= 3, "something is written", seconds=60)
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []


@pytest.fixture(scope="module")
def drilled(made: Installation) -> str:
    """What a drill said of backups that were made while others wrote."""
    with written_to(made) as written:
        before = list(written)
        made.backups("run", "--once", "vault", "books")
        assert [now > then for now, then in zip(written, before, strict=True)] == [True, True], "nobody wrote meanwhile"
    return made.backups("drill")


def left_of(said: str) -> list[str]:
    """What a drill left behind; `said` names its stand."""
    found = STAND.search(said)
    assert found, said
    every = ("ps -a -q", "volume ls -q", "network ls -q")
    return [left for what in every if (left := docker(*what.split(), "--filter", f"label={DRILLS}={found[0]}"))]


def test_what_is_taken_while_others_write_comes_back_on_fresh_containers_and_is_what_it_was(
    made: Installation, drilled: str
) -> None:
    found = LAST.fullmatch(drilled.strip().splitlines()[-1])
    assert found, drilled
    assert int(found[1]) <= 600
    assert "0 findings" in drilled
    assert "trial balance: 3 accounts, 760.00 on both sides, the same" in drilled
    assert left_of(drilled) == []
    assert made.books.sql("SELECT count(*) > 0 FROM ir_cron WHERE active") == [["t"]], "the books in use go on"


def test_a_dump_is_of_the_very_moment_that_was_counted(made: Installation, tmp_path: Path) -> None:
    container = f"{made.books.name}-db"
    books = Database(Access("books", "odoo", container=container))
    add = "UPDATE account_move SET amount_total = amount_total {} WHERE id = (SELECT min(id) FROM account_move)"
    with books.moment() as moment:
        counted = ledger_facts.read(moment.ask)
        made.books.sql(add.format("+ 1"))
        books.dump(tmp_path / "dump", moment.snapshot)
    assert ledger_facts.differences(counted, ledger_facts.read(books.ask)) == ("moves",)
    made.books.sql(add.format("- 1"))
    copy = Database(Access("moment", "odoo", container=container))
    copy.create()
    copy.restore(tmp_path / "dump")
    assert ledger_facts.differences(counted, ledger_facts.read(copy.ask)) == ()


def test_the_drill_reports_in_the_vault_and_local_takes_it(made: Installation, drilled: str) -> None:
    assert "reported in Updates/backup/restore-drill.md" in drilled

    def told() -> bool:
        made.office.tail.new()
        found = made.office.tail.read(updates.path(AgentId("backup"))) or b""
        return any(line.event == "restore-drill" and ("result", "ok") in line.facts for line in updates.parse(found))

    eventually(told, "the report is on the hub", seconds=40)
    dashboard = made.world.vault_folder / "Dashboard.md"
    eventually(lambda: "restore-drill" in dashboard.read_text("utf-8"), "the dashboard has it", seconds=40)
    made.world.countersign("doctor")


def test_a_file_of_the_books_that_changed_on_the_disk_is_found_by_the_drill(made: Installation) -> None:
    [name] = made.books.sql("SELECT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY id LIMIT 1")[
        0
    ]
    file = made.filestore / "books" / name
    whole = file.read_bytes()
    file.write_bytes(b"x" + whole[1:])
    try:
        made.backups("run", "--once", "books")
        said = made.backups("drill", code=1)
    finally:
        file.write_bytes(whole)
    assert name in said
    assert left_of(said) == []


def test_a_database_that_is_away_makes_no_snapshot(made: Installation) -> None:
    docker("pause", f"{made.books.name}-db")
    try:
        text = made.backups.config.read_text("utf-8")
        away = Backups(made.backups.config.with_name("away.toml"))
        away.config.write_text(text.replace(f"{made.books.name}-db", "no-such-container"), "utf-8")
        assert "no-such-container" in away("run", "--once", "books", code=1)
    finally:
        docker("unpause", f"{made.books.name}-db")


def test_a_dump_that_breaks_off_makes_no_snapshot(made: Installation) -> None:
    """restic would take half a dump as it is."""
    made.backups("run", "--once", "books")
    made.books.sql("CREATE TABLE unreadable (n int)")
    made.books.sql("ALTER TABLE unreadable OWNER TO postgres")
    status = made.backups.config.parent / "state" / "status.json"
    before = json.loads(status.read_bytes())["jobs"]["books"]
    try:
        assert "permission denied" in made.backups("run", "--once", "books", code=1)
    finally:
        made.books.sql("DROP TABLE unreadable")
    after = json.loads(status.read_bytes())["jobs"]["books"]
    assert (after["sizes"], after["failures"]) == (before["sizes"], before["failures"] + 1)


def test_the_books_come_back_for_real_into_an_empty_database_and_no_mail_that_waited_goes_out(
    made: Installation, tmp_path: Path
) -> None:
    made.books.sql("INSERT INTO mail_message (message_type) VALUES ('email')")
    made.books.sql("INSERT INTO mail_mail (mail_message_id, state) SELECT max(id), 'outgoing' FROM mail_message")
    made.backups("run", "--once", "books")
    assert "not empty" in made.backups("restore", "books", "--yes", code=1)
    text = made.backups.config.read_text("utf-8").replace('database = "books"', 'database = "again"')
    elsewhere = Backups(made.backups.config.with_name("again.toml"))
    filestore = tmp_path / "filestore"
    elsewhere.config.write_text(text.replace(str(made.filestore / "books"), str(filestore)), "utf-8")
    assert "database again" in elsewhere("restore", "books", "--yes")

    def of(database: str, query: str) -> str:
        words = ("psql", "-U", "postgres", "-d", database, "-Atqc", query)
        return docker("exec", f"{made.books.name}-db", *words)

    assert of("again", "SELECT count(*) FROM mail_mail WHERE state = 'outgoing'") == "0"
    moves = "SELECT count(*), sum(amount_total) FROM account_move"
    assert of("again", moves) == of("books", moves)
    assert of("books", "SELECT count(*) FROM mail_mail WHERE state = 'outgoing'") == "1"
    made.books.sql("DELETE FROM mail_mail WHERE state = 'outgoing'")
    assert sum(1 for file in filestore.rglob("*") if file.is_file()) >= 100


def test_a_hub_restored_from_before_an_effect_leads_to_nothing_being_sent_again(tmp_path: Path) -> None:
    with at_work(tmp_path / "office") as office:
        world = office.world
        assert world.machine is not None
        made = backups(tmp_path / "backup", of_vault(world.machine.folder))
        topic = office.ask()
        office.at(topic, Stage.PENDING_APPROVAL)
        made("run", "--init", "--once", "vault")
        world.with_passphrase("approve", office.at(topic, Stage.PENDING_APPROVAL).id, "--yes")
        office.at(topic, Stage.DONE)
        assert len(office.sent_to(topic)) == 1

        world.machine.kill()
        assert "move it away" in made("restore", "vault", "--yes", code=1)
        lost = world.machine.folder.rename(tmp_path / "lost")
        made("restore", "vault", "--yes")
        shutil.rmtree(lost)
        world.machine.start()

        eventually(lambda: json.loads(world.countersign("status", "--json"))["paused"], "effects are held", seconds=60)
        assert world.local is not None
        world.kill(world.local)
        world.start_local()
        assert len(office.sent_to(topic)) == 1
        world.with_passphrase("re-root", "--why", "the hub was restored from a backup", "--yes")
        world.countersign("resume")
        office.tail = world.tail("tail-again.git")
        again = office.ask()
        world.with_passphrase("approve", office.at(again, Stage.PENDING_APPROVAL).id, "--yes")
        office.at(again, Stage.DONE)
        assert (len(office.sent_to(topic)), len(office.sent_to(again))) == (1, 1)
        world.countersign("doctor")


def test_the_command_line_says_what_there_is() -> None:
    argv = [sys.executable, "-m", "backup", "--help"]
    said = subprocess.run(argv, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout
    for verb in ("init", "run", "status", "check", "prune", "pull", "drill", "restore"):
        assert f"    {verb} " in said
