"""`python -m vault_hub init | run | agent …`: the only place where the hub is put together."""

from __future__ import annotations

import argparse
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from vault_hub import settings as settings_file
from vault_hub.agents import Agents, Standing
from vault_hub.hub import assemble
from vault_hub.serving import Server, configured
from vault_hub.settings import Settings
from vault_protocol import keys, memory, remote
from vault_protocol.clock import SystemClock
from vault_protocol.crashes import reported
from vault_protocol.errors import VaultError
from vault_protocol.files import write_private, write_whole
from vault_protocol.sshsig import PublicKey

EXPECTED, BUG, INTERRUPTED = 1, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 with one line for what was to be expected, 3 with a traceback for a bug, 130 when interrupted."""
    chosen = _parser().parse_args(arguments)
    try:
        match chosen.command:
            case "init":
                _init(chosen.home, chosen.vault, _public(chosen.owner_key))
            case "run":
                settings = settings_file.read(chosen.config)
                with reported(settings.error_tracker_file, "vault_hub"):
                    run(settings)
            case "agent":
                _agent(chosen)
    except VaultError as error:
        print(f"vault_hub: {error}", file=sys.stderr)
        return EXPECTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - the one place where a bug ends the program
        traceback.print_exc()
        return BUG
    return 0


def run(settings: Settings, *, step: Callable[[str], None] = lambda name: None) -> None:
    """Serve until SIGTERM or SIGINT. Raises VaultError, or the bug that ended it."""
    renderer = structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    log = structlog.get_logger()
    server: list[Server] = []
    hub = assemble(settings, SystemClock(), step=step, on_bug=lambda: server[0].end())
    try:
        listening = socket.create_server((settings.host, settings.port), reuse_port=False)
    except OSError as error:
        raise VaultError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    # What is accepted inherits it. Without it an answer's second write waits for the first one's delayed ACK: 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    write_whole(settings.state_dir / "port", f"{port}\n".encode())
    config = configured(hub.app, connections=settings.connections, proxies=list(settings.proxies))
    server.append(Server(config, hub.close))
    memory.settle()
    log.info("hub.started", port=port, head=hub.line.head)
    server[0].run(sockets=[listening])
    log.info("hub.ended")
    if hub.arbiter.bug is not None:
        raise hub.arbiter.bug


def _init(home: Path, vault: str, owner_key: PublicKey) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = home / "hub.toml"
    if config.exists():
        raise VaultError(f"{config} exists; this hub is set up already")
    remote.create(home / "vault.git")
    (home / "agents").mkdir(exist_ok=True, mode=0o700)
    write_private(home / "owner.pub", (owner_key.line("owner") + "\n").encode())
    lines = [
        f'vault = "{vault}"', 'repository = "vault.git"', 'agents_dir = "agents"', 'state_dir = "state"',
        'owner_key_file = "owner.pub"',
    ]  # fmt: skip
    write_private(config, ("\n".join(lines) + "\n").encode())
    print(config)


def _agent(chosen: argparse.Namespace) -> None:
    settings, clock = settings_file.read(chosen.config), SystemClock()
    agents = Agents(settings.agents_dir, settings.vault, now=clock.now, monotonic=clock.monotonic)
    match chosen.act:
        case "add":
            key = _public(chosen.key) if chosen.key else None
            print(agents.add(chosen.name, Standing(chosen.standing), key))
        case "rotate":
            print(agents.rotate(chosen.name, grace=timedelta(hours=chosen.grace_hours)))
        case "revoke":
            agents.revoke(chosen.name)
        case "list":
            for name, agent in agents.names().items():
                good = f"{len(agent.tokens)} token{'s' * (len(agent.tokens) != 1)}" if agent.tokens else "revoked"
                print(f"{name}\t{agent.standing}\t{good}")


def _public(given: str) -> PublicKey:
    """A public key line, or a file that holds one."""
    try:
        return PublicKey.parse(given) if given.startswith("ssh-") else keys.load_public(Path(given))
    except ValueError as error:
        raise VaultError(f"{given[:40]}: {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vault_hub", description="Decides which commit is the head of a vault.")
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("init", help="make a hub's folder: repository, settings, no agents yet")
    making.add_argument("--home", type=Path, required=True, metavar="DIR")
    making.add_argument("--vault", required=True, metavar="ID", help="as `countersign init` prints it")
    making.add_argument(
        "--owner-key", required=True, metavar="KEY", help="public half of the key the owner approves with"
    )
    running = commands.add_parser("run", help="serve until told to stop")
    running.add_argument("--config", type=Path, required=True, metavar="FILE")
    agent = commands.add_parser("agent", help="who may talk to the hub")
    agent.add_argument("--config", type=Path, required=True, metavar="FILE")
    acts = agent.add_subparsers(dest="act", required=True)
    adding = acts.add_parser("add", help="a new agent; prints its token, this once")
    adding.add_argument("name")
    adding.add_argument("--standing", choices=[s.value for s in Standing], required=True)
    adding.add_argument("--key", metavar="KEY", help="its public key, or a file that holds it")
    rotating = acts.add_parser("rotate", help="another token; prints it, this once")
    rotating.add_argument("name")
    rotating.add_argument("--grace-hours", type=float, default=24.0, help="how long the old one goes on (24)")
    acts.add_parser("revoke", help="none of its tokens opens anything from now on").add_argument("name")
    acts.add_parser("list", help="every agent and how it stands")
    return parser


if __name__ == "__main__":
    sys.exit(main())
