"""Prometheus' rules and their unit tests, made from failures.yaml: `python -m monitor.rules FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from monitor.failures import Failure, read

HEAD = "# Made by `python -m monitor.rules` from failures.yaml; do not edit.\n"


def rules(failures: Iterable[Failure]) -> str:
    found = [
        {
            "alert": one.alert,
            "expr": one.rule,
            "for": one.lasts,
            "labels": {"urgency": one.urgency, "raised_by": one.raised_by},
            "annotations": {"summary": one.says, "runbook": f"docs/runbook.md#{one.anchor}"},
        }
        for one in failures
    ]
    return _text({"groups": [{"name": "countersign", "rules": found}]})


def tests(failures: tuple[Failure, ...]) -> str:
    """For promtool: raised by its own samples, and by its quiet ones not."""
    found: list[dict[str, Any]] = []
    for one in failures:
        for raised in (True, False):
            samples = one.samples(raised=raised)
            length = max(int(values.rpartition("x")[2]) for values in samples.values())
            found.append(
                {
                    "name": f"{one.name} {'raised' if raised else 'quiet'}",
                    "interval": "1m",
                    "input_series": [{"series": s, "values": values} for s, values in samples.items()],
                    "alert_rule_test": [{"eval_time": f"{length}m", "alertname": one.alert, "exp_alerts": []}],
                }
            )
    for test, one in zip(found[::2], failures, strict=True):
        test["alert_rule_test"][0]["exp_alerts"] = [
            {
                "exp_labels": {"urgency": one.urgency, "raised_by": one.raised_by, **_labels(one)},
                "exp_annotations": {"summary": one.says, "runbook": f"docs/runbook.md#{one.anchor}"},
            }
        ]
    return _text({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": found})


def _labels(one: Failure) -> dict[str, str]:
    """Those that the alert takes over from the series that raises it: all but its name."""
    series = next(iter(one.samples(raised=True)))
    rest = series.partition("{")[2].removesuffix("}")
    return {key: value.strip('"') for key, value in (pair.split("=", 1) for pair in rest.split(",") if pair)}


def _text(value: object) -> str:
    return HEAD + str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120))


def write(folder: Path) -> None:
    failures = read()
    (folder / "rules.yaml").write_text(rules(failures), encoding="utf-8")
    (folder / "rules_test.yaml").write_text(tests(failures), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
