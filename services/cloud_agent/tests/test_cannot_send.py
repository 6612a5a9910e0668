"""The cloud agent holds no code and no credential that can send, by its imports, its files and its settings."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from pydantic import BaseModel

import cloud_agent
from cloud_agent.settings import Settings

OURS = ("accounting", "books", "cloud_agent", "correspondence", "drafting", "vault_protocol")
READS_AND_DRAFTS = "books.jsonrpc"
"""The one module that speaks odoorpc: with a key that cannot post, and verbs that only draft."""
FORBIDDEN = ("smtplib", "aiosmtpd", "aiosmtplib", "mcp", "local_agent", "demo", "odoorpc", "nntplib", "ftplib")
SIGNING = {"vault_protocol.sshsig.sign", "vault_protocol.approval.grant"}
"""How an approval is made. The modules that define them are the protocol's own; Cloud's never name them."""
PACKAGE = Path(next(iter(cloud_agent.__path__)))
HOME_OF_SIGNING = frozenset({"vault_protocol.sshsig", "vault_protocol.approval"})


def modules_of(package: Path, name: str) -> dict[str, str]:
    """Module name → source of everything below a package."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = [name, *file.relative_to(package).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file.read_text(encoding="utf-8")
    return found


def names_in(source: str, module: str) -> Iterator[str]:
    """Every dotted name a module imports, wherever the import stands, and every attribute it takes of one."""
    tree, alias = ast.parse(source), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                alias[item.asname or item.name.partition(".")[0]] = (
                    item.name if item.asname else item.name.split(".")[0]
                )
                yield item.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *([base] if base else [])])
            for item in node.names:
                alias[item.asname or item.name] = f"{base}.{item.name}"
                yield f"{base}.{item.name}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in FORBIDDEN:
            yield node.value  # importlib.import_module("smtplib")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in alias:
            yield f"{alias[node.value.id]}.{node.attr}"


def source_of(module: str) -> str | None:
    """The source of one of our modules; None when there is no such module."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).read_text(encoding="utf-8")


def reachable(start: dict[str, str]) -> dict[str, str]:
    """Those modules, and all of ours that they import, directly or through others."""
    found, waiting = dict(start), list(start.items())
    while waiting:
        module, source = waiting.pop()
        for name in names_in(source, module):
            if not name.startswith(OURS):
                continue
            for candidate in (name, name.rpartition(".")[0]):
                if candidate and candidate not in found and (text := source_of(candidate)) is not None:
                    found[candidate] = text
                    waiting.append((candidate, text))
    return found


def violations(modules: dict[str, str]) -> set[str]:
    """What no module of Cloud may name, as `module: name`."""
    return {
        f"{module}: {name}"
        for module, source in modules.items()
        for name in names_in(source, module)
        if (name.partition(".")[0] in FORBIDDEN and module != READS_AND_DRAFTS)
        or (name in SIGNING and module not in HOME_OF_SIGNING)
    }


def test_no_module_that_cloud_reaches_can_send_or_sign_an_approval() -> None:
    modules = reachable(modules_of(PACKAGE, "cloud_agent"))
    assert {"cloud_agent.__main__", "vault_protocol.vault", "correspondence.original"} <= modules.keys()
    assert violations(modules) == set()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import smtplib", "smtplib"),
        ("def f():\n    from smtplib import SMTP as S", "smtplib.SMTP"),
        ("import importlib\nimportlib.import_module('smtplib')", "smtplib"),
        ("from mcp import Client", "mcp.Client"),
        ("import local_agent.submission", "local_agent.submission"),
        ("from vault_protocol import sshsig\nsshsig.sign(k, b'', namespace='x')", "vault_protocol.sshsig.sign"),
        ("from vault_protocol.sshsig import sign as s", "vault_protocol.sshsig.sign"),
        ("from vault_protocol import approval as a\na.grant()", "vault_protocol.approval.grant"),
    ],
)
def test_the_check_sees_a_module_that_could_send_or_sign(source: str, name: str) -> None:
    assert violations({"cloud_agent.planted": source}) == {f"cloud_agent.planted: {name}"}


def test_the_check_sees_through_a_library_of_ours() -> None:
    planted = {"cloud_agent.planted": "from vault_protocol.vault import Vault"}
    assert {"vault_protocol.vault", "vault_protocol.journal", "vault_protocol.changeset"} <= reachable(planted).keys()


def test_running_cloud_loads_nothing_that_can_send() -> None:
    code = "import sys, cloud_agent.__main__; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(loaded.stdout.split()).isdisjoint(FORBIDDEN)


def test_the_installed_package_holds_only_what_watches_and_drafts() -> None:
    folders = {file.relative_to(PACKAGE).parts[0] for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE}
    assert folders == {"bookkeeping", "context", "plans", "posts", "scheduling", "watchers"}
    telling = re.compile(r"smtp|submission_host|\.sendmail|starttls|port=(?:25|465|587)", re.IGNORECASE)
    assert [file.name for file in PACKAGE.rglob("*.py") if telling.search(file.read_text(encoding="utf-8"))] == []


def test_what_cloud_depends_on_does_not_bring_the_acting_half() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    wanted = {re.split(r"[ <>=!~;\[]", line)[0] for line in lines}
    assert "countersign-vault-protocol" in wanted
    assert wanted.isdisjoint({"countersign-local-agent", "countersign-demo", "mcp", "aiosmtpd", "odoorpc"})


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in within(field.annotation):
            yield from fields_of(inner)


def within(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in a type, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from within(inner)


def test_no_setting_names_a_server_that_sends_or_a_key_that_approves() -> None:
    names = set(fields_of(Settings))
    assert {"key_file", "password_file", "grant_file", "api_key_file", "hub_token_file"} <= names
    others = names - {"hub_token_file"}  # it opens the hub, which holds Cloud to its zone
    assert [name for name in others if re.search("smtp|submi|send|outgoing|approv|sign|token(?!s)", name)] == []
