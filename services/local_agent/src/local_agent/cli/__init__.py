"""The `countersign` command. Exit codes: 0, 1 (expected: one line on stderr), 3 (a bug: traceback), 130 (Ctrl-C)."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from errno import EACCES, EDQUOT, EIO, ENOSPC, ENOTDIR, EPERM, EPIPE, EROFS

import structlog
import typer

from local_agent.cli import (
    approving,
    deciding,
    doctor,
    editing,
    effects,
    init,
    log,
    looking,
    rerooting,
    service,
    status,
    switches,
)
from vault_protocol.errors import VaultError
from vault_protocol.plain import visible

EXPECTED, BUG, INTERRUPTED = 1, 3, 130

_THE_MACHINE = frozenset({EACCES, EPERM, ENOSPC, EDQUOT, EROFS, EIO, ENOTDIR, EPIPE})
"""What a disk, a file's mode or a closed pipe answers: nothing in this program is wrong then."""


def build() -> typer.Typer:
    app = typer.Typer(
        name="countersign", help="Nothing is sent, posted or paid before you countersign it.",
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    )  # fmt: skip
    for name, command in (
        ("init", init.init), ("run", service.run), ("status", status.status), ("list", looking.list_),
        ("show", looking.show), ("approve", approving.approve), ("edit", editing.edit), ("reject", deciding.reject),
        ("again", deciding.again), ("ack", deciding.ack), ("undo", effects.undo), ("resolve", effects.resolve),
        ("log", log.log), ("doctor", doctor.doctor), ("pause", switches.pause), ("resume", switches.resume),
        ("dry-run", switches.dry_run), ("re-root", rerooting.re_root), ("give-back", rerooting.give_back_),
        ("unlock", service.unlock), ("lock", service.lock),
    ):  # fmt: skip
        app.command(name)(command)
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
    except OSError as error:
        if error.errno not in _THE_MACHINE:
            traceback.print_exc()
            return BUG
        return _expected(f"{error.strerror}: {error.filename}" if error.filename else str(error))
    except Exception:  # noqa: BLE001 - the one place that tells a bug from what is expected
        traceback.print_exc()
        return BUG
    return code if isinstance(code, int) else 0


def _to_stderr(*_name: object) -> structlog.PrintLogger:
    """Events go where people look; stdout is for answers."""
    return structlog.PrintLogger(sys.stderr)


def _expected(words: str) -> int:
    print(f"countersign: {' '.join(visible(words).split())}", file=sys.stderr)
    return EXPECTED
