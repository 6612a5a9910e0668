"""What the units do: `ready` before Docker starts, `apply` every two minutes. Each may run again at any point."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from infra.vm import disk, imds, release, secrets
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.places import Places
from infra.vm.programs import Failed, whole
from infra.vm.reports import Reports
from infra.vm.stack import Stack
from infra.vm.web import ask

Found = TypeVar("Found")


def ready(places: Places) -> None:
    """Data mounted, secrets in memory: before this no container starts. What keeps it from that is reported.

    Raises Failed.
    """
    orders = Orders.parse(_patiently(imds.orders))
    cloud = Cloud(orders)
    reports = Reports(places, orders, cloud)
    with _told(reports, "volume"):
        if orders.device:
            print(f"countersign: data volume {disk.mount(orders.device, places.data)}", flush=True)
    with _told(reports, "secrets"):
        secrets.mount(places.secrets)
        _patiently(
            lambda: secrets.fetch(orders, cloud, places.secrets),
            tell=lambda why: _say(reports, "working", "secrets", why),
        )
    print(f"countersign: {len(orders.secrets)} secrets in memory", flush=True)


@contextmanager
def _told(reports: Reports, step: str) -> Iterator[None]:
    """A step whose failure is reported, and is then whoever asked for it to see to."""
    try:
        yield
    except (Failed, OSError) as error:
        _say(reports, "failed", step, str(error))
        raise


def _say(reports: Reports, state: str, step: str, message: str) -> None:
    """As far as that goes by now: the bucket may be as far away as what this is about."""
    try:
        reports.say(state, step, message)
    except Failed as error:
        print(f"countersign: not reported: {error}", flush=True)


def apply(places: Places) -> bool:
    """Carry out the orders unless that was done; whether the stack is well now."""
    orders = Orders.parse(imds.orders())
    cloud = Cloud(orders)
    reports = Reports(places, orders, cloud)
    stack = Stack(places)
    step = "look"
    try:
        if not _is_done(places, orders):
            for step, act in _steps(places, orders, cloud, stack):
                reports.say("working", step)
                act()
            whole(places.done, orders.digest.encode(), 0o644)
            reports.ship()
        step = "volume"
        if orders.device and disk.grow(places.data, places.grown):
            print("countersign: the file system has all of the data volume", flush=True)
        step = "look"
        unwell = stack.unwell()
    except Failed as error:
        reports.say("failed", step, str(error))
        reports.ship()
        reports.measure(healthy=False)
        return False
    alone = orders.role == "agent"
    left = [] if alone or unwell else _settled(places, orders, stack)
    message = "; ".join(unwell or [_public(orders), *left])
    reports.say(
        "unwell" if unwell else "healthy", step, message, _identity(places, stack) if alone and not unwell else ""
    )
    if not alone and reports.wants_code():
        reports.offer_code(stack.join_code())
    reports.measure(healthy=not unwell)
    return not unwell


def _steps(places: Places, orders: Orders, cloud: Cloud, stack: Stack) -> list[tuple[str, Callable[[], object]]]:
    if orders.role not in ("whole", "agent"):
        raise Failed(f"release {orders.version} has no stack for the role {orders.role!r}")
    return [
        ("secrets", lambda: secrets.fetch(orders, cloud, places.secrets)),
        ("release", lambda: release.switch(release.fetch(orders, places.releases), places.current)),
        ("settings", lambda: stack.configure(orders)),
        ("up", stack.up),
    ]


def _identity(places: Places, stack: Stack) -> str:
    """Asked for once since the machine started: key and token stay."""
    if not places.identity.exists():
        whole(places.identity, stack.identity().encode(), 0o644)
    return places.identity.read_text(encoding="ascii")


def _settled(places: Places, orders: Orders, stack: Stack) -> list[str]:
    """Who may talk to the hub, as ordered: what is left to do, which is tried again. Nothing is done twice."""
    if not (orders.agents or orders.revoked) or _is(places.admitted, orders.digest):
        return []
    left = stack.settle(orders)
    if not left:
        whole(places.admitted, orders.digest.encode(), 0o644)
    return left


def _is_done(places: Places, orders: Orders) -> bool:
    return _is(places.done, orders.digest)


def _is(file: Path, content: str) -> bool:
    try:
        return file.read_text(encoding="ascii") == content
    except OSError:
        return False


def _public(orders: Orders) -> str:
    """Whether the hub is reached by its name: the name servers and the certificate may need their time."""
    address = orders.environment.get("HUB") or f"https://{orders.environment.get('HUB_NAME', '')}"
    try:
        ask("GET", f"{address}/healthz", seconds=10)
    except Failed as error:
        return f"the hub is not yet reached by its name: {error}"
    return f"{address} answers"


def _patiently(
    act: Callable[[], Found], *, seconds: float = 900, tell: Callable[[str], None] = lambda _: None
) -> Found:
    """A new machine's rights count only after minutes. `tell` is told of what is tried again."""
    until, pause = time.monotonic() + seconds, 2.0
    while True:
        try:
            return act()
        except Failed as error:
            if time.monotonic() + pause > until:
                raise
            print(f"countersign: {error}; again in {pause:g} s", flush=True)
            tell(str(error))
        time.sleep(pause)
        pause = min(pause * 2, 60)
