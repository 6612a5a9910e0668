"""How the git program is started: blind to the settings of who runs the hub, and to a caller's variables."""

from __future__ import annotations

import os


def environment(**more: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", **more,
    }  # fmt: skip
