"""A first boot in a VM up to its report, and once more from nothing known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import releases
from archives import chosen
from image import Image, certificate, made
from machine import Machine, booted, names, report
from oracle import HOSTS, Oracle, serving
from real import Release, secrets

from infra import cloud_init, conventions

DOWNLOADS = "downloads.office.test"
MEMORY_MB = 5120
MINUTES = 60
"""For each wait: on a machine with other work everything takes its time."""


def told(folder: Path) -> Oracle:
    """An Oracle with the real user data, the small release, and the secrets of both."""
    found = Oracle(
        folder,
        user_data=cloud_init.user_data(),
        secrets={"ocid1.vaultsecret.db": b"\x00\xff" * 16, "ocid1.vaultsecret.box": b"hunter2", **secrets()},
    )
    content = releases.archive()
    found.files["small.tar.gz"] = content
    found.orders = releases.orders(
        f"https://{DOWNLOADS}/files/small.tar.gz",
        content,
        device=conventions.DATA_DEVICE,
        reports="countersign-prod-reports",
    )
    return found


@contextmanager
def well(oracle: Oracle, folder: Path, release: Release) -> Iterator[Machine]:
    """Up to the report that it is healthy; the real release's images are on a disk of their own."""
    image = made(chosen())
    with ExitStack() as stack:
        _around(stack, image, oracle, folder)
        machine = stack.enter_context(booted(image, folder, memory_mb=MEMORY_MB, more=release.images))
        machine.wait(lambda: _is_well(machine, oracle), "the report that it is healthy", MINUTES)
        yield machine


def well_again(machine: Machine, oracle: Oracle) -> None:
    """cloud-init forgets that it ever ran, the VM restarts, and everything of the first boot is done again."""
    machine.run("cloud-init clean --logs")
    oracle.history.clear()
    machine.restart()
    assert ended(machine) == []
    again = lambda: any(b'"healthy"' in body for name, body in oracle.history if name == "health/vm.json")  # noqa: E731
    machine.wait(again, "the second report that it is healthy", MINUTES)


def ended(machine: Machine) -> list[str]:
    """What cloud-init says went wrong, once it has ended: the units of before have reported by then."""
    said = machine.run("cloud-init status --wait --format json", check=False, seconds=MINUTES * 60)
    errors: list[str] = json.loads(said[said.index("{") :])["errors"]
    return errors


def _is_well(machine: Machine, oracle: Oracle) -> bool:
    """Whether it said so. A module of cloud-init that failed ends the waiting."""
    assert "Running module" not in machine.console, machine.console[-3000:]
    return report(oracle).get("state") == "healthy"


def _around(stack: ExitStack, image: Image, oracle: Oracle, folder: Path) -> None:
    """What a VM at Oracle finds: metadata, names, and the services by TLS."""
    known = (*HOSTS, DOWNLOADS)
    stack.enter_context(names(known))
    stack.enter_context(serving(oracle, port=80))
    stack.enter_context(serving(oracle, port=443, certificate=certificate(image, known, folder)))
