"""Nothing here waits for a disk, but for the one test that says when it must."""

import pytest
from libs.vault_protocol.tests.mirror.world import on_a_fast_disk


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_fast_disk(monkeypatch)
