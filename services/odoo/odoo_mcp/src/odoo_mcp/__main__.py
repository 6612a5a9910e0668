"""`python -m odoo_mcp --config FILE [--http PORT]`: over stdio, or over HTTP for clients with the token."""

from __future__ import annotations

import argparse
import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from books.errors import BooksError
from books.odoo import open_books
from odoo_mcp.server import build
from odoo_mcp.settings import BadSettings, access, read, secret


def main(argv: list[str] | None = None) -> int:
    """Serve until the client goes away. Exit 1 with one line when the settings cannot be used."""
    parser = argparse.ArgumentParser(prog="odoo-mcp", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the settings, a TOML file")
    parser.add_argument("--http", type=int, metavar="PORT", help="serve HTTP on this port instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="with --http: the address to listen on")
    options: Any = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    try:
        settings = read(options.config)
        folder = options.config.absolute().parent
        token = secret(folder / settings.token_file) if settings.token_file else None
        if options.http and token is None:
            raise BadSettings(f"{options.config}: token_file is missing; over HTTP clients must show a token")
        books = open_books(access(settings, folder))
    except (BadSettings, BooksError) as error:
        print(f"odoo-mcp: {error}", file=sys.stderr)
        return 1
    with closing(books):
        if options.http:
            app = build(books, token=token, url=f"http://{options.host}:{options.http}")
            app.run("streamable-http", host=options.host, port=options.http)
        else:
            build(books).run("stdio")
    return 0


if __name__ == "__main__":
    sys.exit(main())
