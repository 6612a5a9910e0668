"""What goes wrong on the stack that is up: it heals or alerts, the right monitor is red and green again, and nothing is
lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from demo.processes import NotReady, eventually
from tests.stack.asking import all_answered_once, approve, asked, task_of, through_the_gate
from tests.stack.booking import drafted
from tests.stack.cuts import cut
from tests.stack.disks import SIZES, fill, free
from tests.stack.docker import docker
from tests.stack.expiring import expire
from tests.stack.office import Office
from tests.stack.up.test_compose import SERVICES

pytestmark = pytest.mark.stack

LOOKS = 180.0
"""Seconds in which Kuma has seen a thing, on a machine with much to do. It looks every twenty, and gives a server that
does not answer 48: a look that was under way when a network came back may still fail that much later."""


BACKUPS = frozenset(f"backup-{job}" for job in ("vault", "books", "check", "prune", "kuma", "caddy", "settings"))

CERTIFICATES = frozenset({"hub-certificate", "books-certificate"})

CLOUDS = frozenset(f"cloud{part}" for part in ("", "-budget", "-head", "-disk", "-drafter", "-mailboxes", "-hub"))


def reds(made: Office, wanted: set[str], within: set[str]) -> None:
    """All of `wanted` turn red, and at no time anything that is not among `within` as well."""
    seen = set[str]()

    def look() -> bool:
        seen.update(made.red())
        return wanted <= made.red()

    try:
        eventually(look, f"{sorted(wanted)} are red", seconds=LOOKS)
    except NotReady as error:
        raise NotReady(f"{error}; red are {sorted(made.red())} of {len(made.monitors())}") from None
    assert seen <= wanted | within, made.why(seen - wanted - within)


def green(made: Office) -> None:
    eventually(lambda: {*made.monitors().values()} == {"up"}, "all is green", seconds=LOOKS)


@pytest.fixture(autouse=True)
def all_is_green(made: Office) -> None:
    """Before anything fails. A hub that nobody joined was not ready, and Kuma may not have looked since."""
    green(made)


def test_before_anything_fails_mail_passes_and_all_is_green(made: Office) -> None:
    through_the_gate(made)
    green(made)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_was_killed_is_back_by_itself(made: Office, service: str) -> None:
    before = made.inspected(service)["State"]
    os.kill(before["Pid"], signal.SIGKILL)
    eventually(
        lambda: made.inspected(service)["State"]["Pid"] not in (0, before["Pid"]) and made.is_well(service),
        f"{service} is well again",
        seconds=120,
    )


def test_services_that_are_stopped_turn_their_monitors_red_and_no_others_and_mail_of_that_time_is_not_lost(
    made: Office,
) -> None:
    stopped = {name: made.container(name) for name in ("vault-hub", "db", "way-out")}
    docker("stop", "--time", "30", *stopped.values())
    try:
        number = asked(made)
        reds(
            made,
            {
                "hub",
                "hub-ready",
                "hub-public",
                "cloud-hub",
                "books",
                "books-public",
                "way-out",
                "cloud-mailboxes",
                "backup-books",
            },
            {"backup-vault"},
        )
    finally:
        docker("start", *stopped.values())
    task_of(made, number)
    approve(made, number)
    green(made)
    all_answered_once(made)


@pytest.mark.parametrize(
    ("networks", "wanted", "within"),
    [
        (
            ("hub", "way-out"),
            {"hub", "hub-ready", "hub-public", "cloud-hub", "way-out"},
            {"proxy", *CLOUDS},
        ),
        (
            ("agents", "watch", "edge", "outside", "backup-out"),
            {"hub-public", "cloud-hub"},
            {"proxy", "books-public", *CERTIFICATES, *CLOUDS, *BACKUPS},
        ),
        (
            ("books", "database", "drafts"),
            {"books", "books-public", "backup-books"},
            {"proxy", *CLOUDS},
        ),
    ],
    ids=lambda given: "+".join(given) if isinstance(given, tuple) else "",
)
def test_networks_that_are_cut_turn_their_monitors_red_and_mail_of_that_time_is_not_lost(
    made: Office, networks: tuple[str, ...], wanted: set[str], within: set[str]
) -> None:
    """Kuma reaches Cloud, Caddy and Prometheus by several networks, and takes any of them."""
    with cut(made.project, *networks):
        number = asked(made)
        reds(made, wanted, {"rules", *within})
    task_of(made, number)
    approve(made, number)
    green(made)
    all_answered_once(made)


SILENT = """
from pathlib import Path
from backup.database import Access, Database
from backup.settings import read
settings = read(Path("/etc/countersign/backup.toml"))
with Database(Access.of(settings.books, Path("/tmp/silent"), settings.timeout_seconds)).moment() as moment:
    print(moment.ask("SELECT 'begun';"), flush=True)
    moment.ask("SELECT pg_sleep(240);")
"""


def test_a_backup_ends_when_its_database_falls_silent_in_the_middle(made: Office) -> None:
    """What waits for an answer sends nothing, so no lost packet would tell it."""
    argv = ["docker", "exec", made.container("backup"), "python", "-c", SILENT]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as asking:
        assert asking.stdout is not None
        begun = asking.stdout.readline()
        with cut(made.project, "database"):
            said = asking.communicate(timeout=LOOKS)[1]
    assert begun.strip() == "begun", said
    assert "SourceFailed: psql:" in said
    assert "connection to server was lost" in said


def test_disks_that_are_full_turn_their_monitors_red_and_mail_of_that_time_is_not_lost(made: Office) -> None:
    """But for those of the books and of Kuma itself, which have tests of their own."""
    full = set(SIZES) - {"db", "odoo", "kuma"}
    for name in full:
        fill(made.project, name)
    try:
        number = asked(made)
        reds(made, {"disks", "cloud-disk"}, {"hub-ready", "cloud-hub", *BACKUPS})
    finally:
        for name in full:
            free(made.project, name)
    task_of(made, number)
    approve(made, number)
    green(made)
    all_answered_once(made)


def test_books_whose_disks_are_full_are_told_and_take_drafts_again_when_there_is_room(made: Office) -> None:
    """PostgreSQL may end itself over it, and comes back by itself."""
    for name in ("db", "odoo"):
        fill(made.project, name)
    try:
        reds(made, {"disks"}, {"books", "books-public", "backup-books", "rules"})
    finally:
        for name in ("db", "odoo"):
            free(made.project, name)
    green(made)
    drafted(made, "Hours after the disks were full", "PO-9")
    through_the_gate(made)


def test_kuma_tells_that_its_own_disk_is_full(made: Office) -> None:
    fill(made.project, "kuma")
    try:
        reds(made, {"disks"}, set())
    finally:
        free(made.project, "kuma")
    green(made)


def test_a_certificate_that_ended_because_its_disk_was_full_is_told_and_renewed_when_there_is_room(
    made: Office,
) -> None:
    fill(made.project, "caddy")
    try:
        expire(made.project, "hub.home.arpa")
        docker("restart", "--time", "5", made.container("caddy"))
        reds(made, {"hub-public", "cloud-hub", "disks"}, {"proxy", "books-public", *CERTIFICATES})  # Caddy was away
    finally:
        free(made.project, "caddy")
    green(made)
    through_the_gate(made)
