"""What this VM is told to be, as its metadata says it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from infra.vm.programs import Failed


@dataclass(frozen=True)
class Wanted:
    """A secret: the file it becomes, its id in the vault, and whether it is bytes of chance (`hex`) or a text."""

    file: str
    id: str
    form: str


@dataclass(frozen=True)
class Orders:
    digest: str
    role: str
    machine: str
    """`vm`, or the name of the agent that this VM is for."""
    version: str
    url: str
    sha256: str
    environment: dict[str, str]
    cloud: str
    secrets: tuple[Wanted, ...]
    region: str
    namespace: str
    reports: str
    backups: str
    device: str
    agents: dict[str, str]
    """Those on machines of their own that the hub lets in: by the hash of the token and the public key."""
    revoked: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Orders:
        """Raises Failed."""
        try:
            found: dict[str, Any] = json.loads(text)
            release = found["release"]
            return cls(
                digest=hashlib.sha256(text.encode("utf-8")).hexdigest()[:16],
                role=str(found["role"]),
                machine=_name(found["machine"]),
                version=str(release["version"]),
                url=str(release["url"]),
                sha256=str(release["sha256"]),
                environment={str(name): str(value) for name, value in found["environment"].items()},
                cloud=str(found["cloud"]),
                secrets=tuple(_wanted(one) for one in found["secrets"]),
                region=str(found["region"]),
                namespace=str(found["namespace"]),
                reports=str(found["reports"]),
                backups=str(found["backups"]),
                device=str(found["device"]),
                agents={_name(name): str(by) for name, by in found["agents"].items()},
                revoked=tuple(_name(name) for name in found["revoked"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Failed(f"the orders in the metadata are not what this VM understands: {error!r}") from None


def _name(found: object) -> str:
    if not re.fullmatch("[a-z][a-z0-9-]{0,30}", str(found)):
        raise ValueError(f"{found!r} is no name")
    return str(found)


def _wanted(found: dict[str, Any]) -> Wanted:
    file = PurePosixPath(str(found["file"]))
    if file.is_absolute() or ".." in file.parts:
        raise ValueError(f"{file} is no file below the secrets' folder")
    return Wanted(str(file), str(found["id"]), str(found["form"]))
