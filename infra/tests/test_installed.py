"""`./just preview|deploy|destroy|drift` take a Pulumi that can run a program in Python, or say what is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from stacks import INFRA

RECIPES = ("preview", "deploy", "destroy", "drift")
HOST = "pulumi-language-python"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is all of PATH, with nothing of Pulumi's."""
    found = tmp_path / "path"
    found.mkdir()
    for name in ("sh", "sed", "readlink"):
        (found / name).symlink_to(shutil.which(name) or name)
    return found


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\nexit 1\n")
    file.chmod(0o755)
    return file


def asked(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INFRA / "engine" / "installed"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def version() -> str:
    (found,) = re.findall(
        r"^require github.com/pulumi/pulumi/pkg/v3 v(\S+)$", (INFRA / "engine" / "go.mod").read_text("utf-8"), re.M
    )
    return str(found)


@pytest.mark.parametrize("page", ["README.md", "docs/infra.md", ".github/workflows/drift.yml"])
def test_the_version_that_a_page_has_installed_is_the_one_that_the_tests_run(page: str) -> None:
    text = (INFRA.parent / page).read_text("utf-8")
    named = re.findall(r"Pulumi (\d+\.\d+\.\d+)|--version (\d+\.\d+\.\d+)", text)
    assert {one or other for one, other in named} == {version()}


def test_without_pulumi_it_says_which_to_install_and_that_go_is_not_enough(path: Path) -> None:
    said = asked(path)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(f"pulumi is not on PATH. Install Pulumi {version()}, which brings both")
    assert f"--version {version()}" in said.stderr
    assert "Go is enough for ./just test-engine alone" in said.stderr


def test_a_pulumi_that_cannot_run_python_such_as_gos_is_refused_and_the_missing_program_named(path: Path) -> None:
    program(path, "pulumi")
    said = asked(path)
    assert (said.returncode, said.stdout) == (1, "")
    assert f"{path}/pulumi is there, but {HOST} is neither beside it nor on PATH" in said.stderr
    assert f"Install Pulumi {version()}" in said.stderr


def test_a_pulumi_with_its_language_host_on_path_is_taken(path: Path) -> None:
    pulumi = program(path, "pulumi")
    program(path, HOST)
    assert asked(path).stdout.strip() == str(pulumi)


def test_a_pulumi_that_is_a_link_is_taken_when_the_host_lies_beside_what_it_leads_to(
    path: Path, tmp_path: Path
) -> None:
    away = tmp_path / "pulumi-home"
    (path / "pulumi").symlink_to(program(away, "pulumi"))
    assert asked(path).returncode == 1
    program(away, HOST)
    assert asked(path).stdout.strip() == str(path / "pulumi")


def test_each_recipe_that_runs_the_program_asks_before_it_does_anything_else() -> None:
    text = (INFRA.parent / "Justfile").read_text(encoding="utf-8")
    for name in RECIPES:
        (body,) = re.findall(rf"^{name} STACK \*ARGS: _pulumi _infra-env\n(.*)$", text, re.M)
        assert 'exec "$(engine/installed)"' in body, name
    assert "infra/engine/installed" in text.partition("\n_pulumi:\n")[2].splitlines()[0]
    assert "engine/build" not in text


def test_every_text_that_names_the_version_of_pulumi_names_the_one_that_is_locked() -> None:
    named = {
        name: set(
            re.findall(r"Pulumi v?(\d+\.\d+\.\d+)|--version (\d+\.\d+\.\d+)", (INFRA.parent / name).read_text("utf-8"))
        )
        for name in ("README.md", "docs/infra.md", ".github/workflows/drift.yml")
    }
    assert {one for found in named.values() for pair in found for one in pair if one} == {version()}
    assert named["README.md"]
    assert named["docs/infra.md"]
