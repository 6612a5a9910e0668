"""`countersign run` from login on: what is written for which machine, and what is said when its system would not."""

from __future__ import annotations

import os
import plistlib
import sys
from pathlib import Path

import pytest

from local_agent.setup import login_service
from local_agent.setup.login_service import install, planned
from tools.workspace import ROOT
from vault_protocol.errors import VaultError

SHIPPED = ROOT / "services" / "local_agent" / "countersign.service"


def test_the_unit_is_the_shipped_one_with_this_machines_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    found = planned(tmp_path / 'a "home" at 100%', platform="linux")
    assert found.file == tmp_path / "config" / "systemd" / "user" / "countersign.service"
    lines = found.content.decode().splitlines()[1:]
    (command,) = [line for line in lines if line.startswith("ExecStart=")]
    assert command.startswith(f'ExecStart="{sys.executable}" "-m" "local_agent" "run" "--home" ')
    assert command.endswith('a \\"home\\" at 100%%"')
    shipped = SHIPPED.read_text(encoding="utf-8").splitlines()[1:]
    assert [line for line in lines if line != command] == [
        line for line in shipped if not line.startswith("ExecStart=")
    ]


def test_on_macos_it_is_a_launch_agent_and_elsewhere_there_is_none(tmp_path: Path) -> None:
    found = planned(tmp_path / "home", platform="darwin", person=tmp_path)
    assert found.file == tmp_path / "Library" / "LaunchAgents" / "countersign.plist"
    assert plistlib.loads(found.content)["ProgramArguments"][-1] == str(tmp_path / "home")
    with pytest.raises(VaultError, match="WSL"):
        planned(tmp_path, platform="win32")


def test_the_system_is_told_and_when_it_would_not_the_command_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    programs = tmp_path / "bin"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/told\n[ "$2" != enable ] || [ ! -e {tmp_path}/no ] || '
                         '{ echo "no bus here" >&2; exit 1; }\n')  # fmt: skip
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    service = planned(tmp_path / "home", platform="linux")

    assert install(service) == ""
    assert (tmp_path / "told").read_text().splitlines() == ["--user daemon-reload", "--user enable --now countersign"]
    assert service.file.read_bytes() == service.content

    (tmp_path / "no").touch()
    assert install(service) == "systemctl --user enable --now countersign did not go (no bus here); run it yourself"


@pytest.mark.parametrize(
    ("kernel", "booted", "said"),
    [("5.15.153.1-microsoft-standard-WSL2", False, True), ("5.15.153.1-microsoft-standard-WSL2", True, False),
     ("6.1.0-18-amd64", False, False)],
)  # fmt: skip
def test_wsl_without_systemd_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: str, booted: bool, said: bool
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "osrelease").write_text(f"{kernel}\n", encoding="utf-8")
    monkeypatch.setattr(login_service, "KERNEL", tmp_path / "osrelease")
    monkeypatch.setattr(login_service, "BOOTED", tmp_path if booted else tmp_path / "systemd")
    trouble = install(planned(tmp_path / "home", platform="linux"))
    assert trouble.endswith("run it yourself")
    assert ("systemd=true" in trouble) is said
