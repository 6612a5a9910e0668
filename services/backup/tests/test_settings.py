from pathlib import Path

import pytest

from backup import settings
from backup.errors import BadSettings

REPOSITORY = '[repository]\nlocation = "/srv/backups"\npassword_file = "password"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "backup.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_path_begins_at_the_settings_file_and_a_location_stays_as_it_is(tmp_path: Path) -> None:
    text = 'state_dir = "state"\nsecret_files = ["a"]\n' + REPOSITORY.replace("/srv/backups", "rest:https://x/")
    text += '[vault]\nhome = "hub"\n[alarms]\ndead_man = "dead"\npush = { vault = "push" }\n'
    text += '[[folders]]\nname = "kuma"\npath = "/kuma"\nsqlite = ["kuma.db"]\n'
    read = settings.read(written(tmp_path, text))
    assert read.vault is not None
    assert (read.state_dir, read.vault.home) == (tmp_path / "state", tmp_path / "hub")
    assert (read.secret_files, read.repository.password_file) == ((tmp_path / "a",), tmp_path / "password")
    assert (read.alarms.dead_man, read.alarms.push) == (tmp_path / "dead", {"vault": tmp_path / "push"})
    assert (read.repository.location, read.folders[0].path, read.folders[0].sqlite) == (
        "rest:https://x/", Path("/kuma"), ("kuma.db",)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("hom = 1\n", "vault.hom"),
        ("home = 'hub'\nevery_seconds = 0\n", "vault.every_seconds"),
    ],
)
def test_a_setting_that_is_misspelled_or_no_good_is_named(tmp_path: Path, wrong: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        settings.read(written(tmp_path, f'state_dir = "s"\n{REPOSITORY}[vault]\n{wrong}'))


def test_a_folder_may_not_take_another_jobs_name(tmp_path: Path) -> None:
    text = f'state_dir = "s"\n{REPOSITORY}[[folders]]\nname = "books"\npath = "/x"\n'
    with pytest.raises(BadSettings, match="name of its own"):
        settings.read(written(tmp_path, text))


def test_a_repository_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="not both"):
        settings.read(written(tmp_path, f'state_dir = "s"\n{REPOSITORY}location_file = "there"\n'))
