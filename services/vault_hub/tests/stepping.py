"""`python -m services.vault_hub.tests.stepping run --config FILE STEP [NUMBER]`: the hub, killed at this step.

It also writes the id of the thread that decides into state/arbiter, for whoever traces that thread alone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from vault_hub import __main__ as hub
from vault_hub import objects, settings


def main(config: str, step: str = "", number: str = "1", merged_at: str = "64") -> None:
    given, left = settings.read(Path(config)), [int(number)]
    objects.MERGED_AT = int(merged_at)

    def passed(name: str) -> None:
        if name == "judged":
            (given.state_dir / "arbiter").write_text(str(threading.get_native_id()))
        if name == step:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    hub.run(given, step=passed)


if __name__ == "__main__":
    main(*sys.argv[3:])
