from collections.abc import Iterator

import pytest

from tests.stack.office import Office, begin_local, office


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The stack as `./just up` makes it, on small disks, watched impatiently, and an owner who joined."""
    with office(tmp_path_factory.mktemp("office"), profiles="books,metrics") as found:
        begin_local(found)
        yield found
