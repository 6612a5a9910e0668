"""The stack as `./just up` makes it, and an owner's machine that joined it: what the compose tests look at."""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.cable import cable
from demo.launch import mail_world
from demo.letters import OWNER
from demo.processes import eventually
from demo.world import OWNER_NAME, World
from monitor.__main__ import STATES
from tests.stack.books import free_port
from tests.stack.disks import small
from tests.stack.docker import PREFIX, StackFailed, docker, ensure_engine
from tests.stack.images import KEPT, step
from tests.stack.stand_ins import stand_in
from tools.stack import settings
from tools.stack.images import IMAGES
from tools.stack.running import Stack
from tools.workspace import ROOT

COMPOSE = ROOT / ".tools" / "stack" / "bin" / "docker-compose"


@dataclass
class Office:
    """One project with its own ports, volumes and state; `said` is what the first `up` printed."""

    folder: Path
    stack: Stack
    environment: Path
    world: World
    said: str = ""
    codes: list[str] = field(default_factory=list)

    @property
    def project(self) -> str:
        return self.stack.settings.project

    @property
    def services(self) -> list[str]:
        return sorted(row["Service"] for row in self.stack.status())

    def command(self, *words: str, check: bool = True) -> str:
        """What a person types after `./just`."""
        argv = [sys.executable, "-m", "tools.stack", *words, "--env", str(self.environment)]
        done = subprocess.run(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=1500, check=False
        )
        if check and done.returncode:
            raise StackFailed(f"{' '.join(words)}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def join(self, *flags: str) -> str:
        """`countersign connect` with a new code, from whatever home there is."""
        code = self.stack.join_code()
        self.codes.append(code)
        return self.world.countersign("connect", self.stack.settings.url, "--code", code, *flags)

    def container(self, service: str) -> str:
        return self.stack.compose.container(service)

    def inspected(self, service: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(docker("inspect", self.container(service)))
        return found[0]

    def inside(self, service: str, *argv: str, feed: str = "") -> str:
        """Run a program in a service's container; what it said, whatever its exit code."""
        done = subprocess.run(
            ["docker", "exec", "-i", self.container(service), *argv],
            input=feed, capture_output=True, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def is_well(self, service: str) -> bool:
        state = self.inspected(service)["State"]
        return bool(state["Running"]) and state.get("Health", {}).get("Status") == "healthy"

    def get(self, path: str, *, name: str = "localhost", data: bytes | None = None) -> tuple[int, dict[str, str]]:
        """Through Caddy, with the chain verified; status and headers."""
        trusted = ssl.create_default_context(cafile=self.stack.settings.cloud / "hub-ca.pem")
        port = self.stack.settings.values["PUBLIC_PORT"]
        request = urllib.request.Request(f"https://localhost:{port}{path}", data, {"Host": name})
        try:
            with urllib.request.urlopen(request, timeout=60, context=trusted) as answer:
                return answer.status, dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers)

    def gateway(self, network: str = "outside") -> str:
        """This machine's address on a network that leads out."""
        found = json.loads(docker("network", "inspect", f"{self.project}_{network}"))
        return str(found[0]["IPAM"]["Config"][0]["Gateway"])

    def watch(self, port: int) -> None:
        """Name the owner's mailbox in Cloud's settings, and bring the stack there."""
        reading = self.world.mail.provider.reading
        password = self.stack.settings.secrets / "cloud" / "business"
        password.write_text(reading.password_file.read_text(encoding="utf-8"), encoding="utf-8")
        password.chmod(0o444)
        with (self.stack.settings.cloud / "cloud.toml").open("a", encoding="utf-8") as file:
            file.write(
                f'\n[[mailboxes]]\nname = "business"\nkind = "business"\naddress = "{OWNER}"\n'
                f'host = "{self.gateway()}"\nport = {port}\nuser = "{reading.user}"\ntls = false\n'
                'password_file = "/run/secrets/business"\nidle_seconds = 30\n'
            )
        self.hurry()
        self.command("up")

    def hurry(self) -> None:
        """Backups by the second, not by the minute."""
        config = self.stack.settings.backup / "backup.toml"
        text = config.read_text(encoding="utf-8")
        for table, seconds in (("[vault]", 5), ("[books]", 15)):
            text = text.replace(f"{table}\n", f"{table}\nevery_seconds = {seconds}\n")
        config.write_text(text, encoding="utf-8")

    def monitors(self) -> dict[str, str]:
        """How each monitor stands, asked of Kuma itself and not through Caddy; who was never called is not in it."""
        networks = self.inspected("uptime-kuma")["NetworkSettings"]["Networks"]
        address = networks[f"{self.project}_kuma-out"]["IPAddress"]
        password = (self.stack.settings.secrets / "monitor" / "kuma-password").read_text(encoding="utf-8").strip()
        sealed = base64.b64encode(f"countersign:{password}".encode()).decode()
        request = urllib.request.Request(f"http://{address}:3001/metrics", headers={"Authorization": f"Basic {sealed}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                said = answer.read().decode()
        except OSError:
            return {}
        found = re.findall(r'^monitor_status\{monitor_name="([^"]+)".*\} (\d)$', said, re.MULTILINE)
        return {name: STATES[int(state)] for name, state in found}

    def red(self) -> set[str]:
        """The monitors that are down."""
        return {name for name, state in self.monitors().items() if state == "down"}

    def why(self, names: set[str]) -> str:
        """What Kuma said of these monitors."""
        command = ["docker", "logs", "--tail", "2000", self.container("uptime-kuma")]
        logged = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, check=False
        )
        said = logged.stdout.splitlines()
        return "\n".join(line for line in said if any(f"'{name}'" in line for name in names))


@contextmanager
def office(folder: Path, *, profiles: str = "") -> Iterator[Office]:
    """`up` from nothing. Nothing of it is left at the end, but the images."""
    ensure_engine()
    stand_in()
    https = free_port()
    environment = folder / "stack.env"
    environment.write_text(
        "\n".join([
            f"COMPOSE_PROJECT_NAME={PREFIX}-{uuid.uuid4().hex[:8]}", f"COMPOSE_PROFILES={profiles}",
            "HUB_NAME=localhost", "ODOO_NAME=odoo.localhost", f"HTTP_LISTEN=127.0.0.1:{free_port()}",
            f"HTTPS_LISTEN=127.0.0.1:{https}", f"PUBLIC_PORT={https}", "TLS_ISSUER=internal", "HSTS=max-age=0",
            "HEALTH_INTERVAL=2s", f"OWNER_NAME={OWNER_NAME}",
            "BOOKS_COUNTRY=AT", "KUMA_NAME=status.localhost", "WATCH_SECONDS=20", "",
        ]),
        encoding="utf-8",
    )  # fmt: skip
    os.environ["COUNTERSIGN_STATE"] = str(folder / "state")
    os.environ["COUNTERSIGN_COMPOSE"] = str(COMPOSE)
    stack = Stack(settings.read(environment))
    with mail_world(folder / "mail") as mail, small(stack.settings.project):
        made = Office(folder, stack, environment, World(folder, mail))
        try:
            with step("up from nothing"):
                made.said = made.command("up")
            made.codes += re.findall(r"--code (\S+)", made.said)
            with cable(mail.provider.imap_port, address=made.gateway()) as imap:
                with step("name a mailbox"):
                    made.watch(imap.port)
                yield made
        finally:
            made.world.stop()
            if stack.settings.environment.exists():
                stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
            _forget_old_images()
            for name in ("COUNTERSIGN_STATE", "COUNTERSIGN_COMPOSE"):
                del os.environ[name]


def _forget_old_images() -> None:
    """Of each of ours the newest few stay, for the branches next door."""
    for image in IMAGES:
        listed = docker("images", "--format", "{{.Repository}}:{{.Tag}}", f"countersign/{image.name}").splitlines()
        for old in listed[KEPT:]:
            docker("rmi", old, check=False)


def begin_local(made: Office) -> None:
    """An owner's machine from an empty home: joined, running, its key unlocked."""
    world = made.world
    accounts = made.folder / "accounts.toml"
    accounts.write_text(world._accounts(), encoding="utf-8")
    passphrase = made.folder / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text(world.passphrase, encoding="utf-8")
    made.join(
        "--folder", str(world.vault_folder), "--owner", OWNER_NAME, "--account-file", str(accounts),
        "--key-protection", "passphrase", "--passphrase-file", str(passphrase), "--no-dry-run",
        "--undo-seconds", "0", "--yes",
    )  # fmt: skip
    passphrase.unlink()
    world.allow(mail_per_hour=1_000)
    world.start_local()
    eventually(world.try_unlock, "the service answers", seconds=60)
