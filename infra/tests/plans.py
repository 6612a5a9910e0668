"""What each stack asks the engine for, as a text for a review: `python tests/plans.py` writes tests/plans/*.txt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from stacks import POOL, example, run

FOLDER = Path(__file__).parent / "plans"
CHOSEN: dict[str, Any] = {
    "admin_blocks": ["203.0.113.7/32"],
    "books_country": "AT",
    "names": {**example("prod")["names"], "status": "status"},
}
WANTED: dict[str, tuple[str, dict[str, Any]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "prod-with-pool": ("prod", POOL),
    "prod-with-bastion": ("prod", CHOSEN),
}


def plan(name: str) -> str:
    """One block a resource, by its type and name; what a resource is given stands below it."""
    stack, changed = WANTED[name]
    made = sorted(run(stack, **changed).made, key=lambda one: (one.type, one.name))
    blocks = []
    for one in made:
        notes = ["protected"] * one.protect + ["deleted before it is replaced"] * one.replaces_first
        notes += [f"ignores {', '.join(one.ignored)}"] if one.ignored else []
        notes += [f"secret: {', '.join(one.secrets)}"] if one.secrets else []
        head = f"{one.type} {one.name}" + (f"  ({'; '.join(notes)})" if notes else "")
        blocks.append("\n".join([head, *(f"    {line}" for line in _lines(one.inputs, set(one.secrets)))]))
    return "\n".join(blocks) + "\n"


def _lines(value: Any, secret: set[str], at: str = "") -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            here = f"{at}.{key}" if at else key
            if key in secret and not at:
                yield f"{here}: a secret"
            elif key == "freeformTags":
                yield f"{here}: {' '.join(value[key].values())}"
            elif key == "user_data":
                yield f"{here}: the first boot, infra/src/infra/cloud_init"
            elif key == "countersign":
                yield from _lines(json.loads(value[key]), set(), here)
            else:
                yield from _lines(value[key], secret, here)
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from _lines(one, secret, f"{at}[{number}]")
    elif at:
        yield f"{at}: {json.dumps(value, ensure_ascii=False)}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in WANTED:
        (FOLDER / f"{name}.txt").write_text(plan(name), encoding="utf-8")
