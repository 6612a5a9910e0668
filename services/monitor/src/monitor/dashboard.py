"""Grafana's dashboard, made from the table below: `python -m monitor.dashboard FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS, HEIGHT = 24, 7


@dataclass(frozen=True)
class Panel:
    """`queries`: what each line is called, and Prometheus' expression for it."""

    title: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8


ROWS: dict[str, tuple[Panel, ...]] = {
    "What is wrong": (
        Panel(
            "Alerts that are raised",
            {"{{alertname}} ({{urgency}})": 'ALERTS{alertstate="firing"}'},
            kind="state-timeline",
            width=12,
        ),
        Panel("Monitors that are red", {"{{monitor_name}}": "monitor_status == 0"}, kind="state-timeline", width=12),
    ),
    "Hub": (
        Panel("Publishes a minute, by answer", {"{{answer}}": "rate(countersign_hub_publishes_total[5m]) * 60"}),
        Panel(
            "Seconds until a publish is answered",
            {
                "half of them": "histogram_quantile(0.5, rate(countersign_hub_publish_seconds_bucket[5m]))",
                "99 of 100": "histogram_quantile(0.99, rate(countersign_hub_publish_seconds_bucket[5m]))",
            },
            unit="s",
        ),
        Panel("Refused an hour, by rule", {"{{rule}}": "increase(countersign_hub_refusals_total[1h])"}),
        Panel("Publishes that wait", {"waiting": "countersign_hub_queue_length"}),
        Panel("Who listens", {"listeners": "countersign_hub_stream_clients"}),
        Panel("Since the head moved", {"age": "countersign_hub_head_age_seconds"}, unit="s"),
    ),
    "Cloud": (
        Panel(
            "What is well",
            {
                "hub": "countersign_cloud_hub_ok",
                "head": "countersign_cloud_head_ok",
                "disk": "countersign_cloud_disk_ok",
                "drafter": "countersign_cloud_drafter_ok",
                "mailboxes": "countersign_cloud_mailboxes_ok",
            },
            kind="state-timeline",
        ),
        Panel(
            "What opens each mailbox",
            {"{{mailbox}}: {{credential}}": "countersign_cloud_mailbox_credential"},
            kind="stat",
        ),
        Panel(
            "Since the last mail",
            {"{{mailbox}}": "time() - countersign_cloud_last_mail_timestamp_seconds"},
            unit="s",
        ),
    ),
    "Backups and machine": (
        Panel(
            "Since a job ended well",
            {"{{job_name}}": "time() - (countersign_backup_last_well_timestamp_seconds > 0)"},
            unit="s",
        ),
        Panel("Newest snapshot", {"{{job_name}}": "countersign_backup_snapshot_bytes"}, unit="bytes"),
        Panel(
            "Room on the disks",
            {"{{path}}": "countersign_backup_disk_free_bytes / countersign_backup_disk_bytes"},
            unit="percentunit",
        ),
        Panel(
            "Life that certificates have left",
            {"{{certificate}}": "countersign_monitor_certificate_life_left"},
            unit="percentunit",
        ),
        Panel("Milliseconds until a monitor is answered", {"{{monitor_name}}": "monitor_response_time"}, unit="ms"),
        Panel("Kuma is not as it should be", {"differences": "countersign_monitor_drift"}),
    ),
}


def queries() -> Iterator[str]:
    """Every expression that the dashboard asks for."""
    for panels in ROWS.values():
        for panel in panels:
            yield from panel.queries.values()


def dashboard() -> str:
    """As Grafana reads it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        panels.append({"type": "row", "title": title, "gridPos": place, "collapsed": False, "panels": []})
        top, left = top + 1, 0
        for panel in row:
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            panels.append(_panel(panel, {"h": HEIGHT, "w": panel.width, "x": left, "y": top}))
            left += panel.width
        top += HEIGHT
    for number, one in enumerate(panels, 1):
        one["id"] = number
    whole = {
        "uid": "countersign", "title": "Countersign", "schemaVersion": 39, "version": 1, "editable": False,
        "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "tags": ["countersign"], "panels": panels,
    }  # fmt: skip
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "datasource": SOURCE, "expr": expression, "legendFormat": name}
        for at, (name, expression) in enumerate(panel.queries.items())
    ]
    return {
        "type": panel.kind, "title": panel.title, "gridPos": place, "datasource": SOURCE, "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []}, "options": {},
    }  # fmt: skip


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(dashboard(), encoding="utf-8")
