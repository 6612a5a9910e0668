"""restic's command lines, as data: what is asked of it, and where the secrets are. Nothing secret stands in either."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backup.settings import Keep, Repository

Words = tuple[str, ...]


def environment(repository: Repository, cache: Path) -> dict[str, str]:
    """Paths only: restic reads passwords and keys from the files themselves."""
    found = {"RESTIC_PASSWORD_FILE": str(repository.password_file), "RESTIC_CACHE_DIR": str(cache)}
    if repository.location_file is not None:
        found["RESTIC_REPOSITORY_FILE"] = str(repository.location_file)
    if repository.s3_credentials_file is not None:
        found["AWS_SHARED_CREDENTIALS_FILE"] = str(repository.s3_credentials_file)
    if repository.rclone_config_file is not None:
        found["RCLONE_CONFIG"] = str(repository.rclone_config_file)
    return found


def where(repository: Repository) -> Words:
    """The options that every command takes."""
    place = ("--repo", repository.location) if repository.location is not None else ()
    authority = ("--cacert", str(repository.ca_file)) if repository.ca_file is not None else ()
    return (*place, *authority, *(word for option in repository.options for word in ("-o", option)))


def init() -> Words:
    return ("init",)


def backup(kind: str, host: str, paths: Sequence[Path], exclude: Sequence[str] = ()) -> Words:
    """One snapshot. `kind` is its tag."""
    left_out = tuple(word for pattern in exclude for word in ("--exclude", pattern))
    return ("backup", "--json", "--tag", kind, "--host", host, *left_out, "--", *map(str, paths))


def snapshots(host: str | None = None) -> Words:
    return ("snapshots", "--json", *(("--host", host) if host else ()))


def restore(snapshot: str, target: Path) -> Words:
    return ("restore", snapshot, "--target", str(target))


def unlock() -> Words:
    """Takes away the locks of processes that are gone."""
    return ("unlock",)


def check(number: int, subsets: int) -> Words:
    """The `number`-th check of a row of `subsets`, from 0, which together read every pack."""
    return ("check", f"--read-data-subset={number % subsets + 1}/{subsets}")


def forget(keep: Keep, host: str, *, dry_run: bool) -> Words:
    """What is older than `keep` goes; newest of each kind is always within it, or `--keep-last` saves it."""
    within = {
        "--keep-within": keep.within, "--keep-within-hourly": keep.within_hourly,
        "--keep-within-daily": keep.within_daily, "--keep-within-weekly": keep.within_weekly,
        "--keep-within-monthly": keep.within_monthly,
    }  # fmt: skip
    kept = tuple(word for flag, value in within.items() if value for word in (flag, value))
    end = ("--dry-run",) if dry_run else ("--prune",)
    return ("forget", "--json", "--host", host, "--group-by", "host,tags", "--keep-last", "3", *kept, *end)


def copy(source: Repository) -> Words:
    """Every snapshot of `source` that is not here yet, under this repository's own key."""
    place = (
        ("--from-repo", source.location)
        if source.location is not None
        else ("--from-repository-file", str(source.location_file))
    )
    return ("copy", *place, "--from-password-file", str(source.password_file))
