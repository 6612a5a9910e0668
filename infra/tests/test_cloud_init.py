"""The text of the first boot: valid for cloud-init, the same bytes each time, and closed."""

from __future__ import annotations

import ast
import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import cloud_init, settings

FILES = {one["path"]: one for one in cloud_init.document()["write_files"]}
UNITS = sorted(path for path in FILES if path.startswith("/etc/systemd/system/") and path.count("/") == 4)


def unit(name: str) -> str:
    text: str = FILES[f"/etc/systemd/system/{name}"]["content"]
    return text


def test_it_is_what_cloud_init_takes() -> None:
    text = gzip.decompress(cloud_init.user_data()).decode("utf-8")
    assert text.startswith("#cloud-config\n")
    document: dict[str, Any] = yaml.safe_load(text)
    assert document == cloud_init.document()
    assert {
        "package_update",
        "package_upgrade",
        "packages",
        "write_files",
        "runcmd",
        "ssh_pwauth",
        "disable_root",
    } == set(document)
    assert all(
        one["path"].startswith("/") and re.fullmatch("0[67]44|0755", one["permissions"]) for one in FILES.values()
    )


def test_the_same_files_make_the_same_bytes_else_each_preview_would_replace_the_vm() -> None:
    assert cloud_init.user_data() == cloud_init.user_data()


def test_it_holds_nothing_of_any_stack() -> None:
    text = gzip.decompress(cloud_init.user_data()).decode("utf-8")
    assert not re.search(r"ocid1\.|example\.com|password:|token:", text)


def test_no_password_opens_ssh_and_security_updates_come_by_themselves() -> None:
    document = cloud_init.document()
    assert document["ssh_pwauth"] is False
    assert document["disable_root"] is True
    assert "unattended-upgrades" in document["packages"]
    assert 'Unattended-Upgrade "1"' in FILES["/etc/apt/apt.conf.d/60-countersign"]["content"]


def test_no_container_starts_before_the_data_volume_is_mounted_and_the_secrets_are_there() -> None:
    drop_in = FILES["/etc/systemd/system/docker.service.d/countersign.conf"]["content"]
    assert "Requires=countersign-ready.service" in drop_in
    assert "After=countersign-ready.service" in drop_in
    assert "Before=docker.service" in unit("countersign-ready.service")
    assert "Requires=docker.service" in unit("countersign.service")


def test_the_firewall_lets_the_web_in_ssh_from_the_network_and_nobody_but_root_at_the_machines_identity() -> None:
    rules = FILES["/etc/countersign/firewall.nft"]["content"]
    assert "policy drop" in rules
    assert re.findall(r"dport (?:\{ )?([\d, ]+?)(?: \})? accept", rules) == ["68", "22", "80, 443", "53", "53"]
    assert "ip saddr 10.20.0.0/16 tcp dport 22" in rules
    assert "ip daddr 169.254.169.254 tcp dport 80 meta skuid != 0 reject" in rules
    forward = rules.partition("chain forward")[2]
    assert forward.index("dport 53 accept") < forward.index("ip daddr 169.254.0.0/16 reject")


def test_every_unit_that_is_switched_on_is_written_and_every_command_of_a_unit_exists() -> None:
    script = FILES["/usr/local/sbin/countersign-first-boot.sh"]["content"]
    enabled = set(re.findall(r"countersign[\w-]*\.(?:service|timer)", script))
    assert enabled <= {Path(path).name for path in UNITS}
    for path in UNITS:
        for command in re.findall(r"^ExecStart=(.*)$", FILES[path]["content"], re.MULTILINE):
            for word in command.split()[1:]:
                assert not word.startswith("/usr/local") or {word, f"{word}/__main__.py"} & set(FILES), command
                assert not word.startswith("/etc") or word in FILES, command


def test_every_timer_has_its_service() -> None:
    timers = [path for path in UNITS if path.endswith(".timer")]
    assert [Path(path).stem for path in timers] == ["countersign-drill", "countersign-logs", "countersign"]
    assert all(Path(path).name in FILES["/usr/local/sbin/countersign-first-boot.sh"]["content"] for path in timers)
    assert all(path.removesuffix("timer") + "service" in FILES for path in timers)


def test_the_script_of_the_first_boot_is_plain_sh_and_stops_at_the_first_fault() -> None:
    script = FILES["/usr/local/sbin/countersign-first-boot.sh"]
    assert script["content"].startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in script["content"]
    subprocess.run(["sh", "-n"], input=script["content"], text=True, check=True, timeout=10)


def first_boot(
    folder: Path, fails: int, *, ready: bool = True, late: int = 0, compose: bool = True, says: int = 0
) -> tuple[int, list[str]]:
    """Its exit code and what it called, on a machine whose mirror is away for the first calls of apt-get.

    `ready` is whether its data volume is mounted; `late`, how often that fails before it is; `compose`, whether apt
    knows a package of it; `says`, what reporting ends with.
    """
    calls, away, waits = folder / "calls", folder / "away", folder / "waits"
    away.write_text("x" * fails, "ascii")
    waits.write_text("x" * late, "ascii")
    calls.touch()
    call = f'echo "${{0##*/}} $*" >>{calls}\n'
    fail = 'if [ -s {0} ]; then printf %s "$(tail -c +2 {0})" >{0}; exit 100; fi\n'
    apt, start = fail.format(away), f'[ "$1" != start ] || {fail.format(waits)}'
    looks = "" if ready else '[ "$1" != is-active ] || exit 3\n'
    for name, more in (("systemctl", looks + start), ("apt-get", apt), ("apt-cache", "" if compose else "exit 100\n"),
                       ("iptables", ""), ("python3", f"exit {says}\n")):  # fmt: skip
        program = folder / name
        program.write_text(f"#!/bin/sh\n{call}{more}", "utf-8")
        program.chmod(0o755)
    done = subprocess.run(
        ["sh"],
        input=FILES["/usr/local/sbin/countersign-first-boot.sh"]["content"], text=True, check=False, timeout=120,
        capture_output=True, env={"PATH": f"{folder}:/usr/bin:/bin", "COUNTERSIGN_PAUSE": "0"},
    )  # fmt: skip
    return done.returncode, calls.read_text("utf-8").splitlines()


@pytest.mark.parametrize("fails", [0, 1, 5, 60])
def test_a_mirror_that_is_away_for_a_while_does_not_end_the_first_boot(fails: int, tmp_path: Path) -> None:
    code, calls = first_boot(tmp_path, fails)
    assert code == 0
    assert calls[-1].startswith("systemctl enable --now docker.service")
    installs = [call for call in calls if call.startswith("apt-get install")]
    assert "nftables" in installs[0]
    assert "docker.io" in installs[-1]
    assert calls.index(installs[0]) < calls.index("systemctl enable --now countersign-firewall.service")


def test_the_log_is_shipped_before_anything_that_may_never_end(tmp_path: Path) -> None:
    _, calls = first_boot(tmp_path, 1, late=1)
    assert calls[:2] == ["systemctl daemon-reload", "systemctl enable --now countersign-logs.timer"]
    first = re.search(r"OnBootSec=(\d+)min", unit("countersign-logs.timer"))
    assert first
    assert int(first[1]) < settings.Settings.model_fields["wait_minutes"].default, "`deploy` still waits then"
    assert "Restart=on-failure" in unit("countersign-logs.service"), "its rights may come later"


SAY = "python3 /usr/local/lib/countersign/vm say"


@pytest.mark.parametrize("says", [0, 1, 2, 127])
def test_a_mirror_that_is_away_is_reported_as_far_as_that_goes(says: int, tmp_path: Path) -> None:
    code, calls = first_boot(tmp_path, 3, says=says)
    assert code == 0
    told = [call for call in calls if call.startswith(SAY)]
    assert told
    assert all(call.startswith(f"{SAY} working packages apt-get does not install ca-certificates") for call in told)
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    assert not [call for call in first_boot(quiet, 0)[1] if call.startswith(SAY)]


@pytest.mark.parametrize("says", [0, 1])
def test_a_first_boot_that_ends_for_want_of_compose_says_so_in_the_report(says: int, tmp_path: Path) -> None:
    code, calls = first_boot(tmp_path, 0, compose=False, says=says)
    assert code == 1
    assert calls[-1].startswith(f"{SAY} failed packages apt knows no package of compose")


def test_docker_that_an_image_started_by_itself_does_not_go_on_beneath_the_data_volume(tmp_path: Path) -> None:
    _, calls = first_boot(tmp_path, 0, ready=False)
    stopped = calls.index("systemctl stop docker.socket docker.service")
    assert stopped < calls.index("systemctl start countersign-ready.service")


def test_a_first_boot_that_runs_again_stops_no_container(tmp_path: Path) -> None:
    _, calls = first_boot(tmp_path, 0)
    assert not [call for call in calls if " stop " in call]


def test_a_volume_or_right_that_comes_late_is_waited_for_before_docker(tmp_path: Path) -> None:
    code, calls = first_boot(tmp_path, 0, late=3)
    assert code == 0
    assert calls.count("systemctl start countersign-ready.service") == 4
    assert calls[-1].startswith("systemctl enable --now docker.service")


def test_the_program_starts_from_its_folder_with_nothing_but_python(tmp_path: Path) -> None:
    folder = tmp_path / "vm"
    for name, content in cloud_init.program():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", folder], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (2, "usage: vm ready | apply | ship | drill | say STATE STEP MESSAGE\n")


def test_the_program_imports_the_standard_library_and_itself_alone() -> None:
    for name, content in cloud_init.program():
        for node in ast.walk(ast.parse(content)):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                own = module.startswith("infra.vm")
                assert own or module.partition(".")[0] in sys.stdlib_module_names, (name, module)


def test_too_much_text_for_the_metadata_is_said_before_oracle_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_init, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="room for 1000"):
        cloud_init.encoded()
