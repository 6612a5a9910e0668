"""`countersign run` from login on: a systemd user unit, or a launchd agent on macOS. Only files of the person's own."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from vault_protocol.errors import VaultError
from vault_protocol.files import write_whole

NAME = "countersign"
SECONDS = 60.0
KERNEL, BOOTED = Path("/proc/sys/kernel/osrelease"), Path("/run/systemd/system")
_WSL = (
    "; this WSL was started without systemd: write [boot] systemd=true into /etc/wsl.conf, then `wsl --shutdown` in "
    "PowerShell, open it again"
)

_UNIT = """\
# Made by `countersign connect --service`.
[Unit]
Description=Countersign, the owner's half
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=1
NoNewPrivileges=yes
PrivateTmp=yes
UMask=0077

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class LoginService:
    """A file to write, and the commands that make the system know it."""

    file: Path
    content: bytes
    commands: tuple[tuple[str, ...], ...]


def planned(home: Path, *, platform: str = sys.platform, person: Path | None = None) -> LoginService:
    """For this machine's kind. Raises VaultError where there is none (on Windows run it inside WSL)."""
    argv = [sys.executable, "-m", "local_agent", "run", "--home", str(home)]
    person = person or Path.home()
    if platform == "darwin":
        file = person / "Library" / "LaunchAgents" / f"{NAME}.plist"
        entry = {"Label": NAME, "ProgramArguments": argv, "RunAtLoad": True, "KeepAlive": {"SuccessfulExit": False}}
        return LoginService(file, plistlib.dumps(entry), (("launchctl", "load", "-w", str(file)),))
    if not platform.startswith("linux"):
        raise VaultError(f"there is no login service for {platform}; on Windows install Countersign inside WSL")
    base = os.environ.get("XDG_CONFIG_HOME") or str(person / ".config")
    file = Path(base, "systemd", "user", f"{NAME}.service")
    content = _UNIT.format(command=" ".join(map(_quoted, argv))).encode("utf-8")
    start = (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "enable", "--now", NAME))
    return LoginService(file, content, start)


def install(service: LoginService) -> str:
    """Write the file and have it started; what to do by hand when the system would not, else empty."""
    write_whole(service.file, service.content)
    for argv in service.commands:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
            )  # fmt: skip
            said = done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            said = str(error)
        if said:
            first = _WSL if _in_wsl_without_systemd() else ""
            return f"{' '.join(argv)} did not go ({said.splitlines()[-1][:200]}){first}; run it yourself"
    return ""


def _in_wsl_without_systemd() -> bool:
    """Microsoft's kernel names itself so; systemd makes its folder when it is the first process."""
    try:
        return "microsoft" in KERNEL.read_text(encoding="utf-8").lower() and not BOOTED.exists()
    except OSError:
        return False


def _quoted(word: str) -> str:
    """As systemd reads it: its specifiers and its quotes taken away."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
