import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import repositories
from tests.stack.books import Stack, running
from tests.stack.docker import ensure_engine
from tests.stack.installation import Backups


@pytest.fixture(scope="session")
def books_stack() -> Iterator[Stack]:
    """One real Odoo for all tests of this folder; each uses records of its own."""
    ensure_engine()
    with running() as stack:
        yield stack


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a repository that no test spoils."""
    folder = tmp_path_factory.mktemp("example")
    repositories.example(folder)
    return folder


@pytest.fixture
def things(example: Path, tmp_path: Path) -> Backups:
    """The same, for one test to spoil."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    made = Backups(tmp_path / "backup" / "backup.toml")
    made.config.write_text(made.config.read_text("utf-8").replace(str(example), str(tmp_path)), "utf-8")
    return made


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares servers is for one worker, in order; `./just test-stack` has two.

    pytest 9.2 takes no notice of xdist 3.8 here: each test goes to the worker that is free, and both make servers.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(_shared_by(item)))


def _shared_by(item: pytest.Item) -> str:
    """The faults have a stack of their own: they spoil it for half the time of the lane."""
    if item.path.parent.name == "up" and item.path.stem != "test_faults":
        return "up"
    return "books" if "books_stack" in getattr(item, "fixturenames", ()) else item.path.stem
