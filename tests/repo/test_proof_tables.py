"""docs/proof.md lists the planted bugs and the kinds of bad commit that the tests hold; it fails here when stale."""

from __future__ import annotations

from tests.adversary.mutants import MUTANTS
from tests.sim.catalogue import PLANTED
from tools.proof_tables import PAGE, rendered_page


def test_the_tables_in_the_proof_page_are_those_of_the_tests() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rendered_page(page), "run `./just tables`"


def test_a_stale_table_of_proofs_would_be_seen() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert rendered_page(page.replace("| I12 |", "| I13 |")) == page


def test_every_planted_bug_has_a_name_of_its_own() -> None:
    names = [*(one.name for one in PLANTED), *MUTANTS]
    assert len(set(names)) == len(names) >= 100
