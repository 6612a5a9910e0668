"""The server: the tools over one set of books, and who may call them over HTTP."""

from __future__ import annotations

import hmac

from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from books.books import Books
from odoo_mcp.drafting import add_drafting
from odoo_mcp.reading import add_reading

INSTRUCTIONS = """Reads the company's books and drafts in them.
It posts, pays and sends nothing: the owner does, elsewhere.
Give every draft a key made from the task, and repeat a call whose answer was lost with the same key."""


class OneToken:
    """The one bearer token that is good."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def verify_token(self, token: str) -> AccessToken | None:
        if not hmac.compare_digest(token.encode(), self._token):
            return None
        return AccessToken(token=token, client_id="cloud", scopes=[])


def build(books: Books, *, token: str | None = None, url: str = "") -> MCPServer:
    """The server over these books. With a token it wants it from each client over HTTP, at `url`."""
    if token is None:
        app = MCPServer("countersign-books-drafts", instructions=INSTRUCTIONS)
    else:
        auth = AuthSettings(issuer_url=AnyHttpUrl(url), resource_server_url=AnyHttpUrl(url))
        app = MCPServer(
            "countersign-books-drafts", instructions=INSTRUCTIONS, auth=auth, token_verifier=OneToken(token)
        )
    add_reading(app, books)
    add_drafting(app, books)
    return app
