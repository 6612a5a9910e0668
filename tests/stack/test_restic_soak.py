import pytest

from tests.stack.installation import Backups
from tests.stack.repositories import flips

pytestmark = pytest.mark.soak


def test_a_thousand_random_flips_of_a_byte_are_all_found(things: Backups) -> None:
    assert flips(things, 1000, seed=7) == []
