"""Writes docs/sbom/NAME.cdx.json (CycloneDX) for each lock that ships, and docs/licences.md for people.

Run in the environment of the tests, whose lock holds every version that ships: a licence is read from what is
installed. Only names, versions and licences are written, no address and no time, so a second run changes nothing.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from tools import licences, locks
from tools.workspace import ROOT, Requirement, members

FOLDER, LIST = ROOT / "docs" / "sbom", ROOT / "docs" / "licences.md"
IMAGE_PYTHON = "3.11.13"
MACHINES = ("aarch64", "x86_64")
SHIPPED = {
    "cloud-agent": "cloud",
    "vault-hub": "hub",
    "backup": "backup",
    "monitor": "monitor",
    "odoo-mcp": "odoo-mcp",
    "local-agent": "local",
}
"""What is shipped, and its lock."""

PROGRAMS = (
    ("Caddy", "Apache-2.0", "image"),
    ("Debian and Python, in the base images", "many; /usr/share/doc and LICENSE there", "image"),
    ("git", "GPL-2.0-only", "vault-hub's image, run as a program"),
    ("Odoo Community", "LGPL-3.0-only", "image; our addon `draft_only` is LGPL-3.0 with it"),
    ("PostgreSQL", "PostgreSQL", "image"),
    ("restic", "BSD-2-Clause", "run as a program"),
    ("squid", "GPL-2.0-or-later", "image, run as a program"),
    ("Uptime Kuma", "MIT", "image"),
)
"""What our images stand on or start, unchanged: these are the licences of their projects, not read by a tool."""

HEAD = """\
# Licences

Made by `./just sbom`; do not edit. Machines read docs/sbom/ (CycloneDX), one file for each image and for Local.
Countersign is Apache-2.0. What it ships with, on Linux and the images' Python, from the locks:
"""

_PIN = re.compile(r"^([a-z0-9-]+)==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Component:
    name: str
    version: str
    licence: str = ""


def pinned(lock: str) -> list[Component]:
    """What a lock puts on Linux, on any of our machines, with the images' Python; licences are not looked up."""
    text = locks.path(lock).read_text(encoding="utf-8")
    return sorted(Component(name, version) for name, version, marker in _PIN.findall(text) if _applies(marker))


def ours(lock: str) -> list[Component]:
    """Our own packages in it."""
    todo, seen = [Requirement.parse(one).name for one in locks.LOCKS[lock].members], set[str]()
    while todo:
        name = todo.pop()
        if name in members() and name not in seen:
            seen.add(name)
            todo += [one.name for one in members()[name].dependencies]
    return [Component(name, *_project(name)) for name in sorted(seen)]


def document(name: str, components: Iterable[Component]) -> str:
    """CycloneDX 1.6."""
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": f"countersign-{name}"}},
        "components": [
            {
                "type": "library",
                "bom-ref": (purl := f"pkg:pypi/{one.name}@{one.version}"),
                "name": one.name,
                "version": one.version,
                "purl": purl,
                "licenses": [{"expression": one.licence}],
            }
            for one in components
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def listed(found: dict[str, list[Component]]) -> str:
    """docs/licences.md."""
    where: dict[Component, list[str]] = {}
    for name, components in found.items():
        for one in components:
            where.setdefault(one, []).append(name)
    judged = [(one.name, one.licence, licences.JUDGED[one.name]) for one in where if one.name in licences.JUDGED]
    every = [(one.name, one.version, one.licence, ", ".join(names)) for one, names in where.items()]
    return HEAD + "\n".join(
        [
            *_table("Judged one by one", ("package", "licence", "why it may be here"), sorted(judged)),
            *_table("Every package", ("package", "version", "licence", "in"), sorted(every)),
            *_table("Programs, run as they come", ("program", "licence", "where"), PROGRAMS),
            "",
        ]
    )


def _table(title: str, names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [names, ("---",) * len(names), *rows]
    return ["", f"## {title}", "", *(f"| {' | '.join(line)} |" for line in lines)]


def write() -> list[str]:
    """Objections; nothing is written when there are any."""
    found = {
        name: [*ours(lock), *(Component(one.name, one.version, licences.of(one.name)) for one in pinned(lock))]
        for name, lock in SHIPPED.items()
    }
    objections = {o for many in found.values() for one in many if (o := licences.objection(one.name, one.licence))}
    if not objections:
        FOLDER.mkdir(exist_ok=True)
        for name, components in found.items():
            place(name).write_text(document(name, components), encoding="utf-8")
        LIST.write_text(listed(found), encoding="utf-8")
    return sorted(objections)


def _project(name: str) -> tuple[str, str]:
    """Version and licence of one of ours."""
    file = members()[name].folder / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return str(project["version"]), str(project["license"])


def place(name: str) -> Path:
    return FOLDER / f"{name}.cdx.json"


def _applies(marker: str) -> bool:
    return not marker or any(Marker(marker).evaluate(_environment(machine)) for machine in MACHINES)


def _environment(machine: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython", "implementation_version": IMAGE_PYTHON, "os_name": "posix",
        "platform_machine": machine, "platform_python_implementation": "CPython", "platform_system": "Linux",
        "python_full_version": IMAGE_PYTHON, "python_version": IMAGE_PYTHON.rpartition(".")[0], "sys_platform": "linux",
    }  # fmt: skip


if __name__ == "__main__":
    if wrong := write():
        sys.exit("\n".join(wrong))
