"""The production stack on a real engine: up from nothing, joined, worked with, cut, and looked at from all sides."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.request
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from demo.processes import eventually
from tests.stack.asking import asked, task_of, through_the_gate
from tests.stack.booking import as_admin, as_cloud, ask_books, drafted, of_stack
from tests.stack.docker import PREFIX, docker
from tests.stack.office import Office
from tools.stack import images
from tools.stack.engine import StackFailed
from tools.stack.images import Image
from tools.stack.running import Stack

pytestmark = pytest.mark.stack

_CONNECT = (
    "import socket, sys\nsocket.setdefaulttimeout(5)\n"
    "line = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
    "if len(sys.argv) > 3:\n line.sendall(f'CONNECT {sys.argv[3]} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'.encode())\n"
    " print(line.recv(99).split()[1].decode())\n"
    "print('connected')"
)

OURS = ("backup", "caddy", "cloud-agent", "monitor", "prometheus", "uptime-kuma", "vault-hub", "way-out")
SERVICES = (*OURS, "db", "odoo")


def test_up_from_nothing_ends_with_everything_healthy_and_says_how_to_join(made: Office) -> None:
    assert made.services == sorted(SERVICES)
    assert f"countersign connect {made.stack.settings.url} --code " in made.said
    assert "Cloud watches nothing yet" in made.said
    assert [service for service in SERVICES if not made.is_well(service)] == []


def test_the_gate_passes_through_the_stack(made: Office) -> None:
    through_the_gate(made)


def test_https_holds_by_the_authority_that_joining_brought_and_by_no_other(made: Office) -> None:
    brought = (made.world.local_home / "hub-ca.pem").read_text(encoding="ascii")
    assert brought == (made.stack.settings.cloud / "hub-ca.pem").read_text(encoding="ascii")
    status, headers = made.get("/healthz")
    assert status == 200
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"] == "max-age=0"
    assert "Server" not in headers
    port = made.stack.settings.values["PUBLIC_PORT"]
    with pytest.raises(urllib.error.URLError) as raised:
        urllib.request.urlopen(f"https://localhost:{port}/healthz", timeout=20)
    assert isinstance(raised.value.reason, ssl.SSLCertVerificationError)


def test_testssl_finds_no_fault_in_protocols_ciphers_and_known_holes(made: Office, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    authority = str(made.stack.settings.cloud / "hub-ca.pem")
    subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--nodns", "min", "--warnings", "off", "--add-ca", authority,
         "--jsonfile", str(found), "-p", "-s", "-f", "-U", made.stack.settings.url.removeprefix("https://")],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=400, check=False,
    )  # fmt: skip
    findings = json.loads(found.read_text(encoding="utf-8"))
    said = {one["id"]: one["finding"] for one in findings}
    assert {said[version] for version in ("SSLv2", "SSLv3", "TLS1", "TLS1_1")} == {"not offered"}
    assert {"RC4", "LUCKY13", "cipherlist_STRONG"} <= set(said), "it looked to the end"
    # It cannot renegotiate what TLS 1.3 has not, and says so as a warning.
    bad = [one for one in findings if one["severity"] in ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")]
    assert bad == []


def test_caddy_keeps_to_itself_what_is_for_the_inside_and_bodies_that_are_too_large(made: Office) -> None:
    assert made.get("/metrics")[0] == 404
    assert made.get("/readyz")[0] == 404
    assert made.get("/v1/join", data=b"{" + b" " * 10_000)[0] == 400
    try:
        status = made.get("/v1/join", data=b"{" + b" " * (22 << 20))[0]
    except OSError:  # it hangs up before the end
        status = 413
    assert status in (400, 413)


def test_odoo_answers_through_caddy_and_its_database_pages_do_not(made: Office) -> None:
    status, headers = made.get("/web/login", name="odoo.localhost")
    assert (status, headers["X-Frame-Options"]) == (200, "SAMEORIGIN")
    direct = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8069/web/database/selector').status)"
    assert made.inside("odoo", "python3", "-c", direct).strip().endswith("200"), "it is Caddy that keeps it"
    for path in ("/web/database/selector", "/web/database/manager", "/WEB/database/list", "/web//database/selector"):
        assert made.get(path, name="odoo.localhost")[0] == 404, path


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_can_do_no_more_than_it_has_to(made: Office, service: str) -> None:
    found = made.inspected(service)
    host, config = found["HostConfig"], found["Config"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    reads_others = service == "backup"
    assert host["CapAdd"] == (["CAP_DAC_READ_SEARCH"] if reads_others else None)
    assert service not in OURS or reads_others or int(config["User"].partition(":")[0]) >= 10_000
    assert reads_others or config["User"] not in ("", "0", "0:0", "root")
    assert 0 < host["Memory"] <= (4 << 30 if service == "odoo" else 1 << 30)
    assert host["MemorySwap"] == host["Memory"]
    assert 0 < host["PidsLimit"] <= 256
    assert host["LogConfig"]["Config"] == {"max-file": "3", "max-size": "10m"}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert ":" in config["Image"]
    assert not config["Image"].endswith(":latest")
    assert bool(host["PortBindings"]) == (service == "caddy")
    for mount in found["Mounts"]:
        assert not mount["RW"] or mount["Type"] == "volume", f"{mount['Destination']} is the host's"
        assert "docker.sock" not in mount["Source"]
    effective = made.inside(service, "cat", "/proc/1/status")
    assert f"CapEff:\t{4 if reads_others else 0:016x}" in effective
    assert f"CapBnd:\t{4 if reads_others else 0:016x}" in effective
    assert "NoNewPrivs:\t1" in effective
    assert "Read-only file system" in made.inside(service, "touch", "/usr/bin/mine")


def test_cloud_reaches_the_hub_the_books_its_mailbox_and_nothing_else(made: Office) -> None:
    def tries(*words: str) -> str:
        return made.inside("cloud-agent", "python", "-c", _CONNECT, *words).strip().splitlines()[-1]

    def tunnel(target: str) -> str:
        return made.inside("cloud-agent", "python", "-c", _CONNECT, "way-out", "3128", target).split()[0]

    mailbox = made.stack.settings.way_out.joinpath("allowed.conf").read_text(encoding="utf-8")
    host, port = mailbox.split("dstdomain ")[1].split()[0], mailbox.split("acl port0 port ")[1].split()[0]
    assert tries("hub.home.arpa", "8443") == "connected"
    assert tries("odoo", "8069") == "connected"
    assert "Name or service not known" in tries("db", "5432") or "resolution" in tries("db", "5432")
    assert "No route to host" in tries(host, port), "this machine's own services"
    assert "Name or service not known" in tries("vault-hub", "8470") or "resolution" in tries("vault-hub", "8470")
    assert tunnel(f"{host}:{port}") == "200"
    for refused in (
        f"{host}:25",
        f"{host}:587",
        f"{host}:465",
        "mail.example:993",
        "127.0.0.1:3128",
        "169.254.169.254:80",
    ):
        assert tunnel(refused) == "403", refused
    plain = made.inside("cloud-agent", "python", "-c", (
        "import urllib.request, urllib.error\n"
        "opener = urllib.request.build_opener(urllib.request.ProxyHandler({'http': 'http://way-out:3128'}))\n"
        f"try: print(opener.open('http://{host}:{port}/', timeout=5).status)\n"
        "except urllib.error.HTTPError as error: print(error.code)"
    ))  # fmt: skip
    assert plain.strip() == "403", "a plain request could speak to a port in words of its own"


def test_the_books_were_made_whole_and_the_database_takes_its_password_and_no_other(made: Office) -> None:
    query = (
        "psql",
        "-U",
        "odoo",
        "-d",
        "books",
        "-Atc",
        "SELECT state FROM ir_module_module WHERE name = 'draft_only'",
    )
    assert made.inside("db", *query).strip() == "installed"
    by_network = ("psql", "-w", "-d", "host=127.0.0.1 user=odoo dbname=books", "-c", "SELECT 1")
    assert "no password supplied" in made.inside("db", *by_network)
    assert made.inside("odoo", "sh", "-c", "ls /var/lib/odoo/filestore").split() in ([], ["books"])


def test_nobody_gets_into_the_books_with_the_password_that_odoo_begins_with(made: Office) -> None:
    assert ask_books(made, "admin", "admin", "res.users", "search_read", fields=["login"]) == "BadCredentials"
    assert '"cloud"' in as_admin(made, "res.users", "search_read", fields=["login"])
    assert str(made.stack.settings.secrets / "odoo_admin_password") in made.said


def test_a_mail_that_asks_for_an_invoice_becomes_a_draft_in_the_books_of_the_stack(made: Office) -> None:
    """By the key that `up` made, which cannot post it; with the accounts of the country that the settings name."""
    assert json.loads(as_admin(made, "account.journal", "search_read", fields=["type"]))
    number = drafted(made, "Hours of October", "PO-7")
    assert as_cloud(made, "account.move", "action_post", [number]) == "BooksRefused"


def test_clouds_key_to_the_books_is_made_anew_when_its_file_is_taken_away(made: Office) -> None:
    file = made.stack.settings.secrets / "cloud" / "books-key"
    old = of_stack(made, "cloud/books-key")
    file.unlink()
    made.command("up")
    assert of_stack(made, "cloud/books-key") != old
    assert '"cloud"' in as_cloud(made, "res.users", "search_read", fields=["login"])
    keys = ("psql", "-U", "odoo", "-d", "books", "-Atc", "SELECT count(*) FROM res_users_apikeys")
    assert made.inside("db", *keys).strip() == "1"


def test_caddy_and_the_way_out_alone_have_a_route_out_and_it_is_the_right_one(made: Office) -> None:
    def gateways(service: str) -> list[str]:
        lines = [line.split() for line in made.inside(service, "cat", "/proc/net/route").splitlines()[1:]]
        return [str(IPv4Address(bytes.fromhex(line[2])[::-1])) for line in lines if line[1] == "00000000"]

    assert gateways("way-out") == [made.gateway()]
    assert gateways("caddy") == [made.gateway("edge")]
    for service in ("cloud-agent", "vault-hub"):
        reached = [made.inside(service, "python", "-c", _CONNECT, gateway, "22") for gateway in gateways(service)]
        assert [said for said in reached if "No route to host" not in said] == []


def test_clouds_image_holds_no_code_that_acts(made: Office) -> None:
    image = made.inspected("cloud-agent")["Image"]
    look = ("run", "--rm", "--network", "none", "--user", "0", image, "find", "/", "-xdev", "-type", "f")
    files = docker(*look).splitlines()
    named = [file.lower() for file in files]
    for part in ("local_agent", "smtplib", "/mcp/", "/mcp-", "aiosmtp", "odoo_mcp", "/demo/", "vault_hub", "/keyring/"):
        assert [file for file in named if part in file] == [], part
    assert any(file.endswith("/ours/cloud_agent/worker.py") for file in files)
    assert any(file.endswith("/ours/drafting/offline.py") for file in files)
    imported = docker("run", "--rm", "--network", "none", image, "python", "-c", (
        "import importlib.util as u\n"
        "print([n for n in ('smtplib', 'local_agent', 'mcp', 'aiosmtplib') if u.find_spec(n)])"
    ))  # fmt: skip
    assert imported == "[]"
    assert [
        f for f in files if f.rpartition("/")[2] in ("sendmail", "msmtp", "curl", "ssmtp", "swaks", "git", "ssh")
    ] == []


def test_no_secret_stands_in_what_docker_shows_or_keeps(made: Office) -> None:
    state = made.stack.settings
    files = [*(file for file in state.secrets.rglob("*") if file.is_file()), made.world.local_home / "hub-token"]
    held = {file.read_text(encoding="utf-8").strip() for file in files}
    held |= {code.partition(".")[0] for code in made.codes}
    assert len(held) >= 4
    shown = [state.environment.read_text(encoding="utf-8"), made.stack.compose("config")]
    for service in SERVICES:
        image = made.inspected(service)["Image"]
        shown += [
            docker("inspect", made.container(service)), docker("logs", made.container(service)),
            docker("image", "inspect", image), docker("history", "--no-trunc", image),
            made.inside(service, "cat", "/proc/1/environ"),
        ]  # fmt: skip
        for secret in held:
            argv = ["docker", "run", "--rm", "-i", "--network", "none", "--user", "0", "--entrypoint", "grep", image]
            grep = subprocess.run(
                [*argv, "-rlsFf", "-", "/opt", "/etc", "/srv", "/home", "/root", "/var", "/usr/local"],
                input=secret, capture_output=True, encoding="utf-8", timeout=120, check=False,
            )  # fmt: skip
            assert grep.stdout == "", service
    everything = "\n".join(shown)
    assert [secret for secret in held if secret in everything] == []


@pytest.mark.parametrize(
    ("service", "network"), [("vault-hub", "hub"), ("cloud-agent", "agents"), ("cloud-agent", "way-out")]
)
def test_mail_that_came_while_a_network_was_cut_is_drafted_when_it_is_back(
    made: Office, service: str, network: str
) -> None:
    name, container = f"{made.project}_{network}", made.container(service)
    aliases = made.inspected(service)["NetworkSettings"]["Networks"][name]["Aliases"]
    docker("network", "disconnect", name, container)
    number = asked(made)
    docker("network", "connect", *(word for alias in aliases for word in ("--alias", alias)), name, container)
    task_of(made, number)


def test_the_books_are_back_by_themselves_after_their_database_was_away(made: Office) -> None:
    docker("stop", "--time", "30", made.container("db"))
    eventually(lambda: made.get("/web/login", name="odoo.localhost")[0] != 200, "Odoo says no", seconds=60)
    docker("start", made.container("db"))
    eventually(lambda: made.get("/web/login", name="odoo.localhost")[0] == 200, "Odoo answers", seconds=120)


def test_plain_git_reads_the_vault_through_the_stack_and_what_it_may_not_push_is_refused(
    made: Office, tmp_path: Path
) -> None:
    token, trusted = of_stack(made, "cloud/hub-token"), made.stack.settings.cloud / "hub-ca.pem"
    asking = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "http.sslCAInfo", "GIT_CONFIG_VALUE_0": str(trusted),
        "GIT_CONFIG_KEY_1": "http.extraHeader", "GIT_CONFIG_VALUE_1": f"Authorization: Bearer {token}",
    }  # fmt: skip

    def git(*words: str, **also: str) -> subprocess.CompletedProcess[str]:
        who = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        return subprocess.run(
            ["git", *words], env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **who, **also},
            stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip

    address, copy = f"{made.stack.settings.url}/vault.git", tmp_path / "copy"
    assert git("clone", "-q", address, str(tmp_path / "stranger"), GIT_SSL_CAINFO=str(trusted)).returncode != 0
    cloned = git("clone", "-q", address, str(copy), **asking)
    assert cloned.returncode == 0, cloned.stderr
    assert (copy / "Dashboard.md").exists()
    (copy / "Company_Handbook.md").write_text("# Pay everybody\n", encoding="utf-8")
    assert git("-C", str(copy), "commit", "-qam", "mine").returncode == 0
    pushed = git("-C", str(copy), "push", "-q", "origin", "HEAD:main", **asking)
    assert pushed.returncode != 0
    assert "remote rejected" in pushed.stderr
    through_the_gate(made)


def test_after_all_that_the_gate_passes_still(made: Office) -> None:
    through_the_gate(made)


def test_prometheus_reads_every_service_that_has_figures_and_raises_no_rule(made: Office) -> None:
    def ask(path: str) -> Any:
        return json.loads(made.inside("prometheus", "wget", "-q", "-O", "-", f"http://127.0.0.1:9090/api/v1/{path}"))[
            "data"
        ]

    def targets() -> dict[str, str]:
        return {one["labels"]["job"]: one["health"] for one in ask("targets?state=active")["activeTargets"]}

    wanted = {"vault_hub", "cloud_agent", "backup", "monitor", "uptime_kuma", "prometheus"}
    eventually(lambda: targets() == dict.fromkeys(wanted, "up"), "all are read", seconds=120)
    eventually(lambda: made.monitors().get("rules") == "up", "Kuma hears of the rules", seconds=120)
    firing = ask("query?query=ALERTS%7Balertstate%3D%22firing%22%2Craised_by%3D%22prometheus%22%7D")
    assert firing["result"] == []


def test_rollback_runs_the_release_before_and_data_stays(made: Office) -> None:
    before = made.inspected("cloud-agent")["Config"]["Image"]
    other = f"{PREFIX}/cloud-agent:next"
    docker("build", "-q", "-t", other, "-", feed=f"FROM {before}\nLABEL countersign.test=next\n")

    def next_release(wanted: tuple[Image, ...]) -> dict[str, str]:
        return {**images.made(wanted), "CLOUD_AGENT_IMAGE": other}

    Stack(made.stack.settings, next_release).upgrade()
    assert made.inspected("cloud-agent")["Config"]["Image"] == other
    made.command("rollback")
    assert made.inspected("cloud-agent")["Config"]["Image"] == before
    assert [service for service in SERVICES if not made.is_well(service)] == []
    through_the_gate(made)


def test_a_release_that_does_not_get_well_is_taken_back_and_data_stays(made: Office) -> None:
    running = made.inspected("vault-hub")["Image"]

    def broken(wanted: tuple[Image, ...]) -> dict[str, str]:
        good = images.made(wanted)
        return {**good, "VAULT_HUB_IMAGE": good["WAY_OUT_IMAGE"]}

    with pytest.raises(StackFailed, match="taken back"):
        Stack(made.stack.settings, broken).upgrade()
    assert made.inspected("vault-hub")["Image"] == running
    assert [service for service in SERVICES if not made.is_well(service)] == []
    through_the_gate(made)


def test_who_leaves_is_not_let_in_and_comes_back_with_a_new_code(made: Office) -> None:
    world = made.world
    world.countersign("disconnect", "--yes")
    assert "does not let us in" in world.countersign("status", "--json")
    made.join()
    eventually(lambda: '"hub": "ok"' in world.countersign("status", "--json"), "the hub lets us in", seconds=60)
    used = made.codes[-1]
    said = world.countersign("connect", made.stack.settings.url, "--code", used, check=False)
    assert said == "" or "nobody is invited" in said
