"""Whether a browser that opened would be seen by anybody."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def has_a_desktop(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> bool:
    """True on macOS and Windows, else where a display is named: without one, text browsers would take the terminal."""
    return platform in ("darwin", "win32") or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
