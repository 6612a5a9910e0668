"""A second agent of Cloud, as `./just up` starts it on a machine of its own, at the hub of the stack that runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from cloud_agent.introduction import ASK
from demo.cable import cable
from demo.letters import OWNER
from demo.processes import eventually
from tests.stack.asking import approve, asked, task_of, through_the_gate
from tests.stack.docker import PREFIX, docker
from tests.stack.office import Office
from tools.stack import first_run, settings
from tools.stack.agent_alone import AgentAlone
from tools.workspace import ROOT

pytestmark = pytest.mark.stack

NAME = "cloud-2"
PUBLIC = "hub.home.arpa"
"""A name by which Caddy is reached and for which it has a certificate: what hub.example.com is at an operator's."""
_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5); print('connected')"


@dataclass
class Further:
    """The agent's machine, as far as it is one: a project, a state folder and an environment file of its own."""

    stack: AgentAlone
    environment: Path
    said: str = ""

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What its operator types after `./just`."""
        return subprocess.run(
            [sys.executable, "-m", "tools.stack", *words, "--env", str(self.environment)], cwd=ROOT,
            env={**os.environ, "COUNTERSIGN_STATE": str(self.stack.settings.state)}, stdin=subprocess.DEVNULL,
            capture_output=True, encoding="utf-8", timeout=600, check=False,
        )  # fmt: skip

    def up(self) -> str:
        done = self.command("up")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def inside(self, *argv: str) -> str:
        done = subprocess.run(
            ["docker", "exec", self.stack.compose.container("agent"), *argv],
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=60, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).strip()

    def log(self) -> str:
        return self.stack.compose("logs", "--no-color", "agent")

    def gateway(self) -> str:
        network = f"{self.stack.settings.project}_outside"
        return docker("network", "inspect", network, "--format", "{{(index .IPAM.Config 0).Gateway}}")


@pytest.fixture(scope="module")
def further(made: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Further]:
    """Up, on the way to its hub, and known to nobody."""
    folder = tmp_path_factory.mktemp("further")
    environment = folder / "agent.env"
    lines = {
        "COMPOSE_PROJECT_NAME": f"{PREFIX}-{uuid.uuid4().hex[:8]}", "AGENT": NAME, "HUB": f"https://{PUBLIC}:8443",
        "HUB_CA": str(made.stack.settings.cloud / "hub-ca.pem"), "HEALTH_INTERVAL": "2s",
        "OWNER_NAME": made.stack.settings.values["OWNER_NAME"],
    }  # fmt: skip
    environment.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    found = Further(AgentAlone(replace(settings.read(environment), state=folder / "state")), environment)
    refused = found.command("up")
    assert refused.returncode == 1
    assert "copy the file of that name from the hub's machine" in refused.stderr
    theirs = found.stack.settings.secrets / first_run.INSTALLATION
    theirs.write_bytes((made.stack.settings.secrets / first_run.INSTALLATION).read_bytes())
    theirs.chmod(0o444)
    caddy = made.container("caddy")
    try:
        found.said = found.up()
        docker("network", "connect", "--alias", PUBLIC, f"{found.stack.settings.project}_outside", caddy)
        yield found
    finally:
        with suppress(Exception):
            docker("network", "disconnect", "-f", f"{found.stack.settings.project}_outside", caddy)
        found.stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


def test_it_is_well_while_it_waits_and_says_what_to_do_on_which_machine(further: Further) -> None:
    rows = {row["Service"]: row["Health"] for row in further.stack.status()}
    assert rows == {"agent": "healthy", "way-out": "healthy"}
    identity = further.stack.identity()
    assert f"./just admit {NAME} {identity.token_sha256} '{identity.key}'" in further.said
    assert f"countersign init --pin {NAME}={NAME}.pub" in further.said
    assert further.command("identity").stdout.strip() == str(identity)
    eventually(lambda: "does not let us in" in further.log(), "it knocked where there was a hub", seconds=3 * ASK)
    assert not further.stack.is_let_in()
    refused = further.command("join-code")
    assert (refused.returncode, "for the hub's machine" in refused.stderr) == (1, True)


def test_its_machine_holds_no_secret_of_another_agent_of_the_hub_or_of_the_books(
    further: Further, made: Office
) -> None:
    theirs = {file.read_bytes().strip() for file in made.stack.settings.secrets.rglob("*") if file.is_file()}
    held = {
        file.name: file.read_bytes().strip() for file in further.stack.settings.secrets.rglob("*") if file.is_file()
    }
    assert set(held) == {"hub-token", "installation"}
    assert held["hub-token"] not in theirs
    assert further.inside("ls", "/data/keys").split() == [NAME, f"{NAME}.pub"]


def test_it_reaches_its_hub_through_its_way_out_and_nothing_by_itself(further: Further) -> None:
    connect = partial(further.inside, "python", "-c", _CONNECT)
    assert connect("way-out", "3128") == "connected"
    assert "connected" not in connect(PUBLIC, "8443")
    assert "connected" not in connect(further.gateway(), "22")
    listed = (further.stack.settings.way_out / "allowed.conf").read_text(encoding="utf-8")
    assert re.findall(r"dstdomain (\S+)", listed) == [PUBLIC]


@pytest.fixture(scope="module")
def admitted(further: Further, made: Office) -> Further:
    """Its key pinned on the owner's machine, and let in at the hub. Another worker may have run the tests above."""
    world, identity = made.world, further.stack.identity()
    pinned = further.environment.with_name("pinned.pub")
    pinned.write_text(identity.key + "\n", encoding="utf-8")
    world.countersign("init", "--pin", f"{NAME}={pinned}", "--yes")
    assert world.local is not None
    world.kill(world.local)
    world.start_local()
    eventually(world.try_unlock, "the service answers", seconds=60)
    (line,) = re.findall(r"^ +\./just (admit .*)$", further.said, re.MULTILINE)
    assert f"{NAME} is let in" in made.command(*shlex.split(line))
    eventually(further.stack.is_let_in, "it was told of its vault", seconds=90)
    return further


def test_let_in_it_claims_and_drafts_a_mail_in_its_own_name(admitted: Further, made: Office) -> None:
    world = made.world
    docker("stop", "--time", "10", made.container("cloud-agent"))
    try:
        with cable(world.mail.provider.imap_port, address=admitted.gateway()) as imap:
            watch(admitted, made, imap.port)
            number = asked(made)
            task = task_of(made, number)
            assert f'"actor":"{NAME}"' in spoken(made, "draft.submitted", task)
            approve(made, number)
    finally:
        docker("start", made.container("cloud-agent"))


def test_put_out_it_is_refused_within_a_moment_and_the_others_go_on(admitted: Further, made: Office) -> None:
    before = admitted.log().count("does not let us in")
    assert f"{NAME} is put out" in made.command("revoke", NAME)
    eventually(lambda: admitted.log().count("does not let us in") > before, "it is refused", seconds=60)
    identity = admitted.stack.identity()
    again = made.command("admit", NAME, identity.token_sha256, identity.key, check=False)
    assert "was revoked" in again
    number = through_the_gate(made)
    assert '"actor":"cloud"' in spoken(made, "draft.submitted", task_of(made, number, "Done"))


def watch(further: Further, made: Office, port: int) -> None:
    """Name the owner's mailbox on this machine too: whoever sees a mail first makes its one task."""
    reading, theirs = made.world.mail.provider.reading, further.stack.settings
    password = theirs.secrets / "cloud" / "business"
    password.write_text(reading.password_file.read_text(encoding="utf-8"), encoding="utf-8")
    password.chmod(0o444)
    with (theirs.cloud / "cloud.toml").open("a", encoding="utf-8") as file:
        file.write(
            f'\n[[mailboxes]]\nname = "business"\nkind = "business"\naddress = "{OWNER}"\n'
            f'host = "{further.gateway()}"\nport = {port}\nuser = "{reading.user}"\ntls = false\n'
            'password_file = "/run/secrets/business"\nidle_seconds = 30\n'
        )
    said = further.up()
    assert "waits to be let in" not in said


def spoken(made: Office, event: str, task: str) -> str:
    """The lines of the vault's log about this task that are of this kind, without blanks."""
    log = Path(made.world.vault_folder, "Logs")
    lines = [line for file in log.rglob("*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    return "\n".join(line.replace(" ", "") for line in lines if event in line and task in line)
