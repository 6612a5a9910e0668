"""The packages of this repository, as their pyproject files state them."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, order=True)
class Requirement:
    """A dependency in one spelling: `Foo_Bar[b, a] >= 1` and `foo-bar[a,b]>=1` are the same."""

    name: str
    extras: tuple[str, ...] = ()
    rest: str = ""

    @classmethod
    def parse(cls, text: str) -> "Requirement":
        found = _REQUIREMENT.fullmatch(text)
        if not found:
            raise ValueError(f"not a requirement: {text!r}")
        name, extras, rest = found.groups()
        spec, mark, marker = rest.partition(";")
        return cls(
            name=_canonical(name),
            extras=tuple(sorted(_canonical(e.strip()) for e in (extras or "").split(",") if e.strip())),
            rest="".join(spec.split()) + (f" ; {marker.strip()}" if mark else ""),
        )

    def __str__(self) -> str:
        return self.name + (f"[{','.join(self.extras)}]" if self.extras else "") + self.rest


@dataclass(frozen=True)
class Member:
    """One installable package of ours."""

    folder: Path
    dependencies: tuple[Requirement, ...]
    extras: dict[str, tuple[Requirement, ...]]


@cache
def members() -> dict[str, Member]:
    """Every package of ours by its normalised distribution name."""
    found: dict[str, Member] = {}
    for file in sorted(
        [
            *ROOT.glob("libs/*/pyproject.toml"),
            *ROOT.glob("services/*/pyproject.toml"),
            *ROOT.glob("services/*/*/pyproject.toml"),
            *ROOT.glob("demo/pyproject.toml"),
            *ROOT.glob("infra/pyproject.toml"),
        ]
    ):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        found[_canonical(project["name"])] = Member(
            folder=file.parent,
            dependencies=_parse(project.get("dependencies", [])),
            extras={
                _canonical(extra): _parse(listed) for extra, listed in project.get("optional-dependencies", {}).items()
            },
        )
    return found


def group(name: str) -> tuple[Requirement, ...]:
    """A dependency group of the root pyproject."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return _parse(root["dependency-groups"][name])


def third_party(wanted: Iterable[Requirement]) -> list[Requirement]:
    """What `wanted` asks of the index, with our own packages replaced by what they ask for; sorted, once each."""
    todo, seen = list(wanted), set[Requirement]()
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        if ours := members().get(one.name):
            todo += ours.dependencies
            for extra in one.extras:
                todo += ours.extras[extra]
    return sorted(r for r in seen if r.name not in members())


def _parse(listed: Iterable[str]) -> tuple[Requirement, ...]:
    return tuple(Requirement.parse(text) for text in listed)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
