"""How a program of ours ends: one line for what was to be expected, a traceback for a bug, and a code for each."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from .errors import VaultError

EXPECTED, BUG, INTERRUPTED = 1, 3, 130


def ended(name: str, act: Callable[[], int | None]) -> int:
    """The exit code of `act`: its own, 1 for a VaultError (one line), 3 for a bug, 130 when it was interrupted."""
    try:
        return act() or 0
    except VaultError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXPECTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the one place where a bug ends the program
        traceback.print_exc()
        return BUG
