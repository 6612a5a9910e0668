"""What more than one file of tests begins with."""

from pathlib import Path

import pytest
from libs.vault_protocol.tests.hubs import OnDisk
from libs.vault_protocol.tests.made import World


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path)


@pytest.fixture
def world() -> World:
    return World()
