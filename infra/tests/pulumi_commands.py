"""The commands of Pulumi that our texts may name, with options; `./just test-engine` holds them against its help."""

from __future__ import annotations

import re

KNOWN: dict[tuple[str, ...], frozenset[str]] = {
    ("login",): frozenset(),
    ("import",): frozenset(),
    ("config", "set"): frozenset({"--secret", "--stack"}),
    ("stack",): frozenset({"--show-urns"}),
    ("stack", "init"): frozenset(),
    ("stack", "export"): frozenset({"--file"}),
    ("stack", "import"): frozenset({"--file"}),
    ("stack", "output"): frozenset({"--show-secrets", "--stack"}),
    ("state", "delete"): frozenset({"--force", "--target-dependents"}),
    ("state", "unprotect"): frozenset(),
    ("up",): frozenset(),
}
TEXTS = (
    "README.md",
    "docs/infra.md",
    "docs/runbook.md",
    "docs/backup.md",
    "infra/Pulumi.prod.yaml.example",
    "infra/Pulumi.dev.yaml.example",
    "infra/src/infra/__main__.py",
    "infra/src/infra/configure.py",
)
FAMILIES = ("config", "stack", "state")
"""Those whose second word is a command too."""
_NAMED = re.compile(r"(?<![\w/.-])pulumi ((?:-C \S+ )?[a-z][^`#;&|\n\"]*)")
_WORD = re.compile(r"[a-z][a-z-]*")


def named(text: str) -> set[tuple[str, ...]]:
    """Each command with its options: `pulumi stack output --stack prod --show-secrets x`, without `prod` and `x`."""
    found = set()
    for line in _NAMED.findall(text):
        words = re.sub(r"^-C \S+ ", "", line).split()
        size = 2 if words[0] in FAMILIES and len(words) > 1 and _WORD.fullmatch(words[1]) else 1
        found.add((*words[:size], *(word for word in words[size:] if word.startswith("--"))))
    return found


def unknown(text: str) -> set[tuple[str, ...]]:
    """Those that are not in the table."""
    return {one for one in named(text) if not _is_known(one)}


def _is_known(command: tuple[str, ...]) -> bool:
    words = tuple(word for word in command if not word.startswith("--"))
    return words in KNOWN and {*command} - {*words} <= KNOWN[words]
