"""Syncthing as it is: two devices on loopback that share one folder, with nobody else to talk to."""

from __future__ import annotations

import copy
import shutil
import socket
import subprocess
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = "vault"
KEY = "test-key"  # of an interface that listens on loopback for one test
SECONDS = 60.0


@dataclass
class Device:
    """One instance with its home; `folder` is what it shares."""

    home: Path
    folder: Path
    id: str
    port: int
    gui: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            argv = ["syncthing", "serve", f"--home={self.home}", "--no-browser", "--no-restart", "--no-upgrade"]
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=_environment(self.home))
        until(self.answers, f"Syncthing in {self.home} answers")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError((self.home / "log").read_text(encoding="utf-8", errors="replace")[-2000:])
        try:
            self._ask("GET", "/rest/system/ping")
        except OSError:
            return False
        return True

    def scan(self) -> None:
        """Look at the whole folder now, and send what changed."""
        self._ask("POST", f"/rest/db/scan?folder={FOLDER}")

    def _ask(self, method: str, path: str) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.gui}{path}", method=method, headers={"X-API-Key": KEY}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the same
            answer.read()


@contextmanager
def pair(home: Path, one: Path, other: Path, *, delay: float | None = None) -> Iterator[tuple[Device, Device]]:
    """Two devices that share these folders, both running. `delay`: seconds its watcher waits before it tells; None
    as it is shipped."""
    devices = (_device(home / "one", one), _device(home / "other", other))
    for device, peer in (devices, devices[::-1]):
        _configure(device, peer, delay)
    try:
        for device in devices:
            device.start()
        yield devices
    finally:
        for device in devices:
            device.stop()


def until(look: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def _device(home: Path, folder: Path) -> Device:
    if shutil.which("syncthing") is None:
        raise FileNotFoundError("syncthing: install Debian's package of that name")
    home.mkdir(parents=True)
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(home)
    argv = ["syncthing", "generate", f"--home={home}", "--no-default-folder", "--skip-port-probing"]
    subprocess.run(argv, check=True, capture_output=True, timeout=60, env=environment)
    said = subprocess.run(
        ["syncthing", f"--home={home}", "--device-id"],
        check=True, capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip
    return Device(home, folder, said.stdout.split()[-1], _free_port(), _free_port())


def _configure(device: Device, peer: Device, delay: float | None) -> None:
    file = device.home / "config.xml"
    config = ET.parse(file).getroot()  # noqa: S314 - Syncthing's own file
    _set(config, "gui/address", f"127.0.0.1:{device.gui}")
    _set(config, "gui/apikey", KEY)
    options = {
        "listenAddress": f"tcp://127.0.0.1:{device.port}", "globalAnnounceEnabled": "false",
        "localAnnounceEnabled": "false", "relaysEnabled": "false", "natEnabled": "false", "urAccepted": "-1",
        "crashReportingEnabled": "false", "autoUpgradeIntervalH": "0", "startBrowser": "false",
        "reconnectionIntervalS": "1",
    }  # fmt: skip
    for name, value in options.items():
        _set(config, f"options/{name}", value)
    known = ET.SubElement(config, "device", id=peer.id, name="peer", compression="metadata")
    ET.SubElement(known, "address").text = f"tcp://127.0.0.1:{peer.port}"
    shipped = config.find("defaults/folder")
    assert shipped is not None
    shared = copy.deepcopy(shipped)
    config.append(shared)
    for name, value in {"id": FOLDER, "label": FOLDER, "path": str(device.folder)}.items():
        shared.set(name, value)
    if delay is not None:
        shared.set("fsWatcherDelayS", f"{delay:g}")
    ET.SubElement(shared, "device", id=peer.id)
    ET.ElementTree(config).write(file)


def _set(config: ET.Element, path: str, value: str) -> None:
    parent, _, name = path.rpartition("/")
    at = config.find(parent)
    assert at is not None
    found = at.find(name)
    (ET.SubElement(at, name) if found is None else found).text = value


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "STNODEFAULTFOLDER": "1", "STNOUPGRADE": "1"}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
