"""What goes wrong on the stack that is up: it heals or alerts, the right monitor is red and green again, and nothing is
lost or doubled."""

from __future__ import annotations

import os
import signal

import pytest

from demo.processes import eventually
from tests.stack.asking import all_answered_once, approve, asked, task_of, through_the_gate
from tests.stack.docker import docker
from tests.stack.office import Office
from tests.stack.up.test_compose import SERVICES

pytestmark = pytest.mark.stack

LOOKS = 120.0
"""Seconds in which Kuma, that looks every twenty, has seen a thing, on a machine with much to do."""


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
