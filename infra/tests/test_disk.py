"""The data volume grows under a running machine. Kernel and programs are doubles that write down what they do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import releases
from oracle import Oracle, report

from infra.components.alarms import CONDITIONS
from infra.vm import disk, steps
from infra.vm.places import Places
from infra.vm.programs import Failed

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"


@dataclass(frozen=True)
class Volume:
    """`sdb`, mounted at `place`. What Oracle made it is `real`; the kernel knows `size`, until it looks again."""

    folder: Path
    place: Path

    @property
    def rescan(self) -> Path:
        return self.folder / "blocks" / "sdb" / "device" / "rescan"

    @property
    def size(self) -> Path:
        return self.folder / "blocks" / "sdb" / "size"

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def grow(self) -> bool:
        return disk.grow(self.place, self.folder / "grown")

    def fails(self, program: str) -> None:
        (self.folder / program).write_text("#!/bin/sh\necho 'no room' >&2\nexit 1\n")


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Volume:
    found = Volume(tmp_path / "machine", tmp_path / "vm" / "srv" / "countersign")
    found.rescan.parent.mkdir(parents=True)
    found.rescan.touch()
    found.size.write_text("100\n")
    (found.folder / "calls").touch()
    for name, more in (("findmnt", "echo /dev/sdb"), ("dd", ""), ("resize2fs", "")):
        program = found.folder / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>{found.folder}/calls\n{more}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{found.folder}:{os.environ['PATH']}")
    monkeypatch.setattr(disk, "BLOCKS", found.folder / "blocks")
    monkeypatch.setattr(Path, "is_mount", lambda path: path == found.place)
    return found


def test_a_volume_that_grew_is_taken_whole_without_a_restart(volume: Volume) -> None:
    assert volume.grow()
    assert not volume.grow()
    volume.size.write_text("200\n")
    assert volume.grow()
    assert not volume.grow()
    assert [call for call in volume.calls if call.startswith("resize2fs")] == ["resize2fs /dev/sdb"] * 2


def test_the_kernel_is_told_to_look_each_time_for_nobody_else_tells_it(volume: Volume) -> None:
    for _ in range(2):
        volume.rescan.write_text("")
        volume.grow()
        assert volume.rescan.read_text() == "1\n"
    assert [call for call in volume.calls if "iflag=direct" in call] == [
        "dd if=/dev/sdb of=/dev/null bs=4096 count=1 iflag=direct"
    ] * 2


def test_a_disk_that_needs_no_look_or_is_not_there_is_left_alone(volume: Volume) -> None:
    volume.rescan.unlink()
    assert volume.grow(), "the size is known by itself"
    volume.size.unlink()
    assert not volume.grow()
    assert not disk.grow(volume.place / "elsewhere", volume.folder / "grown"), "not mounted"


def test_growing_that_failed_is_tried_again(volume: Volume) -> None:
    before = (volume.folder / "resize2fs").read_text()
    volume.fails("resize2fs")
    with pytest.raises(Failed, match="no room"):
        volume.grow()
    (volume.folder / "resize2fs").write_text(before)
    assert volume.grow()


def test_a_kernel_that_refuses_to_look_is_a_failure_with_its_reason(volume: Volume) -> None:
    volume.rescan.unlink()
    volume.rescan.mkdir()
    with pytest.raises(Failed, match=r"/dev/sdb is not looked at anew: .*directory"):
        volume.grow()


def test_the_orders_need_not_change_for_the_volume_to_grow_and_a_failure_is_reported(
    oracle: Oracle, places: Places, volume: Volume
) -> None:
    assert volume.place == places.data
    oracle.orders = releases.orders(f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"], device="/dev/sdb")
    assert steps.apply(places)
    volume.size.write_text("200\n")
    assert steps.apply(places)
    assert [call for call in volume.calls if call.startswith("resize2fs")] == ["resize2fs /dev/sdb"] * 2

    volume.size.write_text("300\n")
    volume.fails("resize2fs")
    assert not steps.apply(places)
    assert (report(oracle)["state"], report(oracle)["step"]) == ("failed", "volume")
    assert "no room" in report(oracle)["message"]


def test_what_the_alarm_says_to_read_is_there() -> None:
    (says,) = [one.says for one in CONDITIONS if one.name == "disk"]
    assert "docs/runbook.md, Disk." in says
    assert "\n## Disk\n" in RUNBOOK.read_text(encoding="utf-8")
