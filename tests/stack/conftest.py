from collections.abc import Iterator

import pytest

from tests.stack.books import Stack, running
from tests.stack.docker import ensure_engine


@pytest.fixture(scope="session")
def books_stack() -> Iterator[Stack]:
    """One real Odoo for all tests of this folder; each uses records of its own."""
    ensure_engine()
    with running() as stack:
        yield stack
