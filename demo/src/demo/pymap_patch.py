"""Two repairs to pymap 0.36.7 (unmaintained), without which real IMAP clients lose mail.

1. A response leaves in one write. pymap writes word by word, and a client that reads without blocking
   while it is in IDLE then sees half a line (IMAPClient dies with "unterminated line").
2. Mail that comes between a client's last command and its IDLE is announced. pymap only announces what
   comes after IDLE began, so the client would sleep on it.
"""

from io import BytesIO

from pymap.backend.dict.mailbox import MailboxData
from pymap.concurrent import Event
from pymap.imap import IMAPConnection
from pymap.parsing.response import Response
from pymap.selected import SelectedMailbox

_update_selected = MailboxData.update_selected


def apply() -> None:
    """Repair pymap in this process."""
    IMAPConnection.write_response = _write_in_one_piece  # type: ignore[method-assign]
    MailboxData.update_selected = _update_unless_behind  # type: ignore[method-assign]


async def _write_in_one_piece(self: IMAPConnection, resp: Response) -> None:
    whole = BytesIO()
    await resp.async_write(whole)
    try:
        self.writer.write(whole.getvalue())
        await self.writer.drain()
    except ConnectionError:
        return  # the client is gone; the next read ends the conversation


async def _update_unless_behind(
    self: MailboxData, selected: SelectedMailbox, *, wait_on: Event | None = None
) -> SelectedMailbox:
    if wait_on is not None and selected.mod_sequence == self._mod_sequences.highest:
        return await _update_selected(self, selected, wait_on=wait_on)
    return await _update_selected(self, selected)
