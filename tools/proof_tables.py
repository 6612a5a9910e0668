"""Renders the tables of docs/proof.md from the tests: `./just tables`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from services.local_agent.tests import test_page_bugs as page_bugs
from services.vault_hub.tests import test_direct as short
from services.vault_hub.tests import test_direct_reading as reading

from tests.adversary import kinds
from tests.adversary.kind import Kind
from tests.adversary.mutants import MUTANTS
from tests.prove import lying_hub
from tests.prove.sweeps import SWEEPS, Test
from tests.sim.catalogue import PLANTED

PAGE = Path(__file__).parents[1] / "docs" / "proof.md"


def render() -> dict[str, str]:
    """The name of each table, and the table as Markdown."""
    planted = ["| planted bug | hub | caught by |", "|---|---|---|"]
    planted += [f"| {one.name} | {'resident' if one.resident else 'any remote'} | {one.invariant} |" for one in PLANTED]
    mutants = ["| planted bug | the bad commit that gets in |", "|---|---|"]
    mutants += [f"| {name} | {_plain(mutant.lets_in)} |" for name, mutant in MUTANTS.items()]
    direct = ["| planted bug | caught by |", "|---|---|"]
    direct += [f"| {name} | {check.__name__.replace('_', ' ')} |" for name, (_, check) in short.BUGS.items()]
    direct += [f"| {name} | {lets_in} |" for name, (_, _, lets_in) in reading.READ.items()]
    lying = ["| planted bug of the running hub | killed on the way |", "|---|---|"]
    lying += [f"| {name} | {kills or 'no'} |" for name, (_, kills) in lying_hub.BUGS.items()]
    guards = ["| guard taken away | seen by |", "|---|---|"]
    guards += [f"| {name} | {_words(check)} |" for name, (_, check) in page_bugs.BUGS.items()]
    sweeps = ["| connector | effects | dies at each step | SIGKILL at each step | a fifth of the answers lost |"]
    sweeps += ["|---|---|---|---|---|"]
    for name, sweep in SWEEPS.items():
        cells = (_words(sweep.dies), _words(sweep.killed), _words(sweep.lost) if sweep.lost else "it is given none")
        sweeps.append(f"| {name} | {', '.join(sweep.kinds)} | {' | '.join(cells)} |")
    listed = kinds.kinds()
    counted = Counter(kind.rule for kind in listed)
    rules = ["| rule | kinds | such as |", "|---|---|---|"]
    rules += [f"| {rule} | {counted[rule]} | {_such_as(listed, rule)} |" for rule in sorted(counted)]
    rules.append(f"| all | {len(listed)} | |")
    tables = {
        "planted": planted,
        "mutants": mutants,
        "direct": direct,
        "kinds": rules,
        "lying": lying,
        "page": guards,
        "sweeps": sweeps,
    }
    return {name: "\n".join(lines) for name, lines in tables.items()}


def rendered_page(page: str) -> str:
    """The page with its tables as the tests have them."""
    for name, table in render().items():
        first, last = f"<!-- table:{name} -->\n", f"<!-- /table:{name} -->"
        before, _, rest = page.partition(first)
        page = f"{before}{first}{table}\n{last}{rest.partition(last)[2]}"
    return page


def _words(test: Test) -> str:
    return test.__name__.removeprefix("test_").replace("_", " ")


def _such_as(listed: tuple[Kind, ...], rule: str) -> str:
    names = [_plain(kind.name) for kind in listed if kind.rule == rule]
    return "; ".join(names[:: max(1, len(names) // 3)][:3])


def _plain(name: str) -> str:
    return name.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(rendered_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
