"""What the cloud agent says of a hub that does not let it in: at the start one line and an end, later a wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from services.cloud_agent.tests.fleet_world import Fleet

from demo.cable import cable
from demo.certificates import self_signed
from demo.processes import eventually

SECONDS = 60.0


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path, ("cloud",))
    yield made
    made.close()


def started(fleet: Fleet, **changes: str) -> tuple[int, str]:
    """Exit code of a start with these settings, and its last line."""
    fleet.config("cloud").write_text(fleet.settings("cloud", **changes), encoding="utf-8")
    argv = [sys.executable, "-m", "cloud_agent", "run", "--config", str(fleet.config("cloud"))]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False)
    words = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(words) == 1, done.stderr
    assert fleet.running.tokens["cloud"] not in done.stderr
    return done.returncode, words[0]


def revoke(fleet: Fleet) -> None:
    assert fleet.running.hub is not None
    fleet.running.hub.agents.revoke("cloud")
    fleet.running.hub.agents._looked = -1.0


@pytest.mark.parametrize("why", ["wrong", "revoked"])
def test_a_token_that_opens_nothing_ends_the_start_with_one_line(fleet: Fleet, why: str) -> None:
    if why == "wrong":
        fleet.token("cloud").write_text("wrong", encoding="ascii")
    else:
        revoke(fleet)
    cure = "`vault_hub agent rotate NAME` on its machine gives another"
    assert started(fleet) == (
        1,
        f"cloud_agent: the hub at {fleet.running.url} does not let us in: the token is wrong or was revoked; {cure}",
    )


def test_a_certificate_of_an_unknown_authority_ends_the_start_with_one_line(fleet: Fleet) -> None:
    server, _ = self_signed(fleet.folder)
    with cable(fleet.running.port, server) as tls:
        url = f"https://127.0.0.1:{tls.port}"
        why = "its certificate does not hold here (self-signed certificate); hub_ca_file names who signed it"
        assert started(fleet, hub=f'"{url}"') == (1, f"cloud_agent: the hub at {url}: {why}")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hub": '"http://hub.example"'}, "http://hub.example: a hub is reached by https, or by http on this machine"),
        ({"hub_token_file": '"none"'}, "hub_token_file: cannot read"),
        ({"hub_ca_file": '"none"', "hub": '"https://hub.example"'}, "hub_ca_file: cannot use"),
        ({"hub": '"/srv/vault.git"'}, "/srv/vault.git: a resident hub's address is https://HOST or https://HOST:PORT"),
    ],
)
def test_settings_that_cannot_work_end_the_start_with_one_line(
    fleet: Fleet, changes: dict[str, str], says: str
) -> None:
    code, line = started(fleet, **changes)
    assert code == 1
    assert line.startswith(f"cloud_agent: {says}")


def hub_reachable(fleet: Fleet) -> object:
    try:
        return json.loads((fleet.home("cloud") / "state" / "health.json").read_bytes())["hub_reachable"]
    except (FileNotFoundError, ValueError):
        return None


def test_a_hub_that_is_down_is_waited_for_and_the_log_says_why(fleet: Fleet) -> None:
    fleet.running.stop()
    with fleet.runs("cloud"):
        eventually(lambda: fleet.events("cloud", "hub.trouble"), "it says so", seconds=SECONDS)
        assert fleet.events("cloud", "hub.trouble")[0]["reason"] == (
            f"the hub at {fleet.running.url} does not answer: Connection refused"
        )
        eventually(lambda: hub_reachable(fleet) is False, "its health file says so", seconds=SECONDS)
        fleet.running.start()
        eventually(lambda: hub_reachable(fleet) is True, "it goes on", seconds=SECONDS)


def test_revoked_while_it_runs_it_says_so_and_goes_on_with_a_new_token(fleet: Fleet) -> None:
    with fleet.runs("cloud"):
        eventually(lambda: hub_reachable(fleet) is True, "it is up", seconds=SECONDS)
        revoke(fleet)
        fleet.running.stop()  # so that its stream breaks and it has to ask
        fleet.running.start()
        eventually(
            lambda: any("was revoked" in str(one["reason"]) for one in fleet.events("cloud", "hub.trouble")),
            "it says so", seconds=SECONDS,
        )  # fmt: skip
        assert fleet.running.hub is not None
        token = fleet.running.hub.agents.rotate("cloud", grace=timedelta(0))
        fleet.token("cloud").write_text(token, encoding="ascii")
        eventually(lambda: hub_reachable(fleet) is True, "it goes on", seconds=SECONDS)
    assert token not in fleet.said("cloud")
