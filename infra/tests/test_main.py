"""The stack's program from its configuration, as `pulumi up` starts it: settings and secrets of each stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from stacks import Mocks, Monitor, Run, example, run

from infra import conventions, settings
from infra.__main__ import main
from infra.values import Illegal


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, pulumi.Output[str]]]:
    """What the program exports; the configuration is empty afterwards."""
    found: dict[str, pulumi.Output[str]] = {}
    monkeypatch.setattr(pulumi, "export", found.__setitem__)
    yield found
    pulumi.runtime.set_all_config({})


def configured(stack: str, **changed: Any) -> dict[str, str]:
    """As Pulumi gives a program what stands in the stack's file, secrets opened."""
    chosen = example(stack, **changed)
    files = settings.read(chosen, stack=stack).supplied_secrets
    secrets = {f"countersign:{settings.secret_key(file)}": f"value of {file}" for file in files}
    return {"oci:region": chosen["region"], "countersign:settings": json.dumps(chosen), **secrets}


def started(stack: str, config: dict[str, str], outputs: dict[str, pulumi.Output[str]], into: Run | None = None) -> Run:
    found, mocks = Run() if into is None else into, Mocks()
    pulumi.runtime.set_mocks(mocks, project=conventions.PROJECT, stack=stack, monitor=Monitor(mocks, found))
    pulumi.runtime.set_all_config(config, [key for key in config if ":secret-" in key])

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        main()
        return pulumi.Output.all(**outputs).apply(lambda values: found.outputs.update(values))

    program()
    return found


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_stacks_configuration_makes_the_stack_that_its_settings_describe(
    stack: str, outputs: dict[str, pulumi.Output[str]]
) -> None:
    found, wanted = started(stack, configured(stack), outputs), run(stack)
    assert sorted(one.urn for one in found.made) == sorted(one.urn for one in wanted.made)
    assert found.outputs == {**wanted.outputs, "health": found.outputs["health"]}, "but for when it was said"


def test_a_mailboxs_password_in_the_configuration_reaches_the_vault_and_stays_a_secret(
    outputs: dict[str, pulumi.Output[str]],
) -> None:
    found = started("prod", configured("prod"), outputs)
    (box,) = [one for one in found.of("Secret") if "cloud-business" in one.name]
    assert "secretContent" in box.secrets
    assert box.inputs == run("prod").one(box.name).inputs


def test_a_secret_that_is_missing_ends_the_program_with_its_command_and_nothing_is_made(
    outputs: dict[str, pulumi.Output[str]],
) -> None:
    config = configured("prod")
    del config["countersign:secret-cloud-business"]
    found = Run()
    with pytest.raises(Illegal, match="pulumi config set --secret countersign:secret-cloud-business"):
        started("prod", config, outputs, found)
    assert (found.made, outputs) == ([], {})


@pytest.mark.parametrize("config", [{}, {"countersign:settings": "{}"}])
def test_a_stack_without_settings_is_refused_by_the_name_of_its_file(
    config: dict[str, str], outputs: dict[str, pulumi.Output[str]]
) -> None:
    with pytest.raises(Illegal, match=r"Pulumi.prod.yaml, countersign:settings: tenancy: Field required"):
        started("prod", config, outputs)
