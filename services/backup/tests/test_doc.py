"""docs/backup.md quotes the program."""

import os
import subprocess
import sys

from pydantic import BaseModel

from backup import settings
from tools.workspace import ROOT

DOC = ROOT / "docs" / "backup.md"


def test_the_help_in_the_document_is_the_programs() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "backup", "--help"],
        env={**os.environ, "COLUMNS": "110"},
        capture_output=True, encoding="utf-8", check=True, timeout=60,
    ).stdout  # fmt: skip
    assert said.strip() in DOC.read_text(encoding="utf-8")


def test_every_setting_stands_in_the_document() -> None:
    parts = [found for found in vars(settings).values() if isinstance(found, type) and issubclass(found, BaseModel)]
    names = {name for part in parts for name in part.model_fields} - {"folders", "vault", "books", "repository"}
    named = DOC.read_text(encoding="utf-8")
    missing = {name for name in names if f"`{name}`" not in named and f"[{name}]" not in named}
    assert missing == set()
