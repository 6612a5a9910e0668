import re
from pathlib import Path

import pytest

from tools.workspace import ROOT

RECIPES = sorted(
    f for f in ROOT.rglob("*Dockerfile") if not {".tools", "node_modules"} & set(f.relative_to(ROOT).parts)
)
NEEDS_BUILDKIT = re.compile(r"^# *syntax=|<<[A-Z\"'-]|--link\b|--mount=", re.MULTILINE)


def test_there_are_recipes_to_look_at() -> None:
    assert ROOT / "services" / "odoo" / "Dockerfile" in RECIPES


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_an_image_builds_on_a_named_version_and_with_the_classic_builder(recipe: Path) -> None:
    text = recipe.read_text(encoding="utf-8")
    bases = re.findall(r"^FROM\s+(\S+)", text, re.MULTILINE)
    stages = set(re.findall(r"^FROM\s+\S+\s+AS\s+(\S+)", text, re.MULTILINE | re.IGNORECASE))
    unpinned = [
        b for b in bases if b not in stages and b != "${BASE}" and not re.search(r":[\w.-]*\d[\w.-]*$|@sha256:", b)
    ]
    assert bases
    assert unpinned == []
    assert NEEDS_BUILDKIT.findall(text) == []
