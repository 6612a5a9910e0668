"""`./just configure`: what it asks, what it refuses, what it writes and what it never writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from stacks import INFRA, REAL

from infra import configure, settings

Answers = Callable[..., int]
TENANCY = REAL["tenancy"]
FIRST = [TENANCY, "", "Ann", "ann@office.test", "office.test", ""]
BOOKS = ["at", ""]
RELEASE = ["", "https://downloads.office.test/c.tar.gz", "ab" * 32]
MACHINE = ["", "", "", "", "", ""]
BOX = ["yes", "business", "ann@office.test", "imap.office.test", "ann@office.test", ""]


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Run it with these answers, in a folder with the examples alone."""
    for example in INFRA.glob("*.yaml.example"):
        shutil.copy2(example, tmp_path)

    def run(*answers: str, stack: str = "prod") -> int:
        left = list(answers)

        def line(question: str) -> str:
            print(question)
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr("builtins.input", line)
        code = configure.main([stack], tmp_path)
        assert left == [], "an answer that nobody asked for"
        return code

    return run


def written(folder: Path, stack: str = "prod") -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text("utf-8"))["config"]
    return found


def test_the_answers_become_settings_that_the_program_reads(
    answering: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answering(*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX) == 0

    config = written(tmp_path)
    found = settings.read(config["countersign:settings"], stack="prod")  # type: ignore[arg-type]
    assert (found.owner, found.names.hub_name, found.machine.ocpus) == ("Ann", "hub.office.test", 2)
    assert (found.books_country, found.names.status_name) == ("AT", None)
    assert [box.host for box in found.mailboxes] == ["imap.office.test"]
    assert config["oci:region"] == "eu-frankfurt-1"
    said = capsys.readouterr().out
    assert "pulumi config set --stack prod --secret countersign:secret-cloud-business" in said
    assert "./just preview prod" in said


@pytest.mark.parametrize(
    ("at", "bad", "says"),
    [
        (0, "ann", "tenancy"),
        (0, "ocid1.tenancy.oc2..aaaatest", "realm oc2"),
        (1, "frankfurt", "region"),
        (3, "ann", "contact"),
        (4, "localhost", "names.domain"),
        (4, "office.example.com", "names.domain is still the example's"),
        (5, "godaddy", "names.provider"),
        (6, "austria", "books_country: 'AUSTRIA' is no country's code"),
        (7, "status page", "names.status"),
        (8, "one", "release.version"),
        (9, "http://downloads.office.test/c.tar.gz", "release.url"),
        (10, "0" * 64, "release.sha256 is still the example's"),
        (11, "perhaps", "paid"),
        (12, "many", "machine.ocpus"),
        (15, "-3", "budget"),
        (16, "0.0.0.0/0", "port 22 (SSH) must not be open to 0.0.0.0/0"),
        (19, "ann at office", "mailboxes.0.address"),
        (20, "imap", "mailboxes.0.host"),
    ],
)
def test_nonsense_is_refused_at_once_with_what_and_why_and_asked_again(
    answering: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str], at: int, bad: str, says: str
) -> None:
    answers = [*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX]
    assert answering(*answers[:at], bad, *answers[at:]) == 0

    lines = capsys.readouterr().out.splitlines()
    (refused,) = [number for number, line in enumerate(lines) if line.startswith("  no: ")]
    assert says in lines[refused]
    assert lines[refused - 1] == lines[refused + 1], "the same question again"
    settings.read(written(tmp_path)["countersign:settings"], stack="prod")  # type: ignore[arg-type]


def test_what_is_too_large_together_is_refused_and_the_machine_is_asked_for_again(
    answering: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    big = ["no", "2", "12", "200", "", ""]
    everything = ["", "", "", "", "", "", "", "", "", "", ""]
    assert answering(*FIRST, *BOOKS, *RELEASE, *big, "no", *everything, "", "", "", "100", "", "") == 0

    assert "250 GB of volumes in all, and 200 are always free" in capsys.readouterr().out
    assert settings.read(written(tmp_path)["countersign:settings"], stack="prod").machine.data_gb == 100  # type: ignore[arg-type]


def test_without_all_answers_nothing_is_written(
    answering: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answering(*FIRST, "") == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "Pulumi.prod.yaml").exists()


def test_running_it_again_offers_what_stands_there_and_keeps_what_pulumi_encrypted(
    answering: Answers, tmp_path: Path
) -> None:
    answering(*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX)
    file = tmp_path / "Pulumi.prod.yaml"
    known = yaml.safe_load(file.read_text("utf-8"))
    known["encryptionsalt"] = "v1:salt"
    known["config"]["countersign:secret-cloud-business"] = {"secure": "v1:sealed"}
    file.write_text(yaml.safe_dump(known), "utf-8")

    assert answering(*["", "", "Bob", "", "", ""], "", "", *["", "", ""], *MACHINE, "no") == 0

    after = yaml.safe_load(file.read_text("utf-8"))
    assert after["encryptionsalt"] == "v1:salt"
    assert after["config"]["countersign:secret-cloud-business"] == {"secure": "v1:sealed"}
    before = {**known["config"]["countersign:settings"], "owner": "Bob"}
    assert {**after["config"]["countersign:settings"], "paid": False} == {**before, "paid": False}


def test_cloudflare_needs_its_zone_and_no_secret_is_ever_asked_for(
    answering: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answering(*FIRST[:-1], "cloudflare", "cd" * 16, *BOOKS, *RELEASE, *MACHINE, *BOX) == 0
    asked = [line for line in capsys.readouterr().out.splitlines() if line.endswith(": ")]
    assert asked
    assert not [line for line in asked if any(word in line.lower() for word in ("password", "secret", "token", "key"))]
    assert written(tmp_path)["countersign:settings"]["names"]["cloudflare_zone_id"] == "cd" * 16  # type: ignore[index]


def test_only_who_chose_cloudflare_is_told_to_set_its_token_encrypted(
    answering: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = "pulumi config set --stack {} --secret cloudflare:apiToken"
    assert answering(*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX) == 0
    assert "cloudflare:apiToken" not in capsys.readouterr().out
    assert answering(*FIRST[:-1], "cloudflare", "cd" * 16, *BOOKS, *RELEASE, *MACHINE, "no", stack="other") == 0
    said = capsys.readouterr().out
    assert wanted.format("other") in said
    assert "CLOUDFLARE_API_TOKEN" in said


def test_the_region_that_is_asked_for_is_the_home_region(
    answering: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answering(*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX) == 0
    assert "the tenancy's home region" in capsys.readouterr().out


def test_it_names_the_pulumi_that_the_recipes_ask_for_before_the_first_command_that_needs_it(
    answering: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answering(*FIRST, *BOOKS, *RELEASE, *MACHINE, *BOX) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (login,) = [at for at, line in enumerate(lines) if line.startswith("pulumi login ")]
    assert f"by Pulumi {configure.wanted_pulumi()}" in lines[login]
    assert lines[login + 1].startswith("pulumi stack init prod ")


@pytest.mark.parametrize("code", ["NO", "at"])
def test_the_books_country_and_the_monitors_name_are_offered_again_and_can_be_taken_back(
    answering: Answers, tmp_path: Path, code: str
) -> None:
    def found() -> settings.Settings:
        return settings.read(written(tmp_path)["countersign:settings"], stack="prod")  # type: ignore[arg-type]

    first, again = [*FIRST, code, "watch", *RELEASE, *MACHINE, *BOX], ["", "", "", "", "", ""]
    assert answering(*first) == 0
    assert answering(*again, "", "", "", "", "", *MACHINE, "no") == 0
    assert (found().books_country, found().names.status) == (code.upper(), "watch")
    assert answering(*again, "-", "-", "", "", "", *MACHINE, "no") == 0
    assert (found().books_country, found().names.status) == (None, None)


@pytest.mark.parametrize("arguments", [[], ["Prod"], ["../x"], ["prod", "dev"]])
def test_a_wrong_name_for_a_stack_is_refused(arguments: list[str], tmp_path: Path) -> None:
    assert configure.main(arguments, tmp_path) == 2
    assert list(tmp_path.iterdir()) == []
