"""What every command has: the options, the two screens, and the vault as it is now or was last known."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from local_agent import control
from local_agent.assemble import Local, assemble
from local_agent.control import ServiceNotRunning
from local_agent.hold import hold_effects
from local_agent.home import Home
from vault_protocol.canonical import utc
from vault_protocol.errors import HubUnreachable, UntrustedHead, VaultError
from vault_protocol.plain import visible

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", envvar="COUNTERSIGN_HOME", help="The private folder.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON; what is meant for people goes to stderr.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not show and do not ask.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A task's id, or how it begins.")]


class Session:
    """One run of one command."""

    def __init__(self, home: Path | None, as_json: bool) -> None:
        self.home = Home((home or Home.default()).absolute())
        self.as_json = as_json
        self.err = _console(stderr=True)
        self.out = self.err if as_json else _console(stderr=False)

    @cached_property
    def local(self) -> Local:
        """Raises NotSetUp."""
        found = assemble(self.home)
        if found.checkpoint.doubt:
            self.warn(f"{found.checkpoint.doubt}. It is kept as {found.checkpoint.aside}.")
        return found

    def look(self) -> Local:
        """Refreshed, or as it was last known; then it says so."""
        try:
            return self.decide()
        except HubUnreachable as error:
            journal = self.local.vault.journal
            if journal.head is None:
                raise
            known = utc(self.local.store.when(journal.head))
            self.say(f"The hub does not answer; this is the vault as last known, from {known}.", "yellow")
            self.say(str(error), "dim")
            return self.local

    def decide(self) -> Local:
        """Refreshed. Raises HubUnreachable; a head that is not to be trusted is shown, and the last good one used."""
        try:
            self.local.vault.refresh()
        except UntrustedHead as error:
            hold_effects(self.home, error)
            self.say(f"DANGER: {error}. Work goes on from the last good commit.", "bold red")
        if self.local.vault.journal.head is None:
            raise VaultError("the hub is empty; run `countersign init` again")
        return self.local

    def say(self, words: str, style: str = "") -> None:
        """A line for the person. Text from outside is made harmless here."""
        self.out.print(Text(visible(words), style=style), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        self.out.print(what)

    def warn(self, words: str) -> None:
        self.err.print(Text(visible(words), style="yellow"), soft_wrap=True)

    def answer(self, value: Mapping[str, Any]) -> None:
        """The result for programs; nothing without --json."""
        if self.as_json:
            typer.echo(json.dumps(value, indent=2))

    def ask_service(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Raises ServiceNotRunning, or VaultError with the service's words."""
        return control.ask(self.home.socket, {"do": verb, **fields})

    def poke(self) -> bool:
        """Tell the service to look now; whether it runs."""
        try:
            self.ask_service("poke")
        except ServiceNotRunning:
            return False
        except VaultError:
            return True
        return True

    @property
    def can_ask(self) -> bool:
        """Whether a person sits at the other end."""
        return sys.stdin.isatty()

    def confirm(self, question: str) -> bool:
        try:
            return typer.confirm(question, err=True)
        finally:
            if not self.can_ask:
                typer.echo(err=True)  # nobody's Enter ended the line


def _console(*, stderr: bool) -> Console:
    """Nothing printed here is markup, an emoji code, or something to highlight: it may come from outside."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 160
    return console
