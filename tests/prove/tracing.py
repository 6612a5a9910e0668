"""A process of ours, and all it starts, with SIGKILL or an error at the n-th call of some system calls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.prove.conftest import ROOT

SECONDS = 60.0
LET_GO = 10.0
"""Seconds strace gets to end by itself."""


@dataclass(frozen=True)
class Run:
    """How it ended: the exit code, what it said after "ready", and whether any process of it was killed."""

    code: int
    said: str
    killed: bool


def run(program: str, *arguments: str) -> Run:
    """Left alone."""
    with _started(program, arguments) as process:
        said, _ = process.communicate("go\n", timeout=SECONDS)
    return Run(process.returncode, said, False)


def run_killed(program: str, *arguments: str, calls: Sequence[str], at: int, log: Path) -> Run:
    """Each of its processes is killed as it enters the n-th of any of these calls (counted for each call and each
    process); strace counts from "ready" on, so that what Python does to start is not in it."""
    return _run_traced(program, arguments, _inject(calls, "signal=SIGKILL", str(at)), log)


def run_refused(program: str, *arguments: str, calls: Sequence[str], error: str, when: str, log: Path) -> Run:
    """The same, with this errno instead of a kill. `when`: "3" is the third call, "3+" that and all after it."""
    return _run_traced(program, arguments, _inject(calls, f"error={error}", when), log)


def _run_traced(program: str, arguments: Sequence[str], inject: Sequence[str], log: Path) -> Run:
    with _started(program, arguments) as process, attached(process.pid, inject, log) as tracer:
        try:
            said, _ = process.communicate("go\n", timeout=SECONDS)
        finally:
            let_go(tracer)
    return Run(process.returncode, said, was_killed(log))


def let_go(tracer: subprocess.Popen[str]) -> None:
    """End strace. At times 6.1 waits for ever for a thread of a process that is dead: then it is killed."""
    try:
        tracer.wait(LET_GO / 10)
        return
    except subprocess.TimeoutExpired:
        tracer.terminate()
    try:
        tracer.wait(LET_GO)
    except subprocess.TimeoutExpired:
        tracer.kill()


def was_refused(log: Path) -> bool:
    """Whether strace wrote down an error of its making."""
    return "(INJECTED)" in log.read_text(encoding="utf-8", errors="replace")


def was_killed(log: Path) -> bool:
    """Whether strace wrote down a kill."""
    return "+++ killed by SIGKILL" in log.read_text(encoding="utf-8", errors="replace")


def hub_killed(hub: Path, clone: Path, *, calls: Sequence[str], at: int, log: Path) -> str:
    """An address at which this hub takes a push and is killed at these calls. A fetch is left alone.

    git hands its own variables on to an `ext::` command, which it does to no other hub: they are taken out here.
    """
    subprocess.run(["git", f"--git-dir={clone}", "config", "protocol.ext.allow", "always"], check=True)
    script = log.with_name("hub")
    inject = " ".join(_inject(calls, "signal=SIGKILL", str(at)))
    script.write_text(
        f'#!/bin/sh\nunset $(git rev-parse --local-env-vars)\n[ "$1" = git-receive-pack ] || exec "$1" "{hub}"\n'
        f'exec strace -f -qq -o "{log}" {inject} "$1" "{hub}"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return f"ext::{script} %S"


def _started(program: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.prove.{program}", *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killing(process: int, calls: Sequence[str], at: int, log: Path) -> subprocess.Popen[str]:
    """strace, once it has a process that runs already: SIGKILL at the n-th of any of these calls."""
    return attached(process, _inject(calls, "signal=SIGKILL", str(at)), log)


def refusing(thread: int, calls: Sequence[str], error: str, when: str, log: Path) -> subprocess.Popen[str]:
    """The same for this thread alone, with this errno instead of a kill."""
    return attached(thread, _inject(calls, f"error={error}", when), log, threads=())


def attached(
    process: int, inject: Sequence[str], log: Path, threads: Sequence[str] = ("-f",)
) -> subprocess.Popen[str]:  # fmt: skip
    """strace, once it has the process. Without --seccomp-bpf: strace 6.1 injects no signals with it."""
    tracer = subprocess.Popen(
        ["strace", *threads, "-p", str(process), "-o", str(log), *inject],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.wait(SECONDS)
        pytest.fail(f"strace cannot trace here (is ptrace forbidden?), so this is not proved: {said}")
    return tracer


def _inject(calls: Sequence[str], what: str, when: str) -> tuple[str, ...]:
    wanted = ",".join(f"?{call}" for call in calls)
    return "-e", f"trace={wanted}", "-e", f"inject={wanted}:{what}:when={when}"
