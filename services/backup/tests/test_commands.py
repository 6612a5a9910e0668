from pathlib import Path

from backup import commands
from backup.settings import Keep, Repository

HERE = Repository(location="/srv/backups", password_file=Path("/run/secrets/password"))
AWAY = Repository(
    location_file=Path("/run/secrets/where"), password_file=Path("/run/secrets/password"),
    s3_credentials_file=Path("/run/secrets/s3"), ca_file=Path("/ca.pem"), options=("s3.connections=2",),
)  # fmt: skip


def test_secrets_reach_restic_by_the_names_of_files() -> None:
    cache = Path("/cache")
    assert commands.environment(AWAY, cache) == {
        "RESTIC_PASSWORD_FILE": "/run/secrets/password", "RESTIC_CACHE_DIR": "/cache",
        "RESTIC_REPOSITORY_FILE": "/run/secrets/where", "AWS_SHARED_CREDENTIALS_FILE": "/run/secrets/s3",
    }  # fmt: skip
    assert commands.where(AWAY) == ("--cacert", "/ca.pem", "-o", "s3.connections=2")
    assert commands.where(HERE) == ("--repo", "/srv/backups")


def test_what_is_kept_thins_out_with_age_and_three_of_each_kind_always_stay() -> None:
    keep = Keep(within="2d", within_hourly="7d", within_daily=None, within_weekly="1y")
    words = commands.forget(keep, "vm", dry_run=False)
    assert words == (
        "forget", "--json", "--host", "vm", "--group-by", "host,tags", "--keep-last", "3",
        "--keep-within", "2d", "--keep-within-hourly", "7d", "--keep-within-weekly", "1y", "--prune",
    )  # fmt: skip
    assert commands.forget(keep, "vm", dry_run=True)[-1] == "--dry-run"


def test_a_row_of_checks_reads_every_part_once() -> None:
    parts = [commands.check(number, 3)[1] for number in range(4)]
    assert parts == [f"--read-data-subset={part}/3" for part in (1, 2, 3, 1)]


def test_a_path_that_looks_like_an_option_is_a_path() -> None:
    words = commands.backup("kuma", "vm", [Path("-r")], ["*.log"])
    assert words == ("backup", "--json", "--tag", "kuma", "--host", "vm", "--exclude", "*.log", "--", "-r")


def test_a_copy_names_the_other_repository_and_its_password_by_file() -> None:
    assert commands.copy(AWAY) == (
        "copy", "--from-repository-file", "/run/secrets/where", "--from-password-file", "/run/secrets/password"
    )  # fmt: skip
