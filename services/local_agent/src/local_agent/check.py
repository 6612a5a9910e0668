"""What Local found out about one revision of a draft."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`original` is False while what the draft is about could not be read: the mail it answers, or the record."""

    original: bool
    mismatches: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""

    @property
    def quick(self) -> bool:
        """Whether moving the file may decide: everything was recomputed, and nothing needs a second look."""
        return self.original and not self.mismatches and not self.warnings

    def why_not(self) -> str:
        """The first thing that stands against a quick decision."""
        if self.mismatches:
            return self.mismatches[0]
        if not self.original:
            return self.reason or "the original could not be read"
        return self.warnings[0] if self.warnings else ""
