"""The hub's settings: one TOML file, read once, frozen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vault_protocol.errors import VaultError

PORT = 8470


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
    port: Annotated[int, Field(ge=0, le=65535)] = PORT
    """Plain HTTP: TLS is the reverse proxy's. 0 takes a free port and writes it to state_dir/port."""
    body_bytes: Annotated[int, Field(ge=1 << 16, le=1 << 30)] = 20 * 1024 * 1024
    """Of one request, and of what a push holds once it is unpacked."""
    requests_per_second: Annotated[float, Field(gt=0)] = 500.0
    """For one credential; ten times as many in a burst."""
    connections: Annotated[int, Field(ge=8)] = 512
    """Open at once; more are answered 503."""
    proxies: tuple[str, ...] = ("127.0.0.1",)
    """Addresses of reverse proxies, whose word on who called is taken for the log and the failed attempts."""
    secrets_dir: Path = Path("secrets")
    """Cloud's own secrets, one a file: no commit may hold one in any spelling. Never Local's. Read again when they
    change; it need not be there."""
    secret_files: tuple[Path, ...] = ()
    """More of them, wherever they lie."""
    heartbeat_seconds: Annotated[float, Field(gt=0)] = 15.0
    maintenance_seconds: Annotated[float, Field(gt=0)] = 600.0
    error_tracker_file: Path | None = None
    """Holds a Sentry address; a bug that ends the program is told there, without a word of what it worked on."""
    open_metrics: bool = False
    """/metrics without a credential: only where nothing but what may read it reaches the port, as inside the stack."""
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
    names = ("repository", "agents_dir", "state_dir", "owner_key_file", "secrets_dir")
    paths: dict[str, Any] = {name: folder / getattr(settings, name) for name in names}
    if settings.error_tracker_file:
        paths["error_tracker_file"] = folder / settings.error_tracker_file
    return settings.model_copy(update={**paths, "secret_files": tuple(folder / one for one in settings.secret_files)})
