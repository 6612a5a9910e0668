"""infra/ has an environment and tests of its own; here is that they pass, and that nobody else knows Oracle."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tools.workspace import ROOT

ORACLE = re.compile(r"\b(?:oci|oracle|oraclecloud|ocid1|pulumi)\b", re.IGNORECASE)


def test_the_tests_of_infra_pass() -> None:
    """`./just test infra`, in the environment that it makes when it is not there."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [ROOT / "just", "test", "infra", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d{2,} passed", done.stdout), "it ran next to nothing"


def test_no_program_of_ours_knows_on_whose_cloud_it_runs(sources: list[Path]) -> None:
    """What is Oracle's or Pulumi's stands in infra/ alone, so that another cloud is another infra/."""
    found = {}
    for file in sources:
        name = file.relative_to(ROOT).as_posix()
        if not name.startswith(("libs/", "services/", "compose/", "demo/", "skills/", "tools/stack/")):
            continue
        if hits := ORACLE.findall(file.read_bytes().decode("utf-8", errors="ignore")):
            found[name] = hits
    assert found == {}
