"""The hub's settings: one TOML file, read once, frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vault_protocol.errors import VaultError


class Settings(BaseModel):
    """What the operator supplies. Relative paths begin at the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vault: Annotated[str, Field(min_length=1)]
    """The vault's id; changesets are signed for it."""
    repository: Path
    agents_dir: Path
    state_dir: Path
    """A checkpoint and the log of refusals; can be thrown away."""
    owner_key_file: Path
    """The public half of the key the owner approves with."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8470
    """Plain HTTP: TLS is the reverse proxy's. 0 takes a free port and writes it to state_dir/port."""
    body_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 30)] = 64 * 1024 * 1024
    requests_per_second: Annotated[float, Field(gt=0)] = 500.0
    """For one credential; ten times as many in a burst."""
    maintenance_seconds: Annotated[float, Field(gt=0)] = 600.0
    log_format: Literal["json", "key-value"] = "json"


def read(path: Path) -> Settings:
    """Raises VaultError, one line that names the file and the setting."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = Settings.model_validate(values)
    except FileNotFoundError:
        raise VaultError(f"{path}: there is no such file; `python -m vault_hub init` makes one") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise VaultError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise VaultError(f"{path}: {str(error).splitlines()[0]}") from None
    folder = path.absolute().parent
    names = ("repository", "agents_dir", "state_dir", "owner_key_file")
    return settings.model_copy(update={name: folder / getattr(settings, name) for name in names})
