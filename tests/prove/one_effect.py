"""`python -m tests.prove.one_effect ROW FOLDER CASE LATER [STEP]`: execute the act that FOLDER/CASE.json tells of.

LATER is how many seconds after its approval it is; at STEP the process is killed. Prints what became of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from libs.vault_protocol.tests import made

from local_agent.effects import Answer, Executor, Ledger
from local_agent.limits import MANY
from tests.prove.connectors import ROWS, Row
from tests.prove.dying import die_at
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


def main(name: str, folder: str, case: str, later: str, step: str = "") -> int:
    row = next(row for row in ROWS if row.name == name)
    told = json.loads((Path(folder) / f"{case}.json").read_text(encoding="utf-8"))
    action = ACTIONS[told["action"]["type"]].model_validate_json(json.dumps(told["action"]))
    signed = SignedApproval.model_validate(told["approval"])
    ledger = Ledger(Path(folder) / "ledger.sqlite")
    now = NOW + timedelta(seconds=int(later))
    answer: Answer = executor(row, Path(folder), ledger, now, die_at(step)).execute(action, signed)
    print(type(answer).__name__, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
