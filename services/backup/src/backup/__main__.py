"""`python -m backup --config FILE init | run | status | check | prune | pull | drill | restore`: put together here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from backup import settings as settings_file
from backup import verbs
from vault_protocol.program import ended


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 with one line for what was to be expected, 3 with a traceback for a bug, 130 when interrupted."""
    chosen = _parser().parse_args(arguments)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    return ended("backup", lambda: verbs.VERBS[chosen.command](settings_file.read(chosen.config), chosen))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="backup", description="Snapshots of hub and books, checked and drilled.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init", help="make the repository unless it is there")
    running = commands.add_parser("run", help="back up by the schedule until told to stop")
    running.add_argument("--init", action="store_true", help="make the repository first unless it is there")
    running.add_argument("--once", nargs="*", metavar="JOB", help="these jobs now (all of them), and end")
    status = commands.add_parser("status", help="how the jobs stand; ends with 1 when something is wrong")
    status.add_argument("--json", action="store_true")
    check = commands.add_parser("check", help="every file's name is its hash; restic's check with a part of the data")
    check.add_argument("--all", action="store_true", help="read all of the data")
    prune = commands.add_parser("prune", help="forget by `keep`; not from a machine that may only append")
    prune.add_argument("--dry-run", action="store_true")
    commands.add_parser("pull", help="fetch from `copy_of` what is new, into this repository")
    drill = commands.add_parser("drill", help="bring the newest snapshots up beside, prove them, take them down")
    drill.add_argument("--quiet", action="store_true", help="say only the result")
    for role in ("hub", "postgres", "odoo"):
        drill.add_argument(f"--{role}-image", metavar="IMAGE", help="instead of the one under [drill]")
    restore = commands.add_parser("restore", help="for real, into places that are empty")
    restore.add_argument("kinds", nargs="+", metavar="KIND", help="vault, books, or a folder's name")
    restore.add_argument("--snapshot", metavar="ID", help="of one kind; the newest otherwise")
    restore.add_argument("--before", metavar="TIME", help="the newest that is older than this (2026-11-23T12:00:00Z)")
    restore.add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.exit(main())
