"""`./just restore-drill`: of an installation with `--config FILE`; without one, of one that is made for it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.stack.docker import StackFailed, ensure_engine
from tests.stack.images import step

NAMED = "COUNTERSIGN_BACKUP_CONFIG"


def main(arguments: Sequence[str]) -> int:
    """The last line is `RTO N s, RPO N s`."""
    given = list(arguments) or (["--config", os.environ[NAMED]] if NAMED in os.environ else [])
    if given:
        from backup.__main__ import main as backup

        return backup([*given, "drill"])
    from tests.stack.installation import installed

    try:
        ensure_engine()
        with tempfile.TemporaryDirectory(prefix="countersign-drill-") as folder, installed(Path(folder)) as made:
            with step("back it up"):
                made.backups("run", "--once")
            print(made.backups("drill"), end="", flush=True)
    except StackFailed as error:
        sys.exit(f"restore-drill: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
