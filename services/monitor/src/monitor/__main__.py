"""`python -m monitor apply | diff | states | export | tokens | run`: the only place where it is put together."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from monitor import settings as settings_file
from monitor import tokens, verbs
from monitor.errors import BadSettings
from monitor.items import Item
from monitor.keeping import keep
from monitor.plan import Plan, plan
from monitor.settings import Settings
from monitor.socket_kuma import SocketKuma, connected
from monitor.wanted import Wanted, parse
from monitor.wishes import Pace, items
from vault_protocol.files import secret_line
from vault_protocol.program import ended

DRIFT = 2
STATES = {0: "down", 1: "up", 2: "pending", 3: "maintenance"}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 with one line for what was to be expected, 2 for drift, 3 with a traceback for a bug, 130: interrupted."""
    chosen = _parser().parse_args(arguments)
    return ended("monitor", lambda: _run(chosen.command, settings_file.read(chosen.config)))


def _run(command: str, settings: Settings) -> int:
    wanted = wanted_of(settings)
    wishes = wishes_of(settings, wanted)
    if command in ("tokens", "apply", "run"):
        _tokens(settings, wanted)
    if command == "tokens":
        return 0
    if command == "run":
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        )
        keep(settings, wishes, lambda: _kuma(settings))
        return 0
    with _kuma(settings) as kuma:
        match command:
            case "apply":
                made = verbs.apply(kuma, wishes, tell=lambda change: print(change.words(), flush=True))
                _alone(made)
                print(f"{len(made.changes)} changed" if made.changes else "nothing to change")
            case "diff":
                seen = plan(wishes, kuma.found())
                for change in seen.changes:
                    print(change.words())
                _alone(seen)
                return DRIFT if seen.changes else 0
            case "states":
                kuma.found()
                for name, state in sorted(kuma.states().items()):
                    print(f"{STATES.get(state, state):<12}{name}")
            case "export":
                print(verbs.export(kuma.found()), end="")
    return 0


def wanted_of(settings: Settings) -> Wanted:
    """Raises BadSettings."""
    text = _text(settings.monitors_file)
    also = _text(settings.also_file) if settings.also_file else ""
    return parse(text, settings.values, str(settings.monitors_file), also=also, without=settings.leave_out)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{file}: cannot be read ({type(error).__name__})") from None


def wishes_of(settings: Settings, wanted: Wanted) -> tuple[Item, ...]:
    """Files of secrets lie beside the monitors' file when their path is relative."""
    folder = settings.monitors_file.absolute().parent
    pace = Pace(settings.longest_seconds, settings.most_retries)
    return items(wanted, settings.secret, lambda file: secret_line(folder / file), pace)


@contextmanager
def _kuma(settings: Settings) -> Iterator[SocketKuma]:
    password = secret_line(settings.password_file)
    with connected(settings.kuma, settings.user, password, settings.patience_seconds) as kuma:
        yield kuma


def _tokens(settings: Settings, wanted: Wanted) -> None:
    if settings.push_dir is not None:
        tokens.write(settings.push_dir, settings.push_base, settings.secret, wanted.pushed)


def _alone(made: Plan) -> None:
    for item in made.alone:
        print(f"left alone: {item.kind} {item.name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="monitor", description="Uptime Kuma as monitors.yaml wants it.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("apply", help="make it so; says each change, or that there is nothing to change")
    commands.add_parser("diff", help="show what apply would do; ends with 2 when there is something")
    commands.add_parser("states", help="how each monitor stands now")
    commands.add_parser("export", help="write down what there is, without secrets")
    commands.add_parser("run", help="apply, then go on looking for drift and say so on /metrics, until told to stop")
    commands.add_parser("tokens", help="write the addresses that jobs call into push_dir; Kuma is not asked")
    return parser


if __name__ == "__main__":
    sys.exit(main())
