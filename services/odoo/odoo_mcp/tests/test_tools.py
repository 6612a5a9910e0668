"""The server as its clients see it, over the books in memory."""

import ast
import base64
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

import books
import odoo_mcp
from books.memory.odoo import MemoryOdoo
from books.odoo import open_books
from books.rpc import Access
from books.testing import DATABASE, Server, serving
from odoo_mcp.__main__ import main
from odoo_mcp.server import build

READS = {"search_partners", "search_products", "search_invoices", "read_invoice", "invoice_state", "find_draft"}
SUMS = {"balances", "receivables", "revenue", "cash"}
DRAFTS = {"draft_invoice", "change_draft", "enter_partner", "draft_quotation", "attach_document", "leave_note"}
PACKAGE = Path(next(iter(odoo_mcp.__path__)))
INVOICE = {
    "kind": "out_invoice",
    "partner": 1,
    "issued": "2026-11-20",
    "lines": [{"label": "Work", "unit_price": "10.50"}],
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(MemoryOdoo(), {"agent-key": "agent"})) as listening:
        yield listening


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Client]:
    access = Access(server.url, DATABASE, "agent", "agent-key", interface="json-2")
    with closing(open_books(access)) as opened:
        async with Client(build(opened)) as client:
            yield client


def call(server: Server, tool: str, **arguments: Any) -> Any:
    """What the tool answers; its error text as an AssertionError."""

    async def ask() -> Any:
        async with client_of(server) as client:
            return await client.call_tool(tool, arguments)

    answer = anyio.run(ask)
    if answer.is_error:
        raise AssertionError(answer.content[0].text)
    return answer.structured_content


def test_the_tools_are_those_that_read_and_draft_and_say_so(server: Server) -> None:
    async def listed() -> Any:
        async with client_of(server) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool.annotations for tool in anyio.run(listed)}
    assert tools.keys() == READS | SUMS | DRAFTS
    assert {name for name, hints in tools.items() if hints.read_only_hint} == READS | SUMS
    assert {name for name in DRAFTS if not tools[name].idempotent_hint} == set()
    assert {name for name, hints in tools.items() if hints.destructive_hint} == {"change_draft"}


def test_a_draft_is_made_once_and_read_back(server: Server) -> None:
    first = call(server, "draft_invoice", key="task-a-invoice", **INVOICE)
    again = call(server, "draft_invoice", key="task-a-invoice", **INVOICE)
    assert (first["fresh"], again["fresh"], again["id"]) == (True, False, first["id"])
    read = call(server, "read_invoice", invoice=first["id"])
    assert (read["state"], read["untaxed"]) == ("draft", {"amount": "10.50", "currency": "USD"})


def test_a_draft_is_changed_annotated_and_found(server: Server) -> None:
    made = call(server, "draft_invoice", key="task-b-invoice", **INVOICE)["id"]
    other = {**INVOICE, "lines": [{"label": "Other", "unit_price": "7", "taxes": []}]}
    assert call(server, "change_draft", invoice=made, **other)["total"]["amount"] == "7.00"
    content = base64.b64encode(b"%PDF").decode()
    call(
        server,
        "attach_document",
        key="task-b-file",
        invoice=made,
        name="a.pdf",
        content_base64=content,
        media_type="application/pdf",
    )
    call(server, "leave_note", key="task-b-note", invoice=made, text="Asked for by mail")
    assert call(server, "find_draft", key="task-b-invoice")["result"]["id"] == made
    assert [m["id"] for m in call(server, "search_invoices", states=["draft"])["result"]] == [made]


def test_sums_come_with_their_query(server: Server) -> None:
    figure = call(server, "revenue", first="2026-11-01", last="2026-11-30")
    assert figure["value"] == {"amount": "0.00", "currency": "USD"}
    assert "income" in figure["query"]
    assert call(server, "receivables", today=date(2026, 11, 25).isoformat())["result"] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("read_invoice", {"invoice": 4711}, "does not exist"),
        ("draft_invoice", {**INVOICE, "key": "NO KEY"}, "is no key"),
        ("draft_invoice", {**INVOICE, "key": "task-c", "kind": "entry"}, "kind"),
        ("draft_invoice", {**INVOICE, "key": "task-c", "lines": [{"label": "x", "unit_price": "NaN"}]}, "unit_price"),
        ("draft_invoice", {**INVOICE, "key": "task-c", "partner": 99}, "does not exist"),
        (
            "attach_document",
            {"key": "k-1", "invoice": 1, "name": "a", "content_base64": "?", "media_type": "x"},
            "base64",
        ),
    ],
)
def test_a_refusal_is_told_in_words(server: Server, tool: str, arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        call(server, tool, **arguments)


def test_it_serves_over_stdio(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("agent-key\n")
    config = tmp_path / "odoo-mcp.toml"
    config.write_text(f'url = "{server.url}"\nlogin = "agent"\nkey_file = "key"\ninterface = "json-2"\n')
    asked = StdioServerParameters(command=sys.executable, args=["-m", "odoo_mcp", "--config", str(config)])

    async def names() -> set[str]:
        async with Client(asked) as client:
            answer = await client.call_tool("search_partners", {"search": "ada"})
            assert answer.structured_content is not None
            return {partner["name"] for partner in answer.structured_content["result"]}

    assert anyio.run(names) == {"Ada Lovelace Ltd"}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('login = "agent"\nkey_file = "key"\n', "url"),
        ('url = "ftp://x"\nlogin = "agent"\nkey_file = "key"\n', "url"),
        ('url = "http://x"\nlogin = "agent"\nkey_file = "gone"\ntoken_file = "key"\n', "gone"),
        ('url = "http://x"\nlogin = "agent"\nkey_file = "key"\npassword = "x"\n', "password"),
        ('url = "http://x"\nlogin = "agent"\nkey_file = "key"\n', "token_file"),
    ],
)
def test_settings_that_cannot_be_used_are_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: str, told: str
) -> None:
    (tmp_path / "key").write_text("agent-key\n")
    config = tmp_path / "odoo-mcp.toml"
    config.write_text(lines)
    assert main(["--config", str(config), "--http", "1"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("odoo-mcp: ")
    assert said.err.count("\n") == 1
    assert told in said.err


def test_over_http_a_client_must_show_the_token(server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("agent-key\n")
    (tmp_path / "token").write_text("let-me-in\n")
    config = tmp_path / "odoo-mcp.toml"
    config.write_text(
        f'url = "{server.url}"\nlogin = "agent"\nkey_file = "key"\ninterface = "json-2"\ntoken_file = "token"\n'
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "odoo_mcp", "--config", str(config), "--http", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as serving_it:
        try:
            url = f"http://127.0.0.1:{port}/mcp"
            assert status_of(url, {}) == 401
            assert status_of(url, {"Authorization": "Bearer let-me-out"}) == 401

            async def found() -> Any:
                async with (
                    httpx2.AsyncClient(headers={"Authorization": "Bearer let-me-in"}) as http,
                    Client(streamable_http_client(url, http_client=http)) as client,
                ):
                    return await client.call_tool("search_partners", {"search": "ada"})

            assert anyio.run(found).structured_content["result"][0]["name"] == "Ada Lovelace Ltd"
        finally:
            serving_it.terminate()


def status_of(url: str, headers: dict[str, str]) -> int:
    """Once somebody listens there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return httpx2.post(url, headers=headers, json={}, timeout=10, trust_env=False).status_code
        except httpx2.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"nobody listens at {url}")


def sources() -> dict[str, str]:
    """Every module of this package, and of the library below it but for what tests it."""
    library = Path(next(iter(books.__path__)))
    found = {}
    for package in (PACKAGE, library):
        for file in package.rglob("*.py"):
            name = file.relative_to(package.parent)
            if name.parts[:2] not in {("books", "memory"), ("books", "testing.py")}:
                found[name.as_posix()] = file.read_text()
    return found


def test_no_source_of_it_names_a_method_that_posts_or_pays() -> None:
    """Remote methods are called by their names, which are constants: these are all of them."""
    modules = sources()
    assert {"odoo_mcp/server.py", "books/drafting.py", "books/jsonrpc.py"} <= modules.keys()
    constants = {
        node.value
        for source in modules.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    called = {c for c in constants if c.startswith(("countersign_", "action_", "button_")) or c in {"create", "write"}}
    assert called == {
        "countersign_attach",
        "countersign_change",
        "countersign_draft",
        "countersign_find",
        "countersign_note",
        "countersign_state",
        "create",  # how JSON-RPC passes their arguments; nothing here calls them
        "write",
    }


def test_it_loads_nothing_of_the_half_that_acts() -> None:
    code = "import sys, odoo_mcp.__main__; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(loaded.stdout.split()).isdisjoint({"local_agent", "cloud_agent", "demo", "aiosmtpd", "vault_protocol"})
