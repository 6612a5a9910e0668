"""The restored hub of a drill, served in a container by the image that production runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack.docker import docker, ensure_engine
from tests.stack.images import debian
from tests.stack.installation import Backups, at_work, backups, of_vault
from tests.stack.stand_ins import stand_in
from tools.stack import images
from vault_protocol.task import Stage

pytestmark = pytest.mark.stack

DRILLS = "countersign.drill"


@dataclass(frozen=True)
class Kept:
    """Backups of a hub in use, and its folder."""

    backups: Backups
    hub: Path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Of a vault in which a draft waits; drilled by the image of the hub."""
    ensure_engine()
    [hub] = (image for image in images.IMAGES if image.name == "vault-hub")
    stand_in(images.bases((hub,)))
    named = f"[drill]\nhub_image = {json.dumps(images.made((hub,))[hub.variable])}\nseconds = 60"
    folder = tmp_path_factory.mktemp("drilled")
    with at_work(folder / "office") as office:
        office.at(office.ask(), Stage.PENDING_APPROVAL)
        assert office.world.machine is not None
        made = backups(folder / "backup", of_vault(office.world.machine.folder), named)
        made("run", "--init", "--once", "vault")
        yield Kept(made, office.world.machine.folder)


def left() -> list[str]:
    every = ("ps -a -q", "volume ls -q", "network ls -q")
    return [found for what in every if (found := docker(*what.split(), "--filter", f"label={DRILLS}"))]


def test_a_restored_hub_judges_every_commit_in_a_container_that_leads_nowhere(kept: Kept) -> None:
    before = left()
    said = kept.backups("drill")
    assert "vault: serving it by countersign/vault-hub:" in said
    assert "hub: judged every commit and served" in said
    assert left() == before


def test_an_image_that_serves_no_hub_makes_the_drill_a_failure(kept: Kept) -> None:
    before = left()
    nobody = debian("bookworm")
    assert f"{nobody} has no user hub" in kept.backups("drill", "--hub-image", nobody, code=1)
    assert "there is no image" in kept.backups("drill", "--hub-image", "countersign/nobody:1", code=1)
    assert left() == before
