"""One conversation with the server that takes the owner's mail to the world."""

import asyncio
from dataclasses import dataclass

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Reply:
    """An SMTP answer: code and last line's text, as it will be passed on to the client."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class AnswerLost(Exception):
    """The next server broke the conversation off; what it did with the last command is unknown."""


class Relay:
    """The client side of SMTP, one message at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, host: str, port: int) -> "Relay":
        """Raises OSError or AnswerLost when nobody answers."""
        relay = cls(*await asyncio.wait_for(asyncio.open_connection(host, port), ANSWER_SECONDS))
        try:
            await relay._reply()
            await relay.command("EHLO provider.example")
        except AnswerLost:
            relay.close()
            raise
        return relay

    async def command(self, line: str) -> Reply:
        self._writer.write(line.encode() + b"\r\n")
        return await self._reply()

    async def data(self, raw: bytes) -> Reply:
        """Hand the message over, dots stuffed; the answer to the final dot, or to a refused DATA."""
        ready = await self.command("DATA")
        if ready.code != 354:
            return ready
        lines = raw.removesuffix(b"\r\n").split(b"\r\n")
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
        self._writer.write(stuffed + b"\r\n.\r\n")
        return await self._reply()

    def close(self) -> None:
        self._writer.close()

    async def _reply(self) -> Reply:
        try:
            await self._writer.drain()
            while True:
                line = await asyncio.wait_for(self._reader.readuntil(b"\n"), ANSWER_SECONDS)
                if line[3:4] != b"-":
                    return Reply(int(line[:3]), line[4:].decode(errors="replace").strip())
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            raise AnswerLost from error
