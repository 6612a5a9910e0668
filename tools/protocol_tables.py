"""Renders the tables of docs/protocol.md from the code: `./just tables`."""

from __future__ import annotations

from pathlib import Path

from local_agent.mcp.connectors import POLICIES
from vault_protocol.moves import MOVES
from vault_protocol.task import Role
from vault_protocol.zones import AREAS, RIGHTS, Right, Whose

PAGE = Path(__file__).parents[1] / "docs" / "protocol.md"


def render() -> tuple[str, str, str]:
    """The tables of moves, of zones and of effects, as Markdown."""
    moves = ["| from | to |", "|---|---|"]
    for source, targets in MOVES.items():
        name = source.value if source else "(new)"
        moves.append(f"| {name} | {', '.join(sorted(target.value for target in targets)) or '(the end)'} |")
    zones = ["| move | cloud | local |", "|---|---|---|"]
    pairs = dict.fromkeys((right.source, right.target) for right in RIGHTS)
    for source, target in pairs:
        rights = [right for right in RIGHTS if (right.source, right.target) == (source, target)]
        cells = [" and ".join(_whose(right) for right in rights if right.role is role) or "—" for role in Role]
        zones.append(f"| {source.value if source else '(new)'} → {target.value} | {' | '.join(cells)} |")
    zones += ["", "| notes that are no tasks | cloud | local | how |", "|---|---|---|---|"]
    for area in AREAS:
        cells = ["yes" if role in area.roles else "—" for role in Role]
        folder = f"`{area.folder}`" if area.folder else "everything else"
        zones.append(f"| {folder} | {' | '.join(cells)} | {area.rule.value} |")
    policies = ["| effect | dedupe | when unknown, it is looked for in | tried again by itself |", "|---|---|---|---|"]
    for name, policy in POLICIES:
        policies.append(f"| {name} | {policy.dedupe} | {policy.probe} | {'yes' if policy.retries else 'never'} |")
    return "\n".join(moves), "\n".join(zones), "\n".join(policies)


def rendered_page(page: str) -> str:
    """The page with its tables as the code has them."""
    for name, table in zip(("moves", "zones", "policies"), render(), strict=True):
        first, last = f"<!-- table:{name} -->\n", f"<!-- /table:{name} -->"
        before, _, rest = page.partition(first)
        page = f"{before}{first}{table}\n{last}{rest.partition(last)[2]}"
    return page


def _whose(right: Right) -> str:
    return {Whose.ANY: "yes", Whose.OWN: "its own", Whose.OTHERS: "others', once expired"}[right.whose]


if __name__ == "__main__":
    PAGE.write_text(rendered_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
