"""Kuma, what applies its monitors, and the backup, as the stack has them while all is well."""

from __future__ import annotations

import json

import pytest

from demo.processes import eventually
from tests.stack.asking import through_the_gate
from tests.stack.docker import docker
from tests.stack.office import Office

pytestmark = pytest.mark.stack

SETTINGS = ("--config", "/etc/countersign/backup.toml")


def backup(made: Office, *words: str) -> str:
    return made.inside("backup", "python", "-m", "backup", *SETTINGS, *words)


def test_every_monitor_turns_green_and_none_is_red(made: Office) -> None:
    through_the_gate(made)
    eventually(
        lambda: {*made.monitors().values()} == {"up"} and len(made.monitors()) >= 22, "all is green", seconds=120
    )
    said = made.inside("monitor", "python", "-m", "monitor", "--config", "/etc/countersign/monitor.toml", "diff")
    assert said == "", "nothing differs from monitors.yaml"


def test_what_somebody_changes_in_kuma_by_hand_is_drift_until_the_monitor_is_started_again(made: Office) -> None:
    change = (
        "import sys; from pathlib import Path; from monitor import settings; from monitor.__main__ import _kuma\n"
        "with _kuma(settings.read(Path('/etc/countersign/monitor.toml'))) as kuma:\n"
        "    kuma.found(); kuma._api.edit_monitor(kuma._known['monitor', 'hub'], interval=3000)\n"
    )
    assert made.inside("monitor", "python", "-c", change) == ""
    apart = ("python", "-m", "monitor", "--config", "/etc/countersign/monitor.toml", "diff")
    assert made.inside("monitor", *apart).strip() == "change monitor hub (every: 3000 -> 20)"
    docker("restart", made.container("monitor"))
    eventually(lambda: made.is_well("monitor"), "it is applied again", seconds=120)
    assert made.inside("monitor", *apart) == ""


def test_kuma_stands_behind_caddy_under_its_own_name_and_its_numbers_do_not(made: Office) -> None:
    assert made.get("/status/countersign", name="status.localhost")[0] == 200
    assert made.get("/metrics", name="status.localhost")[0] == 404
    assert made.get("/agent/healthz", name="status.localhost")[0] == 200
    assert made.get("/socket.io/?EIO=4&transport=polling", name="status.localhost")[0] == 200


def test_everything_is_backed_up_and_the_vault_follows_what_is_written(made: Office) -> None:
    eventually(lambda: json.loads(backup(made, "status", "--json"))["well"], "every job ended well", seconds=120)
    jobs = json.loads(backup(made, "status", "--json"))["jobs"]
    assert set(jobs) == {"vault", "books", "kuma", "caddy", "settings", "check", "prune"}
    assert all(job["well"] for job in jobs.values())
    through_the_gate(made)
    before = jobs["vault"]["mark"]

    def newer() -> bool:
        return bool(json.loads(backup(made, "status", "--json"))["jobs"]["vault"]["mark"] != before)

    eventually(newer, "a snapshot of what was written", seconds=60)


def test_the_backup_reads_what_others_own_and_writes_to_none_of_it(made: Office) -> None:
    for folder in ("/srv/hub", "/srv/odoo", "/srv/kuma", "/srv/caddy", "/srv/pushes", "/srv/settings/cloud"):
        assert made.inside("backup", "ls", folder).strip(), folder
        assert "Read-only file system" in made.inside("backup", "touch", f"{folder}/mine"), folder
    reached = (
        "import socket, sys; socket.setdefaulttimeout(5); socket.create_connection((sys.argv[1], int(sys.argv[2])))"
    )
    assert made.inside("backup", "python", "-c", reached, "db", "5432") == ""
    for name, port in (("vault-hub", "8470"), ("cloud-agent", "8471"), ("odoo", "8069"), ("way-out", "3128")):
        assert "gaierror" in made.inside("backup", "python", "-c", reached, name, port), name


def test_the_numbers_of_every_service_of_ours_are_there_to_be_read(made: Office) -> None:
    def read(service: str, url: str) -> str:
        return made.inside(
            service, "python", "-c", f"import urllib.request as u; print(u.urlopen('{url}').read().decode())"
        )

    assert "countersign_backup_anomalies 0" in read("monitor", "http://backup:8473/metrics")
    assert "countersign_monitor_drift 0" in read("monitor", "http://127.0.0.1:8472/metrics")
    assert "countersign_cloud_hub_ok 1" in read("cloud-agent", "http://127.0.0.1:8471/metrics")
