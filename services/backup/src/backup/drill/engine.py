"""A Docker engine by its SDK, as far as a drill needs it: networks without a way out, fresh volumes, containers."""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound, NotFound

from backup.errors import BackupError

LABEL = "countersign.drill"


class EngineFailed(BackupError):
    """The engine, or a container of the drill, did not do what was asked."""


@contextmanager
def engine(timeout: float) -> Iterator[Any]:
    """Raises EngineFailed when none answers."""
    try:
        client = docker.from_env(timeout=int(timeout))
        client.ping()
    except DockerException as error:
        raise EngineFailed(f"no Docker engine answers: {str(error)[:200]}") from None
    try:
        yield client
    finally:
        client.close()


@dataclass
class Stand:
    """Where a drill takes place: one network that leads nowhere, and what was put on it. `close` leaves nothing."""

    client: Any
    name: str

    def open(self) -> None:
        self.client.networks.create(self.name, internal=True, labels={LABEL: self.name})

    def create(
        self, role: str, image: str, *, volume_at: str, memory: str, command: list[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Container:  # fmt: skip
        """Not yet started, with a fresh volume at `volume_at`; the others reach it by its role."""
        volume = f"{self.name}-{role}"
        try:
            self.client.volumes.create(volume, labels={LABEL: self.name})
            made = self.client.containers.create(
                image, command=command, name=volume, labels={LABEL: self.name}, network=self.name,
                networking_config={self.name: self.client.api.create_endpoint_config(aliases=[role])},
                volumes={volume: {"bind": volume_at, "mode": "rw"}}, environment=dict(environment or {}),
                init=True, mem_limit=memory, pids_limit=512, security_opt=["no-new-privileges"],
                restart_policy={"Name": "no"},
            )  # fmt: skip
        except ImageNotFound:
            raise EngineFailed(f"there is no image {image}; pull or build it, or name another under [drill]") from None
        except DockerException as error:
            raise EngineFailed(f"{role}: {str(error)[:300]}") from None
        return Container(role, made)

    def identity(self, image: str, user: str) -> int:
        """The number of a user in an image."""
        self.environment_of(image)  # an image that is not there is not asked for anywhere
        try:
            said = self.client.containers.run(
                image, command=["-u", user], entrypoint=["id"], remove=True, network_mode="none",
                labels={LABEL: self.name},
            )  # fmt: skip
            return int(said)
        except (DockerException, ValueError) as error:
            raise EngineFailed(f"{image} has no user {user}: {str(error)[:200]}") from None

    def environment_of(self, image: str) -> dict[str, str]:
        """What an image sets."""
        try:
            pairs = self.client.images.get(image).attrs["Config"]["Env"] or []
        except ImageNotFound:
            raise EngineFailed(f"there is no image {image}; pull or build it, or name another under [drill]") from None
        return dict(pair.split("=", 1) for pair in pairs)

    def close(self) -> None:
        """What of the drill there is, by its own label; nothing else is touched."""
        mine = {"label": f"{LABEL}={self.name}"}
        for container in self.client.containers.list(all=True, filters=mine):
            with suppress(NotFound):
                container.remove(force=True, v=True)
        for volume in self.client.volumes.list(filters=mine):
            with suppress(NotFound):
                volume.remove(force=True)
        for network in self.client.networks.list(filters=mine):
            with suppress(NotFound):
                network.remove()


@dataclass
class Container:
    role: str
    handle: Any

    def start(self) -> None:
        try:
            self.handle.start()
        except DockerException as error:
            raise EngineFailed(f"{self.role}: {str(error)[:300]}") from None

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> str:
        """What it said. Raises EngineFailed with its last words."""
        code, said = self.handle.exec_run(list(words), environment=dict(environment or {}))
        text = str(said.decode("utf-8", "replace"))
        if code:
            raise EngineFailed(f"{self.role}: {words[0]} ended with {code}: {text.strip()[-300:]}")
        return text

    def put(self, source: Path, at: str, *, owner: int, mode: int = 0o600, name: str | None = None) -> None:
        """A file or folder into the container's folder `at`."""

        def owned(found: tarfile.TarInfo) -> tarfile.TarInfo:
            found.uid = found.gid = owner
            found.mode = 0o700 if found.isdir() else mode
            return found

        with tempfile.TemporaryFile() as packed:
            with tarfile.open(fileobj=packed, mode="w") as archive:
                archive.add(source, arcname=name or source.name, filter=owned)
            packed.seek(0)
            self._put(at, packed)

    def put_text(self, text: str, at: str, name: str, *, owner: int, mode: int = 0o400) -> None:
        content = text.encode()
        found = tarfile.TarInfo(name)
        found.size, found.mode, found.uid, found.gid = len(content), mode, owner, owner
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.addfile(found, io.BytesIO(content))
        self._put(at, packed.getvalue())

    def until(self, look: Callable[[], bool], what: str, seconds: float) -> None:
        """Raises EngineFailed with the container's last words when it does not come, or the container ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if look():
                return
            self.handle.reload()
            if self.handle.status == "exited":
                break
            time.sleep(0.2)
        words = self.handle.logs(tail=30).decode("utf-8", "replace")
        raise EngineFailed(f"{self.role}: no {what} within {seconds:.0f} s; it said:\n{words[-2000:]}")

    def well(self, *words: str) -> bool:
        """Whether a command ends well; false while the container cannot run any."""
        try:
            self.run(*words)
        except (EngineFailed, DockerException):
            return False
        return True

    def _put(self, at: str, packed: Any) -> None:
        try:
            if not self.handle.put_archive(at, packed):
                raise EngineFailed(f"{self.role}: {at} takes nothing")
        except DockerException as error:
            raise EngineFailed(f"{self.role}: {str(error)[:300]}") from None
