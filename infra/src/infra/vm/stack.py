"""The stack of the release: its settings written, started by its own `tools.stack`, and looked at."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.vm.orders import Orders
from infra.vm.places import Places
from infra.vm.programs import Failed, run, whole

MARK = "\n# Below: from the stack's configuration in Pulumi; do not edit.\n"
UP_SECONDS = 3600
DRILL_SECONDS = 3600
AT_FIRST = 'location = "/repository"'
"""Where the stack keeps its backups until it is told a place: on the disk that they are for."""
_FORGETS = "append_only = false"
_PRUNES = "[keep]\nevery_seconds = 86400\n"
_CODE = """\
from pathlib import Path; import sys
from tools.stack import settings; from tools.stack.running import Stack
stack = Stack(settings.read(Path(sys.argv[1])))
print(stack.join_code() if stack.waits_for_owner() else '')
"""
_MAKE = """\
from pathlib import Path; import sys
from tools.stack import {module}, settings
{module}.make(settings.read(Path(sys.argv[1])))
"""
_MAKES = {"whole": "first_run", "agent": "agent_alone"}
"""Which module of the release makes the files of a role."""


@dataclass(frozen=True)
class Stack:
    places: Places

    def configure(self, orders: Orders) -> None:
        """Its environment file, and what cloud.toml says of mailboxes and model; all else in it stays."""
        lines = [f"{name}={value}" for name, value in sorted(orders.environment.items())]
        if any("\n" in line for line in lines):
            raise Failed("a setting of the stack has more than one line")
        whole(self.places.environment, ("\n".join(lines) + "\n").encode(), 0o644)
        file = self.places.state / "cloud" / "cloud.toml"
        if file.exists():  # what was ordered before may be what the release cannot read
            _ours(file, orders.cloud)
        self._python("-c", _MAKE.format(module=_MAKES[orders.role]), str(self.places.environment))
        _ours(file, orders.cloud)
        if orders.backups:
            self._back_up_to(orders.backups, orders.region)

    def _back_up_to(self, location: str, region: str) -> None:
        """Into the bucket, unless the operator named a place. What this VM may not delete there it does not prune."""
        file = self.places.state / "backup" / "backup.toml"
        before = file.read_text(encoding="utf-8")
        if AT_FIRST not in before:
            return
        there = (
            f"location = {json.dumps(location)}\n"
            's3_credentials_file = "/run/backup/s3"\n'
            f"options = {json.dumps([f's3.region={region}', 's3.bucket-lookup=path'])}"
        )
        after = before.replace(AT_FIRST, there)
        for was, becomes in ((_FORGETS, "append_only = true"), (_PRUNES, "[keep]\n")):
            if before.count(was) != 1:
                raise Failed(
                    f"{file} is not as this VM knows it: {was.strip()!r} is not in it; name a place there yourself"
                )
            after = after.replace(was, becomes)
        whole(file, after.encode(), 0o644)

    def drill(self) -> None:
        """The newest backups brought up beside what runs, and proved. Raises Failed."""
        self._python("-m", "tools.stack", "drill", "--env", str(self.places.environment), seconds=DRILL_SECONDS)

    def up(self) -> None:
        """Built, made, started and healthy. Raises Failed."""
        self._python("-m", "tools.stack", "up", "--env", str(self.places.environment), seconds=UP_SECONDS)

    def identity(self) -> str:
        """Who an agent alone is: its name, the hash of its token, its public key. Raises Failed."""
        return self._tool("identity").strip().splitlines()[-1]

    def settle(self, orders: Orders) -> list[str]:
        """Let the ordered agents in at this machine's hub, and put out those that were revoked; what did not go."""
        wanted = [("admit", name, *by.split(" ", 1)) for name, by in orders.agents.items()]
        wanted += [("revoke", name) for name in orders.revoked]
        left = []
        for words in wanted:
            try:
                self._tool(*words)
            except Failed as error:
                left.append(f"{words[1]}: {str(error).splitlines()[-1].rpartition('stack: ')[2]}")
        return left

    def _tool(self, *words: str) -> str:
        return self._python("-m", "tools.stack", *words, "--env", str(self.places.environment), seconds=300)

    def unwell(self) -> list[str]:
        """The services that are not running well; also when there are none."""
        said = self._python("-m", "tools.stack", "status", "--env", str(self.places.environment), seconds=300)
        rows = [line.split()[:3] for line in said.splitlines() if line.strip()]
        if not rows:
            return ["no service runs"]
        bad = [row for row in rows if len(row) < 3 or row[1] != "running" or row[2] not in ("healthy", "-")]
        return [f"{row[0]} is {' '.join(row[1:])}" for row in bad]

    def join_code(self) -> str:
        """Empty when somebody has joined."""
        return self._python("-c", _CODE, str(self.places.environment), seconds=120).strip()

    def _python(self, *words: str, seconds: float = 120) -> str:
        environment = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "COUNTERSIGN_STATE": str(self.places.state),
        }
        release = Path(os.path.realpath(self.places.current))
        return run([sys.executable, *words], cwd=release, environment=environment, seconds=seconds).decode(
            "utf-8", "replace"
        )


def _ours(file: Path, cloud: str) -> None:
    """Our part of cloud.toml, in the place of the one of before."""
    before = file.read_text(encoding="utf-8")
    after = before.partition(MARK)[0].rstrip("\n") + "\n" + MARK + cloud
    if after != before:
        whole(file, after.encode(), 0o644)
