"""`pulumi up` ends when the VM has said that it is well, in an object that only it may write; see docs/infra.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

EVERY_SECONDS = 15


class NotHealthy(Exception):
    """The VM said that it failed, or said nothing for too long; the message has its words and what to do."""


@dataclass(frozen=True)
class Report:
    """What the VM said last."""

    orders: str
    state: str
    step: str
    message: str
    at: str

    @classmethod
    def parse(cls, text: str) -> Report | None:
        """None for what is no report; whoever wrote it, it never ends the program."""
        try:
            found: dict[str, Any] = json.loads(text)
            return cls(*(str(found[name])[:2000] for name in ("orders", "state", "step", "message", "at")))
        except (ValueError, KeyError, TypeError):
            return None


async def wait(
    look: Callable[[], Awaitable[str | None]],
    *,
    orders: str,
    minutes: int,
    logs: str,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Until the VM has carried out these very orders. Raises NotHealthy."""
    last: Report | None = None
    for _ in range(0, minutes * 60, EVERY_SECONDS):
        found = Report.parse(await look() or "")
        if found and found != last:
            say(f"the VM: {found.state}, {found.step}" + (f": {found.message}" if found.message else ""))
        last = found or last
        if last and last.orders == orders and last.state == "healthy":
            return last
        if last and last.orders == orders and last.state == "failed":
            raise NotHealthy(
                f"the VM failed at {last.step} ({last.at}): {last.message}. Its log: {logs}. "
                "It tries again every two minutes: mend what it says, and run `pulumi up` again"
            )
        await sleep(EVERY_SECONDS)
    raise NotHealthy(_silent(last, orders, minutes, logs))


def _silent(last: Report | None, orders: str, minutes: int, logs: str) -> str:
    if last is None:
        heard = (
            "it never reported. The console's serial log says whether it booted; the rights of a new machine count "
            "after minutes; `Out of host capacity` means another machine.availability_domain, or later"
        )
    elif last.orders != orders:
        heard = f"it still runs what it was told before (at {last.at}: {last.state}, {last.step})"
    else:
        heard = f"its last word was {last.state}, {last.step} at {last.at}: {last.message}"
    return f"the VM did not get well within {minutes} minutes: {heard}. Its log: {logs}. `pulumi up` waits again"
