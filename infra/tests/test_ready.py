"""What keeps a machine from its first container is reported, and ends no waiting."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import releases
from oracle import Oracle, report

from infra.vm import __main__ as program
from infra.vm import steps
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.places import Places
from infra.vm.programs import Failed
from infra.vm.reports import Reports

BOX = "ocid1.vaultsecret.box"


@pytest.fixture
def machine(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Its memory is a folder."""
    mount = tmp_path / "programs" / "mount"
    mount.write_text("#!/bin/sh\n")
    mount.chmod(0o755)
    monkeypatch.setenv("COUNTERSIGN_ROOT", str(places.root))
    return places


@pytest.fixture
def pausing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float], None]], None]:
    """Whom to tell of a pause of ours, so long in seconds; it takes no time. Short ones are none of ours."""
    real, began = time.sleep, time.monotonic
    passed = 0.0

    def during(tell: Callable[[float], None]) -> None:
        def sleep(seconds: float) -> None:
            nonlocal passed
            if seconds < 1:
                return real(seconds)
            passed += seconds
            return tell(passed)

        monkeypatch.setattr(time, "sleep", sleep)
        monkeypatch.setattr(time, "monotonic", lambda: began() + passed)

    return during


def said(oracle: Oracle) -> list[tuple[str, str, str]]:
    found = [json.loads(body) for name, body in oracle.history if name == "health/vm.json"]
    return [(one["state"], one["step"], one["message"]) for one in found]


def with_volume(oracle: Oracle, device: str) -> None:
    oracle.orders = releases.orders(f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"], device=device)


def test_a_start_without_trouble_reports_nothing_of_its_own(oracle: Oracle, machine: Places) -> None:
    steps.ready(machine)
    assert (machine.secrets / "cloud" / "business").read_bytes() == b"hunter2"
    assert oracle.history == []


def test_a_secret_that_comes_late_is_reported_once_while_it_is_waited_for(
    oracle: Oracle, machine: Places, pausing: Callable[[Callable[[float], None]], None]
) -> None:
    value = oracle.secrets.pop(BOX)
    pausing(lambda passed: oracle.secrets.update({BOX: value} if passed > 60 else {}))
    steps.ready(machine)

    ((state, step, message),) = said(oracle)
    assert (state, step) == ("working", "secrets"), "`deploy` goes on waiting"
    assert f"secretbundles/{BOX} answers 404" in message


def test_a_secret_that_never_comes_is_a_failure_with_its_reason(
    oracle: Oracle, machine: Places, pausing: Callable[[Callable[[float], None]], None]
) -> None:
    del oracle.secrets[BOX]
    waited: list[float] = []
    pausing(waited.append)
    with pytest.raises(Failed, match="answers 404"):
        steps.ready(machine)
    assert [(state, step) for state, step, _ in said(oracle)] == [("working", "secrets"), ("failed", "secrets")]
    assert waited[-1] > 600


def test_a_volume_that_is_not_ours_is_a_failure_that_is_told_each_time_it_changes(
    oracle: Oracle, machine: Places, tmp_path: Path
) -> None:
    volume = tmp_path / "volume"
    volume.write_bytes(b"somebody's" + bytes(8 << 20))
    with_volume(oracle, str(volume))
    for _ in range(3):  # systemd starts it again and again
        assert program.main(["ready"]) == 1
    ((state, step, message),) = said(oracle)
    assert (state, step) == ("failed", "volume")
    assert "holds something and not our ext4; it is left alone" in message

    volume.unlink()
    volume.symlink_to(tmp_path)
    assert program.main(["ready"]) == 1
    assert len(said(oracle)) == 2
    assert said(oracle)[1][2] != message


def test_what_cannot_be_reported_hides_no_failure(
    oracle: Oracle, machine: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = tmp_path / "volume"
    volume.write_bytes(b"somebody's" + bytes(8 << 20))
    with_volume(oracle, str(volume))
    oracle.orders = oracle.orders.replace("countersign-prod-reports", "not-there/x")
    assert program.main(["ready"]) == 1
    printed = capsys.readouterr()
    assert "not reported" in printed.out
    assert oracle.refused
    oracle.refused.clear()
    assert "left alone" in printed.err


def test_the_first_boot_says_what_it_waits_for_before_there_is_a_stack(oracle: Oracle, machine: Places) -> None:
    for _ in range(2):
        assert program.main(["say", "working", "packages", "apt-get does not install docker.io"]) == 0
    assert said(oracle) == [("working", "packages", "apt-get does not install docker.io")]
    assert report(oracle)["orders"] == Orders.parse(oracle.orders).digest


def test_a_log_that_did_not_reach_the_bucket_is_shipped_again_and_one_that_grew_goes_on(
    oracle: Oracle, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "programs" / "journalctl"
    journal.write_text(
        "#!/bin/sh\nfor word; do case $word in --cursor-file=*) file=${word#*=};; esac; done\n"
        "if [ -s $file ]; then echo later; else echo first; fi\necho x >$file\n"
    )
    boot = tmp_path / "cloud-init-output.log"
    boot.write_text("one\n")
    told = Orders.parse(oracle.orders)
    away = Reports(places, told, Cloud(told))
    monkeypatch.setenv("COUNTERSIGN_ORACLE", "http://127.0.0.1:1")
    with pytest.raises(Failed):
        away.ship(boot)
    monkeypatch.setenv("COUNTERSIGN_ORACLE", oracle.address)

    reports = Reports(places, told, Cloud(told))
    assert gzip.decompress(oracle.objects[reports.ship(boot)]) == b"one\nfirst\n"
    boot.write_text("one\ntwo\n")
    assert gzip.decompress(oracle.objects[reports.ship(boot)]) == b"two\nlater\n"
