"""Reads hostile mail and writes plain answers: pure functions of their arguments, no IO, no clock."""

from correspondence.attachments import Attachment
from correspondence.compose import body, message
from correspondence.enclosing import File
from correspondence.fields import UnsafeMessage
from correspondence.mailbox import Mailbox
from correspondence.oddity import Automatic, Oddity
from correspondence.original import Original, read
from correspondence.reply import Caution, Envelope, NoReplyAddress, answer
from correspondence.silence import Silence, never_answer

__all__ = [
    "Attachment",
    "Automatic",
    "Caution",
    "Envelope",
    "File",
    "Mailbox",
    "NoReplyAddress",
    "Oddity",
    "Original",
    "Silence",
    "UnsafeMessage",
    "answer",
    "body",
    "message",
    "never_answer",
    "read",
]
