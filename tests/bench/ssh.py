"""An ssh server of our own on loopback, and one connection to it that every command shares."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """`command` is what git is told to use as ssh."""

    port: int
    command: str

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Up, with the shared connection open. It needs `sshd`, which the recipe installs."""
    folder.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    port = _free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd drops its rights; made by its unit otherwise
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nPasswordAuthentication no\nStrictModes no\nUsePAM no\n"
        # The shell's own settings are no part of git: with another home it reads none.
        f"SetEnv HOME={folder}\nPermitRootLogin prohibit-password\n",
        encoding="utf-8",
    )
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if sshd is None:
        raise FileNotFoundError("sshd: install openssh-server")
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", str(config)], stderr=log)
    with tempfile.TemporaryDirectory(prefix="cs-") as short:  # a socket's path is 107 bytes at most
        options = [
            "-F", "none", "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
            "-o", f"ControlPath={short}/m",
        ]  # fmt: skip
        master = None
        try:
            _listens(port, process)
            argv = ["ssh", *options, "-M", "-N", "-p", str(port), f"{getpass.getuser()}@127.0.0.1"]
            master = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
            deadline = time.monotonic() + 20
            while not Path(short, "m").exists():
                if master.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no ssh connection: {(folder / 'sshd.log').read_text()[-500:]}")
                time.sleep(0.02)
            yield Server(port, " ".join(["ssh", *options]))
        finally:
            for one in (master, process):
                if one is not None:
                    one.terminate()
                    one.wait(20)


def _listens(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
