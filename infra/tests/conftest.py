"""What the tests of infra/ share: their folder as a place to import from, the engine, an Oracle and a VM's folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi import automation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # stacks.py and what else the tests share

import releases  # noqa: E402
from oracle import Oracle, serving  # noqa: E402

from infra.vm.places import Places  # noqa: E402


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


@pytest.fixture
def oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Oracle]:
    found = Oracle(tmp_path, secrets={"ocid1.vaultsecret.db": b"\x00\xff" * 16, "ocid1.vaultsecret.box": b"hunter2"})
    with serving(found) as address:
        monkeypatch.setenv("COUNTERSIGN_IMDS", f"{address}/opc/v2")
        monkeypatch.setenv("COUNTERSIGN_ORACLE", address)
        content = releases.archive()
        found.files["c.tar.gz"] = content
        found.orders = releases.orders(f"{address}/files/c.tar.gz", content)
        yield found
    assert found.refused == []


@pytest.fixture
def places(tmp_path: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Places:
    """The VM's folders; the journal, which a test has none of, says one line."""
    found = Places(tmp_path / "vm")
    found.secrets.mkdir(parents=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    journal = programs / "journalctl"
    journal.write_text("#!/bin/sh\necho '2026-01-01 vm countersign: healthy'\n")
    journal.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return found
