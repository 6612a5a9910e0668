"""The production stack as its files say it, without an engine: settings, the first run, recipes and lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import backup.settings
import cloud_agent.settings
import monitor.__main__
import monitor.settings
from monitor.tokens import token
from tools.stack import agent_alone, first_run, images, settings, watching
from tools.stack.engine import StackFailed
from tools.stack.first_run import CLOUD, allowed
from tools.stack.releases import Releases
from tools.stack.settings import Settings
from tools.workspace import ROOT
from vault_protocol.task import Domain

LIKE = "cloud.yaml", "agent-alone.yaml"


@pytest.mark.parametrize("example", ["laptop.env.example", "vm.env.example"])
def test_the_examples_are_settings(example: str) -> None:
    found = settings.read(ROOT / "compose" / example)
    assert found.project == "countersign"
    assert found.has_own_authority == (example == "laptop.env.example")
    assert found.url.startswith("https://")


def test_settings_that_miss_a_name_or_have_an_unknown_one_are_refused(tmp_path: Path) -> None:
    good = (ROOT / "compose" / "laptop.env.example").read_text(encoding="utf-8")
    for bad, says in (
        (good.replace("HUB_NAME=localhost", ""), "HUB_NAME is missing"),
        (good + "HUB_NAM=x\n", "HUB_NAM is no setting"),
        (good + "some words\n", "is no NAME=VALUE"),
    ):
        file = tmp_path / "stack.env"
        file.write_text(bad, encoding="utf-8")
        with pytest.raises(StackFailed, match=says):
            settings.read(file)


def stack(tmp_path: Path, **changes: str) -> Settings:
    values = settings.read(ROOT / "compose" / "laptop.env.example").values
    return Settings({**values, **changes}, tmp_path)


@pytest.mark.parametrize("profiles", ["", "books"])
def test_what_the_watching_services_are_told_is_settings_that_they_take(tmp_path: Path, profiles: str) -> None:
    found = stack(tmp_path, COMPOSE_PROFILES=profiles)
    first_run.make(found)
    backs_up = backup.settings.read(found.backup / "backup.toml")
    assert set(backs_up.kinds) == {"vault", "kuma", "caddy", "settings", *(["books"] if profiles else [])}
    watches = monitor.settings.read(found.monitor / "monitor.toml")
    wanted = monitor.__main__.wanted_of(watches)
    pushed = {file.name for file in backs_up.alarms.push.values()}
    assert set(wanted.pushed) == {*pushed, *watching.OWNERS}, "each has its job, each job its monitor"
    assert ("books" in {one.name for one in wanted.monitors}) == bool(profiles)


def test_the_owners_machine_calls_where_the_monitor_makes_kuma_listen(tmp_path: Path) -> None:
    made = stack(tmp_path)
    first_run.make(made)
    secret = bytes.fromhex((made.secrets / "monitor" / "push-secret").read_text(encoding="ascii").strip())
    lines = dict(line.split(" ") for line in watching.of_the_owners(made).splitlines())
    assert lines == {name: f"/api/push/{token(secret, name)}" for name in watching.OWNERS}


def test_the_first_run_keeps_what_the_operator_wrote_and_makes_no_secret_twice(tmp_path: Path) -> None:
    found = stack(tmp_path)
    first_run.make(found)
    secrets = {file: file.read_bytes() for file in found.secrets.rglob("*") if file.is_file()}
    mine = found.backup / "backup.toml"
    mine.write_text(mine.read_text("utf-8").replace("every_seconds = 86400", "every_seconds = 1"), "utf-8")
    (found.monitor / "also.yaml").write_text("tags: []\n", "utf-8")
    first_run.make(found)
    assert {file: file.read_bytes() for file in secrets} == secrets
    assert len(set(secrets.values())) == len(secrets)
    assert "every_seconds = 1\n" in mine.read_text("utf-8")
    assert (found.monitor / "also.yaml").read_text("utf-8") == "tags: []\n"


@pytest.mark.parametrize("profiles", ["", "books,metrics", "grafana,metrics"])
def test_a_password_for_grafana_is_made_where_there_is_a_grafana(tmp_path: Path, profiles: str) -> None:
    found = stack(tmp_path, COMPOSE_PROFILES=profiles)
    first_run.make(found)
    assert (found.secrets / "grafana_password").exists() == ("grafana" in profiles)


def test_an_image_is_made_only_for_a_profile_that_is_wanted() -> None:
    assert {one.name for one in images.wanted([])} < {one.name for one in images.wanted(["books"])}
    assert "odoo" not in {one.name for one in images.wanted(["metrics"])}


def lone(tmp_path: Path, **changes: str) -> Settings:
    """An agent alone, with the secret that its operator copied."""
    values = settings.read(ROOT / "compose" / "agent.env.example").values
    found = Settings({**values, **changes}, tmp_path)
    (found.secrets / "cloud").mkdir(parents=True)
    (found.secrets / first_run.INSTALLATION).write_text("ab" * 32 + "\n", encoding="ascii")
    return found


def test_an_agent_alone_has_its_own_name_and_token_and_the_secret_of_its_fleet(tmp_path: Path) -> None:
    found = lone(tmp_path, HUB="https://hub.office.test:8443")
    agent_alone.make(found)
    told = (found.cloud / "cloud.toml").read_text(encoding="utf-8")
    for file in ("/run/secrets", "/data"):
        told = told.replace(f'"{file}', f'"{tmp_path}{file}')
    (tmp_path / "as-there.toml").write_text('vault = "v1"\n' + told, encoding="utf-8")
    taken = cloud_agent.settings.read(tmp_path / "as-there.toml")
    assert (taken.agent, taken.hub) == ("cloud-2", "https://hub.office.test:8443")
    assert taken.key_file.name == "cloud-2"
    assert taken.domains == (Domain.EMAIL,), "the books are beside the hub"
    assert taken.leave_seconds == first_run.LEAVE_SECONDS
    assert taken.hub_ca_file is None
    token = (found.secrets / "cloud" / "hub-token").read_text(encoding="ascii")
    agent_alone.make(found)
    assert (found.secrets / "cloud" / "hub-token").read_text(encoding="ascii") == token
    assert {file.name for file in (found.secrets / "cloud").iterdir()} == {"hub-token", "installation"}
    assert [file.name for file in found.secrets.iterdir()] == ["cloud"], "no secret of hub, books or backups"


def test_an_agent_alone_may_reach_its_hub_and_what_its_settings_name(tmp_path: Path) -> None:
    found = lone(tmp_path, HUB="https://hub.office.test")
    agent_alone.make(found)
    listed = (found.way_out / "allowed.conf").read_text(encoding="utf-8")
    assert re.findall(r"dstdomain (\S+)", listed) == ["hub.office.test"]
    assert re.findall(r"acl port0 port (\S+)", listed) == ["443"]


def test_the_authority_of_a_hub_that_no_system_knows_is_brought_by_its_operator(tmp_path: Path) -> None:
    authority = tmp_path / "theirs.pem"
    authority.write_text("one\n", encoding="ascii")
    found = lone(tmp_path / "state", HUB_CA=str(authority))
    agent_alone.make(found)
    assert 'hub_ca_file = "hub-ca.pem"' in (found.cloud / "cloud.toml").read_text(encoding="utf-8")
    authority.write_text("another\n", encoding="ascii")
    agent_alone.make(found)
    assert (found.cloud / "hub-ca.pem").read_text(encoding="ascii") == "another\n"
    authority.unlink()
    with pytest.raises(StackFailed, match="HUB_CA"):
        agent_alone.make(found)


def test_without_the_secret_of_its_fleet_an_agent_alone_does_not_begin(tmp_path: Path) -> None:
    found = lone(tmp_path)
    (found.secrets / first_run.INSTALLATION).unlink()
    with pytest.raises(StackFailed, match="copy the file of that name from the hub's machine"):
        agent_alone.make(found)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("AGENT=cloud-2", "AGENT=cloud", "a name of its own"),
        ("AGENT=cloud-2", "AGENT=local", "a name of its own"),
        ("AGENT=cloud-2", "AGENT=Cloud_2", "a name of its own"),
        ("HUB=https://hub.example.com", "HUB=http://hub.example.com", "public address"),
        ("HUB=https://hub.example.com", "HUB=https://a@hub.example.com", "public address"),
        ("HUB=https://hub.example.com", "", "HUB is missing"),
        ("AGENT=cloud-2", "AGENT=cloud-2\nHUB_NAME=hub.example.com", "HUB_NAME is no setting"),
    ],
)
def test_settings_of_an_agent_alone_that_make_no_sense_are_refused(
    tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    file = tmp_path / "stack.env"
    text = (ROOT / "compose" / "agent.env.example").read_text(encoding="utf-8")
    assert was in text
    file.write_text(text.replace(was, becomes), encoding="utf-8")
    with pytest.raises(StackFailed, match=says):
        settings.read(file)


def test_a_stack_that_made_its_secret_inside_gets_no_second_one(tmp_path: Path) -> None:
    found = stack(tmp_path)
    found.cloud.mkdir()
    (found.cloud / "cloud.toml").write_text('secret_file = "/data/secret"\n', encoding="utf-8")
    first_run.make(found)
    assert not (found.secrets / first_run.INSTALLATION).exists()


def test_an_agent_alone_is_the_agent_beside_the_hub_but_for_where_it_is() -> None:
    both = [yaml.safe_load((ROOT / "compose" / name).read_text("utf-8"))["services"] for name in LIKE]
    beside, alone = both[0]["cloud-agent"], both[1]["agent"]
    differs = {key for key in {*beside, *alone} if beside.get(key) != alone.get(key)}
    assert differs == {"command", "environment", "networks", "volumes", "healthcheck"}
    assert set(alone["networks"]) < set(beside["networks"])
    assert set(alone["volumes"]) < set(beside["volumes"]), "nothing more of its machine"


def cloud(tmp_path: Path, more: str) -> Path:
    file = tmp_path / "cloud.toml"
    file.write_text(CLOUD.format(owner="Ann", secrets="/x", leave=60) + more, encoding="utf-8")
    return file


MAILBOX = '\n[[mailboxes]]\nname = "a"\nhost = "{}"\nport = {}\n'


def test_cloud_may_reach_what_its_settings_name_pair_by_pair(tmp_path: Path) -> None:
    model = '\n[drafter]\nprovider = "anthropic"\nmodel = "m"\napi_key_file = "k"\n'
    found = allowed(cloud(tmp_path, model + MAILBOX.format("imap.example.com", 993)))
    assert re.findall(r"dstdomain (\S+)", found) == ["api.anthropic.com", "imap.example.com"]
    assert "http_access allow host1 port1" in found
    assert "http_access" not in allowed(cloud(tmp_path, ""))


def test_for_gmail_the_way_out_leads_to_the_mail_and_to_its_tokens(tmp_path: Path) -> None:
    found = allowed(cloud(tmp_path, '\n[[mailboxes]]\nname = "a"\nsource = "gmail"\n'))
    assert re.findall(r"dstdomain (\S+)", found) == ["gmail.googleapis.com", "oauth2.googleapis.com"]
    assert set(re.findall(r" port (\S+)", found)) == {"443"}


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [("smtp.example.com", 587, "handed in"), ("a b\\nacl x", 993, "no host name"), ("*.example.com", 993, "no host")],
)
def test_a_port_that_mail_is_handed_in_at_and_a_crooked_name_are_refused(
    tmp_path: Path, host: str, port: int, says: str
) -> None:
    with pytest.raises(StackFailed, match=says):
        allowed(cloud(tmp_path, MAILBOX.format(host, port)))


def test_what_an_image_copies_is_let_into_its_build() -> None:
    listed = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    for image in images.IMAGES:
        for path in images.copied(image.recipe.read_text(encoding="utf-8")):
            assert (image.context / path).exists(), path
            if image.context == ROOT:
                wanted = "requirements/*.txt" if path.startswith("requirements/") else path
                assert wanted in listed, f"{image.name}: {path} is kept out by .dockerignore"


def test_a_stack_goes_back_to_the_release_before(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "releases.json")
    with pytest.raises(StackFailed, match="no earlier release"):
        releases.before()
    for number in (1, 2, 2, 3):
        releases.note({"HUB": f"hub:{number}"})
    assert releases.before().images == {"HUB": "hub:2"}
    releases.note(releases.before().images)
    assert [one.images["HUB"] for one in releases.all()] == ["hub:1", "hub:3", "hub:2"]


def test_the_list_of_releases_is_not_written_when_what_runs_is_the_newest_already(tmp_path: Path) -> None:
    file = tmp_path / "releases.json"
    Releases(file).note({"HUB": "hub:1"})
    before = file.stat().st_ino
    Releases(file).note({"HUB": "hub:1"})
    assert file.stat().st_ino == before
    Releases(file).note({"HUB": "hub:2"})
    assert file.stat().st_ino != before
