"""What a program that runs for months tells Python's garbage collector once it has started."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 20, 20)
"""Ours make few circles and keep much: with Python's own, a third of the time of following others went into looking
for circles among notes that stay."""


def settle() -> None:
    """What is there now stays, and is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
