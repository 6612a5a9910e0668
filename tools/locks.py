"""Writes the locks in requirements/, and says whether they are current.

A lock is current when it was made from the dependencies the pyproject files list now: its second line carries
the sha256 of that list. Nothing is resolved to find out, so the answer is the same on every machine and day.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.workspace import ROOT, Requirement, group, third_party

FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.11"
STAMP = re.compile(r"^# inputs: sha256:([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """One file in requirements/: the packages of ours it serves and the groups it adds."""

    members: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    follows: str | None = None  # takes this lock's versions, so that what ships is what was tested

    def inputs(self) -> list[str]:
        wanted = [Requirement.parse(m) for m in self.members]
        for name in self.groups:
            wanted += group(name)
        return [str(r) for r in third_party(wanted)]

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.inputs()).encode()).hexdigest()


# In the order they are written: a lock comes after the one it follows.
LOCKS: dict[str, Lock] = {
    "tools": Lock(groups=("tools",)),
    "dev": Lock(
        members=(
            "countersign-odoo-mcp",
            "countersign-demo",
            "countersign-cloud-agent[models]",
            "countersign-backup",
            "countersign-monitor",
        ),
        groups=("build", "dev"),
    ),
    "demo": Lock(members=("countersign-demo",), groups=("build",), follows="dev"),
    "cloud": Lock(members=("countersign-cloud-agent[models]",), follows="dev"),
    "backup": Lock(members=("countersign-backup",), follows="dev"),
    "hub": Lock(members=("countersign-vault-hub",), follows="dev"),
    "local": Lock(members=("countersign-local-agent",), groups=("build",), follows="dev"),
    "infra": Lock(members=("countersign-infra",), groups=("build", "infra"), follows="dev"),
    "stack": Lock(groups=("stack",)),
    "agentdojo": Lock(groups=("agentdojo",)),
    "monitor": Lock(members=("countersign-monitor",), follows="dev"),
    "odoo-mcp": Lock(members=("countersign-odoo-mcp",), follows="dev"),
}


def path(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def stale() -> list[str]:
    """The locks that are missing or were made from other dependencies."""
    return [name for name, lock in LOCKS.items() if _stamped(path(name)) != lock.digest()]


def write(name: str, options: list[str]) -> None:
    """Resolve one lock anew, keeping the versions it has unless `options` (--upgrade …) say otherwise."""
    lock, target = LOCKS[name], path(name)
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch, target.name)
        if target.exists():
            draft.write_bytes(target.read_bytes())
        command = [
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version",
            OLDEST_PYTHON,
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--no-sources",
            "--output-file",
            str(draft),
            *options,
        ]
        if lock.follows:
            command += ["--constraints", str(path(lock.follows))]
        subprocess.run([*command, "-"], input="\n".join(lock.inputs()), text=True, check=True, cwd=ROOT)
        body = draft.read_text(encoding="utf-8")
    header = f"# Made by `./just lock` from the pyproject files; do not edit.\n# inputs: sha256:{lock.digest()}\n"
    fresh = target.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(header + body, encoding="utf-8")
    fresh.replace(target)


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check"]:
            if old := stale():
                print(f"stale: {', '.join(f'requirements/{n}.txt' for n in old)}; run: ./just lock", file=sys.stderr)
                return 1
            return 0
        case ["write", *options]:
            for name in LOCKS:
                write(name, options)
            return 0
    print("usage: python -m tools.locks check | write [options of uv pip compile]", file=sys.stderr)
    return 2


def _stamped(lock: Path) -> str | None:
    found = STAMP.search(lock.read_text(encoding="utf-8")) if lock.exists() else None
    return found and found[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
