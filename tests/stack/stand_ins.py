"""What stands in for the official images that ours are built on, under their real names, where no registry is."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.stack import kuma
from tests.stack.docker import PREFIX, StackFailed, docker, exists
from tests.stack.images import HERE, debian, hash_of, odoo14, step
from tools.stack import images
from tools.workspace import ROOT

CADDY = ROOT / ".tools" / "stack" / "bin" / "caddy"
POSTGRES = "postgres:15.13-bookworm"
PROFILES = ("books", "metrics")
"""Nothing stands in for Grafana, which no package carries: its files are held against Prometheus alone."""


def stand_in(names: Iterable[str] = ()) -> None:
    """Every base that the stack names is there, or these of them: pulled, or made here."""
    for name in sorted(names) or (*sorted(images.bases(images.wanted(PROFILES))), POSTGRES):
        if os.getuid() != 0 or not shutil.which("debootstrap"):
            if not exists(name):
                with step(f"pull {name}"):
                    docker("pull", "-q", name, seconds=900)
        else:
            docker("tag", _made(name), name)


def _made(name: str) -> str:
    bookworm = debian("bookworm")
    match name.partition(":")[0]:
        case "debian":
            return bookworm
        case "python":
            authorities = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
            return _built("python3", bookworm, {"authorities.crt": Path(authorities)})
        case "caddy":
            return _built("caddy2", bookworm, {"caddy": CADDY})
        case "postgres":
            return _built("postgres-official", bookworm, {"entrypoint": HERE / "postgres-entrypoint"})
        case "odoo":
            return odoo14()
        case "prom/prometheus":
            return _built("prometheus2", bookworm, {})
        case "louislam/uptime-kuma":
            return kuma.image(bookworm)
    raise StackFailed(f"nothing stands in for {name}; say in tests/stack/stand_ins.py what does")


def _built(recipe: str, base: str, files: Mapping[str, Path]) -> str:
    """From a recipe beside this file and these files; named by the hash of all of it."""
    text = (HERE / f"{recipe}.Dockerfile").read_text(encoding="utf-8")
    image = f"{PREFIX}/{recipe}:{hash_of(base, text, *(repr(_content(file)) for file in files.values()))}"
    if not exists(image):
        with step(f"build {recipe}"), tempfile.TemporaryDirectory(prefix="countersign-recipe-") as context:
            for name, file in files.items():
                shutil.copy2(file, Path(context, name))
            Path(context, "Dockerfile").write_text(text, encoding="utf-8")
            docker("build", "--build-arg", f"BASE={base}", "-t", image, context, seconds=1800)
    return image


def _content(file: Path) -> bytes:
    if not file.exists():
        raise StackFailed(f"{file} is missing; `./just _stack-env` brings it")
    return file.read_bytes()
