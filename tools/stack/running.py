"""One stack and what is done to it: up, down, upgrade, rollback, and a code for the owner's machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tools.stack import books, first_run, images, watching
from tools.stack.engine import Compose, StackFailed, docker
from tools.stack.files import hash_of, whole
from tools.stack.releases import Releases
from tools.stack.settings import COMPOSE, Settings

WAIT_SECONDS = 300
DRILL_SECONDS = 1800
SOCKET = "/var/run/docker.sock"
AUTHORITY = "/data/caddy/pki/authorities/local/root.crt"
_DRAFT = "python", "-m", "vault_hub", "join-code", "--config", "/data/hub.toml"


@dataclass(frozen=True)
class Stack:
    """`make` gives each of these images by its variable, built if need be."""

    settings: Settings
    make: Callable[[tuple[images.Image, ...]], dict[str, str]] = images.made
    file: ClassVar[str] = "compose.yaml"

    @cached_property
    def compose(self) -> Compose:
        return Compose(COMPOSE / self.file, self.settings.environment)

    @cached_property
    def releases(self) -> Releases:
        return Releases(self.settings.state / "releases.json")

    @property
    def _images(self) -> tuple[images.Image, ...]:
        return images.wanted(self.settings.profiles)

    def up(self) -> None:
        """Everything built, made, started and healthy. Raises StackFailed."""
        self._first_run()
        wanted = self.make(self._images)
        self._switch(wanted)
        self.releases.note(wanted)

    def upgrade(self) -> None:
        """As `up`, with newer base images, and back to what ran before when that does not get well."""
        before = self.releases.current()
        if before is None:
            raise StackFailed("this stack never ran; ./just up starts it")
        self._first_run()
        for base in sorted(images.bases(self._images)):
            if words := images.pull(base):
                print(words, flush=True)
        wanted = self.make(self._images)
        try:
            self._switch(wanted)
        except StackFailed as error:
            print(f"The new release does not get well; going back to that of {before.at}.", flush=True)
            self._switch(before.images)
            raise StackFailed(f"the upgrade failed and was taken back; data was not touched: {error}") from None
        self.releases.note(wanted)

    def rollback(self) -> None:
        """To the release before; data stays as it is."""
        before = self.releases.before()
        self._first_run()
        self._switch(before.images)
        self.releases.note(before.images)

    def drill(self) -> None:
        """The newest backups brought up beside and proved, by the images that run now. Raises StackFailed.

        The engine's socket is given to this one container, for as long as the drill takes, and to no service (ADR 37).
        """
        running = self.releases.current()
        if running is None:
            raise StackFailed("this stack never ran; ./just up starts it")
        images = {"hub": running.images["VAULT_HUB_IMAGE"]}
        if self.settings.has_books:
            images["odoo"] = running.images["ODOO_IMAGE"]
        named = [word for role, image in images.items() for word in (f"--{role}-image", image)]
        self.compose(
            "run", "--rm", "--no-deps", "-T", "-e", "TMPDIR=/data", "-v", f"{SOCKET}:{SOCKET}", "backup",
            "python", "-m", "backup", "--config", "/etc/countersign/backup.toml", "drill", *named,
            seconds=DRILL_SECONDS, show=True,
        )  # fmt: skip

    def down(self) -> None:
        """Containers and networks go, volumes and secrets stay."""
        self.compose("down", "--remove-orphans", show=True)

    def status(self) -> list[dict[str, str]]:
        """Each service with its state and health."""
        lines = self.compose("ps", "-a", "--format", "json").splitlines()
        rows = [row for line in lines for row in _rows(json.loads(line))]
        return [{name: str(row.get(name, "")) for name in ("Service", "State", "Health", "Image")} for row in rows]

    def waits_for_owner(self) -> bool:
        health = self._ask_hub("/healthz")
        return health.get("waiting") == "owner"

    def join_code(self) -> str:
        """A code for the owner's machine, good for a quarter of an hour, once."""
        words = ["--agent", f"cloud={first_run.token_hash(self.settings)} {self._cloud_key()}"]
        given = watching.of_the_owners(self.settings) + "\n"
        if self.settings.has_own_authority:
            words.append("--ca-stdin")
            given += (self.settings.cloud / "hub-ca.pem").read_text(encoding="ascii")
        return self.compose("exec", "-T", "vault-hub", *_DRAFT, "--monitors-stdin", *words, feed=given)

    def admit(self, name: str, token_sha256: str, key: str) -> str:
        """Let in an agent of Cloud that runs on a machine of its own; what was done. Raises StackFailed."""
        return self._agents("admit", name, token_sha256, key)

    def revoke(self, name: str) -> str:
        """Its token opens nothing from now on, and its name never comes back. Raises StackFailed."""
        self._agents("revoke", name)
        return f"{name} is put out"

    def _agents(self, *words: str) -> str:
        if self.waits_for_owner():
            raise StackFailed("nobody has joined yet: first the owner (./just join-code), then further agents")
        argv = ("python", "-m", "vault_hub", "agent", "--config", "/data/hub.toml", *words)
        return self.compose("exec", "-T", "vault-hub", *argv)

    def _first_run(self) -> None:
        first_run.make(self.settings)

    def _switch(self, wanted: dict[str, str]) -> None:
        """Run these images."""
        self._write_environment(wanted)
        self.compose("up", "-d", "--no-build", "--wait", "--wait-timeout", str(WAIT_SECONDS), "caddy", "vault-hub")
        self._fetch_authority()
        self._write_environment(wanted)
        self._cloud_key()
        if self.settings.has_books:
            books.make(self.compose, self.settings, wait_seconds=WAIT_SECONDS)
        self.compose(
            "up", "-d", "--no-build", "--remove-orphans", "--wait", "--wait-timeout", str(WAIT_SECONDS),
            seconds=WAIT_SECONDS + 120,
        )  # fmt: skip

    def _write_environment(self, wanted: dict[str, str]) -> None:
        unwanted = {image.variable: "not-wanted-here" for image in images.IMAGES}
        values = {**self.settings.values, **unwanted, **wanted, **self._own_values()}
        lines = [f"{name}={value}" for name, value in values.items()]
        whole(self.settings.environment, "\n".join(lines) + "\n", 0o644)

    def _own_values(self) -> dict[str, str]:
        settings = self.settings
        return {
            "STATE_DIR": str(settings.state),
            "KUMA_NAME": settings.kuma_name,
            "KUMA_ISSUER": settings.values["TLS_ISSUER"] if "KUMA_NAME" in settings.values else "internal",
            "AUTHORITY": hash_of(settings.authority / "hub-ca.pem"),
            "CLOUD_SETTINGS": hash_of(settings.cloud / "cloud.toml"),
            "WAYS_OUT": hash_of(settings.way_out / "allowed.conf"),
            "MONITOR_SETTINGS": hash_of(settings.monitor / "monitor.toml", settings.monitor / "also.yaml"),
            "BACKUP_SETTINGS": hash_of(settings.backup / "backup.toml"),
        }

    def _fetch_authority(self) -> None:
        """Caddy's own authority vouches for hub.home.arpa, on every stack."""
        until, found = time.monotonic() + 60, ""
        while not found:
            try:
                found = self.compose("exec", "-T", "caddy", "cat", AUTHORITY)
            except StackFailed:
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
        for folder in (self.settings.cloud, self.settings.authority):
            whole(folder / "hub-ca.pem", found + "\n")

    def _cloud_key(self) -> str:
        """Cloud's public key; made the first time."""
        argv = ("python", "-m", "cloud_agent", "init", "--home", "/data")
        return self.compose("run", "--rm", "--no-deps", "-T", "cloud-agent", *argv).splitlines()[-1]

    def _ask_hub(self, path: str) -> dict[str, object]:
        code = f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8470{path}').read().decode())"
        answer = json.loads(self.compose("exec", "-T", "vault-hub", "python", "-c", code))
        return answer if isinstance(answer, dict) else {}


def forget_images(keep: Releases) -> None:
    """Our images that no kept release names."""
    named = {image for one in keep.all() for image in one.images.values()}
    for image in images.IMAGES:
        for known in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"countersign/{image.name}").split():
            if known not in named:
                try:
                    docker("rmi", known)
                except StackFailed:  # another stack of this machine runs it
                    continue


def _rows(found: object) -> list[dict[str, object]]:
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]
