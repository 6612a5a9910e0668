"""What goes wrong on the stack that is up: it heals or alerts, the right monitor is red and green again, and nothing is
lost or doubled."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from demo.processes import eventually
from tests.stack.asking import all_answered_once, approve, asked, task_of, through_the_gate
from tests.stack.disks import fill, free
from tests.stack.docker import docker
from tests.stack.office import Office
from tests.stack.up.test_compose import SERVICES

pytestmark = pytest.mark.stack

LOOKS = 120.0
"""Seconds in which Kuma, that looks every twenty, has seen a thing, on a machine with much to do."""


@contextmanager
def without(made: Office, **pairs: str) -> Iterator[None]:
    """Each of these services is off that network of its meanwhile."""
    kept: list[tuple[str, str, list[str]]] = []
    for service, network in ((name.replace("_", "-"), network) for name, network in pairs.items()):
        full, container = f"{made.project}_{network}", made.container(service)
        aliases = made.inspected(service)["NetworkSettings"]["Networks"][full]["Aliases"] or []
        docker("network", "disconnect", full, container)
        kept.append((full, container, aliases))
    try:
        yield
    finally:
        for full, container, aliases in kept:
            words = [word for alias in aliases for word in ("--alias", alias)]
            docker("network", "connect", *words, full, container)


def reds(made: Office, wanted: set[str], within: set[str]) -> None:
    """All of `wanted` turn red, and at no time anything that is not among `within` as well."""
    seen = set[str]()

    def look() -> bool:
        seen.update(made.red())
        return wanted <= made.red()

    eventually(look, f"{sorted(wanted)} are red", seconds=LOOKS)
    assert seen <= wanted | within


def green(made: Office) -> None:
    eventually(lambda: {*made.monitors().values()} == {"up"}, "all is green", seconds=LOOKS)


def test_before_anything_fails_all_is_green(made: Office) -> None:
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


def test_a_network_that_is_cut_turns_red_what_is_behind_it_and_mail_of_that_time_is_not_lost(made: Office) -> None:
    with without(made, caddy="hub", odoo="database", backup="database"):
        reds(made, {"hub-public", "cloud-hub", "books", "books-public", "backup-books"}, {"cloud-head"})
        assert {"hub", "hub-ready", "cloud", "proxy", "way-out"} <= {n for n, s in made.monitors().items() if s == "up"}
        number = asked(made)
    approve(made, number)
    green(made)


def test_every_service_off_every_network_at_once_is_well_again_when_they_are_back(made: Office) -> None:
    number = asked(made)
    cut: list[tuple[str, str, list[str]]] = []
    for service in SERVICES:
        for full, network in made.inspected(service)["NetworkSettings"]["Networks"].items():
            cut.append((full, made.container(service), network["Aliases"] or []))
    for full, container, _ in cut:
        docker("network", "disconnect", full, container)
    for full, container, aliases in cut:
        docker("network", "connect", *(word for alias in aliases for word in ("--alias", alias)), full, container)
    eventually(lambda: made.get("/healthz")[0] == 200, "the door is open again", seconds=LOOKS)
    approve(made, number)
    green(made)
    all_answered_once(made)


def test_full_disks_are_told_before_anything_else_and_all_goes_on_when_there_is_room(made: Office) -> None:
    """Hub and Cloud: mail waits. Odoo: it says no. Kuma: it goes on from memory."""
    full = ("hub", "cloud", "odoo")
    for name in full:
        fill(made.project, name)
    try:
        reds(made, {"disks", "cloud-disk", "books", "books-public"}, {"cloud-hub", "cloud", "hub-ready"})
        number = asked(made)
    finally:
        for name in full:
            free(made.project, name)
    approve(made, number)
    green(made)
    all_answered_once(made)


def test_a_backup_whose_disks_are_full_says_so_and_goes_on_when_there_is_room(made: Office) -> None:
    before = made.inspected("backup")["RestartCount"]
    for name in ("backup", "repository", "db", "caddy"):
        fill(made.project, name)
    try:
        reds(made, {"backup-vault", "backup-books", "disks"}, {"books", "books-public"})
    finally:
        for name in ("backup", "repository", "db", "caddy"):
            free(made.project, name)
    green(made)
    assert made.inspected("backup")["RestartCount"] == before, "it did not end over it"
    said = made.inside("backup", "python", "-m", "backup", "--config", "/etc/countersign/backup.toml", "check", "--all")
    assert said.strip().splitlines()[-1].startswith("sound")
    through_the_gate(made)


def test_a_kuma_whose_disk_was_full_and_who_was_killed_then_watches_on(made: Office) -> None:
    fill(made.project, "kuma")
    try:
        eventually(lambda: "disks" in made.red() or not made.monitors(), "it is told, or cannot be", seconds=LOOKS)
    finally:
        free(made.project, "kuma")
    os.kill(made.inspected("uptime-kuma")["State"]["Pid"], signal.SIGKILL)
    eventually(lambda: made.is_well("uptime-kuma"), "Kuma is well", seconds=LOOKS)
    green(made)
