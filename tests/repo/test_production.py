"""README's way into production names commands and files that exist."""

from __future__ import annotations

import json
import re
import subprocess

from tools.workspace import ROOT


def _section() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("\n## Production\n")[2].partition("\n## ")[0]


def test_every_command_of_the_production_section_is_a_recipe() -> None:
    dump = subprocess.run(
        [ROOT / "just", "--dump", "--dump-format", "json"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    ).stdout
    recipes = json.loads(dump)["recipes"]
    used = re.findall(r"\./just (\S+)((?: \S+)*?)(?: {2,}|$)", _section(), re.MULTILINE)
    assert [name for name, _ in used] == ["release", "configure", "preview", "deploy"]
    for name, words in used:
        needed = [one for one in recipes[name]["parameters"] if one["kind"] == "singular"]
        assert len(words.split()) == len(needed), name


def test_every_file_of_the_production_section_is_there_or_is_made_by_it() -> None:
    made = re.findall(r"^ +\./just configure .* writes (\S+)$", _section(), re.MULTILINE)
    assert made == ["infra/Pulumi.prod.yaml"]
    for path in re.findall(r"(?<![\w/.-])(?:infra|docs|compose)/[\w./-]+\w", _section()):
        assert (ROOT / path).exists() or path in made, path
