"""The package is a function of its arguments: it opens nothing, asks nobody and knows no time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import correspondence
from correspondence import Caution, Oddity

FOLDER = Path(correspondence.__file__).parent
MODULES = sorted(path.name for path in FOLDER.glob("*.py"))
IMPURE = frozenset(
    [
        "asyncio",
        "glob",
        "http",
        "io",
        "locale",
        "logging",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "smtplib",
    ]
) | frozenset(["socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "uuid", "zoneinfo"])


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_nothing_that_reaches_outside(module: str) -> None:
    nodes = list(ast.walk(ast.parse((FOLDER / module).read_text("utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & IMPURE
    assert "urllib.request" not in names


@pytest.mark.parametrize("module", MODULES)
def test_a_module_asks_no_clock_and_opens_no_file(module: str) -> None:
    nodes = list(ast.walk(ast.parse((FOLDER / module).read_text("utf-8"))))
    called = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    called |= {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & {"now", "today", "utcnow", "print", "input", "eval", "exec", "__import__"}
    assert "open" not in {
        node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_every_oddity_has_a_sentence_for_the_owner() -> None:
    sentences = {one.sentence for one in (*Oddity, *Caution)}
    assert len(sentences) == len(Oddity) + len(Caution)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


def test_everything_that_is_promised_is_there() -> None:
    assert all(hasattr(correspondence, name) for name in correspondence.__all__)
    assert correspondence.__all__ == sorted(correspondence.__all__)
