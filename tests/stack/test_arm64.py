"""Every locked wheel of every image is there for arm64 with the images' Python, by its hash (asks the index)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import locks, sbom
from tools.envs import SOURCE_ONLY

PLATFORM = "aarch64-unknown-linux-gnu"
"""To uv: wheels for manylinux 2.28 at most. The images' Debian has glibc 2.36."""
FROM_SOURCE = {"local": SOURCE_ONLY}
"""What has no wheel for any machine, and builds from Python alone; Local is no image."""


@pytest.mark.stack
@pytest.mark.parametrize("name", sorted(sbom.SHIPPED.values()))
def test_every_locked_wheel_resolves_for_arm64(name: str, tmp_path: Path) -> None:
    python, wheels = sbom.IMAGE_PYTHON.rpartition(".")[0], ["--only-binary", ":all:"]
    if name in FROM_SOURCE:
        wheels += ["--no-binary", FROM_SOURCE[name]]
    done = subprocess.run(
        [
            "uv", "pip", "install", "--dry-run", "--target", str(tmp_path), "--python", sys.executable, "--no-deps",
            "--require-hashes", *wheels, "--python-platform", PLATFORM, "--python-version", python,
            "-r", str(locks.path(name)),
        ],
        capture_output=True, text=True, timeout=300, check=False,     )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = {f"{one.name}=={one.version}" for one in sbom.pinned(name)}
    found = {line.split()[1] for line in done.stderr.splitlines() if line.strip().startswith("+ ")}
    assert found == wanted, "the list of what ships is that of arm64 too"
