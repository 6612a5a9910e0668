"""The release: fetched from the address in the orders, taken only by its hash, unpacked beside the one before."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

from infra.vm.orders import Orders
from infra.vm.programs import Failed
from infra.vm.web import ask

KEPT = 3


def fetch(orders: Orders, folder: Path) -> Path:
    """The release's folder, unpacked once. Raises Failed."""
    place = folder / f"{orders.version}-{orders.sha256[:12]}"
    if not place.exists():
        archive = ask("GET", orders.url, seconds=300)
        found = hashlib.sha256(archive).hexdigest()
        if found != orders.sha256:
            raise Failed(
                f"{orders.url} is not release {orders.version}: its SHA-256 is {found}, and {orders.sha256} was ordered"
            )
        fresh = folder / f".{place.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        unpack(archive, fresh)
        fresh.rename(place)
    return place


def unpack(archive: bytes, into: Path) -> None:
    """Without the archive's own top folder; nothing may lie outside, be a device, or belong to somebody."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                _, _, name = member.name.removeprefix("./").partition("/")
                if name:
                    tar.extract(member.replace(name=name, deep=False), into, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Failed(f"the release does not unpack: {error}") from None


def switch(place: Path, current: Path) -> None:
    """Let `current` lead to this release, and forget the oldest."""
    fresh = current.with_name(".current.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(place)
    fresh.replace(current)
    known = sorted(
        (one for one in place.parent.iterdir() if one.is_dir() and one != place), key=lambda one: one.stat().st_mtime
    )
    for old in known[: -KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)
