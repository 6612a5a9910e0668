"""`python -m tests.prove.one_effect`: for each line ROW FOLDER CASE LATER STEP, execute what FOLDER/CASE.json tells of.

A line is a JSON list. Each act has a process of its own, forked when the programs are loaded: to load them for every
death would take longer than everything else. LATER is how many seconds after its approval it is; at STEP the process
is killed ("": it is not). Answers each line with how the process ended and what became of the act, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from libs.vault_protocol.tests import made

from local_agent.effects import Answer, Executor, Ledger
from local_agent.limits import MANY
from tests.prove.connectors import ALL_ROWS, ROOT
from tests.prove.dying import die_at
from tests.prove.outsides import Row
from vault_protocol.action import ACTIONS, Action
from vault_protocol.approval import SignedApproval, grant
from vault_protocol.sshsig import PublicKey

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STEPS = ("started", "performed", "outcome", "copied")
"""The named steps between an approval and its end, as `effects.execute` passes them."""


def approve(action: Action, number: int) -> SignedApproval:
    return grant(
        action, vault=made.VAULT, executor="executor-1", task=made.task_id(number), revision=1, by="owner", now=NOW,
        not_before=NOW, nonce=f"{number:032x}", sign=made.owner_signs,
        step_up="passphrase" if action.step_up else "none",
    )  # fmt: skip


def executor(
    row: Row, folder: Path, ledger: Ledger, now: datetime, reached: Callable[[str], None] = lambda step: None
) -> Executor[Any]:
    return Executor(
        connector=row.connector(folder, lambda: now), ledger=ledger, vault=made.VAULT, id="executor-1",
        key=PublicKey.of(made.OWNER_KEY), secret=b"s" * 32, now=lambda: now, limit=lambda: MANY, dry_run=lambda: False,
        reached=reached,
    )  # fmt: skip


def write(folder: Path, number: int, action: Action) -> None:
    fields = {"action": action.model_dump(mode="json"), "approval": approve(action, number).model_dump(mode="json")}
    (folder / f"{number}.json").write_text(json.dumps(fields), encoding="utf-8")


@dataclass(frozen=True)
class Ended:
    """`code` is negative when a signal ended it, as in `subprocess`; `told` is the answer's kind, or a fault."""

    code: int
    told: str


def one(name: str, folder: str, case: str, later: int, step: str) -> str:
    """Execute it in this process; the answer's kind."""
    row = next(row for row in ALL_ROWS if row.name == name)
    told = json.loads((Path(folder) / f"{case}.json").read_text(encoding="utf-8"))
    action = ACTIONS[told["action"]["type"]].model_validate_json(json.dumps(told["action"]))
    signed = SignedApproval.model_validate(told["approval"])
    ledger = Ledger(Path(folder) / "ledger.sqlite")
    now = NOW + timedelta(seconds=later)
    answer: Answer = executor(row, Path(folder), ledger, now, die_at(step)).execute(action, signed)
    return type(answer).__name__


def forked(*asked: Any) -> Ended:
    """The same in a process of its own, which may die of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, one(*asked).encode())
            code = 0
        except BaseException:  # noqa: BLE001 - it is told, and this process must not go on as if it were its parent
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return Ended(os.waitstatus_to_exitcode(status), told)


@contextmanager
def processes() -> Iterator[Callable[[Row, Path, int, int, str], Ended]]:
    """`(row, folder, case, later, step)` executes it in a process of its own."""
    argv = [sys.executable, "-m", "tests.prove.one_effect"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as loaded:
        assert loaded.stdin is not None
        assert loaded.stdout is not None
        to, answers = loaded.stdin, loaded.stdout

        def run(row: Row, folder: Path, case: int, later: int, step: str) -> Ended:
            to.write(json.dumps([row.name, str(folder), str(case), later, step]) + "\n")
            to.flush()
            return Ended(**json.loads(answers.readline()))

        yield run
        to.close()


def main() -> int:
    for line in sys.stdin:
        ended = forked(*json.loads(line))
        print(json.dumps({"code": ended.code, "told": ended.told}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
