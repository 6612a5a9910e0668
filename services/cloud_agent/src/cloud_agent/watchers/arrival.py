"""What every watcher hands over, and how the taker says: not now."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Arrival:
    """A message as it lies in the mailbox; of an `oversized` one, `raw` is only the headers."""

    mailbox: str
    received_at: datetime
    raw: bytes
    oversized: bool = False


class Retry(Exception):
    """Raised by `on_mail`: not now; keep the message and bring it again."""
