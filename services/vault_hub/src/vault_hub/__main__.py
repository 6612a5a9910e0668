"""`python -m vault_hub init | run | agent …`: the only place where the hub is put together."""

from __future__ import annotations

import argparse
import re
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog
from pydantic import ValidationError

from vault_hub import folder, vacant
from vault_hub import settings as settings_file
from vault_hub.agents import Agents, Standing
from vault_hub.hub import assemble
from vault_hub.invitation import Companion, Invitations
from vault_hub.serving import Server, configured
from vault_hub.settings import PORT, Settings
from vault_protocol import keys, memory
from vault_protocol.clock import SystemClock
from vault_protocol.crashes import reported
from vault_protocol.errors import VaultError
from vault_protocol.files import write_whole
from vault_protocol.program import ended
from vault_protocol.sshsig import PublicKey


def main(arguments: Sequence[str] | None = None) -> int:
    """0, 1 with one line for what was to be expected, 3 with a traceback for a bug, 130 when interrupted."""
    chosen = _parser().parse_args(arguments)
    return ended("vault_hub", lambda: _obey(chosen))


def _obey(chosen: argparse.Namespace) -> None:
    match chosen.command:
        case "init":
            if not 0 <= chosen.port <= 65535:
                raise VaultError(f"--port {chosen.port}: a port is a number from 0 (any free one) to 65535")
            print(folder.make(chosen.home, chosen.vault, _public(chosen.owner_key), (f"port = {chosen.port}",)))
        case "run":
            _run(chosen)
        case "join-code":
            _join_code(chosen)
        case "agent":
            _agent(chosen)


def run(
    settings: Settings, *, step: Callable[[str], None] = lambda name: None, invitations: Invitations | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. Raises VaultError, or the bug that ended it."""
    _log_to_stderr(settings.log_format)
    log = structlog.get_logger()
    server: list[Server] = []
    hub = assemble(settings, SystemClock(), step=step, on_bug=lambda: server[0].end(), invitations=invitations)
    listening = _listening(settings.host, settings.port)
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


def _listening(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        raise VaultError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    # What is accepted inherits it. Without it an answer's second write waits for the first one's delayed ACK: 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _log_to_stderr(how: str) -> None:
    renderer = structlog.processors.JSONRenderer() if how == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _run(chosen: argparse.Namespace) -> None:
    """With --await-owner a folder without hub.toml waits until an owner joined."""
    config: Path = chosen.config
    if not chosen.await_owner:
        _reporting(_read(chosen))
        return
    _log_to_stderr("json")
    extra = (f'host = "{chosen.host}"', f"port = {chosen.port}", 'proxies = ["*"]')
    if not config.exists() and not vacant.serve(
        config.parent,
        _listening(chosen.host, chosen.port),
        SystemClock(),
        settings=extra,
        open_metrics=chosen.open_metrics,
    ):
        return
    settings = _read(chosen)
    if chosen.introduce is not None:
        folder.introduce(chosen.introduce, settings.vault, keys.load_public(settings.owner_key_file))
    _reporting(settings, _invitations(config))


def _read(chosen: argparse.Namespace) -> Settings:
    settings = settings_file.read(chosen.config)
    return settings.model_copy(update={"open_metrics": True}) if chosen.open_metrics else settings


def _reporting(settings: Settings, invitations: Invitations | None = None) -> None:
    """A bug that ends it is told to the error tracker, when there is one."""
    with reported(settings.error_tracker_file, "vault_hub"):
        run(settings, invitations=invitations)


def _join_code(chosen: argparse.Namespace) -> None:
    companions: dict[str, Companion] = {}
    for given in chosen.agent or []:
        name, _, rest = given.partition("=")
        token, _, key = rest.partition(" ")
        try:
            companions[name] = Companion(key=key, token_sha256=token)
        except ValidationError:
            raise VaultError(f"--agent {name}: write NAME=TOKEN_SHA256 KEY") from None
    monitors = _monitors() if chosen.monitors_stdin else {}
    ca = sys.stdin.read() if chosen.ca_stdin else ""
    lasts = timedelta(minutes=chosen.minutes)
    made = _invitations(chosen.config).make(lasts=lasts, ca=ca, companions=companions, monitors=monitors)
    print(made)


def _monitors() -> dict[str, str]:
    """Lines up to an empty one."""
    monitors = dict[str, str]()
    while line := sys.stdin.readline().strip():
        name, _, path = line.partition(" ")
        monitors[name] = path
    return monitors


def _invitations(config: Path) -> Invitations:
    return Invitations(config.parent / "invitation.json", SystemClock().now)


def _agent(chosen: argparse.Namespace) -> None:
    settings, clock = settings_file.read(chosen.config), SystemClock()
    agents = Agents(settings.agents_dir, settings.vault, now=clock.now, monotonic=clock.monotonic)
    match chosen.act:
        case "add":
            key = _public(chosen.key) if chosen.key else None
            print(agents.add(chosen.name, Standing(chosen.standing), key))
        case "admit":
            _admit(agents, chosen.name, chosen.token_sha256, chosen.key)
        case "rotate":
            print(agents.rotate(chosen.name, grace=timedelta(hours=chosen.grace_hours)))
        case "revoke":
            agents.revoke(chosen.name)
        case "list":
            for name, agent in agents.names().items():
                good = f"{len(agent.tokens)} token{'s' * (len(agent.tokens) != 1)}" if agent.tokens else "revoked"
                print(f"{name}\t{agent.standing}\t{good}")


def _admit(agents: Agents, name: str, token_sha256: str, key: str) -> None:
    if not re.fullmatch("[0-9a-f]{64}", token_sha256):
        raise VaultError("the SHA-256 of a token is 64 digits and letters a to f; the agent's machine prints it")
    changed = agents.admit(name, _public(key), token_sha256=token_sha256)
    print(f"{name} is let in" if changed else f"{name} was let in before")


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
    making.add_argument("--port", type=int, default=PORT, metavar="N", help=f"on loopback ({PORT}); 0: any free one")
    running = commands.add_parser("run", help="serve until told to stop")
    running.add_argument("--config", type=Path, required=True, metavar="FILE")
    running.add_argument(
        "--await-owner", action="store_true", help="without a hub.toml, wait for the owner to join, and make it then"
    )
    running.add_argument("--host", default="127.0.0.1", help="what a hub.toml made so is to listen on")
    running.add_argument("--port", type=int, default=PORT)
    running.add_argument(
        "--open-metrics", action="store_true", help="/metrics without a credential, where only the stack reaches it"
    )
    running.add_argument(
        "--introduce", type=Path, metavar="DIR", help="write the vault's id and the owner's key there, for Cloud"
    )
    inviting = commands.add_parser("join-code", help="a code with which the owner's machine may join, once")
    inviting.add_argument("--config", type=Path, required=True, metavar="FILE", help="hub.toml; it need not be there")
    inviting.add_argument("--minutes", type=float, default=15.0, help="how long it is good (15)")
    inviting.add_argument(
        "--ca-stdin", action="store_true", help="read the certificate that vouches for this hub from standard input"
    )
    inviting.add_argument(
        "--monitors-stdin", action="store_true",
        help="read `NAME PATH` lines, up to an empty one, from standard input: push monitors for the owner's machine",
    )  # fmt: skip
    inviting.add_argument(
        "--agent", action="append", metavar="NAME=TOKEN_SHA256 KEY", help="an agent of Cloud that the owner will find"
    )
    agent = commands.add_parser("agent", help="who may talk to the hub")
    agent.add_argument("--config", type=Path, required=True, metavar="FILE")
    acts = agent.add_subparsers(dest="act", required=True)
    adding = acts.add_parser("add", help="a new agent; prints its token, this once")
    adding.add_argument("name")
    adding.add_argument("--standing", choices=[s.value for s in Standing], required=True)
    adding.add_argument("--key", metavar="KEY", help="its public key, or a file that holds it")
    admitting = acts.add_parser("admit", help="an agent of Cloud that made its own key and token on another machine")
    admitting.add_argument("name")
    admitting.add_argument("token_sha256", metavar="TOKEN_SHA256", help="as that machine prints it")
    admitting.add_argument("key", metavar="KEY", help="its public key, or a file that holds it")
    rotating = acts.add_parser("rotate", help="another token; prints it, this once")
    rotating.add_argument("name")
    rotating.add_argument("--grace-hours", type=float, default=24.0, help="how long the old one goes on (24)")
    acts.add_parser("revoke", help="none of its tokens opens anything from now on").add_argument("name")
    acts.add_parser("list", help="every agent and how it stands")
    return parser


if __name__ == "__main__":
    sys.exit(main())
