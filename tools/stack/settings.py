"""What the operator chose (an environment file) and where this stack keeps its own: secrets, settings, releases."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tools.stack.engine import StackFailed
from tools.workspace import ROOT

COMPOSE = ROOT / "compose"
DEFAULT = COMPOSE / "stack.env"
NEEDED = (
    "COMPOSE_PROJECT_NAME", "HUB_NAME", "ODOO_NAME", "HTTP_LISTEN", "HTTPS_LISTEN", "PUBLIC_PORT", "TLS_ISSUER", "HSTS",
)  # fmt: skip
OPTIONAL = ("BOOKS_COUNTRY", "COMPOSE_PROFILES", "HEALTH_INTERVAL", "KUMA_NAME", "OWNER_NAME", "WATCH_SECONDS")
OF_AN_AGENT = ("COMPOSE_PROJECT_NAME", "AGENT", "HUB")
"""What an agent alone needs: whoever names AGENT wants nothing else on this machine."""
OPTIONAL_OF_AN_AGENT = ("HEALTH_INTERVAL", "HUB_CA", "OWNER_NAME")
INSIDE = "status.home.arpa"
"""What Kuma is called where it has no name for the world."""
_AGENT = re.compile(r"[a-z][a-z0-9-]{0,30}")
_HUB = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?")
_LINE = re.compile(r"([A-Z_]+)=(.*)")


@dataclass(frozen=True)
class Settings:
    """One stack. Everything below `state` belongs to it; the folder is its owner's alone."""

    values: dict[str, str]
    state: Path

    @property
    def project(self) -> str:
        return self.values["COMPOSE_PROJECT_NAME"]

    @property
    def agent(self) -> str:
        """The name of the agent that this machine is for, alone; empty for a whole stack."""
        return self.values.get("AGENT", "")

    @property
    def hub(self) -> str:
        """Where an agent alone finds its hub."""
        return self.values["HUB"]

    @property
    def profiles(self) -> frozenset[str]:
        return frozenset(self.values.get("COMPOSE_PROFILES", "").split(",")) - {""}

    @property
    def has_books(self) -> bool:
        return "books" in self.profiles

    @property
    def has_metrics(self) -> bool:
        return "metrics" in self.profiles

    @property
    def has_own_authority(self) -> bool:
        return self.values["TLS_ISSUER"] == "internal"

    @property
    def url(self) -> str:
        return self.public(self.values["HUB_NAME"])

    @property
    def kuma_name(self) -> str:
        return self.values.get("KUMA_NAME") or INSIDE

    def public(self, name: str) -> str:
        """The address of a site of Caddy."""
        port = self.values["PUBLIC_PORT"]
        return f"https://{name}" + ("" if port == "443" else f":{port}")

    @property
    def environment(self) -> Path:
        """What compose reads: the operator's values, and ours."""
        return self.state / "stack.env"

    @property
    def secrets(self) -> Path:
        return self.state / "secrets"

    @property
    def cloud(self) -> Path:
        """cloud_agent's settings, and the authority of the hub."""
        return self.state / "cloud"

    @property
    def way_out(self) -> Path:
        return self.state / "way-out"

    @property
    def authority(self) -> Path:
        """The certificate that vouches for what is inside, alone in a folder."""
        return self.state / "authority"

    @property
    def monitor(self) -> Path:
        return self.state / "monitor"

    @property
    def backup(self) -> Path:
        return self.state / "backup"


def read(file: Path) -> Settings:
    """Raises StackFailed, one line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise StackFailed(f"{file}: {error.strerror}") from None
    values: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line.strip())
        if found:
            values[found[1]] = found[2].strip()
        elif line.strip() and not line.strip().startswith("#"):
            raise StackFailed(f"{file}: {line.strip()[:60]!r} is no NAME=VALUE")
    alone = "AGENT" in values
    needed, optional = (OF_AN_AGENT, OPTIONAL_OF_AN_AGENT) if alone else (NEEDED, OPTIONAL)
    missing = [name for name in needed if not values.get(name)]
    unknown = sorted(set(values) - {*needed, *optional})
    if missing or unknown:
        raise StackFailed(f"{file}: " + (f"{missing[0]} is missing" if missing else f"{unknown[0]} is no setting"))
    if alone and (not _AGENT.fullmatch(values["AGENT"]) or values["AGENT"] in ("cloud", "local")):
        raise StackFailed(f"{file}: AGENT is a name of its own, as cloud-2; cloud is beside the hub, local the owner's")
    if alone and not _HUB.fullmatch(values["HUB"]):
        raise StackFailed(f"{file}: HUB is the hub's public address, as https://hub.example.com")
    if not re.fullmatch("[A-Z]{2}|", values.get("BOOKS_COUNTRY", "")):
        raise StackFailed(f"{file}: BOOKS_COUNTRY is a country's code of two letters, as AT")
    if not values.get("WATCH_SECONDS", "20").isdigit():
        raise StackFailed(f"{file}: WATCH_SECONDS is a number of seconds")
    return Settings(values, _state(values["COMPOSE_PROJECT_NAME"]))


def default() -> Path:
    """compose/stack.env; the first time it is made from the laptop's example."""
    if not DEFAULT.exists():
        DEFAULT.write_text((COMPOSE / "laptop.env.example").read_text(encoding="utf-8"), encoding="utf-8")
    return DEFAULT


def _state(project: str) -> Path:
    named = os.environ.get("COUNTERSIGN_STATE")
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(named) if named else Path(base, "countersign", project)
