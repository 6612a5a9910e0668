"""The mail servers as pytest fixtures: `pytest_plugins = ["demo.testing"]` in the root conftest.py."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.launch import MailWorld, mail_world

StartMail = Callable[..., MailWorld]


@pytest.fixture
def start_mail(tmp_path: Path) -> Iterator[StartMail]:
    """Start both servers with these faults: `world = start_mail("drop-after-data:1")`; once per test."""
    with ExitStack() as stack:
        yield lambda *faults: stack.enter_context(mail_world(tmp_path / "mail", *faults))


@pytest.fixture
def mail(start_mail: StartMail) -> MailWorld:
    """Both servers, no faults."""
    return start_mail()
