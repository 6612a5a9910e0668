"""From monitors.yaml to items. Nothing is asked of Kuma."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monitor.items import OURS, Fact, Item, Kind
from monitor.tokens import token
from monitor.wanted import AnyMonitor, AnyNotification, Http, Keyword, Push, Tcp, Wanted, Webhook, Window

OUR_COLOR = "#475569"
WEEKDAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
"""As JavaScript counts them."""


@dataclass(frozen=True)
class Pace:
    """How fast Kuma looks. A test is more impatient than an owner."""

    longest: int | None = None
    """Seconds between two looks, at most."""
    retries: int | None = None
    again: int = 30
    """Seconds until a failure is looked at once more."""


def items(wanted: Wanted, secret: bytes, read: Callable[[Path], str], pace: Pace = Pace()) -> tuple[Item, ...]:
    """`secret`: what push tokens are made from. `read`: the one line of a secret's file."""
    told = tuple(sorted(one.name for one in wanted.notifications))
    return (
        Item(Kind.TAG, OURS, {"color": OUR_COLOR}),
        *(Item(Kind.TAG, tag.name, {"color": tag.color}) for tag in wanted.tags),
        *(_notification(one, read) for one in wanted.notifications),
        *(_monitor(one, told, secret, pace) for one in wanted.monitors),
        *(
            Item(
                Kind.PAGE,
                page.slug,
                {"title": page.title, "groups": tuple((tag, *wanted.tagged(tag)) for tag in page.groups)},
            )
            for page in wanted.pages
        ),
        *(_window(one, wanted) for one in wanted.maintenance),
    )


def _notification(one: AnyNotification, read: Callable[[Path], str]) -> Item:
    facts: dict[str, Fact]
    if isinstance(one, Webhook):
        facts = {"type": "webhook", "url_secret": read(one.url_file)}
    else:
        facts = {"type": "ntfy", "server": one.server, "token": read(one.topic_file)}
    return Item(Kind.NOTIFICATION, one.name, facts)


def _monitor(one: AnyMonitor, told: tuple[str, ...], secret: bytes, pace: Pace) -> Item:
    # How long a job may be silent is the job's; how often Kuma looks is the pace's.
    every = one.every if pace.longest is None or isinstance(one, Push) else min(one.every, pace.longest)
    facts: dict[str, Fact] = {
        "type": "port" if one.kind == "tcp" else one.kind,
        "every": every,
        "again": min(pace.again, every) if not isinstance(one, Push) else every,
        "retries": one.retries if pace.retries is None else min(one.retries, pace.retries),
        "tags": tuple(sorted((OURS, *one.tags))),
        "notifications": told,
        "active": True,
    }
    match one:
        case Http():
            facts |= {"url": one.url, "certificate": one.certificate}
        case Keyword():
            facts |= {"url": one.url, "keyword": one.keyword, "absent": one.absent}
        case Tcp():
            facts |= {"host": one.host, "port": one.port}
        case Push():
            facts |= {"token": token(secret, one.name)}
    return Item(Kind.MONITOR, one.name, facts)


def _window(one: Window, wanted: Wanted) -> Item:
    return Item(
        Kind.MAINTENANCE,
        one.name,
        {
            "days": tuple(sorted(WEEKDAYS[day] for day in one.days)),
            "begins": one.begins,
            "ends": one.ends,
            "zone": one.zone,
            "monitors": wanted.tagged(*one.tags),
        },
    )
