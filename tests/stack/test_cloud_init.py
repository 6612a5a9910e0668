"""The VM's first boot is what cloud-init's own schema allows, and that schema can say no."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from tests.stack.docker import StackFailed, docker
from tests.stack.images import cloud_init
from tools.workspace import ROOT

pytestmark = pytest.mark.stack

_TOLD = "import sys; from infra.cloud_init import user_data; sys.stdout.buffer.write(user_data())"


@pytest.fixture(scope="module")
def told() -> str:
    """What every VM is told, as `infra/` makes it."""
    done = subprocess.run(
        [sys.executable, "-c", _TOLD], cwd=ROOT / "infra" / "src", capture_output=True, check=True, timeout=60
    )
    return gzip.decompress(done.stdout).decode("utf-8")


def judged(text: str) -> str:
    """By Debian's cloud-init, without a network. Raises StackFailed with its words when it says no."""
    return docker("run", "--rm", "-i", "--network", "none", cloud_init(), feed=text)


def test_the_first_boot_holds_by_the_schema_of_cloud_init(told: str) -> None:
    assert "Valid" in judged(told)


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ("package_update: true", "package_update: perhaps", "package_update"),
        ("runcmd:\n", "runcmd: 7\nrun:\n", "runcmd"),
        ("  permissions: '0644'", "  permission: '0644'", "write_files"),
    ],
    ids=["a switch that is no switch", "commands that are a number", "a key of a file that is none"],
)
def test_a_first_boot_with_a_fault_does_not_hold(told: str, was: str, becomes: str, named: str) -> None:
    assert was in told
    with pytest.raises(StackFailed, match=named):
        judged(told.replace(was, becomes, 1))
