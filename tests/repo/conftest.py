import subprocess
from pathlib import Path

import pytest

from tools.workspace import ROOT

NOT_OURS = {".git", ".tools", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}


@pytest.fixture(scope="session")
def sources() -> list[Path]:
    """Every file that is or could be committed; in a copy without .git, every file that is not a cache."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        ).stdout
        files = [ROOT / name for name in listed.split("\0") if name]
    else:
        files = [f for f in ROOT.rglob("*") if not NOT_OURS & set(f.relative_to(ROOT).parts)]
    return sorted(f for f in files if f.is_file() and not f.is_symlink())
