"""An owner's home with an account on a network of the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from services.local_agent.tests.cli_world import World
from services.local_agent.tests.networks.desk import WHO
from services.local_agent.tests.networks.graph import PAGE
from services.local_agent.tests.networks.x import KEYS

from demo.network import Outside


def made(folder: Path, read: Callable[[], tuple[str, str]], server: Outside, network: str) -> World:
    """Set up, with `able` on this network, and no dry run."""
    world = World(folder, read)
    ran = world.init("--no-dry-run", "--undo-seconds", "0")
    assert ran.code == 0, ran.err
    add(world, server, network)
    return world


def add(world: World, server: Outside, network: str, name: str = "able") -> None:
    four = {one: getattr(KEYS, one) for one in ("consumer_key", "consumer_secret", "token", "token_secret")}
    (world.folder / f"{name}-secret").write_text(json.dumps(four) if network == "x" else server.token, encoding="utf-8")
    lines = ["[[social]]", f'name = "{name}"', f'network = "{network}"', f'url = "{server.url}"']
    lines += [f'user = "{WHO[network]}"'] if network in WHO else []
    lines += [f'page = "{PAGE}"'] if network == "instagram" else []
    file = world.folder / f"{name}.toml"
    file.write_text("\n".join([*lines, f'secret_file = "{name}-secret"', ""]), encoding="utf-8")
    ran = world.run("accounts", "--add", str(file))
    assert ran.code == 0, ran.err
