"""One ground for the tests of a module, and what Local knows of it."""

from __future__ import annotations

import pytest
from libs.vault_protocol.tests import made
from libs.vault_protocol.tests.through import Through

from tests.adversary.ground import Ground, lay
from vault_protocol.follow import Follower, View


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return lay(Through(tmp_path_factory.mktemp("ground") / "store.git"))


@pytest.fixture(scope="module")
def seen(ground: Ground) -> View:
    """What Local knows before the attack."""
    follower = Follower(ground.store, made.VAULT, made.TRUST)
    follower.advance(ground.head)
    return follower.view
