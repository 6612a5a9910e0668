"""What `docker stack deploy` was seen to do with each key of our services (ADR 36), and that no key is unsorted."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tools.workspace import ROOT

COMPOSE = ROOT / "compose"
KEPT = frozenset({
    "image", "user", "read_only", "cap_drop", "init", "healthcheck", "logging", "labels", "command", "environment",
    "networks", "stop_grace_period", "volumes", "extends",
})  # fmt: skip
REFUSED = frozenset({"mem_limit", "memswap_limit", "pids_limit"})
LOST = frozenset({"security_opt", "tmpfs", "restart"})
"""Passed over without a word. A task is always started again, which is what `restart` would say."""


def services(name: str) -> dict[str, dict[str, Any]]:
    """Those of a stack, each with what it has of `base.yaml`."""
    text = [
        (COMPOSE / file).read_text("utf-8")
        for file in yaml.safe_load((COMPOSE / name).read_text())["include"][0]["path"]
    ]
    base = yaml.safe_load((COMPOSE / "base.yaml").read_text("utf-8"))["services"]["hardened"]
    found = {name: one for part in text for name, one in (yaml.safe_load(part).get("services") or {}).items()}
    return {name: {**base, **one} for name, one in found.items()}


def unsorted(service: dict[str, Any]) -> set[str]:
    return set(service) - KEPT - REFUSED - LOST


@pytest.mark.parametrize("name", sorted(services("agent.yaml")))
def test_what_swarm_does_with_every_key_of_an_agent_alone_was_seen(name: str) -> None:
    service = services("agent.yaml")[name]
    assert unsorted(service) == set()
    assert unsorted({**service, "privileged": True}) == {"privileged"}


def test_an_agent_alone_does_not_deploy_unchanged_and_would_lose_hardening() -> None:
    """When this fails, Swarm may be looked at again, and ADR 36 with it."""
    for service in services("agent.yaml").values():
        assert set(service) >= REFUSED
        assert {"security_opt", "tmpfs"} <= set(service)


def test_the_decision_names_what_is_refused_and_what_is_lost() -> None:
    (record,) = (ROOT / "docs" / "adr").glob("0036-*.md")
    text = record.read_text(encoding="utf-8")
    for key in (*REFUSED, "no-new-privileges", "tmpfs", "NoNewPrivs: 0"):
        assert key in text, key
