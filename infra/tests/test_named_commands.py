"""Each `pulumi` command that our texts name is in the table, and the table is held against the engine's help."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pulumi.automation import PulumiCommand
from pulumi_commands import KNOWN, TEXTS, named, unknown
from stacks import INFRA, example

from infra import configure, settings


def read(name: str) -> str:
    return (INFRA.parent / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_of_pulumi_that_a_text_names_is_one_that_was_held_against_its_help(name: str) -> None:
    assert unknown(read(name)) == set()


def test_what_configure_prints_names_known_commands_alone() -> None:
    names = {"domain": "office.test", "provider": "cloudflare", "cloudflare_zone_id": "cd" * 16}
    chosen = settings.read(example("prod", names=names), stack="prod")
    said = "\n".join(configure.next_steps("prod", chosen))
    assert unknown(said) == set()
    assert {("login",), ("stack", "init"), ("config", "set", "--stack", "--secret")} <= named(said)


def test_readme_logs_in_and_makes_the_stack_before_it_previews_it() -> None:
    section = read("README.md").partition("\n## Production\n")[2].partition("\n## ")[0]
    steps = [
        section.index(step)
        for step in ("./just configure prod", "pulumi login", "pulumi stack init prod", "./just preview prod")
    ]
    assert steps == sorted(steps)
    assert named(section) == {("login",), ("stack", "init")}


def test_a_command_or_an_option_that_is_not_in_the_table_is_found_wherever_it_stands() -> None:
    assert unknown("`pulumi stack invent`, then `pulumi vanish prod`") == {("stack", "invent"), ("vanish",)}
    assert unknown("pulumi -C X stack output --stack prod --show-everything") == {
        ("stack", "output", "--stack", "--show-everything")
    }


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


@pytest.mark.engine
def test_every_command_of_the_table_is_there_with_its_options(cli: PulumiCommand) -> None:
    missing = [words for words, options in KNOWN.items() if not asked(Path(cli.command), (*words, *sorted(options)))]
    assert missing == []


@pytest.mark.engine
def test_a_command_or_an_option_that_is_not_there_is_missed(cli: PulumiCommand) -> None:
    binary = Path(cli.command)
    assert asked(binary, ("config", "set", "--secret"))
    for planted in ("pulumi stack invent", "pulumi vanish prod", "pulumi stack output --show-everything"):
        (command,) = named(planted)
        assert not asked(binary, command), planted
