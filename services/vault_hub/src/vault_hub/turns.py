"""Threads of their own for what waits for a disk: whoever asks for much leaves the others theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from vault_protocol.task import AgentId

T = TypeVar("T")


class Turns:
    """So many calls at once, and `each` of one credential; its others wait. For one event loop."""

    def __init__(self, name: str, *, threads: int, each: int) -> None:
        self._threads, self._each = ThreadPoolExecutor(threads, name), each
        self._turns: WeakValueDictionary[AgentId, asyncio.Semaphore] = WeakValueDictionary()

    async def take(self, agent: AgentId, call: Callable[[], T]) -> T:
        """What the call says or raises. Who gives up waiting keeps the turn while its call goes on."""
        turn = self._turns.get(agent)
        if turn is None:
            turn = self._turns[agent] = asyncio.Semaphore(self._each)
        await turn.acquire()
        going = self._threads.submit(call)
        going.add_done_callback(partial(_over, asyncio.get_running_loop(), turn))
        return await asyncio.wrap_future(going)


def _over(loop: asyncio.AbstractEventLoop, turn: asyncio.Semaphore, _done: Future[object]) -> None:
    with suppress(RuntimeError):  # the loop is over already
        loop.call_soon_threadsafe(turn.release)
