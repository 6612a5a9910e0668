"""What the VM says of itself: the report `pulumi up` waits for, its log, a code for the owner, measures."""

from __future__ import annotations

import gzip
import json
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.vm import imds
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.places import Places
from infra.vm.programs import run, whole

JOIN_CODE = "join-code/vm.txt"
CODE_SECONDS = 480
"""A code is good for 900; a fresh one is there all the time."""
MOST_LOG = 8 << 20
AGAIN = timedelta(minutes=15)
"""After which the same is said again: a report that is older is of a VM that says nothing any more."""


@dataclass(frozen=True)
class Reports:
    places: Places
    orders: Orders
    cloud: Cloud

    def say(self, state: str, step: str, message: str = "", identity: str = "") -> None:
        """Once for each change, and again after a while. What is new is printed too, for the journal.

        `identity`: who an agent is, in public halves.
        """
        said = {"orders": self.orders.digest, "instance": imds.read("instance/id"), "state": state, "step": step}
        said |= {"message": message[-1500:], "release": self.orders.version}
        said |= {"identity": identity} if identity else {}
        before, now = self._last(), datetime.now(UTC)
        same = {**before, "at": ""} == {**said, "at": ""}
        if same and before["at"] > _written(now - AGAIN):
            return
        if not same:
            print(f"countersign: {state}, {step}" + (f": {message}" if message else ""), flush=True)
        report = {**said, "at": _written(now)}
        text = json.dumps(report)
        self.cloud.put(f"health/{self.orders.machine}.json", text.encode(), "application/vnd.countersign+json")
        whole(self.places.last, text.encode(), 0o644)

    def offer_code(self, code: str) -> None:
        """For the owner's machine; an empty one when nobody is waited for any more."""
        file = self.places.last.with_name("code")
        if not code and file.exists() and not file.read_bytes():
            return
        self.cloud.put(JOIN_CODE, code.encode(), "text/plain")
        whole(file, b"waiting" if code else b"")

    def wants_code(self) -> bool:
        """Not again before the last one has grown old."""
        file = self.places.last.with_name("code")
        return not file.exists() or (bool(file.read_bytes()) and time.time() - file.stat().st_mtime > CODE_SECONDS)

    def measure(self, *, healthy: bool) -> None:
        used = {"disk": self.places.data, "root": self.places.root}
        values = {f"{name}_used_percent": _used(place) for name, place in used.items() if place.exists()}
        values["disk_used_percent"] = max(values.values())
        self.cloud.measure(
            imds.read("instance/compartmentId"), self.orders.machine, {**values, "healthy": float(healthy)}
        )

    def ship(self, log: Path = Path("/var/log/cloud-init-output.log")) -> str:
        """What the journal and cloud-init said since the last time; the name of the object. Raises Failed."""
        cursor = self.places.root / "var/lib/countersign-vm/cursor"
        cursor.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh, shipped = cursor.with_name("cursor.new"), cursor.with_name("boot-shipped")
        fresh.unlink(missing_ok=True)
        if cursor.exists():
            shutil.copyfile(cursor, fresh)
        said = run(["journalctl", "-q", "-o", "short-iso", f"--cursor-file={fresh}", "--no-pager"], seconds=120)
        before = int(shipped.read_text(encoding="ascii")) if shipped.exists() else 0
        boot = log.read_bytes()[before:] if log.exists() else b""
        text = boot[-MOST_LOG:] + said[-MOST_LOG:]
        if not text:
            return ""
        place = "logs/" if self.orders.role == "whole" else f"logs.{self.orders.machine}."
        name = f"{place}{datetime.now(UTC).strftime('%Y-%m-%dT%H%M%SZ')}.gz"
        self.cloud.put(name, gzip.compress(text))
        if fresh.exists():
            fresh.replace(cursor)
        whole(shipped, str(before + len(boot)).encode())
        return name

    def _last(self) -> dict[str, str]:
        try:
            found = json.loads(self.places.last.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _used(place: Path) -> float:
    usage = shutil.disk_usage(place)
    return round(100 * usage.used / usage.total, 1)
