"""What the VM is told, held against what reads it: the VM's own program, and the stack of this repository."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from stacks import example, run

from infra import conventions, orders, settings
from infra.components.alarms import CONDITIONS
from infra.components.secrets import MADE
from infra.vm import reports
from infra.vm.orders import Orders
from infra.vm.programs import Failed
from tools.stack.first_run import MADE as FIRST_RUN
from tools.stack.settings import NEEDED, OPTIONAL
from tools.stack.settings import read as read_environment


def told(stack: str = "prod") -> str:
    text: str = run(stack).one("vm").inputs["metadata"]["countersign"]
    return text


def test_the_vm_understands_its_orders_and_both_sides_call_them_by_the_same_digest() -> None:
    parsed = Orders.parse(told())
    assert parsed.digest == orders.digest(told())
    assert parsed.role == "whole"
    assert parsed.version == "0.1.0"
    assert {one.file for one in parsed.secrets} == {
        *MADE, "cloud/business", "backup/s3",
    }  # fmt: skip
    assert {one.form for one in parsed.secrets if one.file in ("cloud/business", "backup/s3")} == {"text"}


def test_every_secret_that_a_stack_makes_is_kept_by_the_vault_for_a_vm_forgets_its_own_at_a_restart() -> None:
    assert {*MADE} == {*FIRST_RUN} - {"grafana_password"}, "a VM has no profile `grafana`"
    assert "grafana" not in told()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_stack_of_this_repository_takes_its_environment(stack: str, tmp_path: Path) -> None:
    chosen = settings.read(example(stack), stack=stack)
    file = tmp_path / "stack.env"
    file.write_text("\n".join(f"{k}={v}" for k, v in orders.environment(chosen).items()), encoding="utf-8")
    found = read_environment(file)
    assert found.url == f"https://{chosen.names.hub_name}"
    assert not found.has_own_authority


def test_country_and_monitor_are_told_to_the_stack_as_far_as_they_were_chosen(tmp_path: Path) -> None:
    names = {**example("prod")["names"], "status": "watch"}
    chosen = settings.read(example("prod", books_country="AT", names=names), stack="prod")
    file = tmp_path / "stack.env"
    file.write_text("\n".join(f"{k}={v}" for k, v in orders.environment(chosen).items()), encoding="utf-8")
    found = read_environment(file)
    assert found.values["BOOKS_COUNTRY"] == "AT"
    assert found.kuma_name == chosen.names.status_name == "watch.office.office.test"
    assert not {"BOOKS_COUNTRY", "KUMA_NAME"} & {*json.loads(told())["environment"]}


def test_every_setting_of_the_stack_is_told_or_left_out_for_a_reason() -> None:
    names = {**example("prod")["names"], "status": "status"}
    chosen = settings.read(example("prod", books_country="AT", names=names), stack="prod")
    by_default = {"HEALTH_INTERVAL", "WATCH_SECONDS"}
    assert {*orders.environment(chosen)} == {*NEEDED, *OPTIONAL} - by_default


def test_mailboxes_and_model_become_the_words_of_cloud_toml() -> None:
    drafter = {"provider": "anthropic", "model": "some-model"}
    chosen = settings.read(example("prod", drafter=drafter), stack="prod")
    found = tomllib.loads(orders.cloud(chosen))
    assert found["mailboxes"][0]["password_file"] == "/run/secrets/business"
    assert found["drafter"] == {**drafter, "api_key_file": "/run/secrets/model-key"}
    assert chosen.supplied_secrets == ("cloud/business", "cloud/model-key")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"release": 1}',
        json.dumps({"secrets": [{"file": "../../etc/shadow", "id": "x", "form": "text"}]}),
    ],
)
def test_orders_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Failed, match="not what this VM understands"):
        Orders.parse(text)


def test_a_secret_never_becomes_a_file_elsewhere() -> None:
    for file in ("../x", "/etc/passwd", "a/../../b"):
        found = json.loads(told())
        found["secrets"][0]["file"] = file
        with pytest.raises(Failed, match="no file below"):
            Orders.parse(json.dumps(found))


def test_the_vm_and_the_program_call_their_objects_and_measures_alike() -> None:
    assert reports.JOIN_CODE == conventions.JOIN_CODE
    assert Orders.parse(told()).machine == conventions.VM
    assert conventions.METRICS == "countersign"
    assert any(c.query.startswith("disk_used_percent") for c in CONDITIONS)
