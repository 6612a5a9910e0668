"""What more than one file of tests begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from libs.vault_protocol.tests.hubs import OnDisk, Resident
from libs.vault_protocol.tests.made import World


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path)


@pytest.fixture
def resident(tmp_path: Path) -> Iterator[Resident]:
    found = Resident(tmp_path)
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World()
