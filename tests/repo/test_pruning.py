"""docs/infra.md's way to prune from the owner's machine: its settings are legal, its password is the VM's."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from backup.settings import Keep, read
from tools.workspace import ROOT

SECTION = (ROOT / "docs" / "infra.md").read_text("utf-8").partition("\n## Pruning\n")[2].partition("\n## ")[0]
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", SECTION, re.MULTILINE)]


def test_the_settings_that_the_page_prints_may_forget_and_name_the_bucket_as_the_vm_does(tmp_path: Path) -> None:
    (text,) = [block for block in BLOCKS if "[repository]" in block]
    (tmp_path / "prune.toml").write_text(text, encoding="utf-8")
    found = read(tmp_path / "prune.toml")
    assert not found.repository.append_only
    assert found.repository.s3_credentials_file == tmp_path / "s3"
    assert found.keep == Keep()
    vm = (ROOT / "infra" / "src" / "infra" / "vm" / "stack.py").read_text("utf-8")
    for option in found.repository.options:
        assert option.replace("REGION", "{region}") in vm
    assert found.name == "vm", "whose snapshots these are; the stack's settings name nobody else"
    template = (ROOT / "tools" / "stack" / "watching.py").read_text("utf-8").partition('BACKUP = """')[2]
    assert "\nname = " not in template.partition("\n[")[0]


def test_the_password_that_the_page_makes_of_the_vaults_bytes_is_the_one_that_the_vm_makes(tmp_path: Path) -> None:
    (line,) = [line for block in BLOCKS for line in block.splitlines() if line.startswith("base64 -d")]
    made = bytes(range(200, 256))
    (tmp_path / "bundle").write_text(base64.b64encode(made).decode() + "\n")
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "restic-password").read_text() == made[:32].hex()
    vm = (ROOT / "infra" / "src" / "infra" / "vm" / "cloud.py").read_text("utf-8")
    assert "CHANCE = 32\n" in vm
    assert "content[:CHANCE].hex()" in vm


def test_every_output_that_the_page_reads_is_one_and_every_verb_of_the_backup_is_there() -> None:
    program = (ROOT / "infra" / "src" / "infra" / "__main__.py").read_text("utf-8")
    outputs = set(re.findall(r" stack output --stack prod (?:--show-secrets )?([a-z-]+)", SECTION))
    assert outputs == {"pruning-credentials", "backups", "backup-password"}
    assert {name for name in outputs if f'"{name}": ' not in program} == set()
    verbs = re.findall(r"countersign-backup --config prune.toml (\S+)((?: --[\w-]+)*)", SECTION)
    assert [verb for verb, _ in verbs] == ["prune", "prune", "check"]
    for verb, options in verbs:
        argv = [sys.executable, "-m", "backup", "--config", "x", verb, "--help"]
        said = subprocess.run(argv, capture_output=True, encoding="utf-8", check=True, timeout=60).stdout
        assert {option for option in options.split() if option not in said} == set()
