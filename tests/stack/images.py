"""Images for the stack tests, built once and named by the hash of what they are made from."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.docker import PREFIX, StackFailed, docker, exists
from tools.workspace import ROOT

HERE = Path(__file__).parent / "images"
KEPT = 4
_EPOCH = "1"
"""Raised when the stand-ins have to be made anew for another reason than a changed recipe."""


def debian(suite: str) -> str:
    """`debian:SUITE-slim`, or what stands in for it where no registry is: from Debian's own mirror by debootstrap."""
    image = f"{PREFIX}/debian-{suite}:{_hash(_EPOCH)}"
    if exists(image):
        return image
    if os.getuid() != 0 or not shutil.which("debootstrap"):
        with step(f"pull debian:{suite}-slim"):
            docker("pull", "-q", f"debian:{suite}-slim", seconds=600)
            docker("tag", f"debian:{suite}-slim", image)
        return image
    with step(f"debootstrap {suite}"), tempfile.TemporaryDirectory(prefix="countersign-rootfs-") as scratch:
        root = Path(scratch, "rootfs")
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", suite, str(root)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=1200,
        )
        if done.returncode:
            raise StackFailed(f"debootstrap {suite} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr}")
        packed = Path(scratch, "rootfs.tar")
        skip = ("./var/cache/apt/archives/*.deb", "./var/lib/apt/lists/*_*")
        subprocess.run(
            ["tar", "-C", str(root), *(f"--exclude={s}" for s in skip), "-cf", str(packed), "."],
            check=True,
            timeout=300,
        )
        docker("import", "--change", 'CMD ["bash"]', str(packed), image, seconds=300)
    return image


def odoo14() -> str:
    return _built("odoo14", debian("bullseye"))


def postgres15() -> str:
    return _built("postgres15", debian("bookworm"))


def cloud_init() -> str:
    return _built("cloud-init", debian("bookworm"))


def first_boot() -> str:
    """A machine of Debian 13 with what its first boot installs, without a kernel: systemd is to be started in it."""
    return _built("first-boot", debian("trixie"))


def service(folder: Path, base: str) -> str:
    """One of our own images, by its own Dockerfile, on a stand-in for the image it names after FROM."""
    recipe = re.sub(
        r"^FROM .*$", f"FROM {base}", (folder / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    image = f"{PREFIX}/service-{folder.name}:{hash_of(base, recipe, folder)}"
    if not exists(image):
        with (
            step(f"build {folder.relative_to(ROOT)}"),
            tempfile.TemporaryDirectory(prefix="countersign-recipe-") as scratch,
        ):
            swapped = Path(scratch, "Dockerfile")
            swapped.write_text(recipe, encoding="utf-8")
            docker("build", "-t", image, "-f", str(swapped), str(folder), seconds=600)
    return image


def commit(container: str, image: str, *changes: str) -> str:
    """Keep a stopped container's files as an image; of that name the newest few stay, for the branches next door."""
    words = [word for change in changes for word in ("--change", change)]
    docker("commit", *words, container, image, seconds=300)
    name = image.partition(":")[0]
    for old in docker("images", "--format", "{{.Repository}}:{{.Tag}}", name).splitlines()[KEPT:]:
        docker("rmi", old, check=False)
    return image


def hash_of(*parts: str | Path) -> str:
    """Of texts, and of the names and contents of all files below folders."""
    seen = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = [part] if part.is_file() else [f for f in part.rglob("*") if f.is_file() and f.suffix != ".pyc"]
            for file in sorted(files):
                seen.update(f"{file.relative_to(ROOT)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
        else:
            seen.update(f"{part}\n".encode())
    return seen.hexdigest()[:12]


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what takes long, and how long it took."""
    started = time.monotonic()
    print(f"stack: {what} …", file=sys.stderr, flush=True)
    yield
    print(f"stack: {what}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def _built(name: str, base: str) -> str:
    recipe = HERE / f"{name}.Dockerfile"
    image = f"{PREFIX}/{name}:{_hash(base, recipe.read_text(encoding='utf-8'))}"
    if not exists(image):
        with step(f"build {name}"), tempfile.TemporaryDirectory(prefix="countersign-empty-") as empty:
            words = ["build", "--build-arg", f"BASE={base}", "-t", image, "-f", str(recipe), empty]
            docker(*words, seconds=1800)
    return image


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
