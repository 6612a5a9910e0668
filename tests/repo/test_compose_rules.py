"""What every service of the compose files must hold, rule by rule, and that each rule can say no."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tools.workspace import ROOT

COMPOSE = ROOT / "compose"
STACKS = ("compose.yaml", "agent.yaml")
"""What `./just up` brings up: lists of the other files."""
FILES = sorted(file for file in COMPOSE.glob("*.yaml") if file.name not in ("base.yaml", *STACKS))
SERVICES: dict[str, dict[str, Any]] = {
    name: service
    for file in FILES
    for name, service in (yaml.safe_load(file.read_text(encoding="utf-8")).get("services") or {}).items()
}
BASE = yaml.safe_load((COMPOSE / "base.yaml").read_text(encoding="utf-8"))["services"]["hardened"]
NETWORKS = yaml.safe_load((COMPOSE / "networks.yaml").read_text(encoding="utf-8"))["networks"]

MAY_SET = {"tmpfs", "mem_limit", "memswap_limit", "pids_limit", "stop_grace_period"}
"""Of what all have, what a service may have otherwise."""
NEVER = {"privileged", "network_mode", "pid", "ipc", "devices", "env_file"}
READS_OTHERS = "backup"
"""Root without rights but one: it reads what other users keep."""
PINNED = re.compile(r"\$\{[A-Z_]+_IMAGE:\?[^}]+\}|[\w/.-]+:[\w.-]*\d[\w.-]*")
OUTWARD = {"caddy": {"edge"}, "way-out": {"outside"}, "uptime-kuma": {"kuma-out"}, "backup": {"backup-out"}}
UNREACHED_HOST = {"com.docker.network.bridge.inhibit_ipv4": "true"}
"""Or the host's own services are in reach."""


def broken(name: str, service: Mapping[str, Any]) -> set[str]:
    """The rules that this service breaks."""
    return {rule for rule, holds in _rules(name, service) if not holds}


def _rules(name: str, service: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    user, reads_others = str(service.get("user", "root")), name == READS_OTHERS
    yield "hardened", service.get("extends") == {"file": "base.yaml", "service": "hardened"}
    yield "not weakened", not set(service) & (set(BASE) - MAY_SET)
    yield "user", user == "0:0" if reads_others else user.partition(":")[0] not in ("", "0", "root")
    yield "rights", service.get("cap_add", []) == (["DAC_READ_SEARCH"] if reads_others else [])
    yield "watched", (service.get("healthcheck") or {}).get("test", [""])[0] == "CMD"
    yield "apart", not NEVER & set(service)
    yield "mounts", all(_is_harmless(volume) for volume in service.get("volumes", ()))
    yield "ports", ("ports" in service) == (name == "caddy")
    yield "pinned", bool(PINNED.fullmatch(str(service.get("image", ""))))
    yield "secrets", all(_is_no_secret(*given) for given in (service.get("environment") or {}).items())


def _is_harmless(volume: str | Mapping[str, Any]) -> bool:
    """A volume of Docker's, or something of the host's to read that is not Docker's own socket."""
    if isinstance(volume, str):
        source, *_, last = volume.split(":")
        read_only = last == "ro"
    else:
        source, read_only = str(volume.get("source", "")), volume.get("read_only") is True
    return "docker.sock" not in source and (read_only or not source.startswith(("$", ".", "/", "~")))


def _is_no_secret(variable: str, value: object) -> bool:
    return not re.search("PASSWORD|TOKEN|SECRET|KEY", variable) or str(value).startswith("/run/secrets/")


def defaults(text: str) -> list[str]:
    """Secrets that have a value when nobody sets one."""
    return re.findall(r"(?i)\w*(?:password|secret|token)[A-Z_]*:?-", text)


def leading_out(services: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, set[str]]:
    """Each service that has a network which leads outside, and those networks."""
    outward = {name for name, network in networks.items() if not (network or {}).get("internal")}
    used = {name: set(service["networks"]) & outward for name, service in services.items()}
    return {name: found for name, found in used.items() if found}


def test_there_are_services_to_look_at() -> None:
    wanted = {"caddy", "vault-hub", "cloud-agent", "way-out", "odoo", "db", "uptime-kuma", "monitor", "backup"}
    assert wanted <= set(SERVICES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_hardened_watched_pinned_and_behind_caddy(name: str) -> None:
    assert broken(name, SERVICES[name]) == set()


PLANTED: list[tuple[str, dict[str, Any]]] = [
    ("apart", {"privileged": True}),
    ("apart", {"network_mode": "host"}),
    ("apart", {"pid": "host"}),
    ("apart", {"ipc": "host"}),
    ("apart", {"devices": ["/dev/kvm"]}),
    ("apart", {"env_file": "secrets.env"}),
    ("user", {"user": "root"}),
    ("user", {"user": "0:0"}),
    ("user", {"user": None}),
    ("rights", {"cap_add": ["SYS_ADMIN"]}),
    ("not weakened", {"cap_drop": []}),
    ("not weakened", {"security_opt": ["seccomp=unconfined"]}),
    ("not weakened", {"read_only": False}),
    ("mounts", {"volumes": ["/var/run/docker.sock:/var/run/docker.sock:ro"]}),
    ("mounts", {"volumes": ["/etc:/host"]}),
    ("mounts", {"volumes": [{"type": "bind", "source": "/etc", "target": "/host"}]}),
    ("mounts", {"volumes": [{"type": "bind", "source": "/run/docker.sock", "target": "/s", "read_only": True}]}),
    ("ports", {"ports": ["5432:5432"]}),
    ("pinned", {"image": "postgres:latest"}),
    ("pinned", {"image": "postgres"}),
    ("watched", {"healthcheck": {"test": ["NONE"]}}),
    ("watched", {"healthcheck": None}),
    ("hardened", {"extends": {"file": "base.yaml", "service": "soft"}}),
    ("secrets", {"environment": {"HUB_TOKEN": "4711"}}),
]


@pytest.mark.parametrize(("rule", "planted"), PLANTED, ids=lambda given: str(given))
def test_a_fault_that_is_planted_in_a_service_breaks_its_rule_and_no_other(rule: str, planted: dict[str, Any]) -> None:
    service = {key: value for key, value in {**SERVICES["vault-hub"], **planted}.items() if value is not None}
    assert broken("vault-hub", service) == {rule}


def test_every_rule_has_a_fault_that_is_planted() -> None:
    assert {rule for rule, _ in _rules("vault-hub", SERVICES["vault-hub"])} == {rule for rule, _ in PLANTED}


def test_every_file_is_of_a_stack_and_an_agent_alone_is_two_services_without_a_port() -> None:
    of = {name: set(yaml.safe_load((COMPOSE / name).read_text("utf-8"))["include"][0]["path"]) for name in STACKS}
    assert set().union(*of.values()) == {file.name for file in FILES}
    alone = [yaml.safe_load((COMPOSE / name).read_text("utf-8")).get("services", {}) for name in of["agent.yaml"]]
    services = {name: service for found in alone for name, service in found.items()}
    assert set(services) == {"agent", "way-out"}
    assert not any("ports" in service for service in services.values())
    assert leading_out(services, NETWORKS) == {"way-out": {"outside"}}


def test_no_secret_has_a_default() -> None:
    everything = "".join(file.read_text(encoding="utf-8") for file in COMPOSE.iterdir())
    assert defaults(everything) == []
    assert defaults("POSTGRES_PASSWORD: ${DB_PASSWORD:-odoo}") == ["DB_PASSWORD:-"]
    assert defaults("${HUB_TOKEN-4711}") == ["HUB_TOKEN-"]


def test_what_leads_outside_leads_one_service_there() -> None:
    assert leading_out(SERVICES, NETWORKS) == OUTWARD
    opened = {**NETWORKS, "database": {**NETWORKS["database"], "internal": False}}
    assert set(leading_out(SERVICES, opened)) > set(OUTWARD)
    joined = {**SERVICES, "cloud-agent": {"networks": [*SERVICES["cloud-agent"]["networks"], "outside"]}}
    assert leading_out(joined, NETWORKS)["cloud-agent"] == {"outside"}


def test_the_database_is_reached_by_the_books_and_the_backup_alone_and_no_network_reaches_the_host() -> None:
    def on(network: str) -> set[str]:
        return {name for name, service in SERVICES.items() if network in service["networks"]}

    assert on("database") == {"db", "odoo", "backup"}
    assert on("drafts") == {"odoo", "cloud-agent"}
    inward = set(NETWORKS) - set().union(*OUTWARD.values())
    assert {name: NETWORKS[name]["driver_opts"] for name in inward} == dict.fromkeys(inward, UNREACHED_HOST)
