"""A hub for each test that asks for one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from services.vault_hub.tests.hubworld import HubWorld

Start = Callable[..., HubWorld]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a hub with these settings changed."""
    with ExitStack() as stack:

        def started(**changes: object) -> HubWorld:
            world = HubWorld(tmp_path, changes)
            stack.callback(world.close)
            return world

        yield started


@pytest.fixture
def hub(start: Start) -> HubWorld:
    return start()
