"""The first boot as cloud-init really does it, and once more: which changes nothing. `./just test-vm`; `test-stack`
does it in a container."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pytest
from around import DOWNLOADS
from first_boot import MINUTES, Ground, ended, in_a_container, in_a_vm, told, well, well_again
from guest import Guest
from oracle import Oracle, report
from real import VERSION, Release, made, orders

from infra import conventions

ASK_HUB = (
    "import ssl, urllib.request as u; "
    'print(u.urlopen("https://localhost/healthz", context=ssl._create_unverified_context()).read().decode())'
)
KEPT = r"""
dpkg-query -W -f '${Package} ${Version} ${Status}\n' | sort
systemctl list-unit-files --state=enabled --no-legend | sort
nft list table inet countersign
iptables-save | grep -v '^[#:]' | sort
blkid -s UUID -o value /dev/oracleoci/oraclevdb
sums() { find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; }
sums /opt/countersign /srv/countersign/state /usr/local -not -name '*.pyc' -not -name ups
sums /etc -not -path '/etc/ssh/*' -not -name '*-' -not -name ld.so.cache
docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Image}}' | sort
"""
"""What a second run leaves as it is: packages, units, rules, the volume, every file of ours and of /etc, containers."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("release"))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(in_a_vm, marks=pytest.mark.vm, id="vm"),
        pytest.param(in_a_container, marks=pytest.mark.container, id="container"),
    ],
)
def ground(request: pytest.FixtureRequest) -> Ground:
    found: Ground = request.param
    return found


@pytest.fixture(scope="module")
def oracle(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """One for each ground."""
    return told(tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="module")
def machine(
    ground: Ground, oracle: Oracle, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guest]:
    """Up to the report that it is healthy."""
    with well(ground, oracle, tmp_path_factory.mktemp("machine"), release) as found:
        yield found


def test_cloud_init_ends_without_a_fault_and_the_report_says_healthy(machine: Guest, oracle: Oracle) -> None:
    assert ended(machine) == []
    assert machine.source in machine.run("cat /run/cloud-init/result.json")
    assert report(oracle)["state"] == "healthy"
    assert oracle.objects["join-code/vm.txt"] == b"CODE-1234"
    assert oracle.refused == []


def test_what_cloud_init_was_told_holds_by_its_own_schema_which_can_say_no(machine: Guest) -> None:
    assert "Valid schema" in machine.run("cloud-init schema --system")
    planted = "#cloud-config\\nruncmd: 7\\npackage_update: perhaps\\n"
    said = machine.run(f"printf '{planted}' >/tmp/bad.yaml; cloud-init schema -c /tmp/bad.yaml", check=False)
    assert "runcmd" in said
    assert "package_update" in said


def test_docker_runs_on_the_data_volume_and_secrets_lie_in_memory(machine: Guest) -> None:
    assert machine.run("docker info --format '{{.DockerRootDir}}'").strip() == "/srv/countersign/docker"
    there = "docker volume create seen && test -d /srv/countersign/docker/volumes/seen && docker volume rm seen"
    assert machine.run(there).split() == ["seen", "seen"], "and not beneath it, where it lay before the mount"
    assert machine.run("docker info --format '{{.Driver}}'").strip() == "overlay2", (
        "and images too, not in containerd's"
    )
    assert machine.run("findmnt -n -o FSTYPE,LABEL /srv/countersign").split() == ["ext4", "countersign"]
    assert machine.run("findmnt -n -o FSTYPE,OPTIONS /srv/countersign/state/secrets").startswith("tmpfs")
    assert machine.run("cat /srv/countersign/state/secrets/cloud/business") == "hunter2"
    assert machine.run("docker compose version --short").strip().lstrip("v").startswith("2.")


def test_the_firewall_holds_and_oracles_own_rules_no_longer_cut_containers_off(machine: Guest) -> None:
    assert "policy drop" in machine.run("nft list chain inet countersign input")
    assert "icmp-host-prohibited" not in machine.run("iptables -S")
    ask = (
        "python3 -c \"import urllib.request as u; print(u.urlopen(u.Request('http://169.254.169.254/opc/v2/instance/id',"
        "headers={'Authorization': 'Bearer Oracle'}), timeout=20).read().decode())\""
    )
    assert machine.run(ask).strip() == "ocid1.instance.oc1..vm"
    said = machine.run(f"setpriv --reuid=65534 --regid=65534 --clear-groups {ask}", check=False)
    assert "ocid1.instance" not in said
    assert "Connection refused" in said


def test_units_are_on_and_security_updates_come_by_themselves(machine: Guest) -> None:
    units = (
        "countersign-firewall.service countersign-ready.service countersign.timer countersign-logs.timer "
        "countersign-drill.timer docker.service"
    )
    assert set(machine.run(f"systemctl is-active {units}").split()) == {"active"}
    assert set(machine.run(f"systemctl is-enabled {units}").split()) == {"enabled"}
    assert machine.run("apt-config dump APT::Periodic::Unattended-Upgrade").strip().endswith('"1";')
    assert machine.run("systemctl list-units --failed --no-legend").strip() == ""


def test_a_second_run_from_nothing_known_and_a_restart_change_nothing(machine: Guest, oracle: Oracle) -> None:
    before = machine.run(KEPT)
    assert "docker.io" in before, "something is compared"
    ups = machine.run("wc -l </srv/countersign/state/ups")

    well_again(machine, oracle)
    assert changed(before, machine.run(KEPT)) == []
    assert int(machine.run("wc -l </srv/countersign/state/ups")) == int(ups) + 1, (
        "the stack was told to be up once more"
    )


def test_the_committed_release_takes_the_small_ones_place_without_anybody_at_the_machine(
    machine: Guest, oracle: Oracle, release: Release
) -> None:
    """Hub, Cloud, Caddy, way out, monitors and backups of this repository, by the real `tools.stack up`."""
    machine.run("docker load </dev/vdc", seconds=3600)
    oracle.files["real.tar.gz"] = release.archive
    oracle.history.clear()
    oracle.orders = orders(
        release,
        f"https://{DOWNLOADS}/files/real.tar.gz",
        health_interval=machine.health_interval,
        device=conventions.DATA_DEVICE,
        reports="countersign-prod-reports",
    )

    machine.run("rm /run/countersign/code")  # the small release's opens nothing
    machine.wait(lambda: said_well(oracle), "the report that the real stack is healthy", MINUTES)

    rows = machine.run("docker ps --format '{{.Label \"com.docker.compose.service\"}} {{.Status}}'").splitlines()
    assert {row.split()[0] for row in rows} >= {"backup", "caddy", "cloud-agent", "monitor", "uptime-kuma", "vault-hub"}
    assert [row for row in rows if "(healthy)" not in row and not row.startswith("way-out")] == []
    assert "waiting" in machine.run(f"python3 -c '{ASK_HUB}'")
    machine.wait(lambda: len(oracle.objects["join-code/vm.txt"]) > 20, "a code of the real hub", 10)
    assert oracle.refused == []


def test_a_restart_and_a_second_run_leave_the_real_stack_as_it_is(machine: Guest, oracle: Oracle) -> None:
    """Each container and volume is the one it was: the secrets that came again are those it was made with."""
    before = machine.run(KEPT)
    assert "vault-hub" in before, "something is compared"

    well_again(machine, oracle)

    assert said_well(oracle)
    assert changed(before, machine.run(KEPT)) == []


def changed(before: str, after: str) -> list[str]:
    """The lines that came and went, and no others: of thousands."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=0, lineterm="")
    return [line for line in lines if not line.startswith("@@")][:60]


def said_well(oracle: Oracle) -> bool:
    """Whether the last report is of the real release, and good."""
    said = report(oracle)
    return (said.get("release"), said.get("state")) == (VERSION, "healthy")
