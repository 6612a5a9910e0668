"""What each social network takes, for Cloud when it drafts and for Local before anybody approves: pure functions."""

from social.checking import cautions, faults
from social.length import length
from social.limits import LIMITS, Limits
from social.preview import Preview, previews
from social.thread import TooLongAWord, joined, split

__all__ = [
    "LIMITS",
    "Limits",
    "Preview",
    "TooLongAWord",
    "cautions",
    "faults",
    "joined",
    "length",
    "previews",
    "split",
]
