"""Everybody else's mail server: takes mail for anyone, and keeps a record of what was really sent.

`python -m demo.outside --ports-file F --maildir D [--port N] [--fault NAME:VALUE …]`
A message is in D, durably, before its 250 leaves. The ports file holds {"smtp": port}.
"""

import asyncio
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.faults import Fault, Faults, parse_faults
from demo.received import store
from demo.serving import add_serving_options, announce, cut, listen_smtp, port_of, until_told_to_end


class Outside:
    """One connection's answers."""

    def __init__(self, maildir: Path, faults: Faults) -> None:
        self._maildir = maildir
        self._faults = faults
        self._refusing = False

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        self._refusing = self._faults.take(Fault.REFUSE_RCPT)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._refusing or address.lower() in self._faults.refused_addresses:
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self._faults.take(Fault.DEFER):
            return "451 4.3.0 Try again later"
        if self._faults.take(Fault.REFUSE_DATA):
            return "554 5.7.1 Message refused"
        if self._faults.take(Fault.LOSE_DATA):
            await cut(server)
        stored = store(
            self._maildir,
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            raw=envelope.original_content or b"",
            now=datetime.now(UTC),
        )
        if self._faults.take(Fault.DROP_AFTER_DATA):
            await cut(server)
        await asyncio.sleep(self._faults.slow_seconds)
        return f"250 2.0.0 OK queued as {stored.number:04}"


async def serve(*, maildir: Path, faults: Faults, ports_file: Path, port: int, watch_stdin: bool) -> None:
    server = await listen_smtp(lambda: Outside(maildir, faults), port)
    announce(ports_file, {"smtp": port_of(server)})
    await until_told_to_end(watch_stdin=watch_stdin)
    server.close()


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    add_serving_options(parser)
    parser.add_argument("--maildir", type=Path, required=True, help="where accepted messages are kept")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME:VALUE", help=", ".join(Fault))
    options = parser.parse_args()
    try:
        faults = parse_faults(options.fault)
    except ValueError as error:
        parser.error(str(error))
    options.maildir.mkdir(parents=True, exist_ok=True)
    asyncio.run(
        serve(
            maildir=options.maildir,
            faults=faults,
            ports_file=options.ports_file,
            port=options.port,
            watch_stdin=options.exit_with_stdin,
        )
    )


if __name__ == "__main__":
    main()
