"""`countersign init` with a resident hub: the keys come first, the words say what to do, and then it goes on."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from services.local_agent.tests.cli_world import PASSPHRASE, Ran, World

from demo.cable import cable
from demo.certificates import self_signed
from demo.hub_machine import free_port
from local_agent.home import Home
from vault_hub.__main__ import main as vault_hub
from vault_hub.agents import Standing
from vault_hub.testing import RunningHub
from vault_protocol import keys
from vault_protocol.sshsig import PublicKey
from vault_protocol.task import Stage


@dataclass
class Owner:
    """An owner's machine, and a hub's machine on which nothing is set up yet."""

    world: World
    folder: Path
    port: int = field(default_factory=free_port)
    running: RunningHub | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def init(self, *flags: str, hub: str = "") -> Ran:
        return self.world.init("--hub", hub or self.url, *flags)

    def hub(self, asked: dict[str, Any], vault: str = "") -> RunningHub:
        """The hub as somebody set it up who was given what `init` printed."""
        owner, local = (PublicKey.parse(asked[name]) for name in ("approval_key", "local_key"))
        self.running = RunningHub(self.folder / "hub-vm", vault or asked["vault"], owner, port=self.port)
        cloud = keys.load_public(self.world.folder / "cloud.pub")
        self.running.make({"local": (Standing.LOCAL, local), "cloud": (Standing.CLOUD, cloud)})
        self.running.start()
        return self.running

    def token(self, agent: str = "local") -> str:
        assert self.running is not None
        return self.written(self.running.tokens[agent])

    def written(self, token: str) -> str:
        file = self.folder / "token"
        file.write_text(token + "\n", encoding="ascii")
        return str(file)

    def set_up(self) -> None:
        self.hub(self.init("--json").json)
        assert self.init("--hub-token-file", self.token()).code == 0


@pytest.fixture
def owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Owner]:
    made = Owner(World(tmp_path, capsys.readouterr), tmp_path)
    yield made
    if made.running is not None:
        made.running.stop()


def test_without_the_hubs_token_init_makes_the_keys_and_says_what_to_do(owner: Owner) -> None:
    ran = owner.init()
    home = owner.world.home
    assert ran.code == 0
    assert "python -m vault_hub init --home" in ran.out
    assert (
        f"add local --standing local --key '{keys.load_public(home.path / 'keys/local.pub').line('local')}'" in ran.out
    )
    assert f"countersign init --hub {owner.url} --hub-token-file FILE" in ran.out
    assert home.approval_key.exists()
    assert not home.config.exists()
    assert (
        owner.world.run("list").err
        == f"countersign: no Countersign home at {home.path}; run `countersign init` first\n"
    )


def test_the_commands_it_prints_set_the_hub_up_and_with_the_token_it_goes_on(
    owner: Owner, capsys: pytest.CaptureFixture[str]
) -> None:
    world, home = owner.world, owner.world.home
    asked = owner.init("--json").json
    assert owner.init("--json").json == asked, "a second look changes nothing"
    there = str(owner.folder / "srv")
    for command in asked["commands"]:
        words = shlex.split(command.replace("/srv/countersign-hub", there))
        assert words[:3] == ["python", "-m", "vault_hub"]
        capsys.readouterr()
        assert vault_hub(words[3:]) == 0
    token = owner.written(capsys.readouterr().out.strip())
    hub = RunningHub(Path(there), asked["vault"], PublicKey.parse(asked["approval_key"]), port=owner.port)
    owner.running = hub
    hub.start()

    ran = owner.world.run(
        "init", "--hub", owner.url, "--hub-token-file", token, "--owner", "Ann Owner", "--folder", str(world.notes),
        "--json", "--yes",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    assert (ran.json["vault"], ran.json["joined"]) == (asked["vault"], False)
    assert 'hub_token_file = "hub-token"' in home.config.read_text(encoding="utf-8")
    assert stat.S_IMODE(home.hub_token.stat().st_mode) == 0o600
    status = world.run("status", "--json").json
    assert (status["hub"], status["untrusted"], status["vault"]) == ("ok", "", asked["vault"])
    assert world.run("doctor").code == 0


def test_decisions_go_to_a_resident_hub(owner: Owner) -> None:
    owner.set_up()
    world = owner.world
    world.resident = owner.url, Path(owner.token("cloud"))
    task = world.ask_for()

    assert world.approve(task, "--yes").code == 0

    assert world.stage(task) is Stage.APPROVED
    assert [one["id"] for one in world.run("list", "--json", "--all").json["tasks"]] == [task]


def test_another_machine_joins_with_the_keys_and_the_token_of_the_first(owner: Owner) -> None:
    owner.set_up()
    first, world = owner.world.home, owner.world
    world.home = Home(owner.folder / "second")

    ran = owner.init("--keys-from", str(first.path), "--json")

    assert ran.code == 0, ran.err
    assert ran.json["joined"] is True
    assert ran.json["vault"] == first.settings().vault
    assert world.home.hub_token.read_bytes() == first.hub_token.read_bytes()
    assert world.run("status", "--json").json["hub"] == "ok"


def test_a_home_that_is_set_up_takes_another_token(owner: Owner) -> None:
    owner.set_up()
    hub, world = owner.running, owner.world
    assert hub is not None
    assert hub.hub is not None
    hub.hub.agents.revoke("local")
    hub.hub.agents._looked = -1.0
    refused = world.run("approve", "abc")
    assert refused.code == 1
    assert "does not let us in: the token is wrong or was revoked" in refused.err
    assert "the token is wrong or was revoked" in world.spawn("status", "--json").json["hub"]
    fresh = Path(owner.written("another"))
    fresh.write_text(_rotated(hub), encoding="ascii")

    ran = world.run("init", "--hub-token-file", str(fresh))

    assert "The hub's token is replaced." in ran.out
    assert world.run("status", "--json").json["hub"] == "ok"


def _rotated(hub: RunningHub) -> str:
    assert hub.hub is not None
    token = hub.hub.agents.rotate("local", grace=timedelta(0))
    hub.hub.agents._looked = -1.0
    return token


def test_a_plain_remote_takes_no_token_and_no_ca_file(owner: Owner) -> None:
    world = owner.world
    ran = world.init("--hub-ca-file", "ca.pem")
    assert (ran.code, "is for a resident hub" in ran.err) == (1, True)
    assert world.init().code == 0
    ran = world.run("init", "--hub-token-file", owner.written("t0ken"))
    assert (ran.code, "is a plain git remote, which takes no token" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("wrong token", "does not let us in: the token is wrong or was revoked; `vault_hub agent rotate NAME`"),
        ("revoked token", "does not let us in: the token is wrong or was revoked; `vault_hub agent rotate NAME`"),
        ("another's token", "the hub refuses the vault's beginning (author: cloud published it, local signed it)"),
        ("another vault", "the hub refuses the vault's beginning (signature: "),
        ("hub down", "does not answer: Connection refused"),
        ("unknown CA", "certificate does not hold here (self-signed certificate); hub_ca_file names who signed it"),
        ("no CA file", "--hub-ca-file: cannot read"),
        ("plain http", "http://hub.example: a hub is reached by https, or by http on this machine alone"),
        ("no token in the file", "holds no token"),
    ],
)
def test_what_can_be_expected_to_go_wrong_is_one_line_and_init_can_be_run_again(
    owner: Owner, trouble: str, says: str
) -> None:
    asked = owner.init("--json").json
    hub = owner.hub(asked, vault="another" if trouble == "another vault" else "")
    assert hub.hub is not None
    flags, url = ["--hub-token-file", owner.token()], owner.url
    match trouble:
        case "wrong token":
            owner.written("wrong")
        case "no token in the file":
            owner.written("")
        case "another's token":
            owner.token("cloud")
        case "revoked token":
            hub.hub.agents.revoke("local")
        case "hub down":
            hub.stop()
        case "no CA file":
            flags += ["--hub-ca-file", str(owner.folder / "none.pem")]
        case "plain http":
            url = "http://hub.example"
    if trouble == "unknown CA":
        server, certificate = self_signed(owner.folder)
        with cable(owner.port, server) as tls:
            ran = owner.init(*flags, hub=f"https://127.0.0.1:{tls.port}")
            again = owner.init(*flags, "--hub-ca-file", str(certificate), hub=f"https://127.0.0.1:{tls.port}")
            assert again.code == 0, again.err
            assert 'hub_ca_file = "hub-ca.pem"' in owner.world.home.config.read_text(encoding="utf-8")
    else:
        ran = owner.init(*flags, hub=url)

    assert ran.code == 1
    assert says in ran.err
    lines = [line for line in ran.err.splitlines() if "[warning" not in line]  # what the hub, in this process, logs
    assert len(lines) == 1
    assert hub.tokens["local"] not in ran.err
    if trouble in ("wrong token", "another's token", "no CA file", "plain http", "no token in the file"):
        assert (
            owner.init("--hub-token-file", owner.token(), "--passphrase-file", str(owner.world.passphrase_file)).code
            == 0
        )
        keys.load(owner.world.home.approval_key, PASSPHRASE)
