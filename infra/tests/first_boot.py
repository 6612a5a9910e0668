"""A first boot up to its report, in a VM or in a container, and once more from nothing known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import authority
import container
import image
import machine
import releases
from archives import chosen
from around import DOWNLOADS, around
from guest import Guest
from oracle import Oracle, report
from real import Release, secrets

from infra import cloud_init, conventions

MEMORY_MB = 5120
MINUTES = 60
"""For each wait: on a machine with other work everything takes its time."""
Ground = Callable[[Oracle, Path, Path], AbstractContextManager[Guest]]
"""Oracle around it, a folder for its disks, and the images of the real release: a machine that boots."""


@contextmanager
def in_a_vm(oracle: Oracle, folder: Path, images: Path) -> Iterator[Guest]:
    disk = image.made(chosen())
    with (
        around(oracle, disk.authority, folder, at="127.0.0.1"),
        machine.booted(disk, folder, memory_mb=MEMORY_MB, more=images) as found,
    ):
        yield found


@contextmanager
def in_a_container(oracle: Oracle, folder: Path, images: Path) -> Iterator[Guest]:
    with container.booted(oracle, folder, authority.made(folder), more=images) as found:
        yield found


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
def well(ground: Ground, oracle: Oracle, folder: Path, release: Release) -> Iterator[Guest]:
    """Up to the report that it is healthy."""
    with ground(oracle, folder, release.images) as found:
        found.wait(lambda: _is_well(found, oracle), "the report that it is healthy", MINUTES)
        yield found


def well_again(guest: Guest, oracle: Oracle) -> None:
    """cloud-init forgets that it ever ran, the machine restarts, and everything of the first boot is done again."""
    guest.run("cloud-init clean --logs")
    oracle.history.clear()
    guest.restart()
    assert ended(guest) == []
    again = lambda: any(b'"healthy"' in body for name, body in oracle.history if name == "health/vm.json")  # noqa: E731
    guest.wait(again, "the second report that it is healthy", MINUTES)


def ended(guest: Guest) -> list[str]:
    """What cloud-init says went wrong, once it has ended: the units of before have reported by then."""
    said = guest.run("cloud-init status --wait --format json", check=False, seconds=MINUTES * 60)
    errors: list[str] = json.loads(said[said.index("{") :])["errors"]
    return errors


def _is_well(guest: Guest, oracle: Oracle) -> bool:
    """Whether it said so. A module of cloud-init that failed ends the waiting."""
    assert "Running module" not in guest.console, guest.console[-3000:]
    return report(oracle).get("state") == "healthy"
