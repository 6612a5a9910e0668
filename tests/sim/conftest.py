"""The simulation's option: `--seed` runs one seed again."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="run only this seed of the simulation")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """A million steps write no log."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
