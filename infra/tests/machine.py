"""A VM by QEMU that takes itself for one of Oracle's: its metadata service, its names and its volumes are there.

The guest's 169.254.169.254 is this machine's loopback: ports 53, 80 and 443 there are the double's while a test runs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guest import Guest
from image import Image
from oracle import HERE, MAC

NETWORK = f"user,id=net,net=169.254.0.0/16,host={HERE},dhcpstart=169.254.10.15,ipv6=off"
DATA_GB = 20
ACCEL = os.environ.get("COUNTERSIGN_VM_ACCEL", "tcg,thread=multi")
"""The build machines have KVM in name only."""


@dataclass
class Machine(Guest):
    """What runs: `run` is the guest agent's; a test needs no login."""

    source, health_interval = "DataSourceOracle", "60s"

    folder: Path
    process: subprocess.Popen[bytes]
    _agent: socket.socket | None = field(default=None, repr=False)

    @property
    def console(self) -> str:
        file = self.folder / "console.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def gone(self) -> str:
        return "" if self.process.poll() is None else f"qemu ended with {self.process.returncode}"

    def run(self, script: str, *, seconds: float = 300, check: bool = True) -> str:
        started = self._ask("guest-exec", path="/bin/sh", arg=["-c", script], **{"capture-output": True})
        until = time.monotonic() + seconds
        while not (done := self._ask("guest-exec-status", pid=started["pid"]))["exited"]:
            assert time.monotonic() < until, f"{script!r} did not end within {seconds:g} s"
            time.sleep(0.2)
        out, error = (
            base64.b64decode(done.get(name, "")).decode(errors="replace") for name in ("out-data", "err-data")
        )
        assert not check or done["exitcode"] == 0, f"{script!r} ended with {done.get('exitcode')}: {out}{error}"
        return out + ("" if check else error)

    def answers(self) -> bool:
        """Whether the guest's agent is there."""
        try:
            self._ask("guest-ping")
        except (OSError, ValueError):
            self.hang_up()
            return False
        return True

    def restart(self) -> None:
        before = self.run("cat /proc/sys/kernel/random/boot_id")
        with contextlib.suppress(OSError, ValueError):
            self._ask("guest-shutdown", mode="reboot")
        self.hang_up()
        again = lambda: self.answers() and self.run("cat /proc/sys/kernel/random/boot_id") != before  # noqa: E731
        self.wait(again, "the VM is up again", 10)

    def hang_up(self) -> None:
        """Leave the guest's agent; the next question calls it again."""
        if self._agent:
            self._agent.close()
        self._agent = None

    def _ask(self, command: str, **arguments: Any) -> Any:
        if self._agent is None:
            self._agent = socket.socket(socket.AF_UNIX)
            self._agent.settimeout(5)
            self._agent.connect(str(self.folder / "agent"))
            token = time.monotonic_ns() & 0xFFFFFFF
            self._agent.sendall(b"\xff" + json.dumps({"execute": "guest-sync", "arguments": {"id": token}}).encode())
            while self._line() != {"return": token}:
                pass
            self._agent.settimeout(60)
        self._agent.sendall(
            json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})}).encode()
        )
        answer = self._line()
        if "return" not in answer:
            raise ValueError(f"{command}: {answer}")
        return answer["return"]

    def _line(self) -> Any:
        assert self._agent
        text = b""
        while not text.endswith(b"\n"):
            found = self._agent.recv(1)
            if not found:
                raise OSError("the agent's line is closed")
            text += found
        return json.loads(text.lstrip(b"\xff"))


@contextmanager
def booted(image: Image, folder: Path, *, memory_mb: int, more: Path | None = None) -> Iterator[Machine]:
    """On a root disk of its own and a blank data volume; `more` is one to read from, /dev/vdc."""
    root, data = folder / "root.qcow2", folder / "data.raw"
    backing = ("-f", "qcow2", "-b", str(image.disk), "-F", "raw")
    subprocess.run(["qemu-img", "create", "-q", *backing, str(root)], check=True, timeout=60)
    with data.open("wb") as blank:
        blank.truncate(DATA_GB << 30)
    read = f"file={more},if=none,id=more,format=raw,readonly=on"
    argv = [
        "qemu-system-x86_64", "-machine", "q35", "-accel", ACCEL, "-cpu", "max",
        "-smp", "2", "-m", str(memory_mb), "-nodefaults", "-display", "none",
        "-serial", f"file:{folder / 'console.log'}", "-smbios", "type=3,asset=OracleCloud.com",
        "-kernel", str(image.kernel), *(("-initrd", str(image.first)) if image.first.exists() else ()),
        "-append", "root=/dev/vda rw console=ttyS0",
        "-drive", f"file={root},if=none,id=root,format=qcow2,cache=unsafe", "-device", "virtio-blk-pci,drive=root",
        "-drive", f"file={data},if=none,id=data,format=raw,cache=unsafe",
        "-device", "virtio-blk-pci,drive=data,serial=oraclevdb",
        *(("-drive", read, "-device", "virtio-blk-pci,drive=more") if more else ()),
        "-netdev", NETWORK, "-device", f"virtio-net-pci,netdev=net,mac={MAC}", "-device", "virtio-rng-pci",
        "-chardev", f"socket,id=agent,path={folder / 'agent'},server=on,wait=off", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
    ]  # fmt: skip
    said = (folder / "qemu.log").open("wb")
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    machine = Machine(folder, process)
    try:
        yield machine
    finally:
        machine.hang_up()
        process.kill()
        process.wait()
        said.close()
