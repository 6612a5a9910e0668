"""docs/mcp.md, tried as it stands: each server started from its configuration by an MCP client, over stdio."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import Tool
from services.local_agent.tests.cli_world import World

from local_agent.executor_id import executor_id
from local_agent.home import Home
from vault_protocol import keys, sshsig
from vault_protocol.action import Address, SendMail
from vault_protocol.approval import NAMESPACE, grant

DOC = Path(__file__).parents[3] / "docs" / "mcp.md"
SHOWN = json.loads(re.findall(r"```json\n(.*?)```", DOC.read_text("utf-8"), flags=re.DOTALL)[0])["mcpServers"]
LISTED = re.findall(r"(?m)^\| (\w+) \| `(\w+)` \| (acts|reads) \|", DOC.read_text("utf-8"))
ACCOUNTS = """
[[accounts]]
name = "business"
address = "office@example.com"
user = "office"
password_file = "mail-password"
imap_host = "127.0.0.1"
submission_host = "127.0.0.1"
"""
ACTION = SendMail(
    account="business", sender=Address(name="", address="office@example.com"),
    to=(Address(name="Jane", address="jane@example.net"),), subject="Your offer", text="It follows.\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    world = World(folder, lambda: ("", ""))
    accounts = folder / "accounts.toml"
    accounts.write_text(ACCOUNTS, encoding="utf-8")
    (folder / "mail-password").write_text("s3cret\n", encoding="utf-8")
    assert world.init("--account-file", str(accounts), "--no-dry-run").code == 0
    return world.home.path


def server(name: str, home: Path) -> StdioServerParameters:
    """As the document says it, with the command of this environment."""
    told = SHOWN[f"countersign-{name}"]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return StdioServerParameters(
        command=told["command"], args=told["args"],
        env={"PATH": path, "COUNTERSIGN_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )  # fmt: skip


def tools_of(name: str, home: Path) -> list[Tool]:
    async def ask() -> list[Tool]:
        async with Client(server(name, home)) as client:
            return list((await client.list_tools()).tools)

    return anyio.run(ask)


def call(name: str, home: Path, tool: str, arguments: dict[str, Any]) -> Any:
    async def ask() -> Any:
        async with Client(server(name, home)) as client:
            answer = await client.call_tool(tool, arguments)
            assert not answer.is_error, answer.content
            return answer.structured_content

    return anyio.run(ask)


@pytest.mark.parametrize("name", sorted({one for one, _, _ in LISTED}))
def test_a_server_has_the_tools_that_the_document_lists_with_their_annotations(name: str, home: Path) -> None:
    found = {}
    for tool in tools_of(name, home):
        assert tool.annotations is not None
        assert bool(tool.annotations.read_only_hint) is not bool(tool.annotations.destructive_hint)
        assert tool.description
        found[tool.name] = "reads" if tool.annotations.read_only_hint else "acts"
    assert found == {tool: kind for one, tool, kind in LISTED if one == name}


def test_any_client_may_read(home: Path) -> None:
    told = call("mail", home, "mail_status", {})
    assert told["dry_run"] is False
    assert told["unsure"] == []


def test_no_client_acts_on_a_signature_that_is_not_the_owner_s(home: Path) -> None:
    stranger, here, now = keys.new(), Home(home), datetime.now(UTC)
    approval = grant(
        ACTION, vault=here.settings().vault, executor=executor_id(here.executor), task="3f7kkbekf7asktdi", revision=1,
        by="owner", now=now, not_before=now, nonce="0" * 32,
        sign=lambda message: sshsig.sign(stranger, message, namespace=NAMESPACE),
    )  # fmt: skip
    arguments = {"action": ACTION.model_dump(mode="json"), "approval": approval.model_dump(mode="json")}
    told = call("mail", home, "send_mail", arguments)
    assert (told["status"], told["rule"]) == ("refused", "signature")


def test_the_command_prints_a_configuration_for_what_this_machine_has(home: Path) -> None:
    argv = [sys.executable, "-m", "local_agent", "mcp", "--home", str(home)]
    told = json.loads(subprocess.run(argv, capture_output=True, check=True, timeout=60).stdout)["mcpServers"]
    assert list(told) == ["countersign-mail"]
    assert told["countersign-mail"]["args"][-4:] == ["mcp", "mail", "--home", str(home)]
    assert Path(told["countersign-mail"]["command"]).is_file()


def test_a_server_that_is_not_there_is_named_with_those_that_are(home: Path) -> None:
    argv = [sys.executable, "-m", "local_agent", "mcp", "fax", "--home", str(home)]
    ran = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "countersign: there is no MCP server 'fax'; there are mail, books, payments, social, whatsapp\n"
    )
