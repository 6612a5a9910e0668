"""The release that is committed here and its images, as a VM is given them: built on this machine, not there."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import releases

from infra.components.secrets import MADE
from tests.stack.docker import docker, ensure_engine
from tools.workspace import ROOT

VERSION = "0.2.0"
_BASES = """\
from tests.stack.stand_ins import stand_in
from tools.stack import images
stand_in(images.bases(images.wanted(())))
"""
_MADE = """\
import json
from tools.stack import images
wanted = images.wanted(())
names = images.made(wanted)
print(json.dumps([*names.values(), *images.bases(wanted)]))
"""


@dataclass(frozen=True)
class Release:
    archive: bytes
    images: Path
    """What `docker load` takes: the stack's images without the books', and those that they stand on."""


def made(folder: Path) -> Release:
    """As `./just release` makes it of the last commit; its images are built from that archive if need be."""
    ensure_engine()
    _run(str(ROOT / ".tools/dev/bin/python"), "-c", _BASES, cwd=ROOT)
    packed = folder / "release.tar.gz"
    prefix = f"--prefix=countersign-{VERSION}/"
    _run("git", "archive", "--format=tar.gz", prefix, "-o", str(packed), "HEAD", cwd=ROOT)
    with tarfile.open(packed) as tar:
        tar.extractall(folder, filter="data")
    said = _run(sys.executable, "-c", _MADE, cwd=folder / f"countersign-{VERSION}")
    names: list[str] = json.loads(said.splitlines()[-1])
    images = folder / "images.tar"
    docker("save", "-o", str(images), *names, seconds=600)
    return Release(packed.read_bytes(), images)


def secrets() -> dict[str, bytes]:
    """All that the stack would make by itself, as the vault holds it; Kuma takes no password without letters."""
    return {f"ocid1.vaultsecret.{file}": bytes([0xC0 + number]) * 32 for number, file in enumerate(MADE)}


def orders(release: Release, url: str, *, health_interval: str, **changed: Any) -> str:
    """A stack without books and mailboxes, with its own authority's certificates; its backups stay at home."""
    environment = {
        "COMPOSE_PROJECT_NAME": "countersign",
        "HUB_NAME": "localhost",
        "ODOO_NAME": "odoo.localhost",
        "HTTP_LISTEN": "0.0.0.0:80",
        "HTTPS_LISTEN": "0.0.0.0:443",
        "PUBLIC_PORT": "443",
        "TLS_ISSUER": "internal",
        "HSTS": "max-age=0",
        "HEALTH_INTERVAL": health_interval,
    }
    kept = [{"file": file, "id": f"ocid1.vaultsecret.{file}", "form": "hex", "version": "1"} for file in MADE]
    told = {"environment": environment, "cloud": "", "secrets": kept, "backups": "", **changed}
    return releases.orders(url, release.archive, version=VERSION, **told)


def _run(*argv: str, cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=1800)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert not done.returncode, f"{argv[0]} ended with {done.returncode}: {said[-3000:]}"
    return done.stdout.decode("utf-8")
