"""Every `./just` command that a page names is a recipe, and every file that the page on production names is there."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tools.workspace import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
MADE = frozenset({"infra/Pulumi.prod.yaml", "compose/stack.env"})
"""Files that the commands of the pages make."""
_COMMAND = re.compile(r"\./just ([a-z][a-z-]*)")
_FILE = re.compile(r"(?<![\w/.-])(?:infra|compose|tools|tests|\.github)/[\w./-]*\w")


@cache
def recipes() -> frozenset[str]:
    argv = [str(ROOT / "just"), "--dump", "--dump-format", "json"]
    dump = subprocess.run(argv, capture_output=True, encoding="utf-8", check=True, timeout=120).stdout
    return frozenset(json.loads(dump)["recipes"])


def unknown(text: str) -> set[str]:
    """The commands of a text that are no recipe; a file `./just` and its options are none."""
    return set(_COMMAND.findall(text)) - recipes()


def missing(text: str) -> set[str]:
    """The files of a text that are not there."""
    return {path for path in _FILE.findall(text) if path not in MADE and not (ROOT / path).exists()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_is_a_recipe(page: Path) -> None:
    assert unknown(page.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("name", ["infra.md", "backup.md", "runbook.md"])
def test_every_file_that_a_page_of_the_operator_names_is_there(name: str) -> None:
    assert missing((ROOT / "docs" / name).read_text(encoding="utf-8")) == set()


def test_the_page_on_production_names_the_way_from_release_to_destroy() -> None:
    named = set(_COMMAND.findall((ROOT / "docs" / "infra.md").read_text(encoding="utf-8")))
    assert named >= {"release", "configure", "preview", "deploy", "drift", "destroy", "test-engine"}


def test_a_command_and_a_file_that_are_not_there_are_missed() -> None:
    assert unknown("first `./just vanish prod`, then `./just deploy prod`") == {"vanish"}
    assert missing("see infra/nowhere.py and infra/Pulumi.prod.yaml.example") == {"infra/nowhere.py"}
