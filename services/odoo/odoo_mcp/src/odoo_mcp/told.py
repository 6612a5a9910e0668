"""How an expected failure is told to a client: as a text that a model may read. Others stay masked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server.mcpserver.exceptions import ToolError

from books.errors import BooksError, BooksUnreachable, NotNow


@contextmanager
def telling() -> Iterator[None]:
    """Turns errors of the books into ToolError, with what to do next where that is not plain."""
    try:
        yield
    except NotNow as error:
        raise ToolError(f"{error}. Nothing happened; try again later.") from error
    except BooksUnreachable as error:
        raise ToolError(f"{error}. It may have happened; call again with the same key.") from error
    except BooksError as error:
        raise ToolError(str(error)) from error
