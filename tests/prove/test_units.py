"""The systemd units: systemd's own judge takes them, and they start again what crashed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prove.conftest import ROOT
from vault_protocol.program import BUG

pytestmark = pytest.mark.prove

UNITS = sorted(ROOT.glob("services/*/*.service"), key=lambda path: path.name)


def judged(unit: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze verify` on the unit as installed: its program is the one beside this Python."""
    text = unit.read_text(encoding="utf-8")
    installed = folder / unit.name
    programs = Path(sys.executable).parent
    installed.write_text(re.sub(r"(?m)^ExecStart=(\S+)", rf"ExecStart={programs}/\1", text), encoding="utf-8")
    whose = ["--user"] if "WantedBy=default.target" in text else []
    return subprocess.run(
        ["systemd-analyze", *whose, "verify", str(installed)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def settings(unit: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in unit.read_text(encoding="utf-8").splitlines())
    return {name: value for name, equals, value in lines if equals and not name.startswith("#")}


def test_there_is_a_unit_for_each_agent_and_the_hub() -> None:
    assert {"cloud-agent.service", "countersign.service", "vault-hub.service"} <= {unit.name for unit in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    done = judged(unit, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemds_judge_would_find_a_misspelled_setting(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / UNITS[0].name
    broken.parent.mkdir()
    broken.write_text(UNITS[0].read_text(encoding="utf-8").replace("Restart=", "Restrt="), encoding="utf-8")
    assert "Restrt" in judged(broken, tmp_path).stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_crash_and_a_bug_are_started_again_and_not_without_end(unit: Path) -> None:
    found = settings(unit)
    assert found["Restart"] == "on-failure", "signals, timeouts and exit codes other than 0"
    assert str(BUG) not in found.get("RestartPreventExitStatus", "").split()
    assert int(found["StartLimitBurst"]) * float(found["RestartSec"]) < float(found["StartLimitIntervalSec"])
