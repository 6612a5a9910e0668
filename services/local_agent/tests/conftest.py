"""What the owner's side is tested with; a test that needs another beginning makes its own `world`."""

from __future__ import annotations

from pathlib import Path

import pytest
from services.local_agent.tests.cli_world import World


@pytest.fixture
def world(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> World:
    """An owner's machine after `countersign init`."""
    world = World(tmp_path, capsys.readouterr)
    assert world.init().code == 0
    return world
