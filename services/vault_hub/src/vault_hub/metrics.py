"""What the hub counts, in Prometheus' text format. Names and labels are listed in docs/hub.md."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2, 5)


class Metrics:
    """One registry a hub, so that two in one process do not meet."""

    MEDIA_TYPE = "text/plain; version=0.0.4"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.publishes = Counter(
            "countersign_hub_publishes", "Publishes by answer", ["answer"], registry=self.registry
        )  # fmt: skip
        self.commits = Counter("countersign_hub_commits", "Commits that became the head", registry=self.registry)
        self.groups = Counter("countersign_hub_groups", "Groups that were written", registry=self.registry)
        self.refusals = Counter(
            "countersign_hub_refusals", "Refused publishes by rule", ["rule"], registry=self.registry
        )
        self.denied = Counter("countersign_hub_denied", "Requests without a good credential", registry=self.registry)
        self.limited = Counter("countersign_hub_limited", "Requests over the allowance", registry=self.registry)
        self.seconds = Histogram(
            "countersign_hub_publish_seconds", "From the request to its answer", buckets=BUCKETS, registry=self.registry
        )
        self.maintenance = Gauge(
            "countersign_hub_maintenance_timestamp_seconds", "When maintenance last ended well, or this process began",
            registry=self.registry,
        )  # fmt: skip
        self.maintenance.set_to_current_time()  # the first round is due later, and a rule counts from here

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is asked when it is read."""
        Gauge(f"countersign_hub_{name}", text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        return generate_latest(self.registry)
