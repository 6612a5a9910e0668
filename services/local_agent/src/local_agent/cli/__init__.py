"""The `countersign` command. Exit codes: 0, 1 (expected: one line on stderr), 3 (a bug: traceback), 130 (Ctrl-C)."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from errno import EACCES, ENOTDIR, EPERM, EPIPE
from typing import TextIO, cast

import structlog
import typer

from local_agent.cli import (
    accounts,
    approving,
    attached,
    attaching,
    briefing,
    connecting,
    deciding,
    doctor,
    editing,
    effects,
    forwarding,
    init,
    keeping,
    log,
    looking,
    page,
    pairing,
    rerooting,
    service,
    serving,
    status,
    switches,
)
from vault_protocol import disk
from vault_protocol.errors import VaultError
from vault_protocol.plain import visible
from vault_protocol.program import BUG, EXPECTED, INTERRUPTED

_STDERR = cast(TextIO, disk.Stream("stderr"))
_THE_MACHINE = frozenset({EACCES, EPERM, ENOTDIR, EPIPE})


def build() -> typer.Typer:
    app = typer.Typer(
        name="countersign", help="Nothing is sent, posted or paid before you countersign it.",
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    )  # fmt: skip
    for name, command in (
        ("init", init.init), ("connect", connecting.connect), ("disconnect", connecting.disconnect),
        ("run", service.run), ("status", status.status), ("accounts", accounts.accounts),
        ("pair-whatsapp", pairing.pair_whatsapp), ("list", looking.list_),
        ("show", looking.show), ("files", attached.files),
        ("approve", approving.approve), ("edit", editing.edit), ("reject", deciding.reject),
        ("forward", forwarding.forward), ("attach", attaching.attach_),
        ("again", deciding.again), ("ack", deciding.ack), ("undo", effects.undo), ("resolve", effects.resolve),
        ("log", log.log), ("briefing", briefing.briefing), ("doctor", doctor.doctor),
        ("pause", switches.pause), ("resume", switches.resume),
        ("dry-run", switches.dry_run), ("re-root", rerooting.re_root), ("give-back", rerooting.give_back_),
        ("unlock", service.unlock), ("lock", service.lock), ("page", page.page),
        ("mcp", serving.mcp),
    ):  # fmt: skip
        app.command(name)(command)
    app.add_typer(keeping.app(), name="secrets")
    return app


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    structlog.configure(logger_factory=_to_stderr)
    try:
        code = build()(
            args=list(sys.argv[1:] if argv is None else argv), prog_name="countersign", standalone_mode=False
        )
    except (VaultError, typer.TyperException) as error:
        return _expected(str(error))
    except typer.Abort as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            return INTERRUPTED
        return _expected("there was nobody to answer; nothing was done")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place that tells a bug from what is expected
        words = _of_the_machine(error)
        if words:
            return _expected(words)
        traceback.print_exc()
        return BUG
    return code if isinstance(code, int) else 0


def _to_stderr(*_name: object) -> structlog.PrintLogger:
    """Events go where people look; stdout is for answers."""
    return structlog.PrintLogger(_STDERR)


def _of_the_machine(error: Exception) -> str:
    """What a disk, a file's mode or a closed pipe has to say: nothing in this program is wrong then."""
    full = disk.named(error, "Countersign's folder")
    if full is not None:
        return str(full)
    if isinstance(error, OSError) and error.errno in _THE_MACHINE:
        return f"{error.strerror}: {error.filename}" if error.filename else str(error)
    return ""


def _expected(words: str) -> int:
    print(f"countersign: {' '.join(visible(words).split())}", file=sys.stderr)
    return EXPECTED
