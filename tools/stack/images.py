"""Our images: named by the hash of what they are made from, so that one is built once and a release can go back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.stack.engine import StackFailed, docker, image_id
from tools.workspace import ROOT

BUILD_SECONDS = 1800


@dataclass(frozen=True)
class Image:
    """`variable` is what the compose files call it; paths in its recipe begin at `context`."""

    name: str
    variable: str
    recipe: Path
    context: Path = ROOT
    profile: str = ""
    """Wanted only where this profile of compose is."""


IMAGES = (
    Image("vault-hub", "VAULT_HUB_IMAGE", ROOT / "services/vault_hub/Dockerfile"),
    Image("cloud-agent", "CLOUD_AGENT_IMAGE", ROOT / "services/cloud_agent/Dockerfile"),
    Image("caddy", "CADDY_IMAGE", ROOT / "services/caddy/Dockerfile"),
    Image("way-out", "WAY_OUT_IMAGE", ROOT / "services/way_out/Dockerfile"),
    Image("odoo", "ODOO_IMAGE", ROOT / "services/odoo/Dockerfile", ROOT / "services/odoo", "books"),
    Image("uptime-kuma", "UPTIME_KUMA_IMAGE", ROOT / "services/monitor/kuma.Dockerfile"),
    Image("monitor", "MONITOR_IMAGE", ROOT / "services/monitor/Dockerfile"),
    Image("prometheus", "PROMETHEUS_IMAGE", ROOT / "services/monitor/prometheus.Dockerfile", profile="metrics"),
    Image("grafana", "GRAFANA_IMAGE", ROOT / "services/monitor/grafana.Dockerfile", profile="grafana"),
    Image("backup", "BACKUP_IMAGE", ROOT / "services/backup/Dockerfile"),
)


def made(images: tuple[Image, ...] = IMAGES) -> dict[str, str]:
    """Each variable with its image, built when it is not there."""
    return {image.variable: _made(image) for image in images}


def wanted(profiles: Iterable[str]) -> tuple[Image, ...]:
    """Those of these profiles."""
    return tuple(image for image in IMAGES if image.profile in {"", *profiles})


def bases(images: tuple[Image, ...] = IMAGES) -> set[str]:
    """The images of others that ours stand on."""
    return {base for image in images for base in _bases(image.recipe.read_text(encoding="utf-8"))}


def pull(image: str) -> str:
    """Look for a newer one of the same name; a word about it when that did not go."""
    try:
        docker("pull", "-q", image, seconds=900)
    except StackFailed:
        if not image_id(image):
            raise
        return f"{image} could not be looked up; the one that is here stays"
    return ""


def _made(image: Image) -> str:
    recipe = image.recipe.read_text(encoding="utf-8")
    for base in _bases(recipe):
        if not image_id(base):
            pull(base)
    name = f"countersign/{image.name}:{_hash(image, recipe)}"
    if not image_id(name):
        print(f"building {name} …", flush=True)
        docker("build", "-q", "-t", name, "-f", str(image.recipe), str(image.context), seconds=BUILD_SECONDS)
    return name


def _hash(image: Image, recipe: str) -> str:
    """Of the recipe, of every file it copies, and of the images it stands on."""
    seen = hashlib.sha256(recipe.encode())
    for base in _bases(recipe):
        seen.update(image_id(base).encode())
    for named in copied(recipe):
        place = image.context / named
        for file in sorted([place] if place.is_file() else (f for f in place.rglob("*") if f.is_file())):
            if file.suffix != ".pyc":
                seen.update(f"{file.relative_to(ROOT)} {file.stat().st_mode & 0o111:o}\n".encode())
                seen.update(hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()[:12]


def _bases(recipe: str) -> list[str]:
    stages = set(re.findall(r"^FROM\s+\S+\s+AS\s+(\S+)", recipe, re.MULTILINE))
    return sorted({base for base in re.findall(r"^FROM\s+(\S+)", recipe, re.MULTILINE) if base not in stages})


def copied(recipe: str) -> list[str]:
    """What a recipe takes from its context."""
    joined = re.sub(r"\\\n", " ", recipe)
    words = [line.split()[1:] for line in joined.splitlines() if line.startswith("COPY ")]
    return [name for line in words if not line[0].startswith("--from") for name in line[:-1]]
