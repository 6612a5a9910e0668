"""Triage and reply drafts. A drafter has no tools and chooses no recipient, action or amount."""

from drafting.letter import (
    Draft,
    Drafter,
    DrafterLate,
    DrafterRefused,
    DrafterUnavailable,
    Kind,
    Letter,
    Priority,
    Triage,
)

__all__ = [
    "Draft",
    "Drafter",
    "DrafterLate",
    "DrafterRefused",
    "DrafterUnavailable",
    "Kind",
    "Letter",
    "Priority",
    "Triage",
]
