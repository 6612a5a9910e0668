import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.workspace import ROOT

LONGEST_MODULE = 400
TEST_DEFINITION = re.compile(r"^\s*(?:async )?def test_", re.MULTILINE)
A_MACHINES_OWN = re.compile(
    r"(?<![\w.~}$-])/(?:work|root|home|Users|mnt|media)/[\w.-]+"  # a path that exists on one machine
    r"|https?://[\w.-]*(?<!host\.docker)\.(?:internal|corp|intra|lan)\b"  # a name that one network resolves
    r"|(?:index-url|find-links|trusted-host)[= ]+\S*://"  # where one machine gets its packages
)


def text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", errors="ignore")


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def test_no_module_is_longer_than_it_can_be_read(sources: list[Path]) -> None:
    lengths = {name(f): len(text(f).splitlines()) for f in sources if f.suffix == ".py"}
    assert {f: n for f, n in lengths.items() if n > LONGEST_MODULE} == {}, "split them by their nouns"


def test_no_file_names_a_machine(sources: list[Path]) -> None:
    here = [str(ROOT)] if len(ROOT.parts) > 2 else []
    if len(platform.node()) >= 8 and platform.node() != "localhost":
        here.append(platform.node())
    found = {}
    for file in sources:
        if hits := [*A_MACHINES_OWN.findall(text(file)), *(h for h in here if h in text(file))]:
            found[name(file)] = hits
    assert found == {}


def test_every_test_file_is_collected(sources: list[Path]) -> None:
    """A file that holds a test or is named like one, and that pytest passes by, is a test nobody runs."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert listing.returncode == 0, listing.stdout + listing.stderr
    collected = {line.partition("::")[0] for line in listing.stdout.splitlines() if "::" in line}
    tests = {
        name(f)
        for f in sources
        if f.suffix == ".py"
        and not name(f).startswith("infra/")  # has an environment of its own, and says so itself
        and (f.name.startswith("test_") or f.stem.endswith("_test") or TEST_DEFINITION.search(text(f)))
    }
    assert tests - collected == set()


def test_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_of_ours_is_in_the_contracts(sources: list[Path]) -> None:
    linter = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    packages = {f.parent.name for f in sources if f.name == "__init__.py" and f.parent.parent.name == "src"}
    assert packages == set(linter["root_packages"])


def test_every_action_of_the_workflows_is_pinned_to_a_commit() -> None:
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = re.findall(r"uses:\s*(\S+)", text(workflow))
        assert [u for u in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", u)] == [], workflow.name
