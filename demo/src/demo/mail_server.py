"""The owner's mail provider, in one process: incoming SMTP, submission and IMAP, all in memory.

`python -m demo.mail_server --ports-file F --accounts A --relay HOST:PORT [--mx-port N …]`
The ports file holds {"mx", "submission", "imap"}; A is described in demo.accounts.
"""

import asyncio
import logging
import warnings
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path

from demo import pymap_patch
from demo.accounts import Accounts
from demo.mailboxes import Mailboxes
from demo.provider import Incoming, Submission, login_check
from demo.serving import add_serving_options, announce, listen_smtp, port_of, until_told_to_end


def address(text: str) -> tuple[str, int]:
    """Parse HOST:PORT; raises ValueError."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def serve(accounts: Accounts, options: Namespace) -> None:
    mailboxes = await Mailboxes.create(accounts)
    servers = {
        "mx": await listen_smtp(lambda: Incoming(accounts, mailboxes), options.mx_port),
        "submission": await listen_smtp(
            lambda: Submission(accounts, options.relay),
            options.submission_port,
            auth_required=True,
            auth_require_tls=False,
            authenticator=login_check(accounts),
        ),
        "imap": await mailboxes.listen_imap(options.imap_port),
    }
    announce(options.ports_file, {name: port_of(server) for name, server in servers.items()})
    await until_told_to_end(watch_stdin=options.exit_with_stdin)
    for server in servers.values():
        server.close()


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    add_serving_options(parser)
    parser.add_argument("--accounts", type=Path, required=True, help="JSON file with addresses and logins")
    parser.add_argument("--relay", type=address, required=True, metavar="HOST:PORT", help="where sent mail goes")
    for name in ("mx", "submission", "imap"):
        parser.add_argument(f"--{name}-port", type=int, default=0)
    options = parser.parse_args()
    # aiosmtpd says both at every connection; here it is AUTH on loopback, and the attribute is its own.
    warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS", category=UserWarning)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    pymap_patch.apply()
    asyncio.run(serve(Accounts.read(options.accounts), options))


if __name__ == "__main__":
    main()
