"""Small disks for a stack: its volumes made before it comes up, in memory, held by a container that only holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack.docker import LABEL, docker
from tests.stack.images import debian

SIZES = {
    "hub": "48m", "cloud": "48m", "caddy": "16m", "kuma": "48m", "db": "512m", "odoo": "128m", "backup": "160m",
    "repository": "256m",
}  # fmt: skip
FILLER = "filler"


@contextmanager
def small(project: str) -> Iterator[None]:
    """They are compose's own by name and label. Memory would be empty again when the last container lets go of it."""
    for name, size in SIZES.items():
        labels = (f"com.docker.compose.project={project}", f"com.docker.compose.volume={name}")
        docker(
            "volume", "create", *(word for label in labels for word in ("--label", label)), "--opt", "type=tmpfs",
            "--opt", "device=tmpfs", "--opt", f"o=size={size}", f"{project}_{name}",
        )  # fmt: skip
    mounts = [word for name in SIZES for word in ("-v", f"{project}_{name}:/disks/{name}:nocopy")]
    docker(
        "run", "-d", "--name", keeper(project), "--label", LABEL, "--network", "none", "--init", *mounts,
        debian("bookworm"), "sleep", "infinity",
    )  # fmt: skip
    try:
        yield
    finally:
        docker("rm", "-f", keeper(project))
        docker("volume", "rm", "-f", *(f"{project}_{name}" for name in SIZES), check=False)


def keeper(project: str) -> str:
    return f"{project}-disks"


def fill(project: str, name: str) -> None:
    """To the last byte."""
    file = f"/disks/{name}/{FILLER}"
    script = f"dd if=/dev/zero of={file} bs=64k; dd if=/dev/zero bs=1 count=65536 >>{file}; true"
    docker("exec", keeper(project), "sh", "-c", script)


def free(project: str, name: str) -> None:
    docker("exec", keeper(project), "rm", "-f", f"/disks/{name}/{FILLER}")
