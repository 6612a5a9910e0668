"""The settings: one TOML file, read once, frozen. Passwords, tokens and addresses with tokens are files it names."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from backup.errors import BadSettings

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Within = Annotated[str, Field(pattern=r"^([0-9]+[ymdh])+$")]
"""restic's durations: 2y5m7d3h."""
Seconds = Annotated[float, Field(gt=0)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Repository(Part):
    """Where restic keeps the snapshots."""

    location: str | None = None
    """A folder, or `rest:`, `s3:`, `rclone:` as restic spells them. One with a password in it goes into a file."""
    location_file: Path | None = None
    password_file: Path
    append_only: bool = True
    """Nothing is forgotten from this machine: whoever takes it over cannot take the past."""
    s3_credentials_file: Path | None = None
    """In the form of `~/.aws/credentials`."""
    rclone_config_file: Path | None = None
    ca_file: Path | None = None
    options: tuple[str, ...] = ()
    """restic's `-o`, such as `rclone.args=serve restic --stdio --append-only`."""

    @model_validator(mode="after")
    def _one_location(self) -> Repository:
        if (self.location is None) == (self.location_file is None):
            raise ValueError("give location or location_file, and not both")
        return self


class Vault(Part):
    """The hub: the folder that `vault_hub init` made. It is read only."""

    home: Path
    every_seconds: Seconds = 60.0
    """Looked at so often; a snapshot is made when it changed."""


class Books(Part):
    """Odoo's database and filestore. Without `container` the PostgreSQL programs of this machine are used."""

    filestore: Path
    """Odoo's folder `filestore/DATABASE`."""
    database: str = "books"
    user: str = "odoo"
    host: str = "db"
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    password_file: Path | None = None
    container: str | None = None
    """Run the programs in this container, by `docker exec`: they are then the server's own version."""
    every_seconds: Seconds = 300.0


class Folder(Part):
    """A folder that is taken as it is; databases of SQLite in it are copied whole first."""

    name: Name
    path: Path
    every_seconds: Seconds = 3600.0
    sqlite: tuple[str, ...] = ()
    """Names within the folder."""
    exclude: tuple[str, ...] = ()
    """restic's patterns."""


class Keep(Part):
    """What `prune` leaves of each kind: every snapshot of the last days, then fewer and fewer."""

    within: Within = "2d"
    within_hourly: Within | None = "7d"
    within_daily: Within | None = "60d"
    within_weekly: Within | None = "1y"
    within_monthly: Within | None = None
    every_seconds: Seconds | None = None
    """Prune by itself so often: only where this machine may forget, as with a repository of its own."""


class Check(Part):
    every_seconds: Seconds = 86400.0
    subsets: Annotated[int, Field(ge=1, le=365)] = 7
    """So many checks in a row read all of the data."""
    over_network: bool = False
    """Hold names against hashes at an `rclone:` repository too, which reads every file of it each time."""


class Alarms(Part):
    """Addresses hold a token, so each stands in a file of its own. None of them is needed."""

    push: dict[str, Path] = {}
    """Push monitors by job: `vault`, `books`, `check`, `drill`, `pull`, or a folder's name."""
    dead_man: Path | None = None
    """Called after each round in which all is well: a monitor elsewhere, for the day this machine is gone."""
    ca_file: Path | None = None
    """An authority that is believed beside the system's when a monitor is called."""
    late: Annotated[float, Field(ge=1)] = 3.0
    """Times its interval after which a job is late."""


class Disks(Part):
    """Folders whose disks are looked at in each round, and told by the push monitor `disks`."""

    paths: tuple[Path, ...] = ()
    least_percent: Annotated[float, Field(ge=0, le=100)] = 5.0
    """Free for whoever is not root."""


class Agent(Part):
    """The agent that says in the vault how drills ended: standing `cloud`, and its own Updates are all it writes."""

    name: Name = "backup"
    vault: str
    hub: str
    hub_token_file: Path
    hub_ca_file: Path | None = None
    key_file: Path
    owner_key_file: Path | None = None
    """The public half of the owner's key; without it no new root of the vault is followed."""
    heartbeat_seconds: Seconds = 600.0


class Drill(Part):
    """The images a drill starts from: those that production runs."""

    postgres_image: str = "postgres:15.13-bookworm"
    odoo_image: str = "countersign/odoo"
    hub_image: str | None = None
    """Serves the restored vault; without it the hub's program does, where it is installed beside this one."""
    memory: str = "2g"
    seconds: Seconds = 600.0
    """How long Odoo may take to answer."""


class Settings(Part):
    """What the operator supplies. Relative paths begin at the settings file."""

    name: Name = "vm"
    """Whose snapshots these are: restic's host."""
    state_dir: Path
    """Spool, cache, and the status; can be thrown away."""
    restic: str = "restic"
    timeout_seconds: Seconds = 3600.0
    """For one run of an outside program."""
    secret_files: tuple[Path, ...] = ()
    """Secrets of this machine, one a file: a folder that holds one is not taken."""
    repository: Repository
    copy_of: Repository | None = None
    """For `pull`: where the snapshots are fetched from. `repository` is then the second copy."""
    pull_every_seconds: Seconds = 86400.0
    """How often the second copy is fetched. Nothing newer than that in it is an anomaly."""
    vault: Vault | None = None
    books: Books | None = None
    folders: tuple[Folder, ...] = ()
    keep: Keep = Keep()
    check: Check = Check()
    alarms: Alarms = Alarms()
    disks: Disks = Disks()
    agent: Agent | None = None
    drill: Drill = Drill()
    health_host: str = "127.0.0.1"
    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Where `run` answers /healthz and /metrics, for monitors; nowhere without it. 0: any free one."""

    @model_validator(mode="after")
    def _names_differ(self) -> Settings:
        names = [folder.name for folder in self.folders]
        taken = {"vault", "books", "check", "disks", "drill", "pull", "prune"}
        if len({*names}) < len(names) or taken & {*names}:
            raise ValueError(f"every folder needs a name of its own, none of {', '.join(sorted(taken))}")
        return self

    @model_validator(mode="after")
    def _forgets_nothing_by_itself_that_it_must_not(self) -> Settings:
        if self.keep.every_seconds is not None and self.repository.append_only:
            raise ValueError("keep.every_seconds: this repository is append_only; prune from another machine")
        return self

    @property
    def pull_every(self) -> timedelta:
        return timedelta(seconds=self.pull_every_seconds)

    @property
    def kinds(self) -> dict[str, timedelta]:
        """What is backed up from this machine, and how often."""
        found = {"vault": self.vault, "books": self.books, **{one.name: one for one in self.folders}}
        return {name: timedelta(seconds=one.every_seconds) for name, one in found.items() if one is not None}


def read(path: Path) -> Settings:
    """Raises BadSettings, one line that names the file and the key."""
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings.model_validate(_from(values, path.absolute().parent))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(f"{path}: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSettings(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


_PATHS = frozenset({"state_dir", "home", "filestore", "path", "dead_man", "secret_files", "push", "paths"})


def _from(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values with every path made absolute: a key that ends in `_file`, or one of those above."""
    return {key: _placed(key, value, folder) for key, value in values.items()}


def _placed(key: str, value: Any, folder: Path) -> Any:
    is_path = key.endswith("_file") or key in _PATHS
    if isinstance(value, dict):
        return {k: str(folder / v) for k, v in value.items()} if is_path else _from(value, folder)
    if isinstance(value, list):
        return [_from(v, folder) if isinstance(v, dict) else str(folder / v) if is_path else v for v in value]
    return str(folder / value) if is_path and isinstance(value, str) else value
