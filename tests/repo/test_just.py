"""The bootstrap against machines made of a few programs in a folder, and the Justfile it starts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.workspace import ROOT

RECIPES = {
    "adr", "bench", "check", "demo", "doctor", "fmt", "layers", "lint", "lock", "prove", "restore", "restore-drill",
    "soak", "test", "types",
}  # fmt: skip
SHELL = shutil.which("dash") or "/bin/sh"
SYSTEM = ["cat", "cksum", "mkdir", "mv", "rm"]


class Machine:
    """A checkout and a PATH that holds only what it was given."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "check out"
        self.bin = folder / "bin"
        (self.root / "requirements").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "just", self.root)
        shutil.copy(ROOT / "requirements" / "tools.txt", self.root / "requirements")
        for program in SYSTEM:
            (self.bin / program).symlink_to(str(shutil.which(program)))
        self.program("git", "exit 0")
        self.program("id", "echo 1000")

    def program(self, name: str, body: str, *, folder: Path | None = None) -> Path:
        file = (folder or self.bin) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!{SHELL}\n{body}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def python(self, name: str, *, modules: str = "") -> Path:
        """An interpreter of version 3.12 that can do nothing but `-m` the modules it was given."""
        return self.program(name, f'case "$1 $2" in "-c "*) echo "$0 3.12" ;; {modules} *) exit 1 ;; esac')

    def tools(self, body: str) -> None:
        """Have the tools in place already, with `body` for just."""
        lock = (self.root / "requirements" / "tools.txt").read_bytes()
        crc = subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout.split()[0].decode()
        self.program("just", body, folder=self.root / ".tools" / f"bootstrap-{crc}" / "bin")

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SHELL, str(self.root / "just"), *arguments],
            env={"PATH": str(self.bin), **environment},
            cwd=self.bin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("script", ["just", ".ci/programs"])
def test_the_scripts_are_plain_posix_sh(script: str) -> None:
    subprocess.run([SHELL, "-n", str(ROOT / script)], check=True, timeout=10)
    assert os.access(ROOT / script, os.X_OK)


def test_without_venv_and_pip_it_says_the_one_command(machine: Machine) -> None:
    machine.program("apt-get", "exit 0")
    python = machine.python("python3.12", modules='"-m venv") mkdir -p "$3"; exit 1 ;;')  # as Debian's does

    done = machine.run("test")

    assert done.returncode == 1
    wanted = f"just: {python} has neither venv nor pip. Run this first: sudo apt-get install -y python3.12-venv"
    assert done.stderr.splitlines()[-1] == wanted
    assert [f.name for f in (machine.root / ".tools").iterdir()] == ["python"], "something half-made stayed behind"


def test_without_python_it_says_what_to_install(machine: Machine) -> None:
    machine.program("apt-get", "exit 0")
    machine.program("python3", "exit 1")  # too old, or a shim of a version that is not there

    done = machine.run("test")

    assert done.returncode == 1
    assert done.stderr == (
        "just: needs Python 3.11 or newer, found none. Install it first: sudo apt-get install -y python3 python3-venv\n"
    )


def test_a_shim_that_exists_and_fails_is_passed_over(machine: Machine) -> None:
    machine.program("python3.13", "echo 'version 3.13 is not installed' >&2; exit 127")
    python = machine.python("python3")

    assert f"{python} has neither" in machine.run("test").stderr


def test_a_python_named_by_the_user_is_binding(machine: Machine) -> None:
    machine.python("python3")

    done = machine.run("test", PYTHON="python9")

    assert done.returncode == 1
    assert done.stderr == "just: PYTHON=python9 is not a Python 3.11 or newer that runs\n"


@pytest.mark.parametrize("way", ["uv", "pip"])
def test_the_tools_are_installed_by_what_the_machine_has_and_only_with_hashes(machine: Machine, way: str) -> None:
    install = 'echo "$*" >>"$0.log"; while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; ' + (
        """printf '#!%s\\necho from "$@"\\n' >"$2/bin/just"; /bin/chmod +x "$2/bin/just\"""".replace("%s", SHELL)
    )
    if way == "uv":
        machine.python("python3")
        program = machine.program("uv", f'[ "$1" = --version ] && exit; {install}')
    else:
        program = machine.python("python3", modules=f'"-m pip") [ "$3" = --version ] && exit; {install} ;;')

    first, second = machine.run("test"), machine.run("test")

    assert first.returncode == second.returncode == 0, first.stderr
    assert "from" in first.stdout
    assert (first.stderr, second.stderr) == ("just: fetching uv and just into .tools (once)\n", "")
    calls = Path(f"{program}.log").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 1
    assert {"--require-hashes", "--no-deps"} <= set(calls[0].split())


def test_arguments_reach_just_as_they_were_given_and_recipes_learn_the_interpreter(machine: Machine) -> None:
    machine.tools("""for word; do printf '<%s>' "$word"; done; echo "$UV_PYTHON $UV_PYTHON_DOWNLOADS" """)

    done = machine.run("test", "-k", "a or b", "", "*", PYTHON=sys.executable)

    assert done.stderr == ""
    folder = f"<--justfile><{machine.root}/Justfile><--working-directory><{machine.root}>"
    assert done.stdout == f"{folder}<test><-k><a or b><><*>{sys.executable} never\n"


def test_every_recipe_is_there_and_says_what_it_does() -> None:
    dump = subprocess.run(
        [ROOT / "just", "--dump", "--dump-format", "json"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    ).stdout
    recipes = json.loads(dump)["recipes"]
    assert recipes.keys() >= RECIPES
    assert [name for name, recipe in recipes.items() if not recipe["doc"]] == []
