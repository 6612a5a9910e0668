"""Work that waits for somebody outside, beside the service's steps: a thread that ends when the service does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    """Begins an act and gives back its outcome to come."""

    def __call__(self, act: Callable[[], T], /) -> Future[T]: ...


def aside(act: Callable[[], T], /) -> Future[T]:
    """In a thread of its own, which nobody waits for at the end."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the outcome is asked for
            future.set_exception(error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return future


def at_once(act: Callable[[], T], /) -> Future[T]:
    """Here and now."""
    future: Future[T] = Future()
    try:
        future.set_result(act())
    except Exception as error:  # noqa: BLE001 - it is raised again where the outcome is asked for
        future.set_exception(error)
    return future
