"""What the tests of infra/ share: their folder as a place to import from, and the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi import automation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # stacks.py and what else the tests share


@pytest.fixture(scope="session")
def cli() -> automation.PulumiCommand:
    """The engine; built by Go the first time."""
    environment = {**os.environ, "HOME": str(Path("~").expanduser())}
    done = subprocess.run(
        [HERE.parent / "engine" / "build"], capture_output=True, text=True, check=False, timeout=1500, env=environment
    )
    assert done.returncode == 0, done.stderr
    binary = Path(done.stdout.strip())
    return automation.PulumiCommand(root=str(_root(binary)))


def _root(binary: Path) -> Path:
    """A folder with bin/pulumi, as Pulumi looks for it."""
    bin_ = binary.parent / "bin"
    bin_.mkdir(exist_ok=True)
    link = bin_ / "pulumi"
    if not link.exists():
        link.symlink_to(binary)
    return binary.parent
