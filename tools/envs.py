"""Makes the environments in .tools/ from their locks; a current one costs a glance.

`python -m tools.envs agentdojo|demo|dev|infra|stack` is run by the Justfile with the interpreter that ./just found
(UV_PYTHON).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import locks
from tools.workspace import ROOT, members

TOOLS = ROOT / ".tools"
ENVIRONMENTS = ("agentdojo", "demo", "dev", "infra", "stack")
PROGRAMS_ONLY = frozenset({"agentdojo", "stack"})
SOURCE_ONLY = "dkimpy"  # publishes no wheel: the only package that may run a build, and only with locked tools


def make(name: str, *, python: str) -> None:
    """Bring `.tools/name` to what its lock says, with our packages installed editable. Others wait meanwhile."""
    home, stamp = TOOLS / name, TOOLS / name / "stamp"
    wanted = _stamp(name, python)
    if _read(stamp) == wanted:
        return
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if _read(stamp) == wanted:
            return
        if not shutil.which("uv"):
            sys.exit(f"uv is not on PATH; run ./just instead of just (it makes .tools/{name})")
        print(f"just: making .tools/{name} from requirements/{name}.txt", file=sys.stderr)
        _uv("venv", "--clear", "--no-project", "--python", python, str(home))
        inside = str(home / "bin" / "python")
        lock = str(locks.path(name))
        only_wheels = ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
        hashed_builds = ["--build-constraints", lock, "--require-build-hashes"]
        quiet = ["--preview-features", "build-dependency-hashes"]  # else the line above warns each time
        _uv("pip", "sync", "--python", inside, "--require-hashes", *only_wheels, *hashed_builds, *quiet, lock)
        editable = [word for m in members().values() for word in ("--editable", str(m.folder))]
        if name not in PROGRAMS_ONLY:
            _uv("pip", "install", "--python", inside, "--no-deps", "--no-build-isolation", *editable)
        stamp.write_text(wanted, encoding="utf-8")


def _stamp(name: str, python: str) -> str:
    """What the environment was made from: its lock, our pyproject files, the interpreter, and where it stands."""
    seen = hashlib.sha256(f"{ROOT}\n{python}\n{sys.version}\n".encode())
    for file in [locks.path(name), *(m.folder / "pyproject.toml" for m in members().values())]:
        seen.update(file.read_bytes())
    return seen.hexdigest()


def _read(stamp: Path) -> str | None:
    return stamp.read_text(encoding="utf-8") if stamp.exists() else None


def _uv(*arguments: str) -> None:
    done = subprocess.run(["uv", *arguments, "--quiet"], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"uv {' '.join(arguments[:2])} failed; see above")


if __name__ == "__main__":
    if sys.argv[1:] not in [[name] for name in ENVIRONMENTS]:
        sys.exit(f"usage: python -m tools.envs {'|'.join(ENVIRONMENTS)}")
    make(sys.argv[1], python=os.environ.get("UV_PYTHON", sys.executable))
