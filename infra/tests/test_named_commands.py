"""Each `pulumi` command that our texts name is one of the engine, with each option; asked of its help."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand
from stacks import INFRA

pytestmark = pytest.mark.engine

TEXTS = ("README.md", "docs/infra.md", "docs/runbook.md", "docs/backup.md", "infra/Pulumi.prod.yaml.example")
_NAMED = re.compile(r"(?<![\w/.-])pulumi ((?:[a-z][a-z-]*(?: |\b))+)((?:--[a-z-]+ ?)*)")
FAMILIES = ("config", "stack", "state")
"""Those whose second word is a command too."""


def named(text: str) -> set[tuple[str, ...]]:
    """The words of each command and the options behind them."""
    found = set()
    for words, options in _NAMED.findall(text):
        command = words.split()
        found.add((*command[: 2 if command[0] in FAMILIES else 1], *options.split()))
    return found


def asked(binary: Path, command: tuple[str, ...]) -> bool:
    """Whether the engine has this command with these options."""
    words = [word for word in command if not word.startswith("--")]
    done = subprocess.run([binary, *words, "--help"], capture_output=True, encoding="utf-8", check=False, timeout=60)
    usage = re.search(r"^Usage:\s+pulumi (.*)", done.stdout, re.MULTILINE)
    aliases = re.search(r"^Aliases:\s+(.*)", done.stdout, re.MULTILINE)
    first, last = words[:-1], words[-1]
    found = usage[1].split()[: len(words)] if usage else [""]
    is_it = found[:-1] == first and last in (found[-1], *(aliases[1].split(", ") if aliases else ()))
    return is_it and all(re.search(rf"{option}(?![\w-])", done.stdout) for option in command[len(words) :])


def test_every_command_of_pulumi_that_is_named_is_there(cli: PulumiCommand) -> None:
    binary = Path(cli.command)
    wanted = {name: named((INFRA.parent / name).read_text(encoding="utf-8")) for name in TEXTS}
    assert ("stack", "init") in wanted["README.md"]
    assert ("stack", "output", "--show-secrets") in wanted["docs/infra.md"]
    missing = {name: [one for one in sorted(found) if not asked(binary, one)] for name, found in wanted.items()}
    assert missing == {name: [] for name in TEXTS}


def test_a_command_or_an_option_that_is_not_there_is_missed(cli: PulumiCommand) -> None:
    binary = Path(cli.command)
    assert asked(binary, ("config", "set", "--secret"))
    for planted in ("pulumi stack invent", "pulumi vanish prod", "pulumi stack output --show-everything"):
        (command,) = named(planted)
        assert not asked(binary, command), planted
