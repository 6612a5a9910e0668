"""A real Uptime Kuma for the stack tests: packages by npm, an image of them kept by the engine, started on loopback."""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import eventually
from tests.stack.books import free_port
from tests.stack.docker import LABEL, PREFIX, StackFailed, docker, exists
from tests.stack.images import HERE, debian, hash_of, step

VERSION = "2.0.0-dev.0"
"""The only one that npm has."""


def image(base: str) -> str:
    """Half a minute the first time: nothing is compiled."""
    recipe = (HERE / "kuma2.Dockerfile").read_text(encoding="utf-8")
    name = f"{PREFIX}/kuma2:{hash_of(base, recipe, VERSION)}"
    if not exists(name):
        with tempfile.TemporaryDirectory(prefix="countersign-kuma-") as scratch:
            with step(f"npm install uptime-kuma@{VERSION}"):
                _packages(Path(scratch))
            with step("build kuma2"):
                Path(scratch, "Dockerfile").write_text(recipe, encoding="utf-8")
                docker("build", "--build-arg", f"BASE={base}", "-t", name, scratch, seconds=1200)
    return name


@contextmanager
def running() -> Iterator[str]:
    """Its address. It sees this machine's loopback, as the sites of a test do."""
    port, name = free_port(), f"{PREFIX}-kuma-{uuid.uuid4().hex[:8]}"
    environment = {
        "NODE_ENV": "production", "UPTIME_KUMA_DB_TYPE": "sqlite", "UPTIME_KUMA_HOST": "127.0.0.1",
        "UPTIME_KUMA_PORT": str(port), "UPTIME_KUMA_HIDE_LOG": "debug_monitor,info_monitor",
    }  # fmt: skip
    words = [word for key, value in environment.items() for word in ("-e", f"{key}={value}")]
    docker("run", "-d", "--name", name, "--label", LABEL, "--network", "host", *words, image(debian("bookworm")))
    address = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(address), "Kuma answers", seconds=180)
        yield address
    finally:
        docker("rm", "-f", "-v", name)


def _packages(folder: Path) -> None:
    wanted = {"name": "kuma", "version": "1.0.0", "private": True, "dependencies": {"uptime-kuma": VERSION}}
    (folder / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    done = subprocess.run(
        ["npm", "install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=900,
    )  # fmt: skip
    if done.returncode:
        raise StackFailed(f"npm install ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/entry-page", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
