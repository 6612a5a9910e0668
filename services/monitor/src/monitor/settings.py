"""The settings: one TOML file, read once, frozen. Secrets are files it names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.certificates import Place
from monitor.errors import BadSettings
from vault_protocol.files import secret_line

MONITORS = Path(__file__).with_name("monitors.yaml")


class Settings(BaseModel):
    """Relative paths begin at the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kuma: Annotated[str, Field(pattern=r"^https?://")] = "http://uptime-kuma:3001"
    user: Annotated[str, Field(min_length=1)] = "countersign"
    password_file: Path
    """Of Kuma's one account; `apply` makes the account with it when there is none."""
    secret_file: Path
    """32 bytes of hex that push tokens are made from."""
    push_dir: Path | None = None
    """Where `tokens` and `apply` put the address of each push monitor, one a file, for the jobs that call them."""
    push_base: Annotated[str, Field(pattern=r"^https?://")] = "http://uptime-kuma:3001"
    """How those jobs reach Kuma."""
    monitors_file: Path = MONITORS
    also_file: Path | None = None
    """More of the same form, such as who is told: it is read as if it stood in the first."""
    leave_out: tuple[str, ...] = ()
    """Monitors of the file whose service does not run here."""
    values: dict[str, str] = {}
    """What `$NAME` in the monitors' file stands for."""
    certificates: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")], Place] = {}
    """Whose age `run` tells on /state and /metrics."""
    longest_seconds: Annotated[int, Field(ge=20)] | None = None
    """Look at least that often, whatever the file says."""
    most_retries: Annotated[int, Field(ge=0)] | None = None
    patience_seconds: Annotated[float, Field(gt=0)] = 120.0
    """How long a Kuma that does not answer is waited for."""
    look_seconds: Annotated[float, Field(gt=0)] = 900.0
    """How often `run` looks whether somebody changed Kuma by hand."""
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65535)] = 8472
    """Where `run` answers /healthz and /metrics; 0: any free one."""

    @property
    def secret(self) -> bytes:
        """Raises BadSettings."""
        try:
            secret = bytes.fromhex(secret_line(self.secret_file))
        except ValueError:
            secret = b""
        if len(secret) < 16:
            raise BadSettings(
                f"{self.secret_file}: 16 bytes of hex are wanted at least; `openssl rand -hex 32` makes 32"
            )
        return secret


def read(path: Path) -> Settings:
    """Raises BadSettings, one line that names the file and the key."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = Settings.model_validate(values)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    folder = path.absolute().parent
    placed = {
        name: folder / value
        for name in ("password_file", "secret_file", "push_dir", "monitors_file", "also_file")
        if (value := getattr(settings, name)) is not None
    }
    return settings.model_copy(update=placed)
