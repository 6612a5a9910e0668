"""The server's settings: one TOML file, read once. The key is a file that it names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from books.rpc import Access


class BadSettings(Exception):
    """The settings cannot be used; the message names the file, the key and what to do."""


class Settings(BaseModel):
    """Where the books are. Relative paths begin at the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+/?$")]
    database: Annotated[str, Field(min_length=1)] = "books"
    login: Annotated[str, Field(min_length=1)]
    """A user of the group `Countersign: draft only`."""
    key_file: Path
    interface: Literal["json-rpc", "json-2"] = "json-rpc"
    """JSON-2 needs Odoo 19; JSON-RPC goes with Odoo 22."""
    ca_file: Path | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    token_file: Path | None = None
    """What clients over HTTP present as bearer token; over stdio none is needed."""


def read(path: Path) -> Settings:
    """Raises BadSettings, one line."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings.model_validate(values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise BadSettings(f"{path}: {key}: {fault['msg'].splitlines()[0]}") from None


def access(settings: Settings, folder: Path) -> Access:
    """How the books are reached. Raises BadSettings when the key cannot be read."""
    return Access(
        url=settings.url,
        database=settings.database,
        login=settings.login,
        key=secret(folder / settings.key_file),
        timeout_seconds=settings.timeout_seconds,
        ca_file=folder / settings.ca_file if settings.ca_file else None,
        interface=settings.interface,
    )


def secret(file: Path) -> str:
    """The one line of a secret's file."""
    try:
        line = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file}: cannot be read ({type(error).__name__})") from None
    if not line or "\n" in line:
        raise BadSettings(f"{file}: one line is wanted, the secret and nothing else")
    return line
