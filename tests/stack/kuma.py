"""A real Uptime Kuma for the stack tests: installed by npm once, kept outside the clone, started on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.processes import eventually
from tests.stack.docker import StackFailed, cache
from tests.stack.images import hash_of, step

VERSION = "2.0.0-dev.0"
"""The only one that npm has."""


def installed() -> Path:
    """The folder of the package. Minutes the first time: it compiles SQLite."""
    node = _run("node", "--version").strip()
    home = cache() / f"kuma-{hash_of(VERSION, node)}"
    package = home / "node_modules" / "uptime-kuma"
    if package.exists():
        return package
    with step(f"npm install uptime-kuma@{VERSION}"):
        scratch = Path(tempfile.mkdtemp(prefix="kuma-", dir=cache()))
        try:
            wanted = {"name": "kuma", "version": "1.0.0", "private": True, "dependencies": {"uptime-kuma": VERSION}}
            (scratch / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
            _run("npm", "install", "--omit=dev", "--no-audit", "--no-fund", "--no-package-lock", cwd=scratch)
            database = scratch / "node_modules" / "uptime-kuma" / "db"
            for patch in database.glob("patch-*.sql"):  # it looks for them there, and ships them elsewhere
                shutil.copy(patch, database / "old_migrations")
            scratch.rename(home)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return package


@contextmanager
def running(state: Path, authority: Path | None = None) -> Iterator[str]:
    """Its address. `authority`: a certificate it trusts beside those it brings along."""
    package, port = installed(), _free_port()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(state), "NODE_ENV": "production", "UPTIME_KUMA_DB_TYPE": "sqlite",
        "UPTIME_KUMA_HIDE_LOG": "debug_monitor,info_monitor",
        **({"NODE_EXTRA_CA_CERTS": str(authority)} if authority else {}),
    }  # fmt: skip
    state.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    words = ["node", "server/server.js", "--host=127.0.0.1", f"--port={port}", f"--data-dir={state}/"]
    with (state / "kuma.log").open("ab") as log:
        server = subprocess.Popen(
            words,
            cwd=package,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        eventually(lambda: server.poll() is not None or _answers(address), "Kuma answers", seconds=180)
        if server.poll() is not None:
            raise StackFailed(f"Kuma ended: {(state / 'kuma.log').read_text(encoding='utf-8')[-3000:]}")
        yield address
    finally:
        with_group = os.getpgid(server.pid) if server.poll() is None else None
        if with_group is not None:
            os.killpg(with_group, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/entry-page", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, timeout=1500
    )
    if done.returncode:
        raise StackFailed(
            f"{' '.join(words)[:100]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout
