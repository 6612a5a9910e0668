"""A release for tests: its stack is a few lines that keep the contract of `tools.stack`, and its health is a file."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

from tools.stack.watching import BACKUP

SETTINGS = """\
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    values: dict
    state: Path


def read(file):
    lines = file.read_text().splitlines()
    return Settings(dict(line.split("=", 1) for line in lines), Path(os.environ["COUNTERSIGN_STATE"]))
"""
FIRST_RUN = f"""\
import sys
import tomllib

BACKUP = {BACKUP.format(secrets="/secrets", books="", disks="[]", push="")!r}


def make(settings):
    (settings.state / "cloud").mkdir(parents=True, exist_ok=True)
    file = settings.state / "cloud" / "cloud.toml"
    if not file.exists():
        file.write_text("# cloud_agent in the stack\\nhub = \\"x\\"\\n")
    if any("name" not in box for box in tomllib.loads(file.read_text()).get("mailboxes", [])):
        sys.exit("stack: a mailbox without a name")
    backup = settings.state / "backup" / "backup.toml"
    if not backup.exists():
        backup.parent.mkdir(exist_ok=True)
        backup.write_text(BACKUP)
"""
RUNNING = """\
class Stack:
    def __init__(self, settings):
        self.settings = settings

    def waits_for_owner(self):
        return not (self.settings.state / "joined").exists()

    def join_code(self):
        return "CODE-1234"
"""
AGENT_ALONE = """\
def make(settings):
    (settings.state / "cloud").mkdir(parents=True, exist_ok=True)
    file = settings.state / "cloud" / "cloud.toml"
    if not file.exists():
        file.write_text("# cloud_agent alone\\nagent = \\"%s\\"\\n" % settings.values["AGENT"])
"""
MAIN = """\
import sys
from pathlib import Path
from tools.stack import first_run, settings

at = sys.argv.index("--env")
stack = settings.read(Path(sys.argv[at + 1]))
ups = stack.state / "ups"
match sys.argv[1]:
    case "up":
        if (stack.state / "broken").exists():
            sys.exit("stack: vault-hub did not get healthy")
        secret = stack.state / "secrets" / ("cloud/hub-token" if "AGENT" in stack.values else "db_password")
        assert secret.read_text(), "no secret"
        if "AGENT" not in stack.values:
            first_run.make(stack)
        with ups.open("a") as file:
            file.write("up\\n")
    case "admit" | "revoke":
        if not (stack.state / "joined").exists():
            sys.exit("stack: nobody has joined yet")
        with (stack.state / "agents").open("a") as file:
            file.write(" ".join(sys.argv[1:at]) + "\\n")
    case "identity":
        print("making a key\\n" + stack.values["AGENT"] + " HASH ssh-ed25519 KEY")
    case "drill":
        (stack.state / "drilled").touch()
    case "status":
        health = "unhealthy" if (stack.state / "ill").exists() else "healthy"
        print(f"{'vault-hub':<14}{'running':<10}{health:<11}countersign/vault-hub:1")
        print(f"{'way-out':<14}{'running':<10}{'-':<11}countersign/way-out:1")
"""


def archive(extra: dict[str, str] | None = None, *, version: str = "0.1.0") -> bytes:
    """As `./just release` makes one: everything below one folder."""
    files = {
        "tools/stack/settings.py": SETTINGS,
        "tools/stack/first_run.py": FIRST_RUN,
        "tools/stack/agent_alone.py": AGENT_ALONE,
        "tools/stack/running.py": RUNNING,
        "tools/stack/__main__.py": MAIN,
        "VERSION": version + "\n",
        **(extra or {}),
    }
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in sorted(files.items()):
            entry = tarfile.TarInfo(f"countersign-{version}/{name}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def orders(url: str, content: bytes, *, version: str = "0.1.0", **changed: Any) -> str:
    """What a VM is told, as infra.orders writes it."""
    return json.dumps(
        {
            "role": "whole",
            "machine": "vm",
            "agents": {},
            "revoked": [],
            "stack": "prod",
            "region": "eu-frankfurt-1",
            "release": {"version": version, "url": url, "sha256": hashlib.sha256(content).hexdigest()},
            "environment": {"HUB_NAME": "localhost", "COMPOSE_PROJECT_NAME": "countersign"},
            "cloud": '[[mailboxes]]\nname = "business"\n',
            "secrets": [
                {"file": "db_password", "id": "ocid1.vaultsecret.db", "form": "hex", "version": None},
                {"file": "cloud/business", "id": "ocid1.vaultsecret.box", "form": "text", "version": "1"},
            ],
            "namespace": "mynamespace",
            "reports": "countersign-prod-reports",
            "backups": "s3:https://space.compat.objectstorage.eu-frankfurt-1.oraclecloud.com/kept",
            "device": "",
            **changed,
        },
        sort_keys=True,
    )
