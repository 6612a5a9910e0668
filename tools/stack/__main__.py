"""`python -m tools.stack up | down | status | logs | join-code | admit | …`: what ./just calls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.stack import first_run, settings
from tools.stack.agent_alone import AgentAlone
from tools.stack.engine import StackFailed, ensure_engine
from tools.stack.running import Stack, forget_images

COMMANDS = (
    "up", "down", "status", "logs", "join-code", "upgrade", "rollback", "drill", "admit", "revoke", "identity",
)  # fmt: skip
TAKES = {"admit": ("NAME", "TOKEN_SHA256", "KEY"), "revoke": ("NAME",)}
"""Words beside the command; `logs` takes any, which go to compose."""


def main(arguments: list[str]) -> int:
    """0; 1 with one line for what was to be expected."""
    parser = argparse.ArgumentParser(prog="./just", description="The stack on this machine.")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--env", type=Path, metavar="FILE", help="its settings (compose/stack.env)")
    chosen, rest = parser.parse_known_args(arguments)
    takes = TAKES.get(chosen.command, ())
    if chosen.command != "logs" and len(rest) != len(takes):
        parser.error(f"{chosen.command} takes {' '.join(takes)}" if takes else f"{rest[0]} is not known")
    try:
        ensure_engine()
        found = settings.read(chosen.env or settings.default())
        stack = AgentAlone(found) if found.agent else Stack(found)
        _do(stack, chosen.command, rest)
    except StackFailed as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _do(stack: Stack, command: str, rest: list[str]) -> None:
    match command:
        case "up" | "upgrade" | "rollback":
            {"up": stack.up, "upgrade": stack.upgrade, "rollback": stack.rollback}[command]()
            if command == "upgrade":
                forget_images(stack.releases)
            _show(stack)
            if isinstance(stack, AgentAlone):
                _next_of(stack)
            else:
                _next(stack)
        case "down":
            stack.down()
        case "status":
            _show(stack)
        case "logs":
            stack.compose("logs", "--tail", "200", *rest, seconds=86400, show=True)
        case "drill":
            stack.drill()
        case "join-code" | "admit" | "revoke" if isinstance(stack, AgentAlone):
            raise StackFailed(f"{command} is for the hub's machine; this one is {stack.settings.agent}'s alone")
        case "join-code":
            print(stack.join_code())
        case "admit":
            print(stack.admit(*rest))
        case "revoke":
            print(stack.revoke(*rest))
        case "identity":
            if not isinstance(stack, AgentAlone):
                raise StackFailed("identity is for the machine of an agent alone (AGENT in its environment file)")
            print(stack.identity())


def _show(stack: Stack) -> None:
    for row in stack.status():
        print(f"{row['Service']:<14}{row['State']:<10}{row['Health'] or '-':<11}{row['Image']}")


def _next_of(stack: AgentAlone) -> None:
    """How it is let in, as long as it was not."""
    cloud, who = stack.settings.cloud / "cloud.toml", stack.identity()
    if "\n[[mailboxes]]" not in cloud.read_text(encoding="utf-8"):
        print(f"\n{who.agent} watches nothing yet: name its mailbox in {cloud}, then ./just up")
    if not stack.is_let_in():
        print(f"\n{who.agent} waits to be let in. First on the owner's machine; then start `countersign run` anew:")
        print(f"  echo '{who.key}' >{who.agent}.pub && countersign init --pin {who.agent}={who.agent}.pub")
        print("and then on the hub's machine:")
        print(f"  ./just admit {who.agent} {who.token_sha256} '{who.key}'")


def _next(stack: Stack) -> None:
    """The next step, with a code when nobody has joined."""
    cloud = stack.settings.cloud / "cloud.toml"
    if "\n[[mailboxes]]" not in cloud.read_text(encoding="utf-8"):
        print(f"\nCloud watches nothing yet: name your mailbox in {cloud}, then ./just up")
    if stack.settings.has_books:
        if "\n[books]" not in cloud.read_text(encoding="utf-8"):
            print(f"\nCloud drafts in no books; add these lines to {cloud}, then ./just up:{first_run.BOOKS}")
        password = stack.settings.secrets / "odoo_admin_password"
        print(
            f"\nBooks: {stack.settings.public(stack.settings.values['ODOO_NAME'])}, user admin, password in {password}"
        )
    page = f"{stack.settings.public(stack.settings.kuma_name)}/status/countersign"
    print(f"\nMonitors: {page}, user countersign, password in {stack.settings.secrets / 'monitor' / 'kuma-password'}")
    if stack.waits_for_owner():
        print("\nNobody has joined. On your own machine, within 15 minutes:")
        print(f"  countersign connect {stack.settings.url} --code {stack.join_code()}")
        print("Another code: ./just join-code")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
