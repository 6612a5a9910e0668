"""The first boot as cloud-init really does it, in a VM, and once more: which changes nothing. `./just test-vm`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import releases
from archives import chosen
from image import Image, certificate, made
from machine import Machine, booted, names, report
from oracle import HOSTS, Oracle, serving

from infra import cloud_init, conventions

pytestmark = pytest.mark.vm

DOWNLOADS = "downloads.office.test"
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
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    found = Oracle(
        tmp_path_factory.mktemp("oracle"),
        user_data=cloud_init.user_data(),
        secrets={"ocid1.vaultsecret.db": b"\x00\xff" * 16, "ocid1.vaultsecret.box": b"hunter2"},
    )
    content = releases.archive()
    found.files["c.tar.gz"] = content
    found.orders = releases.orders(
        f"https://{DOWNLOADS}/files/c.tar.gz",
        content,
        device=conventions.DATA_DEVICE,
        reports="countersign-prod-reports",
    )
    return found


@pytest.fixture(scope="module")
def machine(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Up to the report that it is healthy."""
    image, folder = made(chosen()), tmp_path_factory.mktemp("vm")
    with ExitStack() as stack:
        around(stack, image, oracle, folder)
        machine = stack.enter_context(booted(image, folder, memory_mb=3072))
        machine.wait(lambda: is_healthy(machine, oracle), "the report that it is healthy", 60)
        yield machine


def is_healthy(machine: Machine, oracle: Oracle) -> bool:
    """Whether it said so. A module of cloud-init that failed ends the waiting."""
    assert "Running module" not in machine.console, machine.console[-3000:]
    return report(oracle).get("state") == "healthy"


def around(stack: ExitStack, image: Image, oracle: Oracle, folder: Path) -> None:
    """What a VM at Oracle finds: metadata, names, and the services by TLS."""
    known = (*HOSTS, DOWNLOADS)
    stack.enter_context(names(known))
    stack.enter_context(serving(oracle, port=80))
    stack.enter_context(serving(oracle, port=443, certificate=certificate(image, known, folder)))


def test_cloud_init_ends_without_a_fault_and_the_report_says_healthy(machine: Machine, oracle: Oracle) -> None:
    assert json.loads(machine.run("cloud-init status --wait --format json", check=False))["errors"] == []
    assert "DataSourceOracle" in machine.run("cat /run/cloud-init/result.json")
    assert report(oracle)["state"] == "healthy"
    assert oracle.objects["join-code/vm.txt"] == b"CODE-1234"
    assert oracle.refused == []


def test_what_cloud_init_was_told_holds_by_its_own_schema_which_can_say_no(machine: Machine) -> None:
    assert "Valid schema" in machine.run("cloud-init schema --system")
    planted = "#cloud-config\\nruncmd: 7\\npackage_update: perhaps\\n"
    said = machine.run(f"printf '{planted}' >/tmp/bad.yaml; cloud-init schema -c /tmp/bad.yaml", check=False)
    assert "runcmd" in said
    assert "package_update" in said


def test_docker_runs_on_the_data_volume_and_secrets_lie_in_memory(machine: Machine) -> None:
    assert machine.run("docker info --format '{{.DockerRootDir}}'").strip() == "/srv/countersign/docker"
    assert machine.run("findmnt -n -o FSTYPE,LABEL /srv/countersign").split() == ["ext4", "countersign"]
    assert machine.run("findmnt -n -o FSTYPE,OPTIONS /srv/countersign/state/secrets").startswith("tmpfs")
    assert machine.run("cat /srv/countersign/state/secrets/cloud/business") == "hunter2"
    assert machine.run("docker compose version --short").strip().lstrip("v").startswith("2.")


def test_the_firewall_holds_and_oracles_own_rules_no_longer_cut_containers_off(machine: Machine) -> None:
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


def test_units_are_on_and_security_updates_come_by_themselves(machine: Machine) -> None:
    units = (
        "countersign-firewall.service countersign-ready.service countersign.timer countersign-logs.timer "
        "countersign-drill.timer docker.service"
    )
    assert set(machine.run(f"systemctl is-active {units}").split()) == {"active"}
    assert set(machine.run(f"systemctl is-enabled {units}").split()) == {"enabled"}
    assert machine.run("apt-config dump APT::Periodic::Unattended-Upgrade").strip().endswith('"1";')
    assert machine.run("systemctl list-units --failed --no-legend").strip() == ""


def test_a_second_run_from_nothing_known_and_a_restart_change_nothing(machine: Machine, oracle: Oracle) -> None:
    """cloud-init forgets that it ever ran, the VM restarts, and everything of the first boot is done again."""
    before = machine.run(KEPT)
    assert "docker.io" in before, "something is compared"
    ups = machine.run("wc -l </srv/countersign/state/ups")
    machine.run("cloud-init clean --logs")
    oracle.history.clear()

    machine.restart()

    again = lambda: any(b'"healthy"' in body for name, body in oracle.history if name == "health/vm.json")  # noqa: E731
    machine.wait(again, "the second report that it is healthy", 60)
    assert json.loads(machine.run("cloud-init status --wait --format json", check=False))["errors"] == []
    assert machine.run(KEPT) == before
    assert int(machine.run("wc -l </srv/countersign/state/ups")) == int(ups) + 1, (
        "the stack was told to be up once more"
    )
