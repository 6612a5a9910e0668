"""What runs on the VM, against an Oracle that checks every signature, and a release with the stack's contract."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import releases
from oracle import Oracle

from infra.vm import __main__ as program
from infra.vm import disk, imds, release, secrets, steps
from infra.vm.cloud import Cloud
from infra.vm.orders import Orders
from infra.vm.places import Places
from infra.vm.programs import Failed, run
from infra.vm.reports import Reports
from infra.vm.stack import Stack


def report(oracle: Oracle) -> dict[str, str]:
    found: dict[str, str] = json.loads(oracle.objects["health/vm.json"])
    return found


def ups(places: Places) -> int:
    return len((places.state / "ups").read_text().splitlines())


def test_a_new_vm_carries_out_its_orders_and_says_so_with_a_code_for_the_owner(oracle: Oracle, places: Places) -> None:
    assert steps.apply(places)

    assert report(oracle)["state"] == "healthy"
    assert report(oracle)["orders"] == Orders.parse(oracle.orders).digest
    assert oracle.objects["join-code/vm.txt"] == b"CODE-1234"
    assert (places.secrets / "db_password").read_text() == "00ff" * 16
    assert (places.secrets / "cloud" / "business").read_bytes() == b"hunter2"
    assert (places.current / "VERSION").read_text() == "0.1.0\n"
    assert places.environment.read_text() == "COMPOSE_PROJECT_NAME=countersign\nHUB_NAME=localhost\n"
    said = [json.loads(body)["step"] for name, body in oracle.history if name == "health/vm.json"]
    assert said == ["secrets", "release", "settings", "up", "look"]


def test_doing_it_again_changes_nothing_and_says_nothing_but_its_measures(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    before = {file: file.stat().st_mtime_ns for file in places.root.rglob("*") if file.is_file()}
    told = len(oracle.history)

    assert steps.apply(places)

    assert {file: file.stat().st_mtime_ns for file in places.root.rglob("*") if file.is_file()} == before
    assert len(oracle.history) == told
    assert ups(places) == 1


def test_new_orders_bring_the_new_release_and_keep_the_one_before(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    newer = releases.archive(version="0.2.0")
    oracle.files["d.tar.gz"] = newer
    oracle.orders = releases.orders(f"{oracle.address}/files/d.tar.gz", newer, version="0.2.0")

    assert steps.apply(places)

    assert (places.current / "VERSION").read_text() == "0.2.0\n"
    assert len(list(places.releases.iterdir())) == 2
    assert ups(places) == 2


def test_a_release_with_another_hash_is_not_run_and_the_report_says_which(oracle: Oracle, places: Places) -> None:
    oracle.files["c.tar.gz"] = releases.archive({"tools/stack/evil.py": ""})

    assert not steps.apply(places)

    assert report(oracle)["state"] == "failed"
    assert report(oracle)["step"] == "release"
    assert "is not release 0.1.0: its SHA-256 is" in report(oracle)["message"]
    assert not places.current.exists()


def test_a_stack_that_does_not_get_well_is_reported_with_its_words_and_tried_again(
    oracle: Oracle, places: Places
) -> None:
    places.state.mkdir(exist_ok=True)
    (places.state / "broken").touch()
    assert not steps.apply(places)
    assert report(oracle)["step"] == "up"
    assert "vault-hub did not get healthy" in report(oracle)["message"]
    assert any(name.startswith("logs/") for name in oracle.objects)

    (places.state / "broken").unlink()
    assert steps.apply(places)
    assert report(oracle)["state"] == "healthy"


def test_a_service_that_falls_ill_later_is_measured_and_named(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    (places.state / "ill").touch()

    assert not steps.apply(places)

    assert report(oracle)["state"] == "unwell"
    assert report(oracle)["message"] == "vault-hub is running unhealthy"
    healthy = [one["datapoints"][0]["value"] for one in oracle.measures if one["name"] == "healthy"]
    assert healthy == [1.0, 0.0]
    assert {one["name"] for one in oracle.measures} >= {"disk_used_percent", "healthy"}
    assert {one["dimensions"]["machine"] for one in oracle.measures} == {"vm"}


def test_a_code_is_made_while_the_owner_is_waited_for_and_emptied_after(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    (places.state / "joined").touch()
    code = places.last.with_name("code")
    os.utime(code, (0, 0))

    steps.apply(places)
    assert oracle.objects["join-code/vm.txt"] == b""

    told = len(oracle.history)
    steps.apply(places)
    assert len(oracle.history) == told


def test_what_stands_in_cloud_toml_stays_and_only_our_block_is_replaced(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    file = places.state / "cloud" / "cloud.toml"
    file.write_text(file.read_text().replace('hub = "x"', 'hub = "x"\nowner_name = "Ann"'))
    content = oracle.files["c.tar.gz"]
    oracle.orders = releases.orders(
        f"{oracle.address}/files/c.tar.gz", content, cloud='[[mailboxes]]\nname = "other"\n'
    )

    steps.apply(places)

    text = file.read_text()
    assert 'owner_name = "Ann"' in text
    assert 'name = "other"' in text
    assert 'name = "business"' not in text
    assert text.count("do not edit") == 1


def test_what_a_release_cannot_read_is_reported_and_better_orders_take_its_place(
    oracle: Oracle, places: Places
) -> None:
    url, content = f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"]
    oracle.orders = releases.orders(url, content, cloud='[[mailboxes]]\nhost = "mail.example"\n')
    for _ in range(2):
        assert not steps.apply(places)
        assert "a mailbox without a name" in report(oracle)["message"]

    oracle.orders = releases.orders(url, content, cloud='[[mailboxes]]\nname = "business"\n')
    assert steps.apply(places)
    assert report(oracle)["state"] == "healthy"


def test_backups_go_into_the_bucket_and_nothing_of_this_vm_forgets_them(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    told = tomllib.loads((places.state / "backup" / "backup.toml").read_text())
    repository = told["repository"]
    assert repository["location"] == "s3:https://space.compat.objectstorage.eu-frankfurt-1.oraclecloud.com/kept"
    assert repository["s3_credentials_file"] == "/run/backup/s3", "where the stack shows secrets/backup/s3"
    assert repository["options"] == ["s3.region=eu-frankfurt-1", "s3.bucket-lookup=path"]
    assert repository["append_only"] is True
    assert "every_seconds" not in told["keep"]


def test_a_place_for_backups_that_the_operator_named_stays(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    file = places.state / "backup" / "backup.toml"
    mine = '[repository]\nlocation = "rest:https://mine.example"\n'
    file.write_text(mine)
    oracle.orders = releases.orders(f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"], device="")
    steps.apply(places)
    assert file.read_text() == mine


def test_the_weekly_drill_is_the_stacks_own(oracle: Oracle, places: Places) -> None:
    steps.apply(places)
    Stack(places).drill()
    assert (places.state / "drilled").exists()


def alone(oracle: Oracle, **changed: Any) -> str:
    """The orders of an agent's VM."""
    oracle.secrets["ocid1.vaultsecret.token"] = b"\x01\xfe" * 16
    told: dict[str, Any] = {
        "role": "agent", "machine": "cloud-2", "backups": "",
        "environment": {"COMPOSE_PROJECT_NAME": "countersign", "AGENT": "cloud-2", "HUB": "https://localhost:1"},
        "cloud": '[[mailboxes]]\nname = "second"\n',
        "secrets": [{"file": "cloud/hub-token", "id": "ocid1.vaultsecret.token", "form": "hex", "version": None}],
        **changed,
    }  # fmt: skip
    return releases.orders(f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"], **told)


def test_a_vm_of_an_agent_alone_brings_up_that_and_says_who_it_is(oracle: Oracle, places: Places) -> None:
    oracle.orders = alone(oracle)
    assert steps.apply(places)
    said = json.loads(oracle.objects["health/cloud-2.json"])
    assert (said["state"], said["identity"]) == ("healthy", "cloud-2 HASH ssh-ed25519 KEY")
    assert {name.partition(".2")[0] for name in oracle.objects} == {"health/cloud-2.json", "logs.cloud-2"}, (
        "no report of the hub's machine, and no code for the owner's"
    )
    assert {one["dimensions"]["machine"] for one in oracle.measures} == {"cloud-2"}
    assert {file.name for file in places.secrets.rglob("*") if file.is_file()} == {"hub-token", secrets.ORDERED}
    told = tomllib.loads((places.state / "cloud" / "cloud.toml").read_text())
    assert (told["agent"], told["mailboxes"][0]["name"]) == ("cloud-2", "second")


def test_a_role_that_nobody_knows_is_refused_by_name(oracle: Oracle, places: Places) -> None:
    oracle.orders = alone(oracle, role="everything")
    assert not steps.apply(places)
    assert "no stack for the role 'everything'" in json.loads(oracle.objects["health/cloud-2.json"])["message"]


@pytest.mark.parametrize("name", ["../vm", "vm.json", "", "Cloud"])
def test_a_machine_whose_name_is_none_writes_nothing(oracle: Oracle, places: Places, name: str) -> None:
    oracle.orders = alone(oracle, machine=name)
    with pytest.raises(Failed, match="is no name"):
        steps.apply(places)
    assert oracle.objects == {}


def test_the_hubs_machine_lets_ordered_agents_in_once_somebody_has_joined_and_not_twice(
    oracle: Oracle, places: Places
) -> None:
    oracle.orders = releases.orders(
        f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"],
        agents={"cloud-2": "HASH ssh-ed25519 KEY cloud-2"}, revoked=["cloud-9"],
    )  # fmt: skip
    assert steps.apply(places), "it is well, and has a code for the owner, before anybody joined"
    assert "cloud-2: nobody has joined yet" in report(oracle)["message"]
    assert oracle.objects["join-code/vm.txt"] == b"CODE-1234"

    (places.state / "joined").touch()
    assert steps.apply(places)
    done = ["admit cloud-2 HASH ssh-ed25519 KEY cloud-2", "revoke cloud-9"]
    assert (places.state / "agents").read_text().splitlines() == done
    assert "nobody has joined" not in report(oracle)["message"]
    assert steps.apply(places)
    assert (places.state / "agents").read_text().splitlines() == done


def test_the_machine_of_an_agent_alone_has_nothing_to_drill(
    oracle: Oracle, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle.orders = alone(oracle)
    steps.apply(places)
    monkeypatch.setenv("COUNTERSIGN_ROOT", str(places.root))
    assert program.main(["drill"]) == 0
    assert not (places.state / "drilled").exists()


def test_the_log_is_shipped_with_the_first_boots_in_front(oracle: Oracle, places: Places, tmp_path: Path) -> None:
    boot = tmp_path / "cloud-init-output.log"
    boot.write_text("Cloud-init finished\n")
    orders = Orders.parse(oracle.orders)
    reports = Reports(places, orders, Cloud(orders))

    first = reports.ship(boot)
    assert gzip.decompress(oracle.objects[first]) == b"Cloud-init finished\n2026-01-01 vm countersign: healthy\n"
    second = reports.ship(boot)
    assert gzip.decompress(oracle.objects[second]) == b"2026-01-01 vm countersign: healthy\n"


def test_no_secret_is_in_what_the_vm_says(oracle: Oracle, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    steps.apply(places)
    told = b"".join(body for _, body in oracle.history) + json.dumps(oracle.measures).encode()
    printed = capsys.readouterr()
    for secret in (b"hunter2", b"00ff00ff"):
        assert secret not in told
        assert secret.decode() not in printed.out + printed.err


def test_a_secret_that_the_vm_may_not_read_is_named_and_nothing_is_written(oracle: Oracle, tmp_path: Path) -> None:
    orders = Orders.parse(oracle.orders)
    del oracle.secrets["ocid1.vaultsecret.box"]
    with pytest.raises(Failed, match=r"secretbundles/ocid1.vaultsecret.box answers 404"):
        secrets.fetch(orders, Cloud(orders), tmp_path / "s")
    assert not (tmp_path / "s" / "cloud").exists()


def test_a_changed_secret_is_written_anew_and_an_unchanged_one_is_left_alone(oracle: Oracle, tmp_path: Path) -> None:
    orders, place = Orders.parse(oracle.orders), tmp_path / "s"
    assert secrets.fetch(orders, Cloud(orders), place)
    assert not secrets.fetch(orders, Cloud(orders), place)
    oracle.secrets["ocid1.vaultsecret.box"] = b"hunter3"
    assert secrets.fetch(orders, Cloud(orders), place)
    assert (place / "cloud/business").read_bytes() == b"hunter3"
    assert (place / "cloud/business").stat().st_mode & 0o777 == 0o444


def test_a_secret_that_is_no_longer_ordered_is_taken_away_and_what_the_stack_made_stays(
    oracle: Oracle, tmp_path: Path
) -> None:
    url, content = f"{oracle.address}/files/c.tar.gz", oracle.files["c.tar.gz"]
    both, place = Orders.parse(oracle.orders), tmp_path / "s"
    secrets.fetch(both, Cloud(both), place)
    (place / "cloud" / "made-here").write_text("by the stack")
    kept = [{"file": "db_password", "id": "ocid1.vaultsecret.db", "form": "hex", "version": None}]
    one = Orders.parse(releases.orders(url, content, secrets=kept))

    assert secrets.fetch(one, Cloud(one), place)
    assert {file.name for file in place.rglob("*") if file.is_file()} == {"db_password", "made-here", secrets.ORDERED}
    assert not secrets.fetch(one, Cloud(one), place)


def test_the_metadata_service_is_asked_with_the_header_that_only_a_machine_sends(oracle: Oracle) -> None:
    assert imds.read("instance/id") == "ocid1.instance.oc1..vm"


@pytest.mark.parametrize("name", ["c/../../../etc/cron.d/x", "c/link"])
def test_a_release_never_unpacks_outside_its_folder(name: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        if name.endswith("link"):
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry, io.BytesIO(b""))
    with pytest.raises(Failed, match="does not unpack"):
        release.unpack(out.getvalue(), tmp_path / "in")
    assert [file for file in tmp_path.rglob("*") if file.is_file() or file.is_symlink()] == []


def test_only_a_volume_with_nothing_at_all_on_it_is_blank(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.write_bytes(bytes(8 << 20))
    assert disk.is_blank(str(volume))

    volume.write_bytes(bytes(1000) + b"x" + bytes(8 << 20))
    assert not disk.is_blank(str(volume)), "bytes that no program knows are still somebody's"

    volume.write_bytes(bytes(8 << 20))
    run(["mkfs.ext4", "-q", str(volume)])
    assert not disk.is_blank(str(volume))
