"""The environments against a uv that only writes down what it was asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.workspace import ROOT, members

FAKE_UV = """#!/bin/sh
echo "$*" >>"$0.log"
[ "$1" != venv ] || mkdir -p "$ENVIRONMENT"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for name in ("tools", "requirements"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (ROOT, *(m.folder for m in members().values())):
        file = folder.relative_to(ROOT) / "pyproject.toml"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


def make(root: Path, name: str = "demo") -> list[str]:
    """Make one environment; returns what uv was asked."""
    uv = root.parent / "bin" / "uv"
    uv.parent.mkdir(exist_ok=True)
    uv.write_text(FAKE_UV, encoding="utf-8")
    uv.chmod(0o755)
    log = Path(f"{uv}.log")
    log.write_text("", encoding="utf-8")
    environment = os.environ | {
        "PATH": f"{uv.parent}:{os.environ['PATH']}",
        "UV_PYTHON": sys.executable,
        "ENVIRONMENT": str(root / ".tools" / name),
    }
    subprocess.run([sys.executable, "-m", "tools.envs", name], cwd=root, env=environment, check=True, timeout=60)
    return log.read_text(encoding="utf-8").splitlines()


def test_an_environment_holds_what_the_lock_says_and_our_packages_from_here(checkout: Path) -> None:
    venv, sync, ours = make(checkout)

    assert venv.startswith("venv ")
    assert "--require-hashes" in sync
    assert str(checkout / "requirements" / "demo.txt") in sync
    assert ours.count("--editable") == len(members())
    assert "--no-deps --no-build-isolation" in ours


def test_a_current_environment_is_left_alone(checkout: Path) -> None:
    make(checkout)
    assert make(checkout) == []


@pytest.mark.parametrize("file", ["requirements/demo.txt", "libs/vault_protocol/pyproject.toml"])
def test_an_environment_is_made_again_when_what_it_came_from_changed(checkout: Path, file: str) -> None:
    make(checkout)
    (checkout / file).write_text((checkout / file).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert len(make(checkout)) == 3


def test_an_environment_that_was_moved_is_made_again(checkout: Path) -> None:
    make(checkout)
    assert len(make(checkout.rename(checkout.with_name("elsewhere")))) == 3
