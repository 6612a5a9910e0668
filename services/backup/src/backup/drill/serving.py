"""The restored hub, served for a moment by its own program: it judges every commit before it answers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import httpx2

from backup.errors import NotProven


def can_serve() -> bool:
    """Whether the hub's program is installed beside this one."""
    return find_spec("vault_hub") is not None


def serve_once(home: Path, seconds: float) -> None:
    """Start it on loopback, wait until it is ready, end it. Raises NotProven with its last words."""
    config = home / "hub.toml"
    given = config.read_text(encoding="utf-8")
    elsewhere = re.sub(r"(?m)^(host|port|secret_files)\s*=.*\n?", "", given)
    # Another folder for its state, and a free port: the hub that is in use goes on undisturbed.
    trial = home / "drill.toml"
    trial.write_text(re.sub(r"(?m)^state_dir\s*=.*$", 'state_dir = "drill-state"', elsewhere) + "port = 0\n", "utf-8")
    with (home / "drill.log").open("wb") as log:
        argv = [sys.executable, "-m", "vault_hub", "run", "--config", str(trial)]
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            if _ready(home / "drill-state" / "port"):
                return
            time.sleep(0.1)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()
    said = (home / "drill.log").read_text(encoding="utf-8", errors="replace")
    raise NotProven(f"the restored hub does not serve: {said.strip()[-500:]}")


def _ready(port_file: Path) -> bool:
    try:
        port = int(port_file.read_text(encoding="ascii"))
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).status_code == 200
    except (OSError, ValueError, httpx2.HTTPError):
        return False
