"""Company_Handbook.md as rules with named effects. What is not understood is reported, never ignored."""

from drafting.handbook.effects import Effect, MailRule, Manner, Rules, Unread, Unreadable
from drafting.handbook.reading import read, text_for
from drafting.handbook.scope import in_scope

__all__ = ["Effect", "MailRule", "Manner", "Rules", "Unread", "Unreadable", "in_scope", "read", "text_for"]
