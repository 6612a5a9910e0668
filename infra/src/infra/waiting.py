"""`pulumi up` ends when the VM has said that it is well, in an object that only it may write; see docs/infra.md."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EVERY_SECONDS = 15
LASTS = timedelta(minutes=20)
"""How long a word counts: a VM that lives says it again after 15 minutes (vm/reports.py)."""
AHEAD = timedelta(minutes=5)
"""By how much the VM's clock may be before this one. Further, and its words have no age: only a new one counts."""


class NotHealthy(Exception):
    """The VM said that it failed, or said nothing for too long; the message has its words and what to do."""


@dataclass(frozen=True)
class Report:
    """What a VM said last, and which."""

    orders: str
    instance: str
    state: str
    step: str
    message: str
    at: str

    def is_recent(self, now: datetime) -> bool:
        """By the clock of this machine; False too where the two clocks cannot both be right."""
        try:
            at = datetime.fromisoformat(self.at)
        except ValueError:
            return False
        return -AHEAD <= now - (at if at.tzinfo else at.replace(tzinfo=UTC)) <= LASTS

    @classmethod
    def parse(cls, text: str) -> Report | None:
        """None for what is no report; whoever wrote it, it never ends the program."""
        try:
            found: dict[str, Any] = json.loads(text)
            return cls(*(str(found[name])[:2000] for name in ("orders", "instance", "state", "step", "message", "at")))
        except (ValueError, KeyError, TypeError):
            return None


async def wait(
    look: Callable[[], Awaitable[str]],
    *,
    orders: str,
    instance: str,
    minutes: int,
    logs: str,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    say: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    today: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Until this very VM has carried out these very orders; `look` raises as long as nothing is there.

    A failure that was there from the first is older than this run may be: the next one counts. That it is well counts
    when it was said lately, or anew since the first look; for a VM that is dead has said so too. Raises NotHealthy.
    """
    last, before, trouble, looks = None, None, "", 0
    first: Report | None = None
    until = clock() + minutes * 60
    while clock() < until:
        looks += 1
        try:
            found = Report.parse(await look())
        except Exception as error:  # noqa: BLE001 - the engine has one type for what a provider says
            found, trouble = None, str(error)
        if found and found != last:
            say(f"the VM: {found.state}, {found.step}" + (f": {found.message}" if found.message else ""))
        last = found or last
        before = found if looks == 1 else before
        if last and (last.orders, last.instance) == (orders, instance):
            first = first or last
            if last.state == "healthy" and (last != first or last.is_recent(today())):
                return last
            if last.state == "failed" and last != before:
                raise NotHealthy(
                    f"the VM failed at {last.step} ({last.at}): {last.message}. Its log: {logs}. "
                    "It tries again every two minutes: mend what it says, and run `pulumi up` again"
                )
        await sleep(EVERY_SECONDS)
    raise NotHealthy(
        f"the VM did not get well within {minutes} minutes: {_heard(last, orders, instance, trouble, today())}. "
        f"Its log: {logs}. `pulumi up` waits again"
    )


def _heard(last: Report | None, orders: str, instance: str, trouble: str, now: datetime) -> str:
    if last is None or last.instance != instance:
        return (
            "it never reported. The console's serial log says whether it booted; the rights of a new machine count "
            "after minutes; `Out of host capacity` means another machine.availability_domain, or later"
            + (f". The last look for its report ended with: {trouble[:500]}" if trouble else "")
        )
    if last.orders != orders:
        return f"it still runs what it was told before (at {last.at}: {last.state}, {last.step})"
    heard = f"its last word was {last.state}, {last.step} at {last.at}: {last.message}"
    if last.is_recent(now):
        return heard
    return (
        f"{heard}. That report is old (here it is {now:%Y-%m-%dT%H:%M:%SZ}), and a VM that lives writes one every 15 "
        "minutes: it does not run, or does not reach the bucket, as the console's serial log may say; or the clock "
        "here is wrong, and a longer wait_minutes lets it say so again"
    )
