"""A real Uptime Kuma 2, through uptime-kuma-api-ng: the only module that knows its client and its names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import structlog
from socketio.exceptions import SocketIOError
from uptime_kuma_api import MaintenanceStrategy, MonitorType, NotificationType, UptimeKumaApi, UptimeKumaException

from monitor.errors import KumaAway
from monitor.items import OURS, Fact, Facts, Item, Kind
from monitor.plan import Change, Verb

log = structlog.get_logger()

Row = dict[str, Any]
_OF_KUMA = (UptimeKumaException, SocketIOError, requests.RequestException, OSError)
PAUSE = 1.0
"""Seconds between two tries. Kuma 2 takes its calls only some time after it took the connection."""

FIELDS = {
    "every": "interval", "again": "retryInterval", "retries": "maxretries", "url": "url",
    "certificate": "expiryNotification", "keyword": "keyword", "absent": "invertKeyword", "host": "hostname",
    "port": "port", "token": "pushToken",
}  # fmt: skip
"""Facts of a monitor that are one field of Kuma's each."""
FLAGS = frozenset({"certificate", "absent"})
TOLD = {
    "webhook": {"url_secret": "webhookURL"},
    "ntfy": {"server": "ntfyserverurl", "token": "ntfytopic"},
}
FIXED: dict[str, Row] = {"webhook": {"webhookContentType": "json"}, "ntfy": {"ntfyPriority": 4}}


@contextmanager
def connected(
    url: str, user: str, password: str, patience: float, *, now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[SocketKuma]:  # fmt: skip
    """Logged in; the account is made when there is none. Raises KumaAway when `patience` seconds did not suffice."""
    until = now() + patience
    while True:
        api = None
        try:
            api = UptimeKumaApi(url, timeout=5, wait_events=0.02)
            if api.need_setup():
                api.setup(user, password)
                log.info("kuma.account_made", user=user)
            api.login(user, password)
            break
        except _OF_KUMA as error:
            if api is not None:
                api.disconnect()
            words = str(error)
            if "Incorrect" in words or "authIncorrectCreds" in words:
                raise KumaAway(f"{url}: Kuma does not know {user} by this password; mend password_file") from None
            if now() >= until:
                raise KumaAway(f"{url}: {type(error).__name__}: {words[:200]}") from None
            sleep(PAUSE)
    try:
        yield SocketKuma(api)
    finally:
        api.disconnect()


class SocketKuma:
    """Names become Kuma's numbers here, and back."""

    def __init__(self, api: UptimeKumaApi) -> None:
        self._api = api
        self._known: dict[tuple[Kind, str], int] = {}
        """What was added stays known, even when Kuma's next list comes late: nothing is added twice."""

    def found(self) -> tuple[Item, ...]:
        with _named("read"):
            monitors, notifications = self._api.get_monitors(), self._api.get_notifications()
            tags, windows = self._api.get_tags(), self._api.get_maintenances()
            told, names = _names(notifications), _names(monitors)
            for kind, rows in ((Kind.TAG, tags), (Kind.NOTIFICATION, notifications), (Kind.MONITOR, monitors)):
                self._known |= {(kind, row["name"]): int(row["id"]) for row in rows}
            self._known |= {(Kind.MAINTENANCE, row["title"]): int(row["id"]) for row in windows}
            return (
                *(Item(Kind.TAG, tag["name"], {"color": tag["color"]}, ours=False) for tag in tags),
                *(_notification(one) for one in notifications),
                *(_monitor(one, told) for one in monitors),
                *(self._page(one["slug"], names) for one in self._api.get_status_pages()),
                *(self._window(one, names) for one in windows),
            )

    def carry_out(self, change: Change) -> None:
        item = change.item
        with _named(f"{change.verb} {item.kind} {item.name}"):
            match item.kind:
                case Kind.TAG:
                    self._tag(item)
                case Kind.NOTIFICATION:
                    self._tell(item)
                case Kind.MONITOR if change.verb is Verb.REMOVE:
                    self._api.delete_monitor(self._known.pop((item.kind, item.name)))
                case Kind.MONITOR:
                    self._watch(item)
                case Kind.PAGE:
                    self._show(item)
                case Kind.MAINTENANCE:
                    self._rest(item)

    def states(self) -> Mapping[str, int]:
        """The newest word on each monitor: 0 down, 1 up, 2 pending, 3 maintenance."""
        with _named("read"):
            beats = self._api.get_heartbeats()
            return {
                name: int(beats[number][-1]["status"])
                for (kind, name), number in self._known.items()
                if kind is Kind.MONITOR and beats.get(number)
            }

    def _tag(self, item: Item) -> None:
        row: Row = {"name": item.name, "color": item.facts["color"]}
        number = self._number(item)
        if number is None:
            self._known[item.kind, item.name] = int(self._api.add_tag(**row)["id"])
        else:
            self._api.edit_tag(number, **row)

    def _tell(self, item: Item) -> None:
        kind = str(item.facts["type"])
        fields = {theirs: item.facts[ours] for ours, theirs in TOLD[kind].items()}
        row: Row = {"name": item.name, "type": NotificationType(kind), **FIXED[kind], **fields}
        number = self._number(item)
        if number is None:
            self._known[item.kind, item.name] = int(self._api.add_notification(**row)["id"])
        else:
            self._api.edit_notification(number, **row)

    def _watch(self, item: Item) -> None:
        facts = item.facts
        row: Row = {
            "type": MonitorType(str(facts["type"])), "name": item.name,
            "notificationIDList": [self._known[Kind.NOTIFICATION, str(one)] for one in _tuple(facts["notifications"])],
            **{theirs: facts[ours] for ours, theirs in FIELDS.items() if ours in facts},
        }  # fmt: skip
        number = self._number(item)
        if number is None:
            push = row.pop("pushToken", None)  # which the client lets be set on a change only
            number = self._known[item.kind, item.name] = int(self._api.add_monitor(**row)["monitorID"])
            if push:
                self._api.edit_monitor(number, pushToken=push)
            there: dict[str, Row] = {}
        else:
            self._api.edit_monitor(number, **row)
            now = self._api.get_monitor(number)
            there = {tag["name"]: tag for tag in now["tags"]}
            if not now["active"]:
                self._api.resume_monitor(number)
        wanted = {str(name) for name in _tuple(facts["tags"])}
        for name in sorted(wanted - there.keys()):
            self._api.add_monitor_tag(self._known[Kind.TAG, name], number, "")
        for name in sorted(there.keys() - wanted):
            self._api.delete_monitor_tag(there[name]["tag_id"], number, there[name].get("value") or "")

    def _number(self, item: Item) -> int | None:
        return self._known.get((item.kind, item.name))

    def _show(self, item: Item) -> None:
        slug = item.name
        if slug not in {page["slug"] for page in self._api.get_status_pages()}:
            self._api.add_status_page(slug, item.facts["title"])
        groups = [
            {"name": group[0], "weight": weight, "monitorList": [self._ref(name) for name in group[1:]]}
            for weight, group in enumerate(map(_tuple, _tuple(item.facts["groups"])), 1)
        ]
        self._api.save_status_page(slug, title=item.facts["title"], publicGroupList=groups)

    def _rest(self, item: Item) -> None:
        facts = item.facts
        row: Row = {
            "title": item.name, "description": OURS, "strategy": MaintenanceStrategy.RECURRING_WEEKDAY,
            "active": True, "intervalDay": 1, "daysOfMonth": [], "weekdays": list(_tuple(facts["days"])),
            "timeRange": [_clock(str(facts["begins"])), _clock(str(facts["ends"]))],
            "timezoneOption": facts["zone"],
        }  # fmt: skip
        number = self._number(item)
        if number is None:
            number = self._known[item.kind, item.name] = int(self._api.add_maintenance(**row)["maintenanceID"])
        else:
            self._api.edit_maintenance(number, **row)
        self._api.add_monitor_maintenance(number, [self._ref(name) for name in _tuple(facts["monitors"])])

    def _ref(self, name: Fact) -> Row:
        return {"id": self._known[Kind.MONITOR, str(name)]}

    def _page(self, slug: str, names: Mapping[int, str]) -> Item:
        page = self._api.get_status_page(slug)
        groups = tuple(
            (group["name"], *sorted(names[int(one["id"])] for one in group["monitorList"]))
            for group in sorted(page["publicGroupList"], key=lambda group: int(group["weight"]))
        )
        return Item(Kind.PAGE, slug, {"title": page["title"], "groups": groups}, ours=False)

    def _window(self, row: Row, names: Mapping[int, str]) -> Item:
        begins, ends = ("{hours:02}:{minutes:02}".format_map(at) for at in (*row["timeRange"], *_MIDNIGHTS)[:2])
        facts: Facts = {
            "days": tuple(sorted(row["weekdays"])), "begins": begins, "ends": ends, "zone": row.get("timezoneOption"),
            "monitors": tuple(sorted(names[int(one["id"])] for one in self._api.get_monitor_maintenance(row["id"]))),
        }  # fmt: skip
        return Item(Kind.MAINTENANCE, row["title"], facts, ours=False)


_MIDNIGHTS = ({"hours": 0, "minutes": 0}, {"hours": 0, "minutes": 0})


def _notification(row: Row) -> Item:
    kind = str(getattr(row["type"], "value", row["type"]))
    facts = {"type": kind, **{ours: row.get(theirs) for ours, theirs in TOLD.get(kind, {}).items()}}
    return Item(Kind.NOTIFICATION, row["name"], facts, ours=False)


def _monitor(row: Row, told: Mapping[int, str]) -> Item:
    tags = tuple(sorted({tag["name"] for tag in row["tags"]}))
    facts: dict[str, Fact] = {
        "type": str(getattr(row["type"], "value", row["type"])), "tags": tags,
        "notifications": tuple(sorted(told[number] for number in row["notificationIDList"] if number in told)),
        "active": bool(row["active"]),
    }  # fmt: skip
    for ours, theirs in FIELDS.items():
        facts[ours] = bool(row.get(theirs)) if ours in FLAGS else row.get(theirs)
    return Item(Kind.MONITOR, row["name"], facts, ours=OURS in tags)


def _names(rows: list[Row]) -> dict[int, str]:
    return {int(one["id"]): str(one["name"]) for one in rows}


def _tuple(fact: Fact) -> tuple[Fact, ...]:
    return fact if isinstance(fact, tuple) else ()


def _clock(words: str) -> Row:
    hours, minutes = words.split(":")
    return {"hours": int(hours), "minutes": int(minutes)}


@contextmanager
def _named(what: str) -> Iterator[None]:
    try:
        yield
    except _OF_KUMA as error:
        raise KumaAway(f"{what}: {type(error).__name__}: {str(error)[:200]}") from None
