"""No effect without its proofs: every connector is killed at every named step and robbed of a fifth of its answers."""

from __future__ import annotations

import pytest

from local_agent.kinds import KINDS
from local_agent.mcp.connectors import POLICIES
from tests.prove.connectors import ALL_ROWS
from tests.prove.one_effect import STEPS
from tests.prove.sweeps import SWEEPS, Sweep, given, missing
from vault_protocol.social_action import NETWORKS

CONNECTORS = frozenset(name for name, _ in POLICIES)


def test_every_connector_and_every_kind_of_effect_is_swept() -> None:
    assert missing(frozenset(KINDS), CONNECTORS) == []


def test_a_kind_of_effect_or_a_connector_that_nobody_sweeps_is_named() -> None:
    assert missing(frozenset(KINDS) | {"send_fax"}, CONNECTORS) == ["no sweep of the effect send_fax"]
    assert missing(frozenset(KINDS), CONNECTORS | {"fax"}) == ["no sweep of the connector fax"]
    assert missing(frozenset(KINDS) - {"send_mail"}, CONNECTORS) == ["there is no effect send_mail"]
    assert missing(frozenset(KINDS), CONNECTORS - {"mail"}) == ["there is no connector mail"]


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_goes_over_every_step_and_over_its_connector(name: str) -> None:
    sweep = SWEEPS[name]
    assert set(given(sweep.dies, "step")) >= set(STEPS)
    rows = [row for row in ALL_ROWS if (row.of or row.name) == name]
    assert rows
    assert [row for row in given(sweep.killed, "row") if (row.of or row.name) == name] == rows
    if name == "social":
        assert {row.name.removeprefix("social-") for row in rows} == set(NETWORKS)
    if sweep.lost is None:
        assert not any(row.loses for row in rows)
    elif sweep.lost is Sweep.lost:
        assert [row for row in given(sweep.lost, "row") if row.name == name] == [row for row in rows if row.loses]
