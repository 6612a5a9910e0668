"""Whose work is being done: what it costs is put down for this task."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOBODY = "none"
_TASK: ContextVar[str] = ContextVar("task", default=NOBODY)


@contextmanager
def spending_for(task: str) -> Iterator[None]:
    """What is asked of a model inside is asked for this task."""
    token = _TASK.set(task)
    try:
        yield
    finally:
        _TASK.reset(token)


def current() -> str:
    return _TASK.get()
