"""Starts the next architecture decision record in docs/adr/."""

import re
import sys
import unicodedata
from pathlib import Path

from tools.workspace import ROOT

FOLDER = ROOT / "docs" / "adr"
BODY = """# {number}. {title}

## Context

## Decision

## Consequences

## Status

Proposed
"""


def create(title: str, *, folder: Path = FOLDER) -> Path:
    """Write NNNN-title.md, numbered after the highest there is."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_title.lower()).strip("-")
    if not slug:
        sys.exit(f"no letters to name a file by: {title!r}")
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(f.name[:4]) for f in folder.glob("[0-9][0-9][0-9][0-9]-*.md")), default=0)
    record = folder / f"{number:04d}-{slug}.md"
    record.write_text(BODY.format(number=number, title=title), encoding="utf-8")
    return record


if __name__ == "__main__":
    print(create(" ".join(sys.argv[1:])).relative_to(ROOT))
