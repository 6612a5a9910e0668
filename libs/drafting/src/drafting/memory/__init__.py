"""What the owner's edits and rejections taught: short notes in the vault that the owner may edit or delete."""

from drafting.memory.lines import Key, Line
from drafting.memory.remembered import NOTHING, Memory
from drafting.memory.remembered import read as read

__all__ = ["NOTHING", "Key", "Line", "Memory", "read"]
