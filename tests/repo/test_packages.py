import ast
import sys
from importlib.metadata import packages_distributions

import pytest

from tools.workspace import Member, Requirement, members

OURS = {package.name: [name] for name, m in members().items() for package in (m.folder / "src").iterdir()}


def imported(member: Member) -> set[str]:
    """The top-level names the package's sources import, wherever in the file."""
    found: set[str] = set()
    for file in (member.folder / "src").rglob("*.py"):
        if file.name == "testing.py":  # for tests, which have pytest
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), file)):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names


@pytest.mark.parametrize("name", members())
def test_a_package_declares_what_it_imports(name: str) -> None:
    """Else it works only as long as somebody else's package happens to bring it along."""
    member = members()[name]
    declared = {r.name for r in (*member.dependencies, *(r for extra in member.extras.values() for r in extra))}
    brought_by = {**packages_distributions(), **OURS}
    undeclared = {
        module
        for module in imported(member)
        if not {name, *declared} & {Requirement.parse(d).name for d in brought_by.get(module, [module])}
    }
    assert undeclared == set()
