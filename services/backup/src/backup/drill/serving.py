"""The restored hub, served for a moment by its own program: it judges every commit before it answers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import httpx2

from backup.drill.engine import Stand
from backup.errors import NotProven
from backup.settings import Drill

TRIAL = "drill.toml"
HOME, PORT, USER = "/data", 8470, "hub"
"""As services/vault_hub/Dockerfile has them."""
_READY = f"import urllib.request as u; assert u.urlopen('http://127.0.0.1:{PORT}/readyz', timeout=5).status == 200"


def can_serve() -> bool:
    """Whether the hub's program is installed beside this one."""
    return find_spec("vault_hub") is not None


def serve_on(stand: Stand, home: Path, image: str, drill: Drill) -> None:
    """In a container of the image that production runs, on its own network. Raises EngineFailed with its last words."""
    _trial(home, PORT)
    owner = stand.identity(image, USER)
    command = ["python", "-m", "vault_hub", "run", "--config", f"{HOME}/{TRIAL}"]
    made = stand.create("hub", image, volume_at=HOME, memory=drill.memory, command=command)
    for part in sorted(home.iterdir()):
        made.put(part, HOME, owner=owner)
    made.start()
    made.until(partial(made.well, "python", "-c", _READY), "answer of the hub", drill.seconds)


def serve_once(home: Path, seconds: float) -> None:
    """Start it on loopback, wait until it is ready, end it. Raises NotProven with its last words."""
    trial = _trial(home, 0)
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


def _trial(home: Path, port: int) -> Path:
    """Its settings, with another folder for its state and a port that is free: the hub in use goes on undisturbed."""
    given = (home / "hub.toml").read_text(encoding="utf-8")
    elsewhere = re.sub(r"(?m)^(host|port|secret_files)\s*=.*\n?", "", given)
    trial = home / TRIAL
    moved = re.sub(r"(?m)^state_dir\s*=.*$", 'state_dir = "drill-state"', elsewhere)
    trial.write_text(f"{moved}port = {port}\n", "utf-8")
    return trial


def _ready(port_file: Path) -> bool:
    try:
        port = int(port_file.read_text(encoding="ascii"))
        return httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False).status_code == 200
    except (OSError, ValueError, httpx2.HTTPError):
        return False
