"""`python -m tests.prove.counting_server FOLDER ONE_IN`: everybody's mail server, which loses one answer in so many.

Writes its port to FOLDER/port. FOLDER/record has a line for each message that reached its end: its Message-ID, and
`taken`, `taken-unanswered` or `lost`. Of the lost answers every second one lost the message, too.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import warnings
from pathlib import Path
from random import Random

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from demo.serving import announce, cut, listen_smtp, port_of, until_told_to_end

_MESSAGE_ID = re.compile(rb"(?mi)^Message-ID:\s*(<[^>]+>)")


class Counting:
    """One connection's answers."""

    def __init__(self, record: Path, chance: Random, one_in: int) -> None:
        self._record, self._chance, self._one_in = record, chance, one_in

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        found = _MESSAGE_ID.search(envelope.original_content or b"")
        assert found is not None
        fate = "taken"
        if not self._chance.randrange(self._one_in):
            fate = self._chance.choice(["taken-unanswered", "lost"])
        with self._record.open("a", encoding="ascii") as record:
            record.write(f"{found[1].decode('ascii')} {fate}\n")
        if fate != "taken":
            await cut(server)
        return "250 2.0.0 OK"


async def serve(folder: Path, one_in: int) -> None:
    chance = Random(4)
    server = await listen_smtp(
        lambda: Counting(folder / "record", chance, one_in), 0, auth_required=True, auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=True),
    )  # fmt: skip
    announce(folder / "port", {"smtp": port_of(server)})
    await until_told_to_end(watch_stdin=True)
    server.close()


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS", category=UserWarning)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
