"""Triage and reply drafts. A drafter has no tools and chooses no recipient, action or amount."""

from typing import Protocol

from drafting.letter import (
    Draft,
    DrafterRefused,
    DrafterUnavailable,
    Kind,
    Letter,
    Priority,
    Triage,
)

__all__ = ["Draft", "Drafter", "DrafterRefused", "DrafterUnavailable", "Kind", "Letter", "Priority", "Triage"]


class Drafter(Protocol):
    """Reads a mail and answers with text.

    Both calls raise DrafterUnavailable (try again later) or DrafterRefused (give it to the owner).
    """

    def triage(self, letter: Letter, *, handbook: str) -> Triage:
        """Say what the mail is. `handbook` is the owner's Company_Handbook.md."""
        ...

    def draft(self, letter: Letter, *, handbook: str, remark: str | None, previous: str | None) -> Draft:
        """Write a reply; `remark` is what the owner wants changed in `previous`."""
        ...
