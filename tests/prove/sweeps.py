"""For each connector, the tests that kill it at every named step and that lose a fifth of its answers.

docs/proof.md has it as a table; `tests/repo/test_sweeps.py` holds it to the connectors and kinds of effects there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.local_agent.tests import test_social_effects as social

from tests.prove import test_connectors as rows

Test = Callable[..., Any]


@dataclass(frozen=True)
class Sweep:
    """`kinds` are the types of action that the connector makes happen."""

    kinds: tuple[str, ...]
    dies: Test = rows.test_a_death_at_any_step_is_one_effect_at_most
    """An exception at the step, which nothing catches."""
    killed: Test = rows.test_killed_at_every_step_and_again_while_it_recovers_it_is_one_effect_at_most
    """SIGKILL from within the process at the step."""
    lost: Test | None = rows.test_with_a_fifth_of_the_answers_lost_each_happens_once_at_most_and_every_doubt_is_told
    """None for a connector that is given no answers."""


SWEEPS: Mapping[str, Sweep] = {
    "mail": Sweep(("send_mail", "forward_mail")),
    "gmail": Sweep(("send_mail", "forward_mail")),
    "post": Sweep(("post_invoice",)),
    "payment": Sweep(("register_payment",)),
    "transfer-file": Sweep(("pay_transfer",), lost=None),
    "transfer-wise": Sweep(("pay_transfer",)),
    "social": Sweep(
        ("publish_post",),
        dies=social.test_a_death_at_any_step_never_leads_to_a_second_post,
        lost=social.test_posts_with_a_fifth_of_the_answers_lost_are_published_at_most_once,
    ),
    "whatsapp": Sweep(("send_whatsapp", "send_sealed")),
}
"""By the connector's name."""


def missing(kinds: frozenset[str], connectors: frozenset[str]) -> list[str]:
    """What there is and is swept by nothing, and what is listed and is not there, a line each."""
    swept = {kind for sweep in SWEEPS.values() for kind in sweep.kinds}
    return [
        *(f"no sweep of the connector {name}" for name in sorted(connectors - SWEEPS.keys())),
        *(f"no sweep of the effect {kind}" for kind in sorted(kinds - swept)),
        *(f"there is no connector {name}" for name in sorted(SWEEPS.keys() - connectors)),
        *(f"there is no effect {kind}" for kind in sorted(swept - kinds)),
    ]


def given(test: Test, name: str) -> list[Any]:
    """The values that this test is run with under this name, in every lane. Raises LookupError when it takes none."""
    found: list[Any] = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names, values = mark.args
        split = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)
        if name in split:
            place = split.index(name)
            plain = [getattr(one, "values", one if len(split) > 1 else (one,)) for one in values]
            found += [one[place] for one in plain]
    if not found:
        raise LookupError(f"{test.__name__} is run with no {name}")
    return found
